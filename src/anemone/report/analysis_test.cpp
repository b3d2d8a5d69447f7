// The three forms of an analysis: the contract's keys, the width of the text, Markdown that names cannot break.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "anemone/report/analysis_comparison.h"
#include "anemone/report/analysis_json.h"
#include "anemone/report/analysis_markdown.h"
#include "anemone/report/analysis_text.h"
#include "anemone/report/page.h"
#include "anemone/report/words.h"

namespace anemone::report {
namespace {

using toolchain::Analysis;

Analysis sample() {
  Analysis a;
  a.model = "some/folder/with/a/long/name/of/the/model/that/goes/on/and/on/until/the/line/is/full.mlpackage";
  a.title = "a program";
  a.network = "unknown";
  a.format = "Core ML package";
  a.has_program = true;
  a.parameters = {1234567, 1234000, 567};
  a.macs = 17337155584;
  a.ops.total = 3;
  a.ops.by_type = {{"conv", 2}, {"relu", 1}};
  a.layers.total = 3;
  a.layers.by_type = a.ops.by_type;
  toolchain::LayerKind kind{"Convolution", 2, 2, a.macs, {}};
  kind.engine = {"conditional", 2, 1, "ANE005", "a reason that is long enough to be wrapped because it names extents",
                 "reported"};
  a.layers.composition = {kind};
  a.inputs = {{"x", "array", "fp16", "", {1, 3, -1, 8}, {}, ""}};
  a.by_kind = {{"conv", 2, a.macs, 4096, 123456789}};
  a.by_stage = {{std::string(200, 's'), 2, 0, 0, 0}};
  a.largest_weights = {{std::string(150, 'w'), "fp16[1,3]", "conv", 6}};
  a.concats = {{"concat on axis 1 of 4: 4+4", {std::string(80, 'k'), "b", "c", "d"}}};
  plan::Finding f;
  f.code = "ANE005";
  f.severity = "warn";
  f.message = "a|b <c> " + std::string(120, 'm');
  f.instead = "split";
  f.ops = {"op"};
  f.cost_us = 12.5;
  a.findings = {f};
  a.tree = {{"", "Net", 0, {}, 10, 10, 3, 5}, {"a", "Conv2d", 1, {2, 5}, 10, 0, 0, 0}};
  return a;
}

TEST(AnalysisJson, HasTheKeysOfTheContract) {
  const auto json = nlohmann::ordered_json::parse(analysis_json(sample(), false));
  EXPECT_EQ(json.begin().key(), "schema");
  EXPECT_EQ(json["schema"], "anemone.analyze/1");
  for (const char* key :
       {"/network", "/format", "/layers/total", "/layers/by_type", "/layers/composition/0/kind",
        "/layers/composition/0/modules", "/layers/composition/0/ops", "/layers/composition/0/ane", "/parameters/total",
        "/parameters/live", "/parameters/dead", "/size_bytes/fp32", "/size_bytes/fp16", "/macs", "/ops/total",
        "/ops/by_type", "/inputs/0", "/outputs", "/findings/0"}) {
    EXPECT_TRUE(json.contains(nlohmann::ordered_json::json_pointer(key))) << key;
  }
  EXPECT_EQ(json["size_bytes"]["fp32"], 4 * 1234567);
  EXPECT_EQ(json["size_bytes"]["fp16"], 2 * 1234567);
  EXPECT_FALSE(json.contains("tree"));
  EXPECT_EQ(nlohmann::json::parse(analysis_json(sample(), true))["tree"].size(), 2u);
  Analysis unknown = sample();
  unknown.has_program = false;
  EXPECT_TRUE(nlohmann::json::parse(analysis_json(unknown, false))["macs"].is_null());
  const auto both = nlohmann::json::parse(analysis_comparison_json(sample(), unknown));
  EXPECT_EQ(both["model"]["macs"], 17337155584);
  EXPECT_TRUE(both["other"]["macs"].is_null());
}

TEST(AnalysisText, FoldsToHundredColumns) {
  Analysis a = sample();
  for (const std::string& text : {analysis_text(a), analysis_text(a, {.tree = true}), analysis_comparison_text(a, a)}) {
    std::istringstream lines(folded(text, 100));
    for (std::string line; std::getline(lines, line);) {
      if (line.find(a.model) != std::string::npos || line.find(std::string(120, 'm')) != std::string::npos) continue;
      EXPECT_LE(columns(line), 100u) << line;
      EXPECT_FALSE(line.ends_with(' ')) << line;
    }
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
  }
  EXPECT_EQ(analysis_text(a).find("conditional"), std::string::npos) << "tables stand behind --full";
  EXPECT_NE(analysis_text(a, {.full = true}).find("conditional"), std::string::npos);
}

TEST(AnalysisText, CutsTheTree) {
  Analysis a = sample();
  a.layers.modules = true;
  EXPECT_NE(analysis_text(a, {.tree = true}).find("Conv2d, never runs"), std::string::npos);
  EXPECT_EQ(analysis_text(a, {.tree = true, .depth = 0}).find("Conv2d"), std::string::npos);
}

TEST(AnalysisMarkdown, EscapesNames) {
  const std::string page = analysis_markdown(sample());
  EXPECT_EQ(page.rfind("# Findings on ", 0), 0u);
  EXPECT_NE(page.find("a\\|b &lt;c>"), std::string::npos);
  EXPECT_NE(page.find("| Convolution |"), std::string::npos);
  EXPECT_NE(page.find("about 12 µs"), std::string::npos);
}

TEST(AnalysisWords, NumbersAndLists) {
  EXPECT_EQ(grouped(17177332), "17,177,332");
  EXPECT_EQ(grouped(-1234), "-1,234");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(short_count(17337155584), "17.34 G");
  EXPECT_EQ(joined({"a", "b", "c"}, 2), "a, b and 1 more");
  EXPECT_EQ(fitted("größer", 4), "grö…");
  EXPECT_EQ(wrapped("one two three", 2, 9), "one two\n  three");
}

}  // namespace
}  // namespace anemone::report

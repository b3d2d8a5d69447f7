// Every rule has a file in tests/plan in which it fires: at operations called hit…, and not at those called near….
#include "anemone/plan/ane/rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "anemone/ir/text/parse.h"
#include "anemone/ops/ops.h"
#include "anemone/plan/ane/planner.h"

namespace anemone::plan::ane {
namespace {

struct Case {
  std::string path, text, device = "m1";
  bool exists() const { return !text.empty(); }
};

Case read_case(std::string_view code, std::string_view suffix) {
  Case c{.path = "tests/plan/" + std::string(code) + std::string(suffix) + ".mil", .text = {}};
  std::ifstream in(c.path);
  std::stringstream whole;
  whole << in.rdbuf();
  c.text = whole.str();
  constexpr std::string_view kDevice = "--device ";
  const std::string run = c.text.substr(0, c.text.find('\n'));
  if (const auto at = run.find(kDevice); at != std::string::npos) {
    const std::string rest = run.substr(at + kDevice.size());
    c.device = rest.substr(0, rest.find(' '));
  }
  return c;
}

struct Fired {
  bool at_all = false;
  std::vector<std::string> hits, nears;  ///< of the finding
  std::vector<std::string> expected;     ///< operations called hit…
  bool has_near = false;
};

Fired fire(const Case& c, std::string_view code) {
  Fired fired;
  auto program = parse(c.text, ops::table(), {}, c.path);
  EXPECT_TRUE(program.has_value()) << (program ? "" : render(program.error()));
  if (!program) return fired;
  const Device* device = find_device(c.device);
  EXPECT_NE(device, nullptr) << c.path;
  if (!device) return fired;
  const Plan plan = make_plan((*program)->main(), *device);
  for (const Finding& finding : plan.findings) {
    if (finding.code != code) continue;
    fired.at_all = true;
    for (const std::string& op : finding.ops) {
      if (op.starts_with("hit")) fired.hits.push_back(op);
      if (op.starts_with("near")) fired.nears.push_back(op);
    }
  }
  for (const PlannedOp& op : plan.ops) {
    if (op.output.starts_with("hit")) fired.expected.push_back(op.output);
    fired.has_near = fired.has_near || op.output.starts_with("near");
  }
  std::sort(fired.hits.begin(), fired.hits.end());
  fired.hits.erase(std::unique(fired.hits.begin(), fired.hits.end()), fired.hits.end());
  std::sort(fired.expected.begin(), fired.expected.end());
  return fired;
}

TEST(Rules, EachFiresInItsFileAndNotBesideIt) {
  for (const Rule* rule : rules()) {
    const std::string_view code = rule->text.code;
    const Case hit = read_case(code, ""), near = read_case(code, "-near");
    if (!hit.exists()) {
      ADD_FAILURE() << code << " has no " << hit.path << ": a program in which it fires, and a near miss";
      continue;
    }
    const Fired fired = fire(hit, code);
    EXPECT_TRUE(fired.at_all) << code << " does not fire in " << hit.path;
    EXPECT_EQ(fired.hits, fired.expected) << hit.path;
    EXPECT_EQ(fired.nears, std::vector<std::string>{}) << hit.path;
    EXPECT_TRUE(fired.has_near || near.exists()) << hit.path << " has no near miss, and there is no " << near.path;
    if (near.exists()) {
      EXPECT_FALSE(fire(near, code).at_all) << code << " fires in " << near.path;
    }
  }
}

// A file of a rule that is gone would otherwise stay for ever.
TEST(Rules, EachFileBelongsToARule) {
  for (const auto& entry : std::filesystem::directory_iterator("tests/plan")) {
    const std::string name = entry.path().stem().string();
    if (!name.starts_with("ANE")) continue;
    EXPECT_NE(find_rule(name.substr(0, name.find('-'))), nullptr) << entry.path();
  }
}

TEST(Rules, CodesAreOrderedAndRowsAreComplete) {
  std::string_view last;
  for (const Rule* rule : rules()) {
    const RuleText& r = rule->text;
    EXPECT_LT(last, r.code);
    last = r.code;
    EXPECT_FALSE(r.what.empty() || r.why.empty() || r.instead.empty() || r.source.empty()) << r.code;
    const bool asks = rule->notices || rule->surveys || rule->refusers[0].check;
    EXPECT_TRUE(asks || r.code == "ANE012") << r.code << " has no check";  // ANE012 takes over refusals of ANE001
  }
}

// Every collected report is answered, and every code in an answer exists.
TEST(Rules, EveryReportIsAnswered) {
  std::ifstream in("docs/evidence/answers.md");
  std::set<std::string> answered;
  for (std::string line; std::getline(in, line);) {
    std::smatch match;
    if (std::regex_search(line, match, std::regex(R"(^\| ([FCNL][0-9]+) \| .+ \| .+ \|$)"))) answered.insert(match[1]);
    for (std::string rest = line; std::regex_search(rest, match, std::regex("`(ANE[0-9]{3})`")); rest = match.suffix())
      EXPECT_NE(find_rule(match[1].str()), nullptr) << match[1];
  }
  for (const auto& [letter, count] : {std::pair('F', 21), std::pair('C', 8), std::pair('N', 4), std::pair('L', 1)}) {
    for (int i = 1; i <= count; ++i) EXPECT_TRUE(answered.contains(letter + std::to_string(i))) << letter << i;
  }
}

TEST(Rules, SupportRowsUseTheFiveLetters) {
  for (const SupportRow& row : support_rows())
    EXPECT_EQ(row.takes.find_first_not_of("yncul"), std::string_view::npos) << row.type;
}

}  // namespace
}  // namespace anemone::plan::ane

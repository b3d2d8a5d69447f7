// Whatever a file put into its names, each report is one valid JSON object that begins with its schema.
#include "anemone/report/json_parts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "anemone/report/analysis_json.h"
#include "anemone/report/bench.h"
#include "anemone/report/checkpoints.h"
#include "anemone/report/convert.h"
#include "anemone/report/diagnostics.h"
#include "anemone/report/plan_json.h"
#include "anemone/report/program.h"
#include "anemone/report/rules.h"
#include "anemone/report/run.h"
#include "anemone/report/tables.h"
#include "anemone/report/verify.h"
#include "anemone/report/version.h"

namespace anemone::report {
namespace {

const std::string kBad = "caf\xe9 \xff\x1b[31m";

std::string program_json(const std::vector<std::string>& pieces) {
  std::string out;
  ProgramJson document([&out](std::string_view piece) { out += piece; });
  for (const std::string& piece : pieces) document.text(piece);
  document.finish();
  return out;
}

std::vector<std::string> documents() {
  toolchain::ConvertResult convert;
  convert.input = convert.output = kBad;
  convert.ops.by_type[kBad] = 1;
  convert.inputs.push_back({kBad, "array", "fp16", "", {1}, {}, kBad});
  convert.passes.push_back({kBad, true, 1, {{kBad, 1}}, {kBad}});
  toolchain::RunResult run;
  run.outputs.push_back({kBad, "fp32", kBad, {1}, std::nan(""), std::numeric_limits<double>::infinity(), 0});
  toolchain::VerifyResult verify;
  verify.outputs.resize(1);
  verify.outputs[0].name = kBad;
  verify.outputs[0].psnr_db = std::numeric_limits<double>::infinity();
  verify.notes = {kBad};
  toolchain::BenchResult bench;
  bench.model.model = kBad;
  toolchain::SynthResult synth;
  synth.output = kBad;
  toolchain::CheckpointListing listing;
  listing.tensors.push_back({kBad, "float32", kBad, "", {1}, {1}, 0, false});
  toolchain::PlanResult plan;
  plan.plans.resize(1);
  plan.plans[0].findings.resize(1);
  plan.plans[0].findings[0].message = kBad;
  plan.plans[0].ops.resize(1);
  plan.plans[0].ops[0].output = kBad;
  toolchain::Analysis analysis;
  analysis.model = kBad;
  analysis.findings = plan.plans[0].findings;
  return {convert_json(convert),
          run_json(run),
          verify_json(verify, 10),
          bench_json(bench),
          synth_json(synth),
          listing_json(listing),
          plan_json(plan, {}),
          plan_comparison_json(plan, plan),
          analysis_json(analysis, true),
          analysis_comparison_json(analysis, analysis),
          program_json({kBad}),
          errors_json({bad_input(ErrorCode::usage, kBad, kBad, kBad)}, 3),
          version_json({}),
          ops_json(toolchain::op_rows()),
          passes_json(toolchain::pass_rows(), toolchain::pipeline_rows()),
          rules_json(toolchain::rule_tables()),
          explain_json(*toolchain::rule_row("ane001"))};
}

TEST(JsonParts, EveryReportIsValidWhateverTheNamesAre) {
  for (const std::string& text : documents()) {
    const Json json = Json::parse(text, nullptr, false);
    ASSERT_TRUE(json.is_object()) << text;
    EXPECT_EQ(json.begin().key(), "schema") << text;
    EXPECT_TRUE(text.ends_with("}\n"));
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
  }
}

TEST(ProgramJson, PiecesMayEndWithinACharacter) {
  const std::string text = "a \"name\": \xc3\xa4\n\xe2\x82\xac \xf0\x9f\x90\x9a \xe2\x82";  // the last is cut off
  std::vector<std::string> bytes;
  for (char byte : text) bytes.emplace_back(1, byte);
  EXPECT_EQ(program_json(bytes), program_json({text}));
  EXPECT_EQ(Json::parse(program_json(bytes)).at("text"), text.substr(0, text.size() - 2) + "\xef\xbf\xbd");
}

TEST(JsonParts, NumbersThatJsonDoesNotHaveAreNull) {
  EXPECT_TRUE(number(std::nan("")).is_null());
  EXPECT_TRUE(number(-std::numeric_limits<double>::infinity()).is_null());
  EXPECT_EQ(number(0.5), 0.5);
  EXPECT_EQ(thousandths(1.23456), 1.235);
}

}  // namespace
}  // namespace anemone::report

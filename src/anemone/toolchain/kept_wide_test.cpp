// Named operations and values stay fp32; words that name nothing are refused.
#include "anemone/toolchain/kept_wide.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "anemone/toolchain/convert.h"
#include "tests/support/scratch.h"

namespace anemone::toolchain {
namespace {

constexpr std::string_view kProgram = R"(program(1.3) {
  //! input x: array fp32 [1, 4]
  //! output y: array fp32 [1, 4]
  func main<ios17>(tensor<fp32, [1, 4]> x) {
    square_of = square(x = x);
    rooted = sqrt(x = square_of);
    y = tanh(x = rooted);
  } -> (y);
}
)";

/// What `--keep-fp32` of these words leaves in fp32, or the error.
Result<std::string> kept(std::vector<std::string> words, std::vector<std::string> passes = {}) {
  const test::Scratch scratch;
  const std::filesystem::path path = scratch.path / "program.mil";
  std::ofstream(path) << kProgram;
  TRY(const Model model, load(path, {}));
  ConvertOptions options;
  options.keep_fp32 = std::move(words);
  options.passes = std::move(passes);
  TRY(const Converted converted, convert(model, options));
  std::string names;
  for (const Node& node : converted.program->main().body.nodes) {
    if (node.type != "cast" && node.outputs[0]->type.dtype == DType::fp32) names += node.type + " ";
  }
  return names;
}

TEST(KeptWide, TypesAndNamesStayFp32) {
  EXPECT_EQ(kept({}).value(), "");
  EXPECT_EQ(kept({"sqrt"}).value(), "sqrt ");
  EXPECT_EQ(kept({"square_of", "tanh"}).value(), "square tanh ");
  EXPECT_EQ(kept({"instance_norm"}).value(), "") << "a type of the table, met or not: one list serves many networks";
}

TEST(KeptWide, WordsThatNameNothingAreRefused) {
  const auto error = kept({"sqrt", "rootde"});
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().front().blame, Blame::usage);
  EXPECT_NE(error.error().front().message.find("'rootde'"), std::string::npos) << error.error().front().message;
  EXPECT_EQ(error.error().front().help, "did you mean 'rooted'?");
  EXPECT_FALSE(kept({"rooted"}, {"none"})) << "nothing is cast: there is nothing to keep";
}

// Digits do not come back.
TEST(KeptWide, WhatIsHalfAlreadyIsSaid) {
  const test::Scratch scratch;
  const std::filesystem::path path = scratch.path / "program.mil";
  std::ofstream(path) << kProgram;
  const auto model = load(path, {});
  ASSERT_TRUE(model) << render(model.error());
  auto once = convert(*model, {});
  ASSERT_TRUE(once) << render(once.error());
  Model half;
  half.program = std::move(once->program);
  ConvertOptions options;
  options.keep_fp32 = {"sqrt"};
  const auto again = convert(half, options);
  ASSERT_TRUE(again) << render(again.error());
  ASSERT_EQ(again->warnings.size(), 1u);
  EXPECT_NE(again->warnings[0].message.find("'sqrt' is fp16 already"), std::string::npos) << again->warnings[0].message;
}

}  // namespace
}  // namespace anemone::toolchain

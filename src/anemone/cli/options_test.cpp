// Options: what is accepted, and that every refusal names the option and the way out.
#include "anemone/cli/options.h"

#include <gtest/gtest.h>

namespace anemone::cli {
namespace {

enum class Precision { fp16, fp32 };
constexpr Choice<Precision> kPrecisions[] = {{"fp16", Precision::fp16}, {"fp32", Precision::fp32}};

struct Line {
  std::string model, out, device = "m1";
  std::vector<std::string> inputs, outputs;
  std::vector<double> bias;
  std::optional<double> scale;
  std::int64_t opset = 17;
  bool check = false;
  int verbosity = 0;
  Precision precision = Precision::fp16;
  Options options;

  Line() {
    options.argument("MODEL", model, "the network");
    options.value("-o,--output", "OUT", out, "where to write", {.required = true});
    options.value("--device", "CHIP", device, "the chip");
    options.repeated("--input", "NAME=FILE", inputs, "an input");
    options.list("--outputs", "NAME,...", outputs, "the outputs");
    options.list("--bias", "B[,B,B]", bias, "the bias");
    options.value("--scale", "S", scale, "the scale");
    options.value("--opset", "N", opset, "the opset", {.at_least = 7, .at_most = 21});
    options.flag("--check", check, "check it");
    options.flag("-v,--verbose", verbosity, "more talk");
    options.choice("--precision", precision, kPrecisions, "the precision");
  }
  /// "" when accepted, else "message | help".
  std::string parse(std::vector<const char*> words) {
    const Result<void> parsed = options.parse(words);
    if (parsed) return "";
    const Diagnostic& problem = parsed.error().front();
    EXPECT_EQ(problem.blame, Blame::usage);
    return problem.message + (problem.help.empty() ? "" : " | " + problem.help);
  }
};

TEST(Options, AcceptsEveryForm) {
  Line line;
  ASSERT_EQ(line.parse({"star.pkl",    "-oout.mlpackage",
                        "--device=m2", "--input",
                        "a=x,y.npy",   "--input=b=z.npy",
                        "--outputs",   "p,q",
                        "--outputs",   "r",
                        "--bias",      "-104,-117.5,1e-3",
                        "--scale",     "-.5",
                        "--check",     "-vv",
                        "-v",          "--opset",
                        "11",          "--precision",
                        "fp32"}),
            "");
  EXPECT_EQ(line.model, "star.pkl");
  EXPECT_EQ(line.out, "out.mlpackage");
  EXPECT_EQ(line.device, "m2");
  EXPECT_EQ(line.inputs, (std::vector<std::string>{"a=x,y.npy", "b=z.npy"}));
  EXPECT_EQ(line.outputs, (std::vector<std::string>{"p", "q", "r"}));
  EXPECT_EQ(line.bias, (std::vector<double>{-104, -117.5, 1e-3}));
  EXPECT_EQ(line.scale, -0.5);
  EXPECT_EQ(line.opset, 11);
  EXPECT_TRUE(line.check);
  EXPECT_EQ(line.verbosity, 3);
  EXPECT_EQ(line.precision, Precision::fp32);
}

TEST(Options, KeepsDefaults) {
  Line line;
  ASSERT_EQ(line.parse({"star.pkl", "-o", "-"}), "");
  EXPECT_EQ(line.out, "-");
  EXPECT_EQ(line.device, "m1");
  EXPECT_EQ(line.opset, 17);
  EXPECT_EQ(line.scale, std::nullopt);
  EXPECT_EQ(line.precision, Precision::fp16);
}

TEST(Options, TakesWordsAfterTwoDashesAsTheyAre) {
  Line line;
  ASSERT_EQ(line.parse({"-o", "x", "--", "--odd-name=.pkl"}), "");
  EXPECT_EQ(line.model, "--odd-name=.pkl");
}

TEST(Options, RefusalsNameTheOptionAndTheWayOut) {
  const std::pair<std::vector<const char*>, const char*> cases[] = {
      {{"a", "-o", "x", "--devcie", "m2"}, "there is no option '--devcie' | did you mean '--device'?"},
      {{"a", "-o", "x", "-z"}, "there is no option '-z'"},
      {{"a", "-o", "x", "--opset", "5"}, "--opset: 5 is not between 7 and 21"},
      {{"a", "-o", "x", "--opset", "11.5"}, "--opset: '11.5' is not a whole number"},
      {{"a", "-o", "x", "--opset", "99999999999999999999"}, "--opset: 99999999999999999999 is too large a number"},
      {{"a", "-o", "x", "--scale", "2/0"}, "--scale: '2/0' is not a number | fractions are written 2/255"},
      {{"a", "-o", "x", "--scale", "nan"}, "--scale: 'nan' is not a number"},
      {{"a", "-o", "x", "--bias", "1,,2"}, "--bias: '1,,2' has an empty part between its commas"},
      {{"a", "-o", "x", "--bias", "1,b"}, "--bias: 'b' is not a number"},
      {{"a", "-o", "x", "--precision", "fp61"}, "--precision: 'fp61' is not one of fp16, fp32 | did you mean 'fp16'?"},
      {{"a", "-o", "x", "--output", "y"}, "--output is given 2 times"},
      {{"a", "-o", "x", "--scale", "2/255"}, ""},
      {{"a", "-o", "x", "b"}, "'b' is one argument too many | a name with spaces needs quotes"},
      {{"a"}, "--output OUT is missing: where to write"},
      {{"-o", "x"}, "MODEL is missing: the network"},
      {{"a", "-o"}, "--output has no value | write --output OUT, or --output=VALUE for one that starts with '-'"},
      {{"a", "--output="},
       "--output has no value | write --output OUT, or --output=VALUE for one that starts with '-'"},
      {{"a", "-o", "--check"},
       "--output has no value | write --output OUT, or --output=VALUE for one that starts with '-'"},
      {{"a", "-o", ""}, "--output: the value is empty"},
      {{}, "--output OUT is missing: where to write"},
  };
  for (const auto& [words, answer] : cases) EXPECT_EQ(Line().parse(words), answer);
}

TEST(Options, TakesTheRestAsArguments) {
  std::vector<std::string> files;
  Options options;
  options.arguments("FILE", files, "the files", 2);
  const std::vector<const char*> two{"a", "b"}, one{"a"};
  EXPECT_TRUE(options.parse(two));
  EXPECT_EQ(files, (std::vector<std::string>{"a", "b"}));
  const auto refused = options.parse(one);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().front().message, "FILE needs at least 2 values and got 1");
}

}  // namespace
}  // namespace anemone::cli

// A file is read once and a network built once, whatever is done with it; copies leave the model alone.
#include "anemone/toolchain/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "anemone/toolchain/analyze.h"
#include "anemone/toolchain/checkpoints.h"
#include "anemone/toolchain/convert.h"
#include "anemone/toolchain/plan_model.h"

namespace anemone::toolchain {
namespace {

namespace fs = std::filesystem;

class Models : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "model-XXXXXX").string();
    ASSERT_TRUE(::mkdtemp(pattern.data()));
    folder_ = pattern;
    talk_.line = [this](int, const std::string& line) { lines_.push_back(line); };
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::ptrdiff_t count(std::string_view beginning) const {
    return std::count_if(lines_.begin(), lines_.end(), [&](const std::string& s) { return s.starts_with(beginning); });
  }

  fs::path folder_;
  Talk talk_;
  std::vector<std::string> lines_;
};

TEST_F(Models, ACheckpointIsReadAndBuiltOnce) {
  const fs::path path = folder_ / "star.pkl";
  ASSERT_TRUE(synth_star_checkpoint(path, {}));
  const auto model = load(path, {.talk = talk_});
  ASSERT_TRUE(model) << render(model.error());
  const std::string before = program_text(*model);
  const auto analysis = analyze(*model);
  ASSERT_TRUE(analysis);
  EXPECT_TRUE(analysis->engine);
  ASSERT_TRUE(plan_model(*model, {}));
  ASSERT_TRUE(convert(*model, {}));
  EXPECT_EQ(count("read "), 1);
  EXPECT_EQ(count("built "), 1);
  EXPECT_EQ(program_text(*model), before);  // nobody edited the model
  ConvertOptions sizes;
  sizes.target = Target::ios18;
  sizes.shape_functions = true;
  sizes.shapes = {{256, 256}, {320, 320}, {384, 384}};
  const auto sized = convert(*model, sizes);
  ASSERT_TRUE(sized) << render(sized.error());
  EXPECT_EQ(sized->program->functions.size(), 3u);
  EXPECT_EQ(count("read "), 1);
  EXPECT_EQ(count("built "), 3);  // the first size is the model's own
  sizes.target = Target::ios17;
  sizes.shape_functions = false;
  const auto one = convert(*model, sizes);
  ASSERT_TRUE(one) << render(one.error());
  EXPECT_EQ(one->program->functions.size(), 1u);
  const Interface& interface = one->program->main().interface;
  using Sizes = std::vector<std::pair<std::int64_t, std::int64_t>>;
  EXPECT_EQ(interface.inputs.at(0).sizes, (Sizes{{256, 256}, {320, 320}, {384, 384}}));
  EXPECT_EQ(interface.inputs.at(0).height, 256);
  EXPECT_EQ(interface.outputs.at(0).shape, (Dims{1, 98, 2}));
  EXPECT_EQ(one->program->main().body.inputs[0]->type.dims, (Dims{1, 3, kUnknown, kUnknown}));
}

TEST_F(Models, TensorsSufficeOnlyWhereThatIsSaid) {
  const fs::path path = folder_ / "unknown.mil";
  std::ofstream(path)
      << "program(1.3) {\n  func main<ios17>(tensor<fp32, [1, 1, ?, ?]> x) {\n    y = relu(x = x);\n  } -> "
         "(y);\n}\n";
  const auto model = load(path);
  ASSERT_TRUE(model) << render(model.error());
  EXPECT_FALSE(model->is_checkpoint());
  const auto sized = at_size(*model, 8, 16);
  ASSERT_TRUE(sized) << render(sized.error());
  EXPECT_EQ(sized->program->main().body.inputs[0]->type.dims, (Dims{1, 1, 8, 16}));
  EXPECT_EQ(model->program->main().body.inputs[0]->type.dims, (Dims{1, 1, kUnknown, kUnknown}));
}

// --shapes of a package: one of the sizes that a graph takes, or the function that has it.
TEST_F(Models, APackageIsTakenAtASize) {
  const auto text = [&](const std::string& name, const std::string& words) {
    std::ofstream(folder_ / name) << "program(1.3) {\n" << words << "}\n";
    return folder_ / name;
  };
  const auto function = [](const std::string& name, const std::string& side) {
    return "  func " + name + "<ios18>(tensor<fp32, [1, 1, " + side + ", " + side +
           "]> x) {\n    y = relu(x = x);\n  } -> (y);\n";
  };
  const fs::path listed =
      text("listed.mil",
           "  //! input x: array fp32 [1, 1, 8, 8] shapes [1, 1, 8, 8] [1, 1, 4, 4]\n  //! output y: array fp32\n" +
               function("main", "?"));
  const fs::path several =
      text("several.mil", "  //! default \"small\"\n" + function("small", "4") + function("large", "8"));
  for (const fs::path& path : {listed, several}) {
    for (const std::int64_t side : {4, 8}) {
      const auto model = load(path, {.height = side, .width = side});
      ASSERT_TRUE(model) << render(model.error());
      EXPECT_EQ(model->program->main().body.outputs()[0]->type.dims, (Dims{1, 1, side, side}));
      EXPECT_EQ(model->program->functions.size(), 1u);
      EXPECT_EQ(input_size(*model), std::pair(side, side));
    }
    const auto other = load(path, {.height = 6, .width = 6});
    ASSERT_FALSE(other);
    const Diagnostic& problem = other.error().front();
    EXPECT_EQ(problem.code, ErrorCode::inputs_do_not_fit);
    EXPECT_EQ(problem.blame, Blame::usage);
    EXPECT_NE(problem.help.find(path == listed ? "[1,1,8,8], [1,1,4,4]" : "'small': it has 4x4; 'large': it has 8x8"),
              std::string::npos)
        << problem.help;
    const auto later = load(path, {.height = 6, .width = 6, .size_later = true});
    EXPECT_TRUE(later) << "convert makes its sizes itself";
  }
}

// What convert writes is what plan and analyze speak of: one meaning of --precision.
TEST_F(Models, APlannedPrecisionIsTheConvertedOne) {
  const fs::path path = folder_ / "small.mil";
  std::ofstream(path)
      << "program(1.3) {\n  func main<ios17>(tensor<fp32, [1, 8, 16, 16]> x) {\n    y = relu(x = x);\n  "
         "  z = sigmoid(x = y);\n  } -> (z);\n}\n";
  const auto model = load(path);
  ASSERT_TRUE(model) << render(model.error());
  PlanRequest half;
  half.precision = PackagePrecision::fp16;
  const auto as_is = plan_model(*model, {}), as_half = plan_model(*model, half);
  ASSERT_TRUE(as_is && as_half);
  const auto converted = convert(*model, {});
  ASSERT_TRUE(converted);
  std::size_t ops = 0;
  for (const Node& node : converted->program->main().body.nodes) ops += node.type != "const";
  EXPECT_EQ(as_half->plans[0].ops.size(), ops);
  EXPECT_EQ(as_is->plans[0].supported, 0u);  // fp32 is nothing for the engine
  EXPECT_GT(as_half->plans[0].supported, 0u);
}

}  // namespace
}  // namespace anemone::toolchain

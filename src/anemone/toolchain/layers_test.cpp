// Planted faults: each is noticed, and located to its operation.
#include "anemone/toolchain/layers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "anemone/toolchain/arrays.h"
#include "anemone/toolchain/verify.h"
#include "tests/support/scratch.h"

namespace anemone::toolchain {
namespace {

/// A network of the kind that users bring: preprocessing, a square kernel, a norm, a branch, a join.
struct Network {
  std::string color = "bgr";
  std::string preprocessing =
      "    biased = add(x = image, y = fp32(-127.5));\n    scaled = mul(x = biased, y = fp32(0.00784313725));\n";
  std::vector<double> square = numbers(4 * 4 * 9, 5);
  std::string bias = "[0.5, -0.25, 0.75, 0.1]";
  std::string epsilon = "0.00001";
  std::string joined = "act, square";
  std::string dtype = "fp32";
  std::string square_in = "act";
  double divide_by = 1;

  static std::vector<double> numbers(std::size_t count, int seed) {
    std::vector<double> out;
    for (std::size_t i = 0; i < count; ++i)
      out.push_back(static_cast<double>((static_cast<int>(i) * 37 + seed * 11) % 23 - 11) / 32);
    return out;
  }
  std::string text() const {
    const auto weight = [](const std::vector<double>& w, std::string_view dims) {
      return fmt::format("tensor<fp32, {}>([{}])", dims, fmt::join(w, ", "));
    };
    const std::string rest =
        "strides = [1, 1], pad_type = \"same\", pad = [0, 0, 0, 0], dilations = [1, 1], groups = 1";
    return "program(1.3) {\n  //! input image: image " + color + " 8x8\n  //! output y: array fp32 [1, 2, 8, 8]\n" +
           "  func main<ios17>(tensor<fp32, [1, 3, 8, 8]> image) {\n" + preprocessing +
           fmt::format("    first = conv(x = scaled, weight = {}, bias = tensor<fp32, [4]>({}), {});\n",
                       weight(numbers(4 * 3 * 9, 2), "[4, 3, 3, 3]"), bias, rest) +
           fmt::format(
               "    norm = batch_norm(x = first, mean = tensor<fp32, [4]>([0, 0.1, 0, 0]), variance = "
               "tensor<fp32, [4]>([0.002, 0.003, 0.5, 0.01]), epsilon = fp32({}));\n",
               epsilon) +
           "    act = relu(x = norm);\n" +
           fmt::format("    square = conv(x = {}, weight = {}, {});\n", square_in, weight(square, "[4, 4, 3, 3]"),
                       rest) +
           fmt::format("    joined = concat(values = ({}), axis = 1, interleave = false);\n", joined) +
           fmt::format("    last = conv(x = joined, weight = {}, {});\n", weight(numbers(2 * 8, 3), "[2, 8, 1, 1]"),
                       rest) +
           "    y = tanh(x = last);\n  } -> (y);\n}\n";
  }
};

class LayersTest : public testing::Test {
 protected:
  Model model(const std::string& text, const std::string& name) {
    const std::filesystem::path path = scratch_.path / (name + ".mil");
    std::ofstream(path) << text;
    auto loaded = load(path);
    EXPECT_TRUE(loaded) << (loaded ? "" : render(loaded.error()));
    return loaded ? *std::move(loaded) : Model{};
  }
  VerifyResult verified(const std::string& candidate, const std::string& reference, VerifyRequest request = {}) {
    request.layers = true;
    auto result = verify_models(model(candidate, "candidate"), model(reference, "reference"), request);
    EXPECT_TRUE(result) << (result ? "" : render(result.error()));
    return result ? *std::move(result) : VerifyResult{};
  }
  void expect_located(const Network& fault, const std::string& at) {
    const VerifyResult r = verified(fault.text(), Network().text());
    EXPECT_FALSE(r.pass);
    ASSERT_TRUE(r.layers && r.layers->first) << "nothing jumps";
    EXPECT_EQ(r.layers->first->name, at);
    EXPECT_EQ(r.layers->ranked[0].name, at);
    EXPECT_TRUE(r.layers->ranked[0].jump);
    if (r.layers->ranked.size() > 1) {
      EXPECT_FALSE(r.layers->ranked[1].jump) << r.layers->ranked[1].name;
    }
  }
  test::Scratch scratch_;
};

TEST_F(LayersTest, NothingStandsOutWhereNothingIsWrong) {
  const VerifyResult r = verified(Network().text(), Network().text());
  EXPECT_TRUE(r.pass) << r.reason;
  ASSERT_TRUE(r.layers);
  EXPECT_FALSE(r.layers->first);
  EXPECT_EQ(r.layers->ranked.size(), 9u);
  EXPECT_EQ(r.layers->values, 9u);
}

TEST_F(LayersTest, SwappedChannelOrder) {
  Network fault;
  fault.joined = "square, act";
  expect_located(fault, "joined");
}

TEST_F(LayersTest, DroppedBias) {
  Network fault;
  fault.bias = "[0, 0, 0, 0]";
  expect_located(fault, "first");
}

TEST_F(LayersTest, RgbForBgr) {
  Network fault;
  fault.color = "rgb";
  expect_located(fault, "biased");
}

TEST_F(LayersTest, OneScaleForAnother) {
  Network fault;
  fault.preprocessing = "    scaled = mul(x = image, y = fp32(0.00392156863));\n";
  expect_located(fault, "scaled");
}

TEST_F(LayersTest, WrongEpsilon) {
  Network fault;
  fault.epsilon = "0.001";
  expect_located(fault, "norm");
}

TEST_F(LayersTest, TransposedKernel) {
  Network fault;
  for (std::size_t plane = 0; plane < 16; ++plane) {
    for (std::size_t row = 0; row < 3; ++row) {
      for (std::size_t column = 0; column < 3; ++column)
        fault.square[plane * 9 + row * 3 + column] = Network().square[plane * 9 + column * 3 + row];
    }
  }
  expect_located(fault, "square");
}

TEST_F(LayersTest, OperationsOfOneProgramAloneBelongToWhatFollows) {
  Network fused;  // the same numbers by another way
  fused.preprocessing = "    a = mul(x = image, y = fp32(0.00784313725));\n    scaled = add(x = a, y = fp32(-1));\n";
  const VerifyResult r = verified(fused.text(), Network().text());
  EXPECT_TRUE(r.pass) << r.reason;
  ASSERT_TRUE(r.layers);
  EXPECT_FALSE(r.layers->first);
  EXPECT_EQ(r.layers->values, 9u);
  ASSERT_EQ(r.layers->ranked.size(), 8u);
  for (const LayerError& layer : r.layers->ranked) EXPECT_EQ(layer.operations, layer.name == "scaled" ? 2u : 1u);
}

TEST_F(LayersTest, RoundingInHalfIsFoundWhereItHurts) {
  const auto chain = [](double far) {
    return fmt::format(
        "program(1.3) {{\n  func main<ios17>(tensor<fp32, [1, 64]> x) {{\n    a = sigmoid(x = x);\n"
        "    far = add(x = a, y = fp32({0}));\n    near = sub(x = far, y = fp32({0}));\n    b = tanh(x = near);\n"
        "    c = mul(x = b, y = fp32(0.5));\n    y = relu(x = c);\n  }} -> (y);\n}}\n",
        far);
  };
  VerifyRequest half;
  half.session.precision = runtime::Precision::fp16;
  half.reference_precision = runtime::Precision::fp32;
  const VerifyResult r = verified(chain(2000), chain(2000), half);
  EXPECT_FALSE(r.pass);
  ASSERT_TRUE(r.layers);
  ASSERT_TRUE(r.layers->first);
  EXPECT_EQ(r.layers->first->name, "far");  // 2000 and a half has steps of 1
  EXPECT_GT(r.layers->ranked[0].local_relative, 0.5);
  EXPECT_TRUE(r.notes.empty()) << r.notes[0];  // one file in two precisions is a comparison
  EXPECT_TRUE(verified(chain(1), chain(1), half).pass);
}

TEST_F(LayersTest, AChangeThatIsUndoneIsNoOffender) {
  const auto text = [](std::string_view shift) {
    return fmt::format(
        "program(1.3) {{\n  func main<ios17>(tensor<fp32, [1, 4, 8, 8]> x) {{\n    a = add(x = x, y = fp32({}));\n"
        "    n = instance_norm(x = a, epsilon = fp32(0.00001));\n    y = sigmoid(x = n);\n  }} -> (y);\n}}\n",
        shift);
  };
  const VerifyResult r = verified(text("3"), text("0"));
  EXPECT_TRUE(r.pass) << r.reason;
  ASSERT_TRUE(r.layers);
  EXPECT_FALSE(r.layers->first);
  EXPECT_EQ(r.layers->ranked.back().name, "a");
  EXPECT_TRUE(r.layers->ranked.back().undone);
}

TEST_F(LayersTest, FailingArraysAreKept) {
  Network fault;
  fault.bias = "[0, 0, 0, 0]";
  VerifyRequest request;
  request.save = scratch_.path / "kept";
  const VerifyResult r = verified(fault.text(), Network().text(), request);
  ASSERT_FALSE(r.saved.empty());
  std::size_t operands = 0;
  for (const SavedArray& saved : r.saved) {
    const auto array = read_array(request.save / saved.file);
    ASSERT_TRUE(array) << saved.file;
    EXPECT_EQ(array->dims, saved.shape);
    operands += saved.what == "operand";
  }
  EXPECT_EQ(r.saved[0].what, "input");
  EXPECT_EQ(r.saved[0].file, "input1-candidate-image.npy");
  EXPECT_GE(operands, 1u);
  VerifyRequest passing;
  passing.save = scratch_.path / "none";
  const VerifyResult good = verified(Network().text(), Network().text(), passing);
  EXPECT_TRUE(good.saved.empty());
  EXPECT_FALSE(std::filesystem::exists(passing.save));
}

}  // namespace
}  // namespace anemone::toolchain

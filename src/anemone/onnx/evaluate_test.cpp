// Values of nodes over constants: the rows that choose among operations, and what has no answer.
#include "anemone/onnx/evaluate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

#include "anemone/onnx/onnx_test_util.h"

namespace anemone::onnx {
namespace {

using namespace test;

Tensor reals(std::vector<float> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return tensor<float>("", DataType::float32, {count}, std::move(values));
}

/// What a node makes of its operands: "0.5,2"; of whole numbers "7 1,2", the dtype first; "-" where it makes nothing.
std::string value_of(const std::string& op, const std::vector<Tensor>& operands,
                     std::vector<Attribute> attributes = {}) {
  onnxspec::Model spec = model_of({node(op, {}, {"out"}, std::move(attributes))});
  for (std::size_t i = 0; i < operands.size(); ++i) {
    spec.graph.initializers.push_back(operands[i]);
    spec.graph.nodes[0].inputs.push_back(spec.graph.initializers.back().name = fmt::format("in{}", i));
  }
  const Model model = build(std::move(spec));
  const auto value = evaluate(model, *model.graph->nodes().front());
  if (!value) return "-";
  return value->is_real() ? fmt::format("{}", fmt::join(value->real, ","))
                          : fmt::format("{} {}", static_cast<int>(value->dtype), fmt::join(value->whole, ","));
}

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min(),
                       kMost = std::numeric_limits<std::int64_t>::max();

TEST(Evaluate, WholeNumbers) {
  EXPECT_EQ(value_of("Add", {integers("", {1, 2}), integers("", {10})}), "7 11,12");
  EXPECT_EQ(value_of("Sub", {integers("", {kLeast}), integers("", {1})}), fmt::format("7 {}", kMost));  // wraps
  EXPECT_EQ(value_of("Div", {integers("", {7, -7}), integers("", {2})}), "7 3,-3");
  EXPECT_EQ(value_of("Mod", {integers("", {7, -7}), integers("", {3, 3})}), "7 1,2");  // the sign of the divisor
  EXPECT_EQ(value_of("Max", {integers("", {1, 5}), integers("", {4}), integers("", {0, 9})}), "7 4,9");
  EXPECT_EQ(value_of("Greater", {integers("", {1, 5}), integers("", {4})}), "9 0,1");
}

TEST(Evaluate, WhatHasNoAnswer) {
  EXPECT_EQ(value_of("Div", {integers("", {7, 7}), integers("", {2, 0})}), "-");
  EXPECT_EQ(value_of("Div", {integers("", {kLeast}), integers("", {-1})}), "-");
  EXPECT_EQ(value_of("Mod", {integers("", {7}), integers("", {0})}), "-");
  EXPECT_EQ(value_of("And", {reals({1}), reals({1})}), "-");
  EXPECT_EQ(value_of("Add", {reals({1}), integers("", {1})}), "-");
  EXPECT_EQ(value_of("Add", {reals({1, 2, 3}), reals({1, 2})}), "-");
  EXPECT_EQ(value_of("Sqrt", {integers("", {4})}), "-");
}

TEST(Evaluate, WhatContradictsItself) {
  const std::int64_t huge = std::int64_t{1} << 62;
  const auto empty = [](Dims dims) { return tensor<float>("", DataType::float32, std::move(dims), {}); };
  EXPECT_EQ(value_of("Where", {reals({1, 0}), reals({1, 2}), reals({3, 4})}), "-");  // no truth values
  EXPECT_EQ(value_of("Transpose", {tensor<float>("", DataType::float32, {2, 3}, {1, 2, 3, 4, 5, 6})},
                     {attribute("perm", Dims{0, 0})}),
            "-");
  EXPECT_EQ(value_of("ReduceSum", {empty({0, 100000}), integers("", {0})}), "-");
  EXPECT_EQ(value_of("ConstantOfShape", {integers("", {0, huge})}), "-");
  EXPECT_EQ(value_of("Add", {empty({0, huge}), empty({0, huge})}), "-");
  EXPECT_EQ(value_of("Add", {empty({0, 1 << 16, 1 << 16}), reals({1})}), "-");
  for (const std::int64_t axis : {0, 1})
    EXPECT_EQ(value_of("Concat", {empty({huge, 0}), empty({huge, 0})}, {attribute("axis", axis)}), "-");
}

TEST(Evaluate, RealNumbers) {
  EXPECT_EQ(value_of("Div", {reals({1, -1}), reals({4})}), "0.25,-0.25");
  EXPECT_EQ(value_of("LessOrEqual", {reals({1, 2}), reals({1})}), "9 1,0");
  EXPECT_EQ(value_of("Relu", {reals({-2, 2})}), "0,2");
}

TEST(Evaluate, PowersOfEitherKind) {
  EXPECT_EQ(value_of("Pow", {reals({1.5F, -3}), reals({2})}), "2.25,9");
  EXPECT_EQ(value_of("Pow", {reals({2}), integers("", {3, -1})}), "8,0.5");
  EXPECT_EQ(value_of("Pow", {integers("", {2, -3}), integers("", {3})}), "7 8,-27");
  EXPECT_EQ(value_of("Pow", {integers("", {9}), reals({0.5F})}), "7 3");
  EXPECT_EQ(value_of("Pow", {integers("", {-1}), reals({0.5F})}), "7 0");  // no number: any will do, but no trap
}

}  // namespace
}  // namespace anemone::onnx

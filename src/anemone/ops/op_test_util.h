#pragma once
// For tests of operations: one node, its operands and what must come out, in a line or two.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "anemone/ir/builder.h"
#include "anemone/ops/execute.h"
#include "anemone/ops/ops.h"

namespace anemone::ops {

class Case {
 public:
  explicit Case(Target opset = Target::ios17) : program_(table()), function_(&program_.add_function("main", opset)) {}

  /// A value that comes at run time.
  Value* in(DType dtype, Dims dims, std::vector<double> data) {
    Value* value = function_->body.add_input(function_->unique_name("in"), Type::tensor(dtype, dims));
    inputs_.push_back({dtype, std::move(dims), std::move(data)});
    return value;
  }
  Value* in(Dims dims, std::vector<double> data) { return in(DType::fp32, std::move(dims), std::move(data)); }
  /// The same with a declared type that may have unknown extents.
  Value* in_declared(Type declared, Dims dims, std::vector<double> data) {
    Value* value = function_->body.add_input(function_->unique_name("in"), declared);
    inputs_.push_back({declared.dtype, std::move(dims), std::move(data)});
    return value;
  }
  /// Only a type: for cases that end in the type rule.
  Value* typed(Type type) { return function_->body.add_input(function_->unique_name("in"), std::move(type)); }
  Value* typed(Dims dims) { return typed(Type::tensor(DType::fp32, std::move(dims))); }
  /// A compile-time value.
  Value* fixed(DType dtype, Dims dims, std::vector<double> data) {
    return function_->body.add_constant(function_->unique_name("c"),
                                        make_constant(dtype, std::move(dims), std::span<const double>(data)));
  }
  Value* fixed(Dims dims, std::vector<double> data) { return fixed(DType::fp32, std::move(dims), std::move(data)); }
  Value* number(double value, DType dtype = DType::fp32) { return fixed(dtype, {}, {value}); }

  Function& function() { return *function_; }

  /// The types that the rule infers.
  Result<std::vector<Type>> infer(std::string_view op, Arguments arguments) {
    TRY(const Node* node, build(op, arguments));
    std::vector<Type> types;
    for (const auto& output : node->outputs) types.push_back(output->type);
    return types;
  }
  /// What comes out. The inferred types must agree with it, which the executor checks.
  Result<std::vector<Array>> run(std::string_view op, Arguments arguments) {
    TRY(const Node* node, build(op, arguments));
    std::vector<Value*> outputs;
    for (const auto& output : node->outputs) outputs.push_back(output.get());
    function_->body.set_outputs(outputs);
    return evaluate(*function_, inputs_);
  }

 private:
  Result<Node*> build(std::string_view op, Arguments arguments) {
    Builder builder(function_->body);
    Node* node = builder.add_node(op, arguments, "y");
    TRY_VOID(builder.finish());
    return node;
  }

  Program program_;
  Function* function_;
  std::vector<Array> inputs_;
};

inline void expect_array(const Array& array, const Dims& dims, const std::vector<double>& data,
                         double tolerance = 1e-6) {
  EXPECT_EQ(array.dims, dims);
  ASSERT_EQ(array.data.size(), data.size());
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (std::isnan(data[i])) {
      EXPECT_TRUE(std::isnan(array.data[i])) << "element " << i << " is " << array.data[i];
    } else if (std::isinf(data[i])) {
      EXPECT_EQ(array.data[i], data[i]) << "element " << i;
    } else {
      EXPECT_NEAR(array.data[i], data[i], tolerance) << "element " << i;
    }
  }
}
inline void expect(const Result<std::vector<Array>>& result, const Dims& dims, const std::vector<double>& data,
                   double tolerance = 1e-6) {
  ASSERT_TRUE(result) << render(result.error());
  ASSERT_GE(result->size(), 1u);
  expect_array(result->front(), dims, data, tolerance);
}

/// The operation is refused, and the message says so in these words.
template <class T>
void expect_refused(const Result<T>& result, std::string_view words) {
  ASSERT_FALSE(result);
  EXPECT_NE(render(result.error()).find(words), std::string::npos) << render(result.error());
}

}  // namespace anemone::ops

#pragma once
// Small graphs with random numbers, and the comparison of the engine with the reference executor.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "anemone/ir/builder.h"
#include "anemone/ops/execute.h"
#include "anemone/ops/ops.h"
#include "anemone/runtime/engine.h"
#include "anemone/support/half.h"

namespace anemone::runtime {

/// A program of one function while it is built, with the inputs it will get.
class TestGraph {
 public:
  explicit TestGraph(DType dtype, unsigned seed = 1, Target opset = Target::ios17)
      : dtype_(dtype),
        random_(seed),
        program_(std::make_unique<Program>(ops::table())),
        function_(&program_->add_function("main", opset)),
        builder_(function_->body) {}

  DType dtype() const { return dtype_; }
  Function& function() { return *function_; }
  Program& program() { return *program_; }
  std::unique_ptr<Program> take_program() { return std::move(program_); }
  const std::vector<Array>& inputs() const { return inputs_; }

  std::vector<double> numbers(const Dims& dims, double low = -2, double high = 2) {
    std::vector<double> out(static_cast<std::size_t>(element_count(dims).value_or(0)));
    std::uniform_real_distribution<double> uniform(low, high);
    for (double& x : out) x = uniform(random_);
    return out;
  }
  Value* input(const Dims& dims, double low = -2, double high = 2) {
    return input_of({dtype_, dims, numbers(dims, low, high)});
  }
  Value* bool_input(const Dims& dims) {
    std::vector<double> data = numbers(dims);
    for (double& x : data) x = x > 0;
    return input_of({DType::boolean, dims, data});
  }
  Value* input_of(Array array) {
    round_to_dtype(array);
    const std::string name = "in" + std::to_string(inputs_.size());
    Value* value = function_->body.add_input(name, Type::tensor(array.dtype, array.dims));
    inputs_.push_back(std::move(array));
    return value;
  }
  ConstantPtr constant(const Dims& dims, double low = -2, double high = 2) {
    return make_constant(dtype_, dims, numbers(dims, low, high));
  }
  ConstantPtr scalar(double value) const { return make_scalar(dtype_, value); }
  Value* add(std::string_view type, Arguments arguments, std::string_view name = {}) {
    return builder_.add(type, arguments, name);
  }
  Node* add_node(std::string_view type, Arguments arguments) { return builder_.add_node(type, arguments); }
  Builder& builder() { return builder_; }
  testing::AssertionResult finish(std::vector<Value*> outputs) {
    const auto built = builder_.finish();
    if (!built) return testing::AssertionFailure() << render(built.error());
    function_->body.set_outputs(std::move(outputs));
    return testing::AssertionSuccess();
  }
  void replace_input(std::size_t index, Array array) { inputs_[index] = std::move(array); }

 private:
  DType dtype_;
  std::mt19937 random_;
  std::unique_ptr<Program> program_;
  Function* function_;
  Builder builder_;
  std::vector<Array> inputs_;
};

/// Distance between neighbouring halves at x.
inline double half_step(double x) {
  const double magnitude = std::max(std::fabs(x), 6.104e-5);
  return std::ldexp(1.0, static_cast<int>(std::floor(std::log2(magnitude))) - 10);
}

/// fp32: relative to the number or to a hundredth of the largest; fp16: `steps` neighbouring halves.
inline void expect_close(const Array& got, const Array& want, const std::string& what, double relative = 1e-5,
                         double steps = 1) {
  ASSERT_EQ(got.dims, want.dims) << what;
  ASSERT_EQ(got.data.size(), want.data.size()) << what;
  EXPECT_EQ(got.dtype, want.dtype) << what;
  double largest = 0;
  for (double x : want.data) largest = std::max(largest, std::isfinite(x) ? std::fabs(x) : 0);
  for (std::size_t i = 0; i < want.data.size(); ++i) {
    const double g = got.data[i], w = want.data[i];
    if ((std::isnan(g) && std::isnan(w)) || g == w) continue;
    const double scale = std::max(std::fabs(w), largest / 100);
    const double bound = want.dtype == DType::fp16
                             ? steps * half_step(std::max(std::fabs(g), std::fabs(w))) + 1e-6 * scale
                             : relative * scale;
    ASSERT_LE(std::fabs(g - w), bound) << what << ": element " << i << " is " << g << ", the reference says " << w;
  }
}

/// Every element within this part of the largest one; for graphs whose roundings add up.
inline void expect_within(const Array& got, const Array& want, double part, const std::string& what) {
  ASSERT_EQ(got.dims, want.dims) << what;
  double largest = 0, worst = 0;
  for (double x : want.data) largest = std::max(largest, std::fabs(x));
  for (std::size_t i = 0; i < want.data.size(); ++i) worst = std::max(worst, std::fabs(got.data[i] - want.data[i]));
  EXPECT_LE(worst, part * largest) << what;
}

}  // namespace anemone::runtime

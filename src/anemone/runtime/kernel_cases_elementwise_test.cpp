// Cases of elementwise functions and reductions.
#include <algorithm>

#include "anemone/ops/ops.h"
#include "anemone/runtime/kernel_cases.h"
#include "anemone/runtime/kernel_table.h"

namespace anemone::runtime {
namespace {

/// A new one needs no case here.
bool is_activation_of_x_alone(const OpDef& op) {
  const std::span<const Param> params = op.forms.back().params;
  return op.is(kActivation) &&
         std::count_if(params.begin(), params.end(), [](const Param& p) { return p.required; }) == 1;
}

}  // namespace

void add_unary_cases(std::vector<Case>& cases) {
  const auto unary = [&](std::string_view op, double low, double high) {
    cases.push_back({std::string(op), "", [=](TestGraph& g) -> Values {
                       return {g.add(op, {{"x", g.input({3, 5, 11}, low, high)}})};
                     }});
  };
  for (const char* op :
       {"abs", "square", "sign", "exp", "exp2", "erf", "floor", "ceil", "round", "sin", "cos", "sinh", "cosh", "atan"})
    unary(op, -4, 4);
  for (const OpDef* op : ops::table().all()) {
    if (is_activation_of_x_alone(*op) && find_kernel(op->name)) unary(op->name, -4, 7);
  }
  unary("sqrt", 0, 9);
  unary("tan", -1.4, 1.4);
  for (const char* op : {"asin", "acos", "atanh"}) unary(op, -0.95, 0.95);
  for (const char* op : {"log", "rsqrt", "inverse"}) {
    unary(op, 0.1, 9);
    cases.push_back({op, "epsilon", [=](TestGraph& g) -> Values {
                       return {g.add(op, {{"x", g.input({17}, 0, 2)}, {"epsilon", g.scalar(0.01)}})};
                     }});
  }
  const auto alpha = [&](const char* op, double a) {
    cases.push_back({op, "", [=](TestGraph& g) -> Values {
                       return {g.add(op, {{"x", g.input({2, 3, 5, 7})}, {"alpha", g.scalar(a)}})};
                     }});
  };
  alpha("leaky_relu", 0.1);
  alpha("thresholded_relu", 0.3);
  alpha("elu", 0.7);
  alpha("threshold", 0.25);
  const auto alpha_beta = [&](const char* op, double a, double b) {
    cases.push_back(
        {op, "", [=](TestGraph& g) -> Values {
           return {g.add(op, {{"x", g.input({2, 3, 5, 7})}, {"alpha", g.scalar(a)}, {"beta", g.scalar(b)}})};
         }});
  };
  alpha_beta("clip", -0.3, 0.9);
  alpha_beta("clamped_relu", 0.2, 0.8);
  alpha_beta("sigmoid_hard", 0.2, 0.5);
  alpha_beta("scaled_tanh", 1.5, 0.7);
  alpha_beta("linear_activation", 1.3, -0.4);
  for (const char* mode : {"TANH_APPROXIMATION", "SIGMOID_APPROXIMATION"}) {
    cases.push_back({"gelu", mode, [=](TestGraph& g) -> Values {
                       return {g.add("gelu", {{"x", g.input({41})}, {"mode", mode}})};
                     }});
  }
  cases.push_back({"prelu", "", [](TestGraph& g) -> Values {
                     return {g.add("prelu", {{"x", g.input({2, 3, 5, 7})}, {"alpha", g.constant({3})}})};
                   }});
  cases.push_back({"logical_not", "", [](TestGraph& g) -> Values {
                     return {g.add("logical_not", {{"x", g.bool_input({23})}})};
                   }});
  for (const char* dtype : {"fp16", "fp32", "bool"}) {
    cases.push_back({"cast", dtype, [=](TestGraph& g) -> Values {
                       return {g.add("cast", {{"x", g.input({3, 5})}, {"dtype", dtype}})};
                     }});
  }
  cases.push_back({"cast", "from bool", [](TestGraph& g) -> Values {
                     return {g.add("cast", {{"x", g.bool_input({9})}, {"dtype", name(g.dtype()).data()}})};
                   }});
  cases.push_back({"cast", "to int32 and back",
                   [](TestGraph& g) -> Values {
                     Value* whole = g.add("cast", {{"x", g.input({9}, -9, 9)}, {"dtype", "int32"}});
                     return {whole, g.add("cast", {{"x", whole}, {"dtype", "fp32"}})};
                   },
                   true});
}

void add_elementwise_cases(std::vector<Case>& cases) {
  const auto quantize = [](std::int64_t slices, DType dtype, bool back) {
    return [=](TestGraph& g) -> Values {
      const Dims dims = slices > 0 ? Dims{slices} : Dims{};
      const ConstantPtr scale = g.constant(dims, 0.01, 0.05);  // some numbers are beyond the last step
      const ConstantPtr zero = make_constant(
          dtype, dims, std::vector<double>(static_cast<std::size_t>(std::max<std::int64_t>(1, slices)), 3));
      Value* x = g.input({2, 3, 4, 5}, -6, 6);
      const char* word = dtype == DType::int8 ? "int8" : "uint8";
      if (slices == 0) {
        Value* y = g.add("quantize", {{"input", x}, {"scale", scale}, {"zero_point", zero}, {"output_dtype", word}});
        return {back ? g.add("dequantize", {{"input", y}, {"scale", scale}, {"zero_point", zero}}) : y};
      }
      Value* y = g.add("quantize",
                       {{"input", x}, {"scale", scale}, {"zero_point", zero}, {"axis", 1}, {"output_dtype", word}});
      return {g.add("dequantize", {{"input", y}, {"scale", scale}, {"zero_point", zero}, {"axis", 1}})};
    };
  };
  cases.push_back({"quantize", "and back", quantize(0, DType::int8, true)});
  cases.push_back({"quantize", "unsigned, by channels", quantize(3, DType::uint8, true)});
  cases.push_back({"quantize", "alone", quantize(0, DType::int8, false), true});
  const std::pair<Dims, Dims> shapes[] = {
      {{2, 3, 5}, {2, 3, 5}}, {{2, 3, 5}, {3, 1}}, {{1, 4, 1}, {3, 1, 5}}, {{7}, {}}};
  for (const char* op : {"add", "sub", "mul", "real_div", "maximum", "minimum", "greater", "greater_equal", "less",
                         "less_equal", "equal", "not_equal"}) {
    for (const auto& [a, b] : shapes) {
      cases.push_back({op, brief(a) + brief(b), [=, a = a, b = b](TestGraph& g) -> Values {
                         return {g.add(op, {{"x", g.input(a)}, {"y", g.input(b, 0.5, 2)}})};
                       }});
    }
    cases.push_back({op, "a number on the left", [=](TestGraph& g) -> Values {
                       return {g.add(op, {{"x", g.scalar(0.5)}, {"y", g.input({3, 7}, 0.5, 2)}})};
                     }});
  }
  for (const char* op : {"floor_div", "mod", "pow"}) {
    cases.push_back({op, "", [=](TestGraph& g) -> Values {
                       return {g.add(op, {{"x", g.input({4, 5}, 0.1, 9)}, {"y", g.input({5}, 0.7, 2)}})};
                     }});
  }
  for (const char* op : {"logical_and", "logical_or", "logical_xor"}) {
    cases.push_back({op, "", [=](TestGraph& g) -> Values {
                       return {g.add(op, {{"x", g.bool_input({4, 5})}, {"y", g.bool_input({5})}})};
                     }});
  }
  cases.push_back(
      {"select", "", [](TestGraph& g) -> Values {
         return {g.add("select", {{"cond", g.bool_input({3, 1})}, {"a", g.input({2, 3, 5})}, {"b", g.scalar(0.5)}})};
       }});
  cases.push_back({"add", "x and x", [](TestGraph& g) -> Values {
                     Value* x = g.add("relu", {{"x", g.input({3, 5})}});
                     return {g.add("add", {{"x", x}, {"y", x}})};
                   }});
  cases.push_back({"add", "integers",
                   [](TestGraph& g) -> Values {
                     return {g.add("add", {{"x", g.input_of({DType::int32, {3}, {1, 2, 1 << 30}})},
                                           {"y", make_scalar(DType::int32, 1)}})};
                   },
                   true});
}

void add_reduce_cases(std::vector<Case>& cases) {
  for (const char* op : {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod", "reduce_l1_norm",
                         "reduce_l2_norm", "reduce_sum_square", "reduce_log_sum", "reduce_log_sum_exp"}) {
    for (const Dims& axes : {Dims{-1}, Dims{0, 2}, Dims{1}}) {
      cases.push_back(
          {op, brief(axes), [=](TestGraph& g) -> Values {
             return {g.add(op, {{"x", g.input({3, 4, 5}, 0.5, 1.5)}, {"axes", axes}, {"keep_dims", axes[0] == -1}})};
           }});
    }
    cases.push_back({op, "all", [=](TestGraph& g) -> Values {
                       return {g.add(op, {{"x", g.input({2, 3, 4}, 0.5, 1.5)}})};
                     }});
  }
}

}  // namespace anemone::runtime

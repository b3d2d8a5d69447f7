// Every row of the kernel table against the meaning of its operation: odd shapes, both float types, one and three
// threads.
#include <fmt/format.h>

#include <functional>
#include <set>

#include "anemone/runtime/engine_test_util.h"
#include "anemone/runtime/kernel_table.h"

namespace anemone {
namespace {

struct Case {
  std::string op;
  std::string form;  ///< what is special about it
  std::function<std::vector<Value*>(TestGraph&)> build;
  bool by_reference = false;  ///< no kernel covers this form
};
using Values = std::vector<Value*>;

std::vector<Value*> outputs_of(const Node* node) {
  std::vector<Value*> out;
  for (std::size_t i = 0; node && i < node->outputs.size(); ++i) out.push_back(node->output(i));
  return out;
}

void add_conv_cases(std::vector<Case>& cases) {
  const auto conv = [](Dims x, Dims w, bool bias, Dims strides, const char* pad_type, Dims pad, Dims dilations,
                       int groups) {
    return [=](TestGraph& g) -> Values {
      if (!bias) {
        return {g.add("conv", {{"x", g.input(x)},
                               {"weight", g.constant(w)},
                               {"strides", strides},
                               {"pad_type", pad_type},
                               {"pad", pad},
                               {"dilations", dilations},
                               {"groups", groups}})};
      }
      return {g.add("conv", {{"x", g.input(x)},
                             {"weight", g.constant(w)},
                             {"bias", g.constant({w[0]})},
                             {"strides", strides},
                             {"pad_type", pad_type},
                             {"pad", pad},
                             {"dilations", dilations},
                             {"groups", groups}})};
    };
  };
  cases.push_back({"conv", "3x3", conv({2, 5, 7, 9}, {6, 5, 3, 3}, true, {1, 1}, "custom", {1, 1, 1, 1}, {1, 1}, 1)});
  cases.push_back({"conv", "1x1", conv({1, 17, 5, 3}, {9, 17, 1, 1}, false, {1, 1}, "valid", {0, 0, 0, 0}, {1, 1}, 1)});
  cases.push_back(
      {"conv", "7x7 stride 2", conv({1, 3, 19, 21}, {8, 3, 7, 7}, true, {2, 2}, "custom", {3, 3, 3, 3}, {1, 1}, 1)});
  cases.push_back(
      {"conv", "depthwise", conv({1, 6, 8, 5}, {6, 1, 3, 3}, true, {2, 1}, "same", {0, 0, 0, 0}, {1, 1}, 6)});
  cases.push_back({"conv", "groups, dilation, uneven pads",
                   conv({1, 4, 9, 9}, {6, 2, 2, 3}, true, {1, 2}, "custom", {1, 0, 2, 1}, {2, 2}, 2)});
  cases.push_back(
      {"conv", "same_lower", conv({1, 2, 8, 7}, {3, 2, 2, 2}, true, {2, 2}, "same_lower", {0, 0, 0, 0}, {1, 1}, 1)});
  cases.push_back({"conv", "1-D", conv({2, 4, 11}, {5, 4, 3}, true, {2}, "custom", {1, 1}, {1}, 1)});
  cases.push_back({"conv", "3-D",
                   conv({1, 2, 3, 4, 5}, {3, 2, 2, 2, 2}, true, {1, 1, 1}, "valid", {0, 0, 0, 0, 0, 0}, {1, 1, 1}, 1),
                   true});
  cases.push_back({"conv", "weight of run time",
                   [](TestGraph& g) -> Values {
                     return {g.add("conv", {{"x", g.input({1, 2, 5, 5})}, {"weight", g.input({3, 2, 3, 3})}})};
                   },
                   true});
  const auto transpose = [](Dims x, Dims w, Dims strides, Dims pad, int groups) {
    return [=](TestGraph& g) -> Values {
      return {g.add("conv_transpose", {{"x", g.input(x)},
                                       {"weight", g.constant(w)},
                                       {"bias", g.constant({w[1] * groups})},
                                       {"strides", strides},
                                       {"pad_type", "custom"},
                                       {"pad", pad},
                                       {"groups", groups}})};
    };
  };
  cases.push_back({"conv_transpose", "2x2 stride 2", transpose({1, 4, 3, 5}, {4, 3, 2, 2}, {2, 2}, {0, 0, 0, 0}, 1)});
  cases.push_back(
      {"conv_transpose", "4x4 stride 2 pad 1", transpose({2, 3, 4, 3}, {3, 5, 4, 4}, {2, 2}, {1, 1, 1, 1}, 1)});
  cases.push_back({"conv_transpose", "groups, uneven", transpose({1, 4, 3, 4}, {4, 2, 3, 2}, {1, 3}, {1, 0, 0, 1}, 2)});
  cases.push_back({"conv_transpose", "1-D", transpose({1, 3, 6}, {3, 2, 3}, {2}, {1, 1}, 1)});
}

void add_matrix_cases(std::vector<Case>& cases) {
  for (const Dims& x : {Dims{7}, Dims{3, 7}, Dims{2, 3, 7}}) {
    cases.push_back(
        {"linear", brief(x), [x](TestGraph& g) -> Values {
           return {g.add("linear", {{"x", g.input(x)}, {"weight", g.constant({5, 7})}, {"bias", g.constant({5})}})};
         }});
  }
  const auto matmul = [](Dims x, Dims y, bool tx, bool ty, bool known) {
    return [=](TestGraph& g) -> Values {
      const Argument right = known ? Argument(g.constant(y)) : Argument(g.input(y));
      return {g.add("matmul", {{"x", g.input(x)}, {"y", right}, {"transpose_x", tx}, {"transpose_y", ty}})};
    };
  };
  cases.push_back({"matmul", "plain", matmul({3, 5}, {5, 4}, false, false, false)});
  cases.push_back({"matmul", "batches, y transposed", matmul({2, 3, 4, 5}, {2, 3, 6, 5}, false, true, false)});
  cases.push_back({"matmul", "x transposed, one y", matmul({3, 5, 4}, {1, 5, 2}, true, false, false)});
  cases.push_back({"matmul", "one x", matmul({4, 5}, {3, 5, 2}, false, false, false)});
  cases.push_back({"matmul", "known wide y", matmul({2, 3, 5}, {1, 5, 33}, false, false, true)});
  cases.push_back({"matmul", "known narrow y", matmul({1, 9, 64}, {1, 64, 3}, false, false, true)});
  cases.push_back({"matmul", "vectors", matmul({5}, {5, 3}, false, false, false)});
  cases.push_back({"matmul", "column", matmul({4, 5}, {5}, false, false, false)});
  cases.push_back(
      {"matmul", "batches that broadcast both ways", matmul({2, 1, 3, 4}, {1, 3, 4, 2}, false, false, false), true});
}

void add_norm_cases(std::vector<Case>& cases) {
  for (const Dims& x : {Dims{2, 3, 5}, Dims{1, 7, 4, 3}, Dims{1, 2, 2, 3, 4}}) {
    cases.push_back({"batch_norm", brief(x), [x](TestGraph& g) -> Values {
                       const std::int64_t c = x[1];
                       return {g.add("batch_norm", {{"x", g.input(x)},
                                                    {"mean", g.constant({c})},
                                                    {"variance", g.constant({c}, 0.1, 2)},
                                                    {"gamma", g.constant({c})},
                                                    {"beta", g.constant({c})},
                                                    {"epsilon", g.scalar(1e-3)}})};
                     }});
  }
  cases.push_back({"batch_norm", "without gamma and beta", [](TestGraph& g) -> Values {
                     return {g.add("batch_norm", {{"x", g.input({1, 3, 4, 4})},
                                                  {"mean", g.constant({3})},
                                                  {"variance", g.constant({3}, 0.1, 2)}})};
                   }});
  cases.push_back({"instance_norm", "plain", [](TestGraph& g) -> Values {
                     return {g.add("instance_norm", {{"x", g.input({2, 3, 5, 7})}, {"epsilon", g.scalar(1e-3)}})};
                   }});
  cases.push_back({"instance_norm", "gamma and beta", [](TestGraph& g) -> Values {
                     return {g.add("instance_norm",
                                   {{"x", g.input({1, 3, 9})}, {"gamma", g.constant({3})}, {"beta", g.constant({3})}})};
                   }});
  const auto layer = [](std::vector<std::int64_t> axes, Dims parameters) {
    return [=](TestGraph& g) -> Values {
      return {g.add("layer_norm", {{"x", g.input({2, 3, 5})},
                                   {"axes", Dims(axes)},
                                   {"gamma", g.constant(parameters)},
                                   {"beta", g.constant(parameters)},
                                   {"epsilon", g.scalar(1e-3)}})};
    };
  };
  cases.push_back({"layer_norm", "last", layer({-1}, {5})});
  cases.push_back({"layer_norm", "last two", layer({1, 2}, {3, 5})});
  cases.push_back({"layer_norm", "middle", layer({1}, {3}), true});
  cases.push_back({"layer_norm", "all", [](TestGraph& g) -> Values {
                     return {g.add("layer_norm", {{"x", g.input({3, 4})}})};
                   }});
  for (int axis : {0, 1, -1}) {
    cases.push_back({"softmax", fmt::format("axis {}", axis), [axis](TestGraph& g) -> Values {
                       return {g.add("softmax", {{"x", g.input({3, 5, 7}, -8, 8)}, {"axis", axis}})};
                     }});
  }
}

void add_unary_cases(std::vector<Case>& cases) {
  const auto unary = [&](const char* op, double low, double high) {
    cases.push_back({op, "", [=](TestGraph& g) -> Values {
                       return {g.add(op, {{"x", g.input({3, 5, 11}, low, high)}})};
                     }});
  };
  for (const char* op :
       {"relu", "sigmoid", "tanh",  "softsign", "softplus", "silu", "gelu", "abs",  "square", "sign", "exp",
        "exp2", "erf",     "floor", "ceil",     "round",    "sin",  "cos",  "sinh", "cosh",   "atan"}) {
    unary(op, -4, 4);
  }
  unary("relu6", -3, 9);
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

void add_pool_cases(std::vector<Case>& cases) {
  const auto pool = [](const char* op, Dims x, Dims kernel, Dims strides, const char* pad_type, Dims pad, bool ceil) {
    return [=](TestGraph& g) -> Values {
      return {g.add(op, {{"x", g.input(x)},
                         {"kernel_sizes", kernel},
                         {"strides", strides},
                         {"pad_type", pad_type},
                         {"pad", pad},
                         {"ceil_mode", ceil}})};
    };
  };
  for (const char* op : {"max_pool", "avg_pool"}) {
    cases.push_back({op, "2x2", pool(op, {1, 3, 8, 6}, {2, 2}, {2, 2}, "valid", {0, 0, 0, 0}, false)});
    cases.push_back({op, "3x3 pad 1", pool(op, {2, 3, 7, 9}, {3, 3}, {2, 2}, "custom", {1, 1, 1, 1}, false)});
    cases.push_back({op, "uneven pads", pool(op, {1, 2, 7, 9}, {3, 2}, {1, 2}, "custom", {0, 1, 1, 0}, false)});
    cases.push_back({op, "same", pool(op, {1, 2, 7, 9}, {3, 3}, {2, 2}, "same", {0, 0, 0, 0}, false)});
    cases.push_back({op, "ceil", pool(op, {1, 2, 8, 8}, {3, 3}, {2, 2}, "valid", {0, 0, 0, 0}, true)});
    cases.push_back({op, "ceil and pads", pool(op, {1, 2, 8, 7}, {4, 4}, {3, 3}, "custom", {1, 1, 2, 2}, true)});
    cases.push_back({op, "1-D", pool(op, {1, 2, 9}, {3}, {2}, "custom", {1, 1}, false)});
  }
  cases.push_back({"avg_pool", "without padding", [](TestGraph& g) -> Values {
                     return {g.add("avg_pool", {{"x", g.input({1, 2, 7, 7})},
                                                {"kernel_sizes", {3, 3}},
                                                {"strides", {2, 2}},
                                                {"pad_type", "custom"},
                                                {"pad", {1, 1, 1, 1}},
                                                {"exclude_padding_from_average", true}})};
                   }});
}

void add_resize_cases(std::vector<Case>& cases) {
  cases.push_back({"upsample_nearest_neighbor", "2x", [](TestGraph& g) -> Values {
                     return {
                         g.add("upsample_nearest_neighbor",
                               {{"x", g.input({1, 3, 4, 5})}, {"scale_factor_height", 2}, {"scale_factor_width", 2}})};
                   }});
  cases.push_back({"upsample_nearest_neighbor", "1.5x", [](TestGraph& g) -> Values {
                     return {
                         g.add("upsample_nearest_neighbor", {{"x", g.input({2, 4, 5})},
                                                             {"scale_factor_height", make_scalar(DType::fp32, 1.5)},
                                                             {"scale_factor_width", make_scalar(DType::fp32, 2.25)}})};
                   }});
  cases.push_back({"resize_nearest_neighbor", "", [](TestGraph& g) -> Values {
                     return {
                         g.add("resize_nearest_neighbor",
                               {{"x", g.input({1, 2, 5, 7})}, {"target_size_height", 8}, {"target_size_width", 3}})};
                   }});
  for (bool align : {true, false}) {
    cases.push_back({"upsample_bilinear", align ? "align" : "half", [=](TestGraph& g) -> Values {
                       return {g.add("upsample_bilinear", {{"x", g.input({1, 2, 4, 5})},
                                                           {"scale_factor_height", 3},
                                                           {"scale_factor_width", 2},
                                                           {"align_corners", align}})};
                     }});
  }
  cases.push_back({"upsample_bilinear", "neither", [](TestGraph& g) -> Values {
                     return {g.add("upsample_bilinear", {{"x", g.input({1, 2, 4, 5})},
                                                         {"scale_factor_height", 3},
                                                         {"scale_factor_width", 2},
                                                         {"align_corners", false},
                                                         {"half_pixel_centers", false}})};
                   }});
  for (const char* mode : {"STRICT_ALIGN_CORNERS", "ALIGN_CORNERS", "DEFAULT", "UNALIGN_CORNERS", "OFFSET_CORNERS"}) {
    for (std::int64_t height : {1, 3, 11}) {
      cases.push_back({"resize_bilinear", fmt::format("{} {}", mode, height), [=](TestGraph& g) -> Values {
                         return {g.add("resize_bilinear", {{"x", g.input({2, 3, 6, 5})},
                                                           {"target_size_height", height},
                                                           {"target_size_width", 9},
                                                           {"sampling_mode", mode}})};
                       }});
    }
  }
  const auto resize = [](Dims shape, const char* interpolation, const char* sampling) {
    return [=](TestGraph& g) -> Values {
      const auto count = static_cast<double>(shape.size());
      return {g.add("resize", {{"x", g.input({1, 2, 6, 5})},
                               {"shape", shape},
                               {"resized_dims", make_scalar(DType::uint32, count)},
                               {"interpolation_mode", interpolation},
                               {"sampling_mode", sampling}})};
    };
  };
  cases.push_back({"resize", "linear", resize({9, 4}, "LINEAR", "UNALIGN_CORNERS")});
  cases.push_back({"resize", "nearest", resize({9, 4}, "NEAREST_NEIGHBOR", "DEFAULT")});
  cases.push_back({"resize", "three dimensions", resize({4, 9, 4}, "LINEAR", "DEFAULT"), true});
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

void add_shape_cases(std::vector<Case>& cases) {
  // The relu in front makes the input of the alias a buffer that the one behind might overwrite.
  const auto alias = [&](const char* op, std::function<Value*(TestGraph&, Value*)> build) {
    cases.push_back({op, "", [=](TestGraph& g) -> Values {
                       Value* x = g.add("relu", {{"x", g.input({2, 1, 3, 4})}});
                       Value* y = build(g, x);
                       return {g.add("square", {{"x", y}}), y, g.add("add", {{"x", x}, {"y", x}})};
                     }});
  };
  alias("identity", [](TestGraph& g, Value* x) { return g.add("identity", {{"x", x}}); });
  alias("reshape", [](TestGraph& g, Value* x) { return g.add("reshape", {{"x", x}, {"shape", {4, -1}}}); });
  alias("expand_dims", [](TestGraph& g, Value* x) { return g.add("expand_dims", {{"x", x}, {"axes", {0}}}); });
  alias("squeeze", [](TestGraph& g, Value* x) { return g.add("squeeze", {{"x", x}, {"axes", {1}}}); });
  alias("flatten2d", [](TestGraph& g, Value* x) { return g.add("flatten2d", {{"x", x}, {"axis", 2}}); });
  alias("reshape_like", [](TestGraph& g, Value* x) {
    Value* like = g.input({6, 4});
    return g.add(
        "reshape_like",
        {{"x", x}, {"ref_tensors", std::vector<Value*>{like}}, {"begins", 0}, {"ends", 2}, {"end_masks", false}});
  });
  alias("transpose", [](TestGraph& g, Value* x) { return g.add("transpose", {{"x", x}, {"perm", {1, 0, 2, 3}}}); });
}

void add_move_cases(std::vector<Case>& cases) {
  const auto slice = [&](const char* form, Dims begin, Dims end, Dims stride, std::vector<bool> begin_mask,
                         std::vector<bool> end_mask, std::vector<bool> squeeze) {
    cases.push_back({"slice_by_index", form, [=](TestGraph& g) -> Values {
                       Value* x = g.input({2, 5, 7});
                       Value* y = g.add("slice_by_index", {{"x", x},
                                                           {"begin", begin},
                                                           {"end", end},
                                                           {"stride", stride},
                                                           {"begin_mask", make_bools(begin_mask)},
                                                           {"end_mask", make_bools(end_mask)},
                                                           {"squeeze_mask", make_bools(squeeze)}});
                       return {y, g.add("square", {{"x", y}}), g.add("square", {{"x", x}})};
                     }});
  };
  const std::vector<bool> no{false, false, false};
  slice("plain", {0, 1, 2}, {2, 4, 7}, {1, 1, 1}, no, no, no);
  slice("a view", {1, 1, 0}, {2, 4, 7}, {1, 1, 1}, no, no, no);
  slice("strides", {0, 0, 6}, {2, 5, 0}, {1, 2, -2}, no, no, no);
  slice("masks", {1, 3, 3}, {1, 1, 5}, {-1, -1, 1}, {true, false, true}, {true, true, false}, no);
  slice("squeezed", {-1, -2, 1}, {0, 0, 6}, {1, 1, 2}, no, no, {true, true, false});
  cases.push_back(
      {"slice_by_size", "", [](TestGraph& g) -> Values {
         return {g.add("slice_by_size", {{"x", g.input({2, 5, 7})}, {"begin", {0, -3, 2}}, {"size", {2, 2, -1}}})};
       }});
  cases.push_back(
      {"crop", "", [](TestGraph& g) -> Values {
         return {g.add("crop", {{"x", g.input({1, 2, 5, 7})}, {"crop_height", {1, 2}}, {"crop_width", {0, 3}}})};
       }});
  for (int axis : {0, 1, -1}) {
    cases.push_back(
        {"split", fmt::format("axis {}", axis), [axis](TestGraph& g) -> Values {
           return outputs_of(g.add_node("split", {{"x", g.input({4, 4, 4})}, {"split_sizes", {1, 3}}, {"axis", axis}}));
         }});
    cases.push_back({"concat", fmt::format("axis {}", axis), [axis](TestGraph& g) -> Values {
                       Dims a{2, 3, 4}, b = a;
                       b[axis < 0 ? 2 : static_cast<std::size_t>(axis)] = 1;
                       return {g.add("concat", {{"values", std::vector<Value*>{g.input(a), g.input(b), g.input(a)}},
                                                {"axis", axis}})};
                     }});
    cases.push_back(
        {"stack", fmt::format("axis {}", axis), [axis](TestGraph& g) -> Values {
           return {g.add("stack", {{"values", std::vector<Value*>{g.input({3, 4}), g.input({3, 4})}}, {"axis", axis}})};
         }});
    cases.push_back(
        {"gather", fmt::format("axis {}", axis), [axis](TestGraph& g) -> Values {
           return {g.add("gather", {{"x", g.input({3, 4, 5})},
                                    {"indices", make_constant(DType::int32, {2, 2}, std::vector<double>{0, -1, 2, 1})},
                                    {"axis", axis}})};
         }});
  }
  cases.push_back(
      {"gather", "indices of run time",
       [](TestGraph& g) -> Values {
         return {g.add("gather",
                       {{"x", g.input({3, 4})}, {"indices", g.input_of({DType::int32, {2}, {1, 2}})}, {"axis", 1}})};
       },
       true});
  cases.push_back({"concat", "interleaved", [](TestGraph& g) -> Values {
                     return {g.add("concat", {{"values", std::vector<Value*>{g.input({2, 3, 4}), g.input({2, 3, 4})}},
                                              {"axis", 1},
                                              {"interleave", true}})};
                   }});
  cases.push_back({"concat", "scalars", [](TestGraph& g) -> Values {
                     return {g.add("concat", {{"values", std::vector<Value*>{g.input({}), g.input({})}}, {"axis", 0}})};
                   }});
  cases.push_back(
      {"split", "views", [](TestGraph& g) -> Values {
         const Node* parts = g.add_node("split", {{"x", g.input({1, 6, 5})}, {"num_splits", 3}, {"axis", 1}});
         Value* sum = g.add("add", {{"x", parts->output(0)}, {"y", parts->output(2)}});
         return {g.add("relu", {{"x", parts->output(1)}}), sum, g.add("square", {{"x", parts->output(2)}})};
       }});
  cases.push_back({"reverse", "", [](TestGraph& g) -> Values {
                     return {g.add("reverse", {{"x", g.input({2, 3, 4})}, {"axes", {0, 2}}})};
                   }});
  cases.push_back({"reverse", "all", [](TestGraph& g) -> Values {
                     return {g.add("reverse", {{"x", g.input({2, 3})}})};
                   }});
  cases.push_back({"transpose", "4-D", [](TestGraph& g) -> Values {
                     return {g.add("transpose", {{"x", g.input({2, 3, 4, 5})}, {"perm", {0, 3, -3, 2}}})};
                   }});
  cases.push_back({"tile", "", [](TestGraph& g) -> Values {
                     return {g.add("tile", {{"x", g.input({2, 1, 3})}, {"reps", {1, 4, 2}}})};
                   }});
  for (const char* mode : {"constant", "reflect", "replicate"}) {
    cases.push_back(
        {"pad", mode, [=](TestGraph& g) -> Values {
           return {g.add(
               "pad",
               {{"x", g.input({2, 4, 5})}, {"pad", {1, 2, 0, 3}}, {"mode", mode}, {"constant_val", g.scalar(0.3)}})};
         }});
  }
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  add_conv_cases(cases);
  add_matrix_cases(cases);
  add_norm_cases(cases);
  add_unary_cases(cases);
  add_elementwise_cases(cases);
  add_pool_cases(cases);
  add_resize_cases(cases);
  add_reduce_cases(cases);
  add_shape_cases(cases);
  add_move_cases(cases);
  return cases;
}

TEST(KernelTable, RowsNameOperationsOnce) {
  std::set<std::string_view> seen;
  for (const KernelRow& row : kernel_rows()) {
    EXPECT_NE(ops::table().find(row.type), nullptr) << row.type;
    EXPECT_TRUE(seen.insert(row.type).second) << row.type << " is listed twice";
  }
}

TEST(KernelTable, EveryRowHasACase) {
  std::set<std::string> covered;
  for (const Case& c : all_cases()) {
    if (!c.by_reference) covered.insert(c.op);
  }
  for (const KernelRow& row : kernel_rows()) EXPECT_TRUE(covered.contains(std::string(row.type))) << row.type;
}

void compare(const Case& c, DType dtype, unsigned seed, ThreadPool& one, ThreadPool& three) {
  TestGraph g(dtype, seed);
  ASSERT_TRUE(g.finish(c.build(g)));
  const auto want = ops::evaluate(g.function(), g.inputs());
  ASSERT_TRUE(want) << render(want.error());
  auto engine = Engine::compile(g.function(), three);
  ASSERT_TRUE(engine) << render(engine.error());
  EXPECT_EQ(engine->fallbacks().empty(), !c.by_reference);
  const auto got = engine->run(g.inputs());
  ASSERT_TRUE(got) << render(got.error());
  ASSERT_EQ(got->size(), want->size());
  for (std::size_t i = 0; i < want->size(); ++i) expect_close((*got)[i], (*want)[i], fmt::format("output {}", i));
  // Again, and with another number of threads: the same bits.
  const auto again = engine->run(g.inputs());
  const auto alone = run_fast(g.function(), g.inputs(), one);
  ASSERT_TRUE(again);
  ASSERT_TRUE(alone);
  for (std::size_t i = 0; i < want->size(); ++i) {
    EXPECT_EQ((*again)[i].data, (*got)[i].data);
    EXPECT_EQ((*alone)[i].data, (*got)[i].data);
  }
}

TEST(Kernels, AgreeWithReferenceExecution) {
  ThreadPool one(1), three(3);
  unsigned seed = 1;
  for (const Case& c : all_cases()) {
    for (DType dtype : {DType::fp32, DType::fp16}) {
      SCOPED_TRACE(fmt::format("{} {} {}", c.op, c.form, name(dtype)));
      compare(c, dtype, seed++, one, three);
    }
  }
}

}  // namespace
}  // namespace anemone

// Cases of convolutions, matrix products and normalisations.
#include "anemone/runtime/kernel_cases.h"

namespace anemone::runtime {

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
  cases.push_back(
      {"matmul", "y of another float type", [](TestGraph& g) -> Values {
         const DType other = g.dtype() == DType::fp16 ? DType::fp32 : DType::fp16;
         return {g.add("matmul", {{"x", g.input({2, 5})}, {"y", make_constant(other, {5, 3}, g.numbers({5, 3}))}})};
       }});
  cases.push_back({"matmul", "vectors", matmul({5}, {5, 3}, false, false, false)});
  cases.push_back({"matmul", "column", matmul({4, 5}, {5}, false, false, false)});
  cases.push_back(
      {"matmul", "batches that broadcast both ways", matmul({2, 1, 3, 4}, {1, 3, 4, 2}, false, false, false), true});
  const auto einsum = [](Dims x, Dims y, const char* equation) {
    return [=](TestGraph& g) -> Values {
      return {g.add("einsum", {{"values", std::vector<Value*>{g.input(x), g.input(y)}}, {"equation", equation}})};
    };
  };
  cases.push_back({"einsum", "heads", einsum({2, 3, 4, 5}, {2, 5, 4, 6}, "nchw,nwhu->nchu")});
  cases.push_back({"einsum", "one row", einsum({2, 3, 1, 5}, {2, 5, 1, 6}, "bchq,bqhk->bchk")});
  cases.push_back({"einsum", "without batch", einsum({3, 4, 5}, {5, 4, 6}, "chw,whr->chr")});
  cases.push_back({"einsum", "broadcast", einsum({2, 3, 4, 5}, {1, 5, 4, 6}, "nchw,nwhu->nchu"), true});
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
  for (const auto& [x, size] :
       {std::pair{Dims{2, 7, 4, 5}, 5}, std::pair{Dims{6, 2, 9}, 2}, std::pair{Dims{1, 3, 1, 1}, 9}}) {
    cases.push_back({"local_response_norm", brief(x), [x = x, size = size](TestGraph& g) -> Values {
                       return {g.add("local_response_norm", {{"x", g.input(x)},
                                                             {"size", size},
                                                             {"alpha", g.scalar(0.5)},
                                                             {"beta", g.scalar(0.75)},
                                                             {"k", g.scalar(1)}})};
                     }});
  }
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

}  // namespace anemone::runtime

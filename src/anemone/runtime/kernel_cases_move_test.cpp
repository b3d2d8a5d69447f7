// Cases of pooling, resizing and everything that moves elements.
#include "anemone/runtime/kernel_cases.h"

namespace anemone::runtime {
namespace {

std::vector<Value*> outputs_of(const Node* node) {
  std::vector<Value*> out;
  for (std::size_t i = 0; node && i < node->outputs.size(); ++i) out.push_back(node->output(i));
  return out;
}

}  // namespace

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
  for (const char* mode : {"STRICT_ALIGN_CORNERS", "ALIGN_CORNERS", "DEFAULT", "UNALIGN_CORNERS", "OFFSET_CORNERS"}) {
    cases.push_back({"resize", fmt::format("nearest {}", mode), resize({9, 3}, "NEAREST_NEIGHBOR", mode)});
    cases.push_back({"resize", fmt::format("nearest {}, one row", mode), resize({1, 5}, "NEAREST_NEIGHBOR", mode)});
  }
  cases.push_back({"resize", "three dimensions", resize({4, 9, 4}, "LINEAR", "DEFAULT"), true});
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

void add_space_cases(std::vector<Case>& cases) {
  for (const char* op : {"depth_to_space", "space_to_depth"}) {
    cases.push_back({op, "", [op](TestGraph& g) -> Values {
                       return {g.add(op, {{"x", g.input({2, 12, 4, 6})}, {"block_size", 2}})};
                     }});
  }
  cases.push_back({"pixel_shuffle", "", [](TestGraph& g) -> Values {
                     return {g.add("pixel_shuffle", {{"x", g.input({1, 18, 2, 5})}, {"upscale_factor", 3}})};
                   }});
  cases.push_back({"pixel_unshuffle", "", [](TestGraph& g) -> Values {
                     return {g.add("pixel_unshuffle", {{"x", g.input({2, 3, 4, 6})},
                                                       {"downscale_factor", make_scalar(DType::uint32, 2)}})};
                   }});
}

}  // namespace anemone::runtime

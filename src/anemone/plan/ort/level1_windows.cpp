// Rules of the first pass about padding and about MatMul before a batch normalisation.
#include <algorithm>
#include <limits>

#include "anemone/plan/ort/level1_passes.h"

namespace anemone::plan::ort {
namespace {

using Dims = std::vector<std::int64_t>;

bool takes_padding(const Level1& level, const Node& node) {
  const bool average = level.version < 21 ? is(level.model, node, "AveragePool", {1, 7, 10, 11, 19})
                                          : is(level.model, node, "AveragePool", {7, 10, 11, 19});
  if (!is(level.model, node, "Conv", {1, 11}) && !average && !is(level.model, node, "MaxPool", {1, 8, 10, 11, 12}))
    return false;
  if (node.output_count() > 1 || node.text("auto_pad", "NOTSET") != "NOTSET") return false;
  const Dims pads = node.integers("pads");
  if (level.version < 20 && pads.empty()) return false;
  // From 1.21 on the average must go on counting what was padded: only where nothing was.
  const bool padded = std::any_of(pads.begin(), pads.end(), [](std::int64_t n) { return n != 0; });
  return !(level.version >= 21 && average && padded && node.integer("count_include_pad", 0) == 0);
}

bool pads_with_zero(const Level1& level, const Node& pad) {
  if (pad.input_count() < 2) return pad.number("value", 0) == 0;
  if (!constant(level.model, pad, 1)) return false;
  if (pad.input_count() < 3) return true;
  const Tensor* value = constant(level.model, pad, 2);
  return value && std::all_of(value->data.view.begin(), value->data.view.end(),
                              [](std::byte byte) { return byte == std::byte{0}; });
}

/// Zeros around become the padding of the convolution or pooling behind, a Cast in between or not.
Applied pad(const Level1& level, Node& pad, Walk& walk) {
  Node* next = only_reader(pad);
  if (!is(level.model, pad, "Pad", {1, 2, 11, 13, 18, 19}) || !next || gives_graph_output(pad)) return Applied::none;
  if (pad.input_count() > 3 || pad.text("mode", "constant") != "constant" || !pads_with_zero(level, pad))
    return Applied::none;
  Node* window = next;
  if (is(level.model, *next, "Cast")) {
    window = only_reader(*next);
    if (!window || gives_graph_output(*next)) return Applied::none;
  }
  if (!takes_padding(level, *window)) return Applied::none;
  const Dims more = pad.input_count() < 2 ? pad.integers("pads") : integers(level.model, pad.input(1)).value_or(Dims{});
  const std::size_t rank = more.size() / 2;
  if (rank < 3 || more[0] != 0 || more[1] != 0 || more[rank] != 0 || more[rank + 1] != 0) return Applied::none;
  Dims pads = window->integers("pads");
  const auto is_beyond = [](std::int64_t n) { return n > std::numeric_limits<std::int32_t>::max(); };
  if (std::any_of(more.begin(), more.end(), [&](std::int64_t n) { return n < 0 || is_beyond(n); }) ||
      std::any_of(pads.begin(), pads.end(), is_beyond))
    return Applied::none;
  pads.resize(more.size() - 4);
  for (std::size_t axis = 0; axis < rank - 2; ++axis) {
    pads[axis] += more[axis + 2];
    pads[axis + rank - 2] += more[axis + 2 + rank];
  }
  std::erase_if(window->attributes, [](const onnx::Attribute& a) { return a.name == "pads"; });
  window->attributes.push_back({"pads", onnx::Attribute::Kind::integers, pads, {}, {}});
  if (next != window) next->output(0)->type.shape = pad.input(0)->type.shape;
  level.graph().replace_uses(*pad.output(0), *pad.input(0));
  walk.erase(pad);
  return Applied::removed;
}

bool is_constant_vector(const Level1& level, const Node& node, std::size_t input, std::int64_t length) {
  const Tensor* tensor = constant(level.model, node, input);
  return tensor && tensor->dims == Dims{length};
}

/// MatMul, then Reshape and Transpose as often as they come, then BatchNormalization: Gemm and what came between.
Applied matmul_batch_norm(const Level1& level, Node& matmul, Walk& walk) {
  if (!is(level.model, matmul, "MatMul", {1, 9, 13}) || edges_out(matmul) != 1 || gives_graph_output(matmul))
    return Applied::none;
  if (const onnx::Shape* a = shape_of(matmul.input(0)); level.version >= 21 && (!a || a->size() != 2))
    return Applied::none;
  Node* last = &matmul;
  Node* norm = only_reader(matmul);
  while (norm && edges_out(*norm) == 1 &&
         (is(level.model, *norm, "Reshape", {1, 5, 13, 14, 19}) || is(level.model, *norm, "Transpose", {1, 13}))) {
    last = norm;
    norm = only_reader(*norm);
  }
  const Tensor* weight = constant(level.model, matmul, 1);
  if (!norm || !is(level.model, *norm, "BatchNormalization") || !weight || weight->dims.size() < 2)
    return Applied::none;
  for (std::size_t i = 1; i <= 4; ++i) {
    if (!is_constant_vector(level, *norm, i, weight->dims[1])) return Applied::none;
  }
  for (std::size_t i = 1; i < norm->output_count(); ++i) {
    if (norm->output(i)) return Applied::none;
  }
  Tensor bias;
  bias.dtype = weight->dtype;
  bias.dims = {weight->dims[1]};
  Value& c = add_constant(level.graph(), matmul.output(0)->name() + "_bias", std::move(bias));
  Node& gemm = add_instead(level.graph(), "Gemm", {matmul.input(0), matmul.input(1), &c}, matmul, &matmul);
  merge_into(last == &matmul ? gemm : *last, *norm, walk);
  walk.erase(matmul);
  return Applied::removed;
}

constexpr RewriteRule kRules[] = {
    {"PadFusion", {"Pad"}, pad},
    {"MatmulBNFusion", {"MatMul"}, matmul_batch_norm},
};

}  // namespace

std::span<const RewriteRule> window_fusion_rules() { return kRules; }

}  // namespace anemone::plan::ort

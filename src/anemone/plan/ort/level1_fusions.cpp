// Rules of the first pass that put two nodes into one. New weights are not computed: no rule of the provider asks for them.
#include <algorithm>

#include "anemone/plan/ort/level1_passes.h"

namespace anemone::plan::ort {
namespace {

using onnx::DataType;
using onnx::extent;

bool is_floating(const Tensor& tensor) {
  return tensor.dtype == DataType::float32 || tensor.dtype == DataType::float16 || tensor.dtype == DataType::float64;
}

Tensor uncomputed(DataType dtype, std::vector<std::int64_t> dims) {
  Tensor tensor;
  tensor.dtype = dtype;
  tensor.dims = std::move(dims);
  return tensor;
}

/// 1 / x, then times y: y / x.
Applied div_mul(const Level1& level, Node& div, Walk& walk) {
  Node* mul = only_reader(div);
  if (!is(level.model, div, "Div", {7, 13, 14}) || !mul || !is(level.model, *mul, "Mul", {7, 13, 14}))
    return Applied::none;
  if (scalar(level.model, div.input(0)) != 1.0 || gives_graph_output(div)) return Applied::none;
  Value* factor = mul->input(mul->input(0) == div.output(0) ? 1 : 0);
  add_instead(level.graph(), "Div", {factor, div.input(1)}, *mul, mul);  // behind what makes the factor
  walk.erase(*mul);
  walk.erase(div);
  return Applied::removed;
}

/// Clip cuts at 0 what Relu would.
Applied relu_clip(const Level1& level, Node& relu, Walk& walk) {
  Node* clip = only_reader(relu);
  if (!is(level.model, relu, "Relu", {6, 13, 14}) || !clip || !is(level.model, *clip, "Clip", {6, 11, 12, 13}))
    return Applied::none;
  if (!can_remove(relu)) return Applied::none;
  if (is(level.model, *clip, "Clip", {6})) {
    for (onnx::Attribute& attribute : clip->attributes) {
      auto* least = attribute.name == "min" ? std::get_if<float>(&attribute.value) : nullptr;
      if (least) *least = std::max(*least, 0.0f);
    }
  } else if (clip->input(1) && !constant(level.model, *clip, 1)) {
    return Applied::none;
  } else if (!clip->input(1) || scalar(level.model, clip->input(1)).value_or(0) < 0) {
    const DataType dtype = clip->input(0)->type.dtype;
    Tensor zero = uncomputed(dtype, {});
    zero.data = Bytes::owned(std::vector<std::byte>(formats::onnxspec::bits_of(dtype) / 8));
    clip->set_input(1, &add_constant(level.graph(), clip->output(0)->name() + "_min", std::move(zero)));
  }
  remove(relu, walk);
  return Applied::removed;
}

/// What Gemm takes as C: [N], [1, N], [M, 1] or [M, N].
bool fits_as_bias(const onnx::Shape& bias, const onnx::Dimension& m, const onnx::Dimension& n) {
  const auto same = [](const onnx::Dimension& a, const onnx::Dimension& b) {
    return a.value == b.value && a.symbol == b.symbol;
  };
  if (bias.size() == 1) return same(bias[0], n);
  if (bias.size() != 2) return false;
  if (extent(bias[0]) == 1 && same(bias[1], n)) return true;
  return same(bias[0], m) && (extent(bias[1]) == 1 || same(bias[1], n));
}

Applied gemm_sum(const Level1& level, Node& gemm, Walk& walk) {
  Node* sum = only_reader(gemm);
  if (!is(level.model, gemm, "Gemm", {11, 13}) || gives_graph_output(gemm) || gemm.input_count() != 2 || !sum)
    return Applied::none;
  if (!is(level.model, *sum, "Sum") || sum->input_count() != 2) return Applied::none;
  Value* other = sum->input(sum->input(0) == gemm.output(0) ? 1 : 0);
  const onnx::Shape *bias = shape_of(other), *result = shape_of(gemm.output(0));
  if (!bias || !result || result->size() != 2 || !fits_as_bias(*bias, (*result)[0], (*result)[1])) return Applied::none;
  Node& fused = add_instead(level.graph(), "Gemm", {gemm.input(0), gemm.input(1), other}, *sum, sum);
  fused.attributes = gemm.attributes;
  std::erase_if(fused.attributes, [](const onnx::Attribute& a) { return a.name == "beta"; });
  walk.erase(*sum);
  walk.erase(gemm);
  return Applied::removed;
}

/// Transposes around Gemm become its flags, where nothing but Gemms reads them.
Applied gemm_transpose(const Level1& level, Node& gemm, Walk& walk) {
  if (!is(level.model, gemm, "Gemm") || edges_out(gemm) > 1) return Applied::none;
  bool trans[2] = {gemm.integer("transA", 0) != 0, gemm.integer("transB", 0) != 0};
  Value* operands[2] = {gemm.input(0), gemm.input(1)};
  bool changed = false;
  for (std::size_t i = 0; i < 2; ++i) {
    Node* transpose = producer(gemm, i);
    if (!transpose || !is(level.model, *transpose, "Transpose", {1, 13}) || gives_graph_output(*transpose)) continue;
    const auto all = readers(*transpose->output(0));
    if (!std::all_of(all.begin(), all.end(), [](const Node* n) { return n->op_type == "Gemm"; })) continue;
    trans[i] = !trans[i];
    operands[i] = transpose->input(0);
    changed = true;
  }
  Node* after = only_reader(gemm);
  const bool swaps = after && is(level.model, gemm, "Gemm", {11, 13}) && !gives_graph_output(gemm) &&
                     gemm.input_count() <= 2 && is(level.model, *after, "Transpose", {1, 13});
  if (!changed && !swaps) return Applied::none;
  Node* old[2] = {producer(gemm, 0), producer(gemm, 1)};
  if (swaps) {  // (AB)' = B'A'
    std::swap(operands[0], operands[1]);
    const bool a = trans[0];
    trans[0] = !trans[1];
    trans[1] = !a;
  }
  std::vector<Value*> inputs{operands[0], operands[1]};
  for (std::size_t i = 2; i < gemm.input_count(); ++i) inputs.push_back(gemm.input(i));
  Node& fused = add_instead(level.graph(), "Gemm", std::move(inputs), swaps ? *after : gemm, &gemm);
  for (const onnx::Attribute& a : gemm.attributes) {
    if (a.name != "transA" && a.name != "transB") fused.attributes.push_back(a);
  }
  for (std::size_t i = 0; i < 2; ++i)
    fused.attributes.push_back(
        {i == 0 ? "transA" : "transB", onnx::Attribute::Kind::integer, std::int64_t{trans[i]}, {}, {}});
  if (swaps) walk.erase(*after);
  walk.erase(gemm);
  for (std::size_t i = 0; i < 2; ++i) {
    if (old[i] && (i == 0 || old[i] != old[0]) && old[i]->op_type == "Transpose" && old[i]->output(0)->uses().empty())
      walk.erase(*old[i]);
  }
  return Applied::removed;
}

/// Where over Not: the branches change places.
Applied not_where(const Level1& level, Node& where, Walk& walk) {
  Node* inverted = producer(where, 0);
  if (!is(level.model, where, "Where") || !inverted || !is(level.model, *inverted, "Not") || !can_remove(*inverted))
    return Applied::none;
  const auto all = readers(*inverted->output(0));
  if (!std::all_of(all.begin(), all.end(), [&](const Node* n) { return is(level.model, *n, "Where"); }))
    return Applied::none;
  for (Node* each : all) {
    Value *yes = each->input(1), *no = each->input(2);
    each->set_input(1, no);
    each->set_input(2, yes);
  }
  remove(*inverted, walk);
  return Applied::changed;
}

/// Conv with a constant weight (and bias), read by `op` alone, which reads nothing else that comes at run time.
Node* constant_after_conv(const Level1& level, Node& conv, std::string_view op, std::initializer_list<int> since,
                          std::size_t constants) {
  Node* next = only_reader(conv);
  if (!is(level.model, conv, "Conv", {1, 11}) || !next || !is(level.model, *next, op, since)) return nullptr;
  if (edges_in(*next) != 1 || gives_graph_output(conv) || !constant(level.model, conv, 1)) return nullptr;
  if (conv.input_count() == 3 && !constant(level.model, conv, 2)) return nullptr;
  for (std::size_t i = 1; i <= constants; ++i) {
    if (!constant(level.model, *next, i)) return nullptr;
  }
  return next;
}

/// One factor or summand a channel: [1, C, 1, 1] or [C, 1, 1]. With `scalar`, also [].
bool is_per_channel(const Tensor& tensor, const Tensor& weight, bool scalar) {
  if (!is_floating(weight) || weight.dtype != tensor.dtype || weight.dims.size() <= 2) return false;
  if (scalar && tensor.dims.empty()) return true;
  const std::size_t rank = tensor.dims.size(), full = weight.dims.size();
  if (rank != full && rank != full - 1) return false;
  const std::size_t axis = rank == full ? 1 : 0;
  for (std::size_t i = 0; i < rank; ++i) {
    if (tensor.dims[i] != (i == axis ? weight.dims[0] : 1)) return false;
  }
  return true;
}

bool bias_fits(const Level1& level, const Node& conv, DataType dtype) {
  const Tensor& weight = *constant(level.model, conv, 1);
  const Tensor* bias = conv.input_count() == 3 ? constant(level.model, conv, 2) : nullptr;
  return !bias || (bias->dtype == dtype && bias->dims == std::vector<std::int64_t>{weight.dims[0]});
}

void give_bias(const Level1& level, Node& conv) {
  const Tensor& weight = *constant(level.model, conv, 1);
  if (!conv.input(2))
    conv.set_input(
        2, &add_constant(level.graph(), conv.output(0)->name() + "_bias", uncomputed(weight.dtype, {weight.dims[0]})));
}

Applied conv_add(const Level1& level, Node& conv, Walk& walk) {
  Node* add = constant_after_conv(level, conv, "Add", {7, 13, 14}, 1);
  if (!add) return Applied::none;
  const Tensor& summand = *constant(level.model, *add, 1);
  if (!is_per_channel(summand, *constant(level.model, conv, 1), false) || !bias_fits(level, conv, summand.dtype))
    return Applied::none;
  give_bias(level, conv);
  merge_into(conv, *add, walk);
  return Applied::changed;
}

Applied conv_mul(const Level1& level, Node& conv, Walk& walk) {
  Node* mul = constant_after_conv(level, conv, "Mul", {7, 13, 14}, 1);
  if (!mul) return Applied::none;
  const Tensor& factor = *constant(level.model, *mul, 1);
  if (!is_per_channel(factor, *constant(level.model, conv, 1), true) || !bias_fits(level, conv, factor.dtype))
    return Applied::none;
  merge_into(conv, *mul, walk);
  return Applied::changed;
}

Applied conv_batch_norm(const Level1& level, Node& conv, Walk& walk) {
  Node* norm = constant_after_conv(level, conv, "BatchNormalization", {7, 9, 14, 15}, 4);
  if (!norm) return Applied::none;
  for (std::size_t i = 1; i < norm->output_count(); ++i) {
    if (norm->output(i)) return Applied::none;
  }
  const Tensor& weight = *constant(level.model, conv, 1);
  if (!is_floating(weight) || weight.dims.size() <= 2) return Applied::none;
  for (std::size_t i = 1; i <= 4; ++i) {
    const Tensor& part = *constant(level.model, *norm, i);
    if (part.dtype != weight.dtype || part.dims != std::vector<std::int64_t>{weight.dims[0]}) return Applied::none;
  }
  if (!bias_fits(level, conv, weight.dtype)) return Applied::none;
  give_bias(level, conv);
  merge_into(conv, *norm, walk);
  return Applied::changed;
}

constexpr RewriteRule kRules[] = {
    {"DivMulFusion", {"Div"}, div_mul},       {"FuseReluClip", {"Relu"}, relu_clip},
    {"GemmSumFusion", {"Gemm"}, gemm_sum},    {"GemmTransposeFusion", {"Gemm"}, gemm_transpose},
    {"NotWhereFusion", {"Where"}, not_where}, {"ConvAddFusion", {"Conv"}, conv_add},
    {"ConvMulFusion", {"Conv"}, conv_mul},    {"ConvBNFusion", {"Conv"}, conv_batch_norm},
};

}  // namespace

std::span<const RewriteRule> fusion_rules() { return kRules; }

}  // namespace anemone::plan::ort

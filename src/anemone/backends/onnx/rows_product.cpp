// Products of matrices.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "anemone/backends/onnx/rows.h"

namespace anemone::onnx::exporting {
namespace {

Dims swapped_perm(std::int64_t rank) {
  Dims perm(static_cast<std::size_t>(rank));
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return perm;
}

/// The operand with its last two dimensions exchanged. A node: runtimes fold it where the operand is a constant.
Value* swapped(Emit& e, std::string_view param, Value* value) {
  return e.transpose(value, swapped_perm(e.rank(param)));
}

// Gemm is for matrices of floating point.
Result<void> linear(Emit& e) {
  Value *x = e.in("x"), *weight = e.in_as("weight", e.dtype());
  Value* bias = e.has("bias") ? e.in_as("bias", e.dtype()) : nullptr;
  if (e.rank() == 2 && is_float(e.out_type().dtype)) {
    Inputs inputs{x, weight};
    if (bias) inputs.push_back(bias);
    return e.give("Gemm", std::move(inputs), {attr("transB", std::int64_t{1})});
  }
  weight = swapped(e, "weight", weight);
  if (!bias) return e.give("MatMul", {x, weight});
  return e.give("Add", {e.make("MatMul", {x, weight}), bias});
}

Result<void> matmul(Emit& e) {
  Value *x = e.in("x"), *y = e.in_as("y", e.dtype("x"));
  if (e.flag("transpose_x") && e.rank("x") > 1) x = swapped(e, "x", x);
  if (e.flag("transpose_y") && e.rank("y") > 1) y = swapped(e, "y", y);
  return e.give("MatMul", {x, y});
}

// [n, c, h, w] and [n, w, h, u]; where n or h is 1 in one of them alone, Einsum does not stretch it.
Result<void> einsum(Emit& e) {
  const auto& operands = e.node().operand("values")->values;
  const Dims &out = e.out_type().dims, &x = operands[0]->type.dims, &y = operands[1]->type.dims;
  Inputs values = e.all("values");
  const std::size_t c = x.size() - 3, w = x.size() - 1;
  if (!e.is_fixed()) return e.refuse("extents are not known", "give the input a size with --shapes");
  Dims wide_x = out, wide_y = out;
  wide_x[w] = x[w];
  wide_y[c] = y[c];
  if (wide_x != x) values[0] = e.make("Expand", {values[0], e.int64s(wide_x)});
  if (wide_y != y) values[1] = e.make("Expand", {values[1], e.int64s(wide_y)});
  return e.give("Einsum", std::move(values), {attr("equation", e.text("equation"))});
}

Result<void> attention(Emit& e) {
  const std::int64_t depth = e.dims("query").back();
  if (depth == kUnknown) return e.refuse("the depth of the query is not known", "give the input a size");
  Value* scores = e.make("MatMul", {e.in("query"), swapped(e, "key", e.in("key"))});
  scores = e.make("Mul", {scores, e.literal(1 / std::sqrt(static_cast<double>(depth)))});
  if (e.has("attn_mask")) {
    Value* mask = e.in("attn_mask");
    if (e.dtype("attn_mask") == DataType::boolean) {
      const double lowest = -std::numeric_limits<double>::infinity();
      mask = e.make("Where", {mask, e.literal(0), e.literal(lowest)});
    }
    scores = e.make("Add", {scores, mask});
  }
  return e.give("MatMul", {e.make("Softmax", {scores}, {attr("axis", std::int64_t{-1})}), e.in("value")});
}

constexpr std::array kRows = {
    RaiseRow{"linear", linear, "Gemm; beyond rank 2 Transpose, MatMul, Add"},
    RaiseRow{"matmul", matmul, "MatMul, Transpose"},
    RaiseRow{"einsum", einsum, "Expand, Einsum"},
    RaiseRow{"scaled_dot_product_attention", attention, "Transpose, MatMul, Mul, Where, Add, Softmax"},
};

}  // namespace

std::span<const RaiseRow> raise_product() { return kRows; }

}  // namespace anemone::onnx::exporting

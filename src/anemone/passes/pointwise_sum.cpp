// The matrix in front of a value grows on the way down from the root.
#include "anemone/passes/pointwise_sum.h"

#include <algorithm>

#include "anemone/ir/rewrite.h"

namespace anemone::passes {
namespace {

constexpr int kDeepest = 32;  // of sums of sums

std::size_t channels(const Value& value) { return static_cast<std::size_t>(value.type.dims[1]); }

}  // namespace

PointwiseSum::PointwiseSum(const Node& root, Content content)
    : root_(&root), content_(content), rows_(channels(*root.output())) {
  bias_ = root.constant("bias") ? numbers(root, "bias") : Matrix(content == Content::numbers ? rows_ : 0, 0);
  if (has_convolution(*root.input("x"), kDeepest)) expand(*root.input("x"), numbers(root, "weight"), kDeepest);
}

Value* PointwiseSum::build(Builder& builder) const {
  const DType dtype = root_->input("weight")->type.dtype;
  std::vector<Value*> values;
  std::vector<Matrix> parts;
  Dims dims = root_->input("weight")->type.dims;
  dims[1] = 0;
  for (const Term& term : terms_) {
    values.push_back(term.value);
    parts.push_back(term.matrix);
    dims[1] += static_cast<std::int64_t>(channels(*term.value));
  }
  Matrix weight = side_by_side(parts, rows_), bias = bias_;
  weight.resize(rows_ * static_cast<std::size_t>(dims[1]));
  bias.resize(rows_);
  Value* x = values[0];
  if (values.size() > 1) x = builder.add("concat", {{"values", values}, {"axis", 1}, {"interleave", false}});
  return builder.add_like(*root_, {{"x", x},
                                   {"weight", make_constant(dtype, dims, std::span<const double>(weight))},
                                   {"bias", make_constant(dtype, {dims[0]}, std::span<const double>(bias))}});
}

Matrix PointwiseSum::numbers(const Node& conv, std::string_view param) const {
  return content_ == Content::numbers ? to_doubles(*conv.constant(param)) : Matrix();
}

// The node that makes the value for nobody else, if it can be looked through.
const Node* PointwiseSum::linear(const Value& value) const {
  const Node* node = value.producer;
  if (!node || !only_user(&value) || !same_block(*node, *root_) || !value.type.is_fixed()) return nullptr;
  if (node->type == "add")
    return node->input("x")->type == value.type && node->input("y")->type == value.type ? node : nullptr;
  if (node->type == "concat")
    return ConstantView(*node).integer("axis") == 1 && !ConstantView(*node).flag("interleave") ? node : nullptr;
  return is_pointwise(*node) ? node : nullptr;
}

bool PointwiseSum::has_convolution(const Value& value, int depth) const {
  const Node* node = depth > 0 ? linear(value) : nullptr;
  if (!node || node->type == "conv") return node;
  const auto any = [this, depth](const Operand& operand) {
    return std::any_of(operand.values.begin(), operand.values.end(),
                       [this, depth](const Value* v) { return has_convolution(*v, depth - 1); });
  };
  return std::any_of(node->operands().begin(), node->operands().end(), any);
}

void PointwiseSum::expand(Value& value, Matrix matrix, int depth) {
  const Node* node = depth > 0 ? linear(value) : nullptr;
  if (!node) return add(value, std::move(matrix));
  if (node->type == "add") {
    expand(*node->input("x"), matrix, depth - 1);
    expand(*node->input("y"), std::move(matrix), depth - 1);
  } else if (node->type == "concat") {
    std::size_t first = 0;
    for (Value* part : node->operand("values")->values) {
      expand(*part, matrix.empty() ? matrix : columns(matrix, rows_, first, channels(*part)), depth - 1);
      first += channels(*part);
    }
  } else {
    compose(*node, matrix, depth);
  }
}

void PointwiseSum::compose(const Node& conv, const Matrix& matrix, int depth) {
  ++convolutions_;
  const std::size_t inner = channels(*conv.output());
  work_ += rows_ * inner * channels(*conv.input("x"));
  if (matrix.empty()) return expand(*conv.input("x"), {}, depth - 1);
  if (conv.constant("bias")) {
    const Matrix more = product(matrix, numbers(conv, "bias"), rows_, inner);
    for (std::size_t r = 0; r < rows_; ++r) bias_[r] += more[r];
  }
  expand(*conv.input("x"), product(matrix, numbers(conv, "weight"), rows_, inner), depth - 1);
}

void PointwiseSum::add(Value& value, Matrix matrix) {
  const auto same = std::find_if(terms_.begin(), terms_.end(), [&](const Term& t) { return t.value == &value; });
  if (same == terms_.end()) {
    terms_.push_back({&value, std::move(matrix)});
    return;
  }
  for (std::size_t i = 0; i < matrix.size(); ++i) same->matrix[i] += matrix[i];
}

}  // namespace anemone::passes

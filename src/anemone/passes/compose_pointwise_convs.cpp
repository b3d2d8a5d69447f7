// Multiplies the matrices of 1x1 convolutions that follow each other, through sums and concatenations.
// before:  %a = conv(x=%p, weight=M, bias=b)   %s = add(x=%a, y=%q)              %y = conv(x=%s, weight=W)
// after:   %c = concat(values=(%p, %q), axis=1)                                  %y = conv(x=%c, weight=[W·M | W], bias=W·b)
// only if: both convolutions have kernel and stride 1, one group, no padding and plain weights, nobody else reads what
//          lies between, and it is cheaper
// why:     the sum is a pass over a whole tensor, and so is what it reads; the products are made once, in double
#include <algorithm>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/pointwise.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {
namespace {

constexpr std::size_t kMostWork = std::size_t{1} << 28;  // multiply-adds of a pass over a block: a third of a second
constexpr int kDeepest = 32;                             // of sums of sums

std::size_t channels(const Value& value) { return static_cast<std::size_t>(value.type.dims[1]); }

// What a 1x1 convolution sums up: a matrix times each of these values.
class Sum {
 public:
  explicit Sum(const Node& root, std::size_t& work)
      : root_(&root), rows_(channels(*root.output())), bias_(rows_, 0), work_(&work) {
    if (const Constant* bias = root.constant("bias")) bias_ = to_doubles(*bias);
    if (has_convolution(*root.input("x"), kDeepest))
      expand(*root.input("x"), to_doubles(*root.constant("weight")), kDeepest);
  }
  bool is_composed() const { return convolutions_ > 0 && *work_ <= kMostWork; }
  std::size_t convolutions() const { return convolutions_; }

  Value* build(Builder& builder) const {
    const DType dtype = root_->input("weight")->type.dtype;
    std::vector<Value*> values;
    std::vector<Matrix> parts;
    for (const Term& term : terms_) {
      values.push_back(term.value);
      parts.push_back(term.matrix);
    }
    const Matrix weight = side_by_side(parts, rows_);
    Dims dims = root_->input("weight")->type.dims;
    dims[1] = static_cast<std::int64_t>(weight.size() / rows_);
    Value* x = values[0];
    if (values.size() > 1) x = builder.add("concat", {{"values", values}, {"axis", 1}, {"interleave", false}});
    return builder.add_like(*root_, {{"x", x},
                                     {"weight", make_constant(dtype, dims, std::span<const double>(weight))},
                                     {"bias", make_constant(dtype, {dims[0]}, std::span<const double>(bias_))}});
  }

 private:
  struct Term {
    Value* value;
    Matrix matrix;
  };

  // The node that makes the value for nobody else, if it can be looked through.
  const Node* linear(const Value& value) const {
    const Node* node = value.producer;
    if (!node || !only_user(&value) || !same_block(*node, *root_) || !value.type.is_fixed()) return nullptr;
    if (node->type == "add")
      return node->input("x")->type == value.type && node->input("y")->type == value.type ? node : nullptr;
    if (node->type == "concat")
      return ConstantView(*node).integer("axis") == 1 && !ConstantView(*node).flag("interleave") ? node : nullptr;
    return is_pointwise(*node) ? node : nullptr;
  }

  bool has_convolution(const Value& value, int depth) const {
    const Node* node = depth > 0 ? linear(value) : nullptr;
    if (!node || node->type == "conv") return node;
    const auto any = [this, depth](const Operand& operand) {
      return std::any_of(operand.values.begin(), operand.values.end(),
                         [this, depth](const Value* v) { return has_convolution(*v, depth - 1); });
    };
    return std::any_of(node->operands().begin(), node->operands().end(), any);
  }

  void expand(Value& value, Matrix matrix, int depth) {
    const Node* node = depth > 0 ? linear(value) : nullptr;
    if (!node) return add(value, std::move(matrix));
    if (node->type == "add") {
      expand(*node->input("x"), matrix, depth - 1);
      expand(*node->input("y"), std::move(matrix), depth - 1);
    } else if (node->type == "concat") {
      std::size_t first = 0;
      for (Value* part : node->operand("values")->values) {
        expand(*part, columns(matrix, rows_, first, channels(*part)), depth - 1);
        first += channels(*part);
      }
    } else {
      compose(*node, matrix, depth);
    }
  }

  void compose(const Node& conv, const Matrix& matrix, int depth) {
    ++convolutions_;
    const std::size_t inner = channels(*conv.output());
    *work_ += matrix.size() * channels(*conv.input("x"));
    if (*work_ > kMostWork) return;
    if (const Constant* bias = conv.constant("bias")) {
      const Matrix more = product(matrix, to_doubles(*bias), rows_, inner);
      for (std::size_t r = 0; r < rows_; ++r) bias_[r] += more[r];
    }
    expand(*conv.input("x"), product(matrix, to_doubles(*conv.constant("weight")), rows_, inner), depth - 1);
  }

  void add(Value& value, Matrix matrix) {
    const auto same = std::find_if(terms_.begin(), terms_.end(), [&](const Term& t) { return t.value == &value; });
    if (same == terms_.end()) {
      terms_.push_back({&value, std::move(matrix)});
      return;
    }
    for (std::size_t i = 0; i < matrix.size(); ++i) same->matrix[i] += matrix[i];
  }

  const Node* root_;
  std::size_t rows_, convolutions_ = 0;
  Matrix bias_;
  std::vector<Term> terms_;
  std::size_t* work_;
};

}  // namespace

Result<bool> compose_pointwise_convs(Block& block, PassContext& context) {
  return until_stable([&] {
    bool changed = false;
    std::size_t work = 0;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& node = *at++;
      if (!is_pointwise(node)) continue;
      const Sum sum(node, work);
      if (!sum.is_composed()) continue;
      Trial trial(node);
      trial.replace(*node.output(), *sum.build(trial.builder()));
      if (trial.keep_if_cheaper(context.costs())) {
        context.count("convolutions composed", sum.convolutions());
        changed = true;
      } else {
        context.remark(node, "kept: composed with those before it, it would cost more");
      }
    }
    return changed;
  });
}

}  // namespace anemone::passes

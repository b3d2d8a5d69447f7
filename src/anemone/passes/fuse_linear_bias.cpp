// Takes what is added after a linear into its bias, and makes a linear of a matrix product with something added.
// before:  %a = linear(x=%x, weight=W, bias=b)   %y = add(x=%a, y=k)        (and matmul(x=%x, y=Wᵀ); sub likewise)
// after:   %y = linear(x=%x, weight=W, bias=b+k)
// only if: W and k are plain constants, k is a number or one an output, nobody else reads %a, and a matrix product has a
//          weight of two dimensions and costs no less as it is
// why:     one pass over the tensor less
#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {
namespace {

// A weight [outputs, inputs] of `linear`, from the operands of a linear or matmul; null for another node.
ConstantPtr weight_of(const Node& node) {
  const bool product = node.type == "matmul";
  const Value* weight = node.input(product ? "y" : "weight");
  if ((!product && node.type != "linear") || !payload(weight) || !is_float(weight->type.dtype)) return nullptr;
  if (!product) return weight->constant;
  const ConstantView view(node);
  if (weight->type.rank() != 2 || view.flag("transpose_x") || node.input("x")->type.rank() > 3) return nullptr;
  if (view.flag("transpose_y")) return weight->constant;
  const auto rows = weight->type.dims[0], columns = weight->type.dims[1];
  const std::vector<double> values = to_doubles(*weight->constant);
  std::vector<double> turned;
  for (std::int64_t c = 0; c < columns; ++c) {
    for (std::int64_t r = 0; r < rows; ++r) turned.push_back(values[static_cast<std::size_t>(r * columns + c)]);
  }
  return make_constant(weight->type.dtype, {columns, rows}, std::span<const double>(turned));
}

// k of a + k as one number an output: of a constant that differs along the last axis only.
std::vector<double> by_output(const Value* k, std::int64_t outputs) {
  const Constant* constant = payload(k);
  if (!constant || !is_float(constant->type.dtype)) return {};
  const bool one = constant->count() == 1;
  if (!one && (constant->count() != outputs || constant->type.dims.back() != outputs)) return {};
  return one ? std::vector<double>(static_cast<std::size_t>(outputs), scalar(*constant)) : to_doubles(*constant);
}

bool fuse(Node& node, PassContext& context) {
  const bool left = node.type == "add" && node.constant("x");
  const Value* a = node.input(left ? "y" : "x");
  const Node* inner = a->producer;
  if (!inner || only_user(a) != &node || !same_block(*inner, node) || a->type != node.output()->type) return false;
  const ConstantPtr weight = weight_of(*inner);
  if (!weight) return false;
  std::vector<double> bias = by_output(node.input(left ? "x" : "y"), weight->type.dims[0]);
  if (bias.empty() || (inner->input("bias") && !payload(inner->input("bias")))) return false;
  for (double& b : bias) b = node.type == "sub" ? -b : b;
  if (const Constant* old = inner->constant("bias")) {
    const std::vector<double> before = to_doubles(*old);
    for (std::size_t i = 0; i < bias.size(); ++i) bias[i] += before[i];
  }
  Trial trial(node);
  const ConstantPtr sum = make_constant(weight->type.dtype, {weight->type.dims[0]}, std::span<const double>(bias));
  trial.replace(*node.output(),
                *trial.builder().add("linear", {{"x", inner->input("x")}, {"weight", weight}, {"bias", sum}}));
  if (!trial.keep_if_cheaper(context.costs())) return false;
  context.count("biases fused");
  return true;
}

}  // namespace

Result<bool> fuse_linear_bias(Block& block, PassContext& context) {
  return until_stable([&] {
    bool changed = false;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& node = *at++;
      if (node.type == "add" || node.type == "sub") changed |= fuse(node, context);
    }
    return changed;
  });
}

}  // namespace anemone::passes

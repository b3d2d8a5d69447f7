// Recognises normalisations that are written out.
// before:  %m = reduce_mean(x=%x)   %d = sub(x=%x, y=%m)   %v = reduce_mean(x=square(%d))
//          %y = real_div(x=%d, y=sqrt(add(%v, epsilon)))   %z = add(x=mul(x=%y, y=gamma), y=beta)
// after:   %z = layer_norm(x=%x, axes, gamma, beta, epsilon), or instance_norm when the axes are those of the image
// only if: the axes are the last ones, and it is cheaper, which it is not when somebody else needs a part
// why:     written out, the squares overflow in fp16 and the parts lose the engine's wide accumulator (rule ANE016)
#include <algorithm>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/written_norm.h"

namespace anemone::passes {
namespace {

struct Norm {
  Value* x = nullptr;
  Dims axes;  // from 0, ascending
  double epsilon = 0;
};

const Node* mean(const Value* value) {
  const Node* node = producer(value, "reduce_mean");
  return node && ConstantView(*node).flag("keep_dims") && payload(node->input("axes")) ? node : nullptr;
}

// x - mean(x), or null; `axes` of the mean.
Value* centred(const Value* value, Dims& axes) {
  const Node* sub = producer(value, "sub");
  const Node* m = sub ? mean(sub->input("y")) : nullptr;
  if (!m || m->input("x") != sub->input("x")) return nullptr;
  axes = reduced_axes(*m);
  return m->input("x");
}

// mean((x - mean(x))²) + epsilon
bool is_variance(const Value* value, Norm& norm) {
  const auto sum = with_number(value->producer, "add");
  const Node* m = sum ? mean(sum->x) : nullptr;
  const Value* deviation = m ? square_of(m->input("x")) : nullptr;
  Dims axes;
  if (!deviation || centred(deviation, axes) != norm.x || axes != norm.axes || reduced_axes(*m) != axes) return false;
  norm.epsilon = sum->number;
  return true;
}

std::optional<Norm> norm_of(const Node& node) {
  const auto quotient = over_root(node);  // (x - mean(x)) / √variance
  Norm norm;
  norm.x = quotient ? centred(quotient->x, norm.axes) : nullptr;
  if (!norm.x || !is_variance(quotient->radicand, norm)) return std::nullopt;
  norm.epsilon += quotient->epsilon;
  return norm;
}

// What a following product or sum multiplies or adds: a constant of exactly these extents, leading ones aside.
struct Step {
  Node* node = nullptr;
  ConstantPtr constant;
};
Step step_after(const Value& value, std::string_view type, const Dims& wanted, const Dims& as) {
  Node* node = only_user(&value);
  if (!node || node->type != type || node->output()->type != value.type) return {};
  const Value* other = node->input(node->input("x") == &value ? "y" : "x");
  const Constant* constant = payload(other);
  if (!constant || other == &value) return {};
  Dims dims = constant->type.dims;
  while (dims.size() > wanted.size() && dims.front() == 1) dims.erase(dims.begin());
  return dims == wanted ? Step{node, make_constant(Type::tensor(constant->type.dtype, as), constant->data)} : Step{};
}

}  // namespace

Result<bool> fuse_layernorm_or_instancenorm(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    const auto norm = norm_of(node);
    if (!norm || !norm->x->type.is_fixed()) continue;
    const Dims& dims = norm->x->type.dims;
    const std::size_t rank = dims.size(), kept = rank - norm->axes.size();
    bool last = true;
    for (std::size_t i = 0; i < norm->axes.size(); ++i)
      last = last && norm->axes[i] == static_cast<std::int64_t>(kept + i);
    if (!last) {
      context.remark(node, "kept: a norm over axes that are not the last ones");
      continue;
    }
    const bool image = kept == 2 && (rank == 3 || rank == 4);  // a mean for each channel of each sample
    Dims wanted(dims.begin() + static_cast<std::ptrdiff_t>(kept), dims.end());
    Dims as = wanted;
    if (image) wanted = Dims(rank - 1, 1), wanted[0] = dims[1], as = {dims[1]};
    const Value* result = node.output();
    const Step gamma = step_after(*result, "mul", wanted, as);
    if (gamma.node) result = gamma.node->output();
    const Step beta = step_after(*result, "add", wanted, as);
    if (beta.node) result = beta.node->output();
    Node& end = *result->producer;
    if (&*at == gamma.node || (at != block.nodes.end() && &*at == beta.node)) at = std::next(end.position());
    Trial trial(end);
    const auto optional = [](const Step& step) {
      return step.node ? Argument(step.constant) : Argument(std::vector<Value*>{});
    };
    const Argument epsilon(make_scalar(norm->x->type.dtype, norm->epsilon));
    Value* whole =
        image ? trial.builder().add(
                    "instance_norm",
                    {{"x", norm->x}, {"gamma", optional(gamma)}, {"beta", optional(beta)}, {"epsilon", epsilon}})
              : trial.builder().add("layer_norm", {{"x", norm->x},
                                                   {"axes", norm->axes},
                                                   {"gamma", optional(gamma)},
                                                   {"beta", optional(beta)},
                                                   {"epsilon", epsilon}});
    trial.replace(*end.output(), *whole);
    if (!trial.keep_if_cheaper(context.costs())) continue;
    context.count("norms recognised");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes

// Several ways to write the same.
#include "anemone/passes/written_norm.h"

#include <algorithm>

#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"

namespace anemone::passes {
namespace {

Value* power_of(const Node* node, double exponent) {
  const auto power = with_number(node, "pow");
  return power && power->number == exponent ? power->x : nullptr;
}

}  // namespace

Dims reduced_axes(const Node& reduction) {
  Dims axes = ConstantView(reduction).ints("axes");
  for (std::int64_t& axis : axes) axis += axis < 0 ? reduction.input("x")->type.rank() : 0;
  std::sort(axes.begin(), axes.end());
  return axes;
}

Value* square_of(const Value* value) {
  const Node* node = value ? value->producer : nullptr;
  if (!node) return nullptr;
  if (node->type == "square") return node->input("x");
  if (node->type == "mul" && node->input("x") == node->input("y")) return node->input("x");
  return power_of(node, 2);
}

std::optional<OverRoot> over_root(const Node& node) {
  constexpr double kHalf = 0.5;
  if (node.type == "real_div") {
    const Node* root = node.input("y")->producer;
    if (!root) return std::nullopt;
    Value* radicand = root->type == "sqrt" ? root->input("x") : power_of(root, kHalf);
    return radicand ? std::optional(OverRoot{node.input("x"), radicand, 0}) : std::nullopt;
  }
  if (node.type != "mul") return std::nullopt;
  for (const auto& [x, r] : {std::pair("x", "y"), std::pair("y", "x")}) {
    const Node* root = node.input(r)->producer;
    if (!root) continue;
    if (root->type == "rsqrt" && have_payloads(*root, {"epsilon"}))
      return OverRoot{node.input(x), root->input("x"), ConstantView(*root).number("epsilon")};
    if (Value* radicand = power_of(root, -kHalf)) return OverRoot{node.input(x), radicand, 0};
  }
  return std::nullopt;
}

const Node* mean(const Value* value) {
  const Node* node = producer(value, "reduce_mean");
  return node && ConstantView(*node).flag("keep_dims") && payload(node->input("axes")) ? node : nullptr;
}

bool Norm::is_regular() const {
  const std::size_t kept = x->type.dims.size() - axes.size();
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != static_cast<std::int64_t>(kept + i)) return false;
  }
  return x->type.is_fixed();
}

bool Norm::is_of_image() const {
  const std::size_t rank = x->type.dims.size();
  return rank - axes.size() == 2 && (rank == 3 || rank == 4);
}

Value* centred(const Value* value, Dims& axes) {
  const Node* sub = producer(value, "sub");
  const Node* m = sub ? mean(sub->input("y")) : nullptr;
  if (!m || m->input("x") != sub->input("x")) return nullptr;
  axes = reduced_axes(*m);
  return m->input("x");
}

bool is_variance(const Value* value, Norm& norm) {
  const auto sum = with_number(value->producer, "add");
  if (!sum) return false;
  Dims axes;
  if (const Node* m = mean(sum->x)) {
    const Value* deviation = square_of(m->input("x"));
    if (!deviation || centred(deviation, axes) != norm.x || axes != norm.axes || reduced_axes(*m) != axes) return false;
  } else {
    const Node* difference = producer(sum->x, "sub");
    const Node* squares = difference ? mean(difference->input("x")) : nullptr;
    const Node* squared = squares ? mean(square_of(difference->input("y"))) : nullptr;
    if (!squared || squared->input("x") != norm.x || square_of(squares->input("x")) != norm.x) return false;
    if (reduced_axes(*squared) != norm.axes || reduced_axes(*squares) != norm.axes) return false;
  }
  norm.epsilon += sum->number;
  return true;
}

ConstantPtr norm_parameter(const Norm& norm, const Value* value) {
  const Constant* constant = payload(value);
  if (!constant) return nullptr;
  const Dims& dims = norm.x->type.dims;
  Dims wanted(dims.end() - static_cast<std::ptrdiff_t>(norm.axes.size()), dims.end()), as = wanted;
  if (norm.is_of_image()) wanted = Dims(dims.size() - 1, 1), wanted[0] = dims[1], as = {dims[1]};
  Dims given = constant->type.dims;
  while (given.size() > wanted.size() && given.front() == 1) given.erase(given.begin());
  return given == wanted ? make_constant(Type::tensor(constant->type.dtype, as), constant->data) : nullptr;
}

Value* add_norm(Builder& builder, const Norm& norm, const ConstantPtr& gamma, const ConstantPtr& beta) {
  const auto optional = [](const ConstantPtr& constant) {
    return constant ? Argument(constant) : Argument(std::vector<Value*>{});
  };
  const Argument epsilon(make_scalar(norm.x->type.dtype, norm.epsilon));
  if (norm.is_of_image()) {
    return builder.add("instance_norm",
                       {{"x", norm.x}, {"gamma", optional(gamma)}, {"beta", optional(beta)}, {"epsilon", epsilon}});
  }
  return builder.add(
      "layer_norm",
      {{"x", norm.x}, {"axes", norm.axes}, {"gamma", optional(gamma)}, {"beta", optional(beta)}, {"epsilon", epsilon}});
}

}  // namespace anemone::passes

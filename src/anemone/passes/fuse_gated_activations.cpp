// Recognises activations that are written as x times a gate.
// before:  %s = sigmoid(x=%x)   %y = mul(x=%x, y=%s)
// after:   %y = silu(x=%x)
//          and x·½·(1 + erf(x/√2)): gelu; x·½·(1 + tanh(√(2/π)·(x + 0.044715·x³))): its approximation;
//          x·sigmoid(1.702·x): its other one; x·clip(x + 3, 0, 6)/6: x·sigmoid_hard(x)
// only if: it is cheaper, which it is not when somebody else needs the gate
// why:     the engine has a table for each of them; written out they are two to nine passes over the tensor
#include <algorithm>
#include <cmath>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {
namespace {

// A product taken apart: its numbers, and what else is in it.
struct Product {
  double number = 1;
  std::vector<Value*> values;
};

Product product_of(Value* value) {
  constexpr std::size_t kMost = 8;
  Product product;
  std::vector<Value*> open{value};
  while (!open.empty() && product.values.size() <= kMost) {
    Value* factor = open.back();
    open.pop_back();
    const Node* node = factor->producer;
    const bool inner = factor != value;
    if (const auto number = number_of(factor)) {
      product.number *= *number;
    } else if (const auto quotient = with_number(node, "real_div"); quotient && (!inner || only_user(factor))) {
      product.number /= quotient->number;
      open.push_back(quotient->x);
    } else if (node && node->type == "mul" && (!inner || only_user(factor))) {
      open.push_back(node->input("y"));
      open.push_back(node->input("x"));
    } else {
      product.values.push_back(factor);
    }
  }
  return product;
}

bool is_about(double a, double b) { return std::abs(a - b) <= 1e-3 * std::abs(b); }

// number · x, and nothing else.
bool is_multiple(Value* value, const Value* x, double number) {
  const Product product = product_of(value);
  return product.values == std::vector<Value*>{const_cast<Value*>(x)} && is_about(product.number, number);
}

bool is_cube(Value* value, Value* x, double number) {
  Product product = product_of(value);
  if (!is_about(product.number, number)) return false;
  if (product.values == std::vector<Value*>{x, x, x}) return true;
  const auto power = product.values.size() == 1 ? with_number(product.values[0]->producer, "pow") : std::nullopt;
  return power && power->x == x && power->number == 3;
}

// √(2/π)·(x + 0.044715·x³)
bool is_gelu_argument(Value* value, Value* x) {
  const Product product = product_of(value);
  const Node* sum = product.values.size() == 1 ? producer(product.values[0], "add") : nullptr;
  if (!sum || !is_about(product.number, 0.7978845608)) return false;
  Value *a = sum->input("x"), *b = sum->input("y");
  return (a == x && is_cube(b, x, 0.044715)) || (b == x && is_cube(a, x, 0.044715));
}

enum class Gate { none, sigmoid, scaled_sigmoid, erf, tanh, hard };

// What the gate is of x, with the number that the product must have besides.
Gate gate_of(Value* gate, Value* x, double number) {
  if (const Node* sigmoid = producer(gate, "sigmoid")) {
    if (number != 1) return Gate::none;
    if (sigmoid->input("x") == x) return Gate::sigmoid;
    return is_multiple(sigmoid->input("x"), x, 1.702) ? Gate::scaled_sigmoid : Gate::none;
  }
  if (const Node* clip = producer(gate, "clip")) {
    const auto shifted = with_number(clip->input("x")->producer, "add");
    const bool good = shifted && shifted->x == x && shifted->number == 3 && is_number(clip->input("beta"), 6) &&
                      number_of(clip->input("alpha")) == 0.0;
    return good && is_about(number, 1.0 / 6) ? Gate::hard : Gate::none;
  }
  const auto one_more = with_number(gate->producer, "add");
  if (!one_more || one_more->number != 1 || number != 0.5) return Gate::none;
  if (const Node* erf = producer(one_more->x, "erf"))
    return is_multiple(erf->input("x"), x, std::sqrt(0.5)) ? Gate::erf : Gate::none;
  if (const Node* tanh = producer(one_more->x, "tanh"))
    return is_gelu_argument(tanh->input("x"), x) ? Gate::tanh : Gate::none;
  return Gate::none;
}

Value* rewritten(Builder& builder, Gate gate, Value* x) {
  if (gate == Gate::sigmoid) return builder.add("silu", {{"x", x}});
  if (gate == Gate::erf) return builder.add("gelu", {{"x", x}, {"mode", "EXACT"}});
  if (gate == Gate::scaled_sigmoid) return builder.add("gelu", {{"x", x}, {"mode", "SIGMOID_APPROXIMATION"}});
  if (gate == Gate::tanh) return builder.add("gelu", {{"x", x}, {"mode", "TANH_APPROXIMATION"}});
  const DType dtype = x->type.dtype;
  Value* hard = builder.add("sigmoid_hard",
                            {{"x", x}, {"alpha", make_scalar(dtype, 1.0 / 6)}, {"beta", make_scalar(dtype, 0.5)}});
  return builder.add("mul", {{"x", x}, {"y", hard}});
}

}  // namespace

Result<bool> fuse_gated_activations(Block& block, PassContext& context) {
  return until_stable([&] {
    bool changed = false;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& node = *at++;
      if (node.type != "mul" && node.type != "real_div") continue;
      const Product product = product_of(node.output());
      if (product.values.size() != 2) continue;
      for (const auto& [x, gate] :
           {std::pair(product.values[0], product.values[1]), std::pair(product.values[1], product.values[0])}) {
        const Gate kind = gate_of(gate, x, product.number);
        if (kind == Gate::none) continue;
        Trial trial(node);
        trial.replace(*node.output(), *rewritten(trial.builder(), kind, x));
        if (!trial.keep_if_cheaper(context.costs())) continue;
        context.count("activations recognised");
        changed = true;
        break;
      }
    }
    return changed;
  });
}

}  // namespace anemone::passes

// What several kernel families share: the operations that merge with the product before them.
#include <algorithm>

#include "anemone/runtime/kernel_table.h"

namespace anemone::runtime {

using namespace cpu;
namespace {

/// Sets the activation when `node` is one that epilogues know.
bool activation_of(const Node& node, Epilogue& epilogue) {
  if (node.type == "relu") {
    epilogue.activation = Activation::relu;
  } else if (node.type == "leaky_relu") {
    epilogue.activation = Activation::leaky_relu;
    epilogue.alpha = number(node, "alpha", 0);
  } else if (node.type == "relu6") {
    epilogue.activation = Activation::clip;
    epilogue.beta = 6;
  } else if (node.type == "clip") {
    epilogue.activation = Activation::clip;
    epilogue.alpha = number(node, "alpha", 0);
    epilogue.beta = number(node, "beta", 0);
  } else {
    return false;
  }
  return true;
}

}  // namespace

float number(const Node& node, std::string_view param, double fallback) {
  return static_cast<float>(ConstantView(node).number(param, fallback));
}

std::int64_t count_of(std::span<const std::int64_t> dims) { return element_count(dims).value_or(0); }

Tail absorb_tail(const Value& product, Lowering& lowering) {
  Tail tail;
  tail.out = &product;
  tail.epilogue.round_half = lowering.rounds(product);
  if (!lowering.fuses() || lowering.half_sums(product)) return tail;
  const auto next = [&]() -> const Node* {
    const Node* user = lowering.only_user(*tail.out);
    return user && lowering.suits_kernels(*user) && user->output()->type == product.type ? user : nullptr;
  };
  const auto take = [&](const Node& node) {
    lowering.absorb(node);
    tail.out = node.output();
    tail.types += "+" + node.type;
  };
  if (const Node* user = next(); user && user->type == "add") {
    const Value* other = user->input("x") == tail.out ? user->input("y") : user->input("x");
    if (other->type == product.type && lowering.is_ready(*other)) {
      tail.add = other;
      take(*user);
    }
  }
  if (const Node* user = next(); user && user->input("x") == tail.out && activation_of(*user, tail.epilogue)) {
    take(*user);
  }
  return tail;
}

}  // namespace anemone::runtime

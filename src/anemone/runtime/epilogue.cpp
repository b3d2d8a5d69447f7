// The activations, one row each.
#include "anemone/runtime/epilogue.h"

#include "anemone/ir/op_def.h"

namespace anemone::runtime {
namespace {

struct Row {
  std::string_view type;
  cpu::Activation activation;
  std::string_view alpha{}, beta{};  ///< the parameters of the operation that they are
  float fixed_beta = 0;              ///< instead of one
};

constexpr Row kRows[] = {
    {"relu", cpu::Activation::relu},
    {"leaky_relu", cpu::Activation::leaky_relu, "alpha"},
    {"relu6", cpu::Activation::clip, {}, {}, 6},
    {"clip", cpu::Activation::clip, "alpha", "beta"},
};

const Row* find(const Node& node) {
  for (const Row& row : kRows) {
    if (row.type == node.type) return &row;
  }
  return nullptr;
}

}  // namespace

bool is_epilogue(const Node& node) { return find(node) != nullptr; }

cpu::Epilogue epilogue_of(const Group& group, const GraphView& graph) {
  cpu::Epilogue epilogue;
  epilogue.round_half = graph.rounds(group.out());
  if (!group.activation) return epilogue;
  const Row& row = *find(*group.activation);
  const ConstantView v(*group.activation);
  epilogue.activation = row.activation;
  if (!row.alpha.empty()) epilogue.alpha = static_cast<float>(v.number(row.alpha));
  epilogue.beta = row.beta.empty() ? row.fixed_beta : static_cast<float>(v.number(row.beta));
  return epilogue;
}

}  // namespace anemone::runtime

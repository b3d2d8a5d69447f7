// Moves transposes behind operations that work element by element, where they meet their opposites.
// before:  %a = transpose(x=%x, perm=P)   %b = relu(x=%a)
// after:   %a = relu(x=%x)                %b = transpose(x=%a, perm=P)
// only if: every operand of that size is transposed alike and read by nobody else; the others are single numbers
// why:     networks that were exported with channels last have a transpose on either side of each activation and sum;
//          moved together they cancel (merge_consecutive_transposes), and one behind a sum does for two before it
#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

Node* transpose_of(const Value* value, const Node& user) {
  Node* node = producer(value, "transpose");
  return node && payload(node->input("perm")) && same_block(*node, user) ? node : nullptr;
}

// The transposes before the node, if it may change places with all of them; else nothing.
std::vector<Node*> transposes_before(const Node& node) {
  std::vector<Node*> found;
  if (!node.def || !node.def->is(kElementwise) || node.outputs.size() != 1) return {};
  for (const Operand& operand : node.operands()) {
    if (operand.values.size() != 1) return {};
    const Value* value = operand.values[0];
    if (value->constant && value->type.rank() == 0) continue;  // a number, or a word such as a mode
    Node* transpose = transpose_of(value, node);
    if (!transpose || value->type.dims != node.output()->type.dims || value->output_uses > 0) return {};
    for (const Use& use : value->uses) {
      if (use.node != &node) return {};
    }
    if (!found.empty() && ConstantView(*found[0]).ints("perm") != ConstantView(*transpose).ints("perm")) return {};
    found.push_back(transpose);
  }
  return found;
}

}  // namespace

Result<bool> reduce_transposes(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    const std::vector<Node*> transposes = transposes_before(node);
    if (transposes.empty()) continue;
    Value* perm = transposes[0]->input("perm");
    Trial trial(node);
    Builder& builder = trial.builder();
    std::vector<Bound> operands;
    for (const Operand& operand : node.operands()) {
      const Node* transpose = transpose_of(operand.values[0], node);
      if (transpose) operands.emplace_back(operand.param, transpose->input("x"));
    }
    Value* result = builder.add_like(node, operands, node.output()->name);
    trial.replace(*node.output(), *builder.add("transpose", {{"x", result}, {"perm", perm}}));
    if (!trial.keep()) continue;
    context.count("transposes moved");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes

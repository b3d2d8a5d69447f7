// Additions are noted by the builder, and taken back in the opposite order.
#include "anemone/ir/trial.h"

#include <algorithm>
#include <unordered_set>

#include "anemone/ir/rewrite.h"

namespace anemone {

Trial::Trial(Node& before) : block_(before.block()), builder_(before) { builder_.record(made_); }

// Users come before what they use.
std::vector<Node*> Trial::dying() const {
  std::vector<Node*> nodes;
  std::unordered_set<const Node*> dead;
  std::unordered_set<const Value*> replaced, kept;  // what was there before may take a place, too
  for (const auto& [from, to] : replacements_) {
    replaced.insert(from);
    kept.insert(to);
  }
  const auto dies = [&](const std::unique_ptr<Value>& output) {
    if (kept.contains(output.get())) return false;
    if (replaced.contains(output.get())) return true;
    return output->output_uses == 0 && std::all_of(output->uses.begin(), output->uses.end(),
                                                   [&](const Use& use) { return dead.contains(use.node); });
  };
  std::vector<Node*> open;
  for (const auto& [from, to] : replacements_) open.push_back(from->producer);
  while (!open.empty()) {
    Node* node = open.back();
    open.pop_back();
    if (!node || dead.contains(node) || is(*node, kEffect) || !node->blocks.empty()) continue;
    if (!std::all_of(node->outputs.begin(), node->outputs.end(), dies)) continue;
    nodes.push_back(node);
    dead.insert(node);
    for (const Operand& operand : node->operands()) {
      for (const Value* value : operand.values) open.push_back(value->producer);
    }
  }
  return nodes;
}

double Trial::cost_of_new(const Cost& cost) const {
  double sum = 0;
  for (const Node* node : made_.nodes) sum += cost(*node);
  return sum;
}

double Trial::cost_of_old(const Cost& cost) const {
  double sum = 0;
  for (const Node* node : dying()) sum += cost(*node);
  return sum;
}

bool Trial::can_keep() {
  if (!open_ || !builder_.finish()) return false;
  std::unordered_set<const Value*> named;  // one value cannot have the names of two outputs
  return std::all_of(replacements_.begin(), replacements_.end(), [&](const auto& pair) {
    const auto& [from, to] = pair;
    const bool has_name = from->output_uses > 0;
    return from->type == to->type && can_replace(*from, *to) && !(has_name && !named.insert(to).second);
  });
}

bool Trial::keep() {
  if (!can_keep()) {
    undo();
    return false;
  }
  const std::vector<Node*> old = dying();
  for (const auto& [from, to] : replacements_) replace_value(*from, *to);
  for (Node* node : old) node->block().erase(*node);
  open_ = false;
  return true;
}

bool Trial::keep_if_cheaper(const Cost& cost) {
  if (can_keep() && cost_of_new(cost) < cost_of_old(cost)) return keep();
  undo();
  return false;
}

void Trial::undo() {
  if (!open_) return;
  open_ = false;
  std::for_each(made_.nodes.rbegin(), made_.nodes.rend(), [&](Node* node) { block_.erase(*node); });
  std::for_each(made_.constants.rbegin(), made_.constants.rend(), [&](Value* c) { block_.erase_constant(*c); });
  block_.function().undo_names(made_.names);
}

}  // namespace anemone

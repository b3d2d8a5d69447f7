// Does to the parts of a concatenation what would be done to the whole, where the whole is too large.
// before:  %c = concat(values=(%a, %b), axis=1)   %y = softmax(x=%c, axis=2)
// after:   %s = softmax(x=%a, axis=2)   %t = softmax(x=%b, axis=2)   %y = concat(values=(%s, %t), axis=1)
// only if: where the program will run, the operation is refused and its parts are not; nobody else reads %c; and it is an
//          activation, or a softmax along another axis
// why:     an extent that is beyond the engine's limits (ANE005) is kept apart for as long as possible; what is refused in
//          the end is a copy
#include <algorithm>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/joins.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

// Each part of the result depends on the same part of x alone.
bool goes_by_parts(const Node& node, const Node& concat) {
  const Value& whole = *concat.output();
  if (node.type == "softmax") return axis_of(node, whole) != axis_of(concat, whole);
  const auto varies = [&](const Operand& operand) {
    return operand.param != "x" && std::any_of(operand.values.begin(), operand.values.end(),
                                               [](const Value* v) { return !v->constant || v->type.rank() > 0; });
  };
  return is(node, kActivation) && node.output()->type == whole.type &&
         std::none_of(node.operands().begin(), node.operands().end(), varies);
}

bool split(Node& node, PassContext& context) {
  const Node* concat = producer(node.input("x"), "concat");
  if (!concat || only_user(concat->output()) != &node || !same_block(*concat, node) || !goes_by_parts(node, *concat))
    return false;
  if (ConstantView(*concat).flag("interleave") || context.taken(node)) return false;
  Trial trial(node);
  std::vector<Value*> parts;
  bool good = true;
  for (Value* part : concat->operand("values")->values) {
    Value* y = trial.builder().add_like(node, {{"x", part}}, display_name(node));
    good = good && y->producer && context.taken(*y->producer);
    parts.push_back(y);
  }
  trial.replace(*node.output(), *trial.builder().add_like(*concat, {{"values", parts}}));
  if (!good) {
    context.remark(node, "kept: its parts are refused, too");
    return false;
  }
  if (!trial.keep()) return false;
  context.count("operations split");
  return true;
}

}  // namespace

Result<bool> split_over_concat(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    if (node.type == "softmax" || is(node, kActivation)) changed |= split(node, context);
  }
  return changed;
}

}  // namespace anemone::passes

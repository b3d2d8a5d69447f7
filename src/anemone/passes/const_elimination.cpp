// Computes what is known at compile time.
// before:  %a = add(x=1, y=2)   %b = mul(x=%x, y=%a)
// after:   %b = mul(x=%x, y=3)
// only if: every operand is a plain constant (compressed ones stay compressed) and the result is of moderate size
// why:     frontends write arithmetic on weights and shapes as they find it
#include "anemone/ir/rewrite.h"
#include "anemone/ops/execute.h"
#include "anemone/passes/pass.h"

namespace anemone {
namespace {

constexpr std::int64_t kLargest = 16 << 20;  // elements: larger results would only make the package larger

bool is_foldable(const Node& node) {
  if (!node.def || !node.def->eval || !node.blocks.empty() || node.operands().empty()) return false;
  if (node.def->is(kConstexpr | kEffect | kRandom)) return false;
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      if (!payload(value) || !value->type.is_tensor()) return false;
    }
  }
  for (const auto& output : node.outputs) {
    if (!output->type.is_fixed() || element_count(output->type.dims).value_or(kLargest + 1) > kLargest) return false;
  }
  return true;
}

}  // namespace

Result<bool> const_elimination(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    if (!is_foldable(node)) continue;
    std::map<const Value*, Array> arrays;
    for (const Operand& operand : node.operands()) {
      for (const Value* value : operand.values) {
        if (!value->constant->is_string()) arrays.emplace(value, to_array(*value->constant));
      }
    }
    const EvalView::Fetch fetch = [&](const Value& value) -> const Array* {
      const auto found = arrays.find(&value);
      return found == arrays.end() ? nullptr : &found->second;
    };
    auto results = ops::evaluate_node(node, fetch);
    if (!results) {
      context.remark(node, "kept: " + results.error().front().message);
      continue;
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const std::string folded = block.function().unique_name(node.outputs[i]->name + "_folded");
      // An output of the function keeps its name: it stays a value with a constant.
      Value* constant = block.add_constant(folded, to_constant((*results)[i]));
      replace_uses(*node.outputs[i], *constant);
      if (constant->output_uses > 0) take_name(*constant, *node.outputs[i]);
    }
    block.erase(node);
    context.count("operations folded");
    changed = true;
  }
  return changed;
}

}  // namespace anemone

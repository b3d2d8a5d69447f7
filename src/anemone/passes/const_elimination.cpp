// Computes what is known at compile time.
// before:  %a = add(x=1, y=2)   %b = mul(x=%x, y=%a)
// after:   %b = mul(x=%x, y=3)
// only if: every operand is a plain constant (compressed ones stay compressed), the result is of moderate size, and all
//          that is folded stays within a budget of work
// why:     frontends write arithmetic on weights and shapes as they find it
#include <algorithm>

#include "anemone/ir/rewrite.h"
#include "anemone/ops/execute.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

constexpr double kStepsPerWeight = 8;
constexpr std::int64_t kUncountable = std::int64_t{1} << 62;
std::int64_t elements(const Type& type) { return element_count(type.dims).value_or(kUncountable); }

// Elements and multiply-accumulates; each element of a pool's result looks at a whole window.
double work_of(const Node& node) {
  double out = 0, in = 0, each = 1;
  for (const auto& output : node.outputs) out += static_cast<double>(elements(output->type));
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) in += static_cast<double>(elements(value->type));
  }
  if (is(node, kPool)) {
    for (std::int64_t extent : ConstantView(node).ints("kernel_sizes")) each *= static_cast<double>(extent);
  }
  return out * each + in + (node.def->macs ? static_cast<double>(node.def->macs(node)) : 0);
}

bool is_foldable(const Node& node, double largest) {
  if (!node.def || !node.def->eval || !node.blocks.empty() || node.operands().empty()) return false;
  if (node.def->is(kConstexpr | kEffect | kRandom)) return false;
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      if (!payload(value) || !value->type.is_tensor()) return false;
    }
  }
  for (const auto& output : node.outputs) {
    if (!output->type.is_fixed() || static_cast<double>(elements(output->type)) > largest) return false;
  }
  return true;
}

// What was folded away is not kept for its own sake: a chain of large steps would hold every one of them.
void erase_unused(Block& block, const std::vector<Value*>& constants) {
  for (Value* constant : constants) {
    if (constant->block == &block && !constant->is_used()) block.erase_constant(*constant);
  }
}

}  // namespace

Result<bool> const_elimination(Block& block, PassContext& context) {
  bool changed = false;
  // Each weight may pass through a few steps, however large the network.
  double budget = context.option("work"), weights = 0;
  for (const auto& constant : block.constants) weights += static_cast<double>(elements(constant->type));
  budget = std::max(budget, kStepsPerWeight * weights);
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    if (!is_foldable(node, context.option("elements"))) continue;
    if (work_of(node) > budget) {
      context.remark(node, "kept: folding it is more work than is left for folding");
      continue;
    }
    budget -= work_of(node);
    std::vector<Value*> used;
    std::map<const Value*, Array> arrays;
    for (const Operand& operand : node.operands()) {
      for (Value* value : operand.values) {
        if (std::find(used.begin(), used.end(), value) == used.end()) used.push_back(value);
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
    erase_unused(block, used);
    context.count("operations folded");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes

// Small questions that rules, costs and segments all ask about values.
#include "anemone/plan/ane/subject.h"

#include <algorithm>

#include "anemone/ir/rewrite.h"

namespace anemone::plan::ane {

std::string name_of(const Node& node) { return node.outputs.empty() ? node.name : node.output()->name; }

std::vector<const Value*> runtime_operands(const Node& node) {
  std::vector<const Value*> values;
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      if (!is_static(value)) values.push_back(value);
    }
  }
  return values;
}

std::int64_t bytes_of(const Value& value) {
  constexpr std::int64_t kMost = std::int64_t{1} << 44;
  const Type& type = value.type.tensor_part();
  return std::min(kMost, byte_count(type.dtype, type.dims).value_or(0));
}

WholeProgram look_at_whole(const Function& function) {
  constexpr Ops kLoop{"while_loop"};
  WholeProgram whole;
  for_each_node(function.body, [&](const Node& node) { whole.has_loop = whole.has_loop || kLoop.has(node); });
  for (const auto& constant : function.body.constants) whole.weight_bytes += bytes_of(*constant);
  return whole;
}

}  // namespace anemone::plan::ane

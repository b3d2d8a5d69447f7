// Small questions that rules, costs and segments all ask about values.
#include "anemone/plan/ane/subject.h"

#include <algorithm>

#include "anemone/ir/op_def.h"

namespace anemone::ane {

std::string name_of(const Node& node) { return node.outputs.empty() ? node.name : node.output()->name; }

bool is_known(const Value& value) {
  return value.constant || (value.producer && value.producer->def && value.producer->def->is(kConstexpr));
}

std::vector<const Value*> runtime_operands(const Node& node) {
  std::vector<const Value*> values;
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      if (!is_known(*value)) values.push_back(value);
    }
  }
  return values;
}

std::int64_t bytes_of(const Value& value) {
  constexpr std::int64_t kMost = std::int64_t{1} << 44;
  const Type& type = value.type.tensor_part();
  return std::min(kMost, byte_count(type.dtype, type.dims).value_or(0));
}

}  // namespace anemone::ane

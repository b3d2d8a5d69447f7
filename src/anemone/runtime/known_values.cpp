// Constants as numbers; compressed ones, and what is computed from constants, are executed once.
#include "anemone/runtime/known_values.h"

#include <fmt/format.h>

#include "anemone/ops/execute.h"
#include "anemone/runtime/graph_view.h"
#include "anemone/support/half.h"

namespace anemone::runtime {
namespace {

constexpr int kDeepestConstant = 16;  // constants computed from constants

Result<Array> unpacked(const Value& value, int depth) {
  if (value.constant) return to_array(*value.constant);
  const Node& node = *value.producer;
  if (depth >= kDeepestConstant) {
    return refuse(node, ErrorCode::not_a_tensor,
                  fmt::format("is the end of a chain of more than {} operations on constants", depth));
  }
  std::unordered_map<const Value*, Array> operands;
  for (const Operand& operand : node.operands()) {
    for (const Value* v : operand.values) {
      TRY_VOID(check_operand(*v, node));
      if (!is_computed_from_static(v)) {
        return refuse(node, ErrorCode::no_value, fmt::format("is made from '{}', which is not constant", v->name));
      }
      TRY(operands[v], unpacked(*v, depth + 1));
    }
  }
  if (!node.def->eval) return refuse(node, ErrorCode::not_executable, "can be read and written, but not executed");
  TRY(std::vector<Array> results, ops::evaluate_node(node, [&](const Value& v) -> const Array* {
        const auto found = operands.find(&v);
        return found == operands.end() ? nullptr : &found->second;
      }));
  for (std::size_t i = 0; i < node.outputs.size() && i < results.size(); ++i) {
    if (node.outputs[i].get() == &value) return std::move(results[i]);
  }
  return own_bug(fmt::format("{} has no output '{}'", describe(node), value.name));
}

}  // namespace

Result<Array> known_array(const Value& value) { return unpacked(value, 0); }

Result<std::vector<float>> known_floats(const Value* value, Precision precision) {
  std::vector<float> floats;
  if (!value) return floats;
  if (value->constant) {
    floats = to_floats(*value->constant);
  } else {
    TRY(const Array array, known_array(*value));
    floats.assign(array.data.begin(), array.data.end());
  }
  if (precision == Precision::fp16) {
    for (float& x : floats) x = round_to_half(x);
  }
  return floats;
}

}  // namespace anemone::runtime

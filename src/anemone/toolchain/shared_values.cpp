// Outputs by the pairs they were matched in, everything else by name.
#include "anemone/toolchain/shared_values.h"

#include <string_view>
#include <unordered_map>

#include "anemone/ir/op_def.h"

namespace anemone::toolchain {

std::vector<const Value*> compared_values(const Function& function) {
  std::vector<const Value*> out;
  for (const Node& node : function.body.nodes) {
    if (!node.blocks.empty() || (node.def && node.def->is(kConstexpr))) continue;
    for (const auto& value : node.outputs) {
      const Type& type = value->type;
      if (type.is_tensor() && is_float(type.dtype) && type.is_fixed() && !value->constant) out.push_back(value.get());
    }
  }
  return out;
}

std::vector<SharedValue> shared_values(const Function& candidate, const Function& reference,
                                       const std::vector<std::pair<std::size_t, std::size_t>>& outputs) {
  std::unordered_map<std::string_view, const Value*> known;
  for (const Value* value : compared_values(reference)) known[value->name] = value;
  std::unordered_map<const Value*, const Value*> paired;
  for (const auto& [mine, theirs] : outputs) {
    const Value* output = reference.body.outputs()[theirs];
    paired[candidate.body.outputs()[mine]] = output;
    known.erase(output->name);
  }
  std::vector<SharedValue> shared;
  for (const Value* value : compared_values(candidate)) {
    const auto pair = paired.find(value);
    const auto found = known.find(value->name);
    const Value* theirs = pair != paired.end() ? pair->second : found != known.end() ? found->second : nullptr;
    if (theirs && theirs->producer && theirs->type.dims == value->type.dims) shared.push_back({value, theirs});
  }
  return shared;
}

}  // namespace anemone::toolchain

// Values are looked at in groups of a few million numbers, in program order, until one is not finite.
#include "anemone/toolchain/overflow.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/toolchain/shared_values.h"

namespace anemone::toolchain {
namespace {

constexpr std::int64_t kNumbersAtOnce = std::int64_t{1} << 24;

bool all_finite(const Array& array) {
  return std::all_of(array.data.begin(), array.data.end(), [](double v) { return std::isfinite(v); });
}

double largest(const Array& array) {
  double most = 0;
  for (const double v : array.data) most = std::max(most, std::isfinite(v) ? std::abs(v) : 0);
  return most;
}

std::string sentence(const Value& found, double reach) {
  std::string text = fmt::format("'{}' ({}) is the first that is not finite", found.name, found.producer->type);
  if (found.type.dtype == DType::fp16)
    return text + fmt::format("; its operands reach {:.4g}, and fp16 ends at 65504", reach);
  return text + fmt::format("; its operands reach {:.4g}", reach);
}

// How large the operands are; the inputs of the function and constants are known, other values are asked for.
Result<double> reach_of(const Session& session, const std::vector<Array>& inputs, const SessionOptions& options,
                        const Node& node) {
  double reach = 0;
  std::vector<std::string> asked;
  const auto& function_inputs = session.function().body.inputs;
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      if (value->constant) {
        if (value->type.is_tensor() && is_float(value->type.dtype) && value->constant->missing.empty())
          reach = std::max(reach, largest(to_array(*value->constant)));
        continue;
      }
      const auto input = std::find_if(function_inputs.begin(), function_inputs.end(),
                                      [&](const auto& candidate) { return candidate.get() == value; });
      if (input != function_inputs.end()) {
        reach = std::max(reach, largest(inputs[static_cast<std::size_t>(input - function_inputs.begin())]));
      } else if (value->type.is_tensor() && is_float(value->type.dtype) &&
                 !(value->producer->def && value->producer->def->is(kConstexpr))) {
        asked.push_back(value->name);
      }
    }
  }
  if (asked.empty()) return reach;
  TRY(const std::vector<Array> arrays, values_of(session, options, asked, inputs));
  for (const Array& array : arrays) reach = std::max(reach, largest(array));
  return reach;
}

}  // namespace

Result<std::optional<std::string>> first_not_finite(const Session& session, const std::vector<Array>& inputs,
                                                    const SessionOptions& options) {
  const std::vector<const Value*> values = compared_values(session.function());
  for (std::size_t begin = 0; begin < values.size();) {
    std::vector<std::string> names;
    std::size_t end = begin;
    for (std::int64_t numbers = 0; end < values.size() && (numbers == 0 || numbers < kNumbersAtOnce); ++end) {
      numbers += element_count(values[end]->type.dims).value_or(0);
      names.push_back(values[end]->name);
    }
    TRY(const std::vector<Array> arrays, values_of(session, options, names, inputs));
    for (std::size_t i = 0; i < arrays.size(); ++i) {
      if (all_finite(arrays[i])) continue;
      const Value& found = *values[begin + i];
      TRY(const double reach, reach_of(session, inputs, options, *found.producer));
      return std::optional(sentence(found, reach));
    }
    begin = end;
  }
  return std::optional<std::string>();
}

}  // namespace anemone::toolchain

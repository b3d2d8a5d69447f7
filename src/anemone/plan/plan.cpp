// The words of the plan.
#include "anemone/plan/plan.h"

namespace anemone::plan {

std::string_view name(Unit unit) {
  constexpr std::string_view kNames[] = {"ane", "cpu", "gpu"};
  return kNames[static_cast<std::size_t>(unit)];
}

std::string_view name(Trust trust) {
  constexpr std::string_view kNames[] = {"measured", "documented", "reported", "computed", "guessed"};
  return kNames[static_cast<std::size_t>(trust)];
}

std::string_view name(Support support) {
  constexpr std::string_view kNames[] = {"yes", "no", "unknown"};
  return kNames[static_cast<std::size_t>(support)];
}

std::string_view name(ComputeUnits units) {
  constexpr std::string_view kNames[] = {"cpu-ne", "all", "cpu-gpu", "cpu"};
  return kNames[static_cast<std::size_t>(units)];
}

}  // namespace anemone::plan

// Asking and telling Highway which instruction set to run.
#include "anemone/runtime/cpu/targets.h"

// In this order: it says which targets there are.
#include "anemone/runtime/cpu/highway_targets.h"
//
#include <hwy/highway.h>

namespace anemone::cpu {

std::vector<CpuTarget> available_targets() {
  const std::int64_t forced = hwy::SupportedTargets();
  hwy::SetSupportedTargetsForTest(0);
  const std::int64_t all = hwy::SupportedTargets();
  std::vector<CpuTarget> targets;
  for (const std::int64_t id : hwy::SupportedAndGeneratedTargets()) targets.push_back({id, hwy::TargetName(id)});
  if (forced != all) hwy::SetSupportedTargetsForTest(forced);
  return targets;
}

CpuTarget chosen_target() {
  const std::vector<std::int64_t> ids = hwy::SupportedAndGeneratedTargets();
  const std::int64_t id = ids.empty() ? HWY_STATIC_TARGET : ids.front();
  return {id, hwy::TargetName(id)};
}

void use_target(std::int64_t id) {
  hwy::SetSupportedTargetsForTest(id);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace anemone::cpu

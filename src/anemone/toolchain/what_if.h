#pragma once
// What a plan would be if something about the model were different: each hypothesis changes a copy of the graph and
// plans that.
#include <string>
#include <vector>

#include "anemone/toolchain/plan_model.h"

namespace anemone::toolchain {

struct Alternative {
  std::string what;     ///< "as it is", or the hypothesis as it was written
  std::string problem;  ///< not empty: the hypothesis cannot be tried on this model, and why
  std::size_t ops = 0, on_ane = 0, segments = 0;
  double planner_ms = 0, low_ms = 0, high_ms = 0;  ///< of all parts together, when it was split
  bool known = true;  ///< false: the milliseconds mean little, too much of the program is unknown
  std::string evidence;
};

/// The first alternative is the model as it is. Hypotheses: fp16, fp32 (as convert writes it), palettize4 (or 1, 2, 6, 8),
/// int8 (weights alone), shapes=HxW, outputs=final (of a checkpoint; or names), target=ios18, off=TYPE, split=NAME (two
/// packages, cut behind that value). Errors: an unknown hypothesis or device (usage).
Result<std::vector<Alternative>> what_if(const Model& model, const PlanRequest& request,
                                         const std::vector<std::string>& hypotheses);

}  // namespace anemone::toolchain

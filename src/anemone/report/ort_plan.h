#pragma once
// What ONNX Runtime's CoreML provider takes: for people and for machines.
#include <string>

#include "anemone/toolchain/plan_ort.h"

namespace anemone::report {

/// One target: everything, with `per_node` a line for each refused node. Several: a table, a line each.
std::string ort_plan_text(const toolchain::OrtPlans& plans, bool per_node);
std::string ort_plan_json(const toolchain::OrtPlans& plans);

}  // namespace anemone::report

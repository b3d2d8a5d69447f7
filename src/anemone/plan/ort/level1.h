#pragma once
// The rewrites that ONNX Runtime makes of a graph before its providers see it (optimisation level "basic"), as each release
// makes them: what the provider's log counts are the nodes that are left. docs/how-to/onnx-runtime.md tells of one model.
#include <optional>
#include <string>
#include <vector>

#include "anemone/onnx/graph.h"
#include "anemone/onnx/infer.h"

namespace anemone::plan::ort {

/// How ONNX Runtime infers shapes: nothing is followed through integer tensors, and some operations have a rule for the
/// element type only.
onnx::InferOptions infer_options();

struct PassCount {
  std::string name;
  std::ptrdiff_t removed = 0;  ///< nodes; negative where it added some
};

/// Why ONNX Runtime refuses the file: a node of the main graph lacks an operand or has one too many. Empty: it does not, as
/// far as is looked at.
std::optional<std::string> why_not_loaded(const onnx::Model& model);

/// Rewrites the main graph, for which why_not_loaded() has no answer, until no pass changes it (ten rounds at most) and
/// leaves it with ONNX Runtime's types. Bodies of control flow are not rewritten: no count speaks of their nodes.
std::vector<PassCount> optimize_level1(onnx::Model& model, int version);

}  // namespace anemone::plan::ort

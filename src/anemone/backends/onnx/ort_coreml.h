#pragma once
// Graphs that ONNX Runtime's CoreML provider takes whole: what it refuses is said in operations that it has. What it
// takes, version by version, is plan/ort's; here is only how to say the same otherwise.
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "anemone/onnx/graph.h"

namespace anemone::onnx::exporting {

/// ONNX Runtime 1.`minor` and the format that the provider hands to Core ML.
struct OrtCoreml {
  int minor = 19;
  bool ml_program = false;
};

/// One way to say something otherwise. All keep shapes and, but for what `changes` says, numbers.
struct OrtRewrite {
  std::string_view name;
  std::string_view why;      ///< what the provider refuses
  std::string_view changes;  ///< of the numbers; empty: rounding alone
  bool neural_network_only = false;
  std::size_t (*apply)(Model& model) = nullptr;  ///< gives how often
};
std::span<const OrtRewrite> ort_rewrites();

struct OrtRewritten {
  const OrtRewrite* rewrite;
  std::size_t count = 0;
};
/// Those that `target` needs, or all: what comes out is then taken by both formats. Types must be inferred.
std::vector<OrtRewritten> rewrite_for_ort_coreml(Model& model, const std::optional<OrtCoreml>& target = {});

}  // namespace anemone::onnx::exporting

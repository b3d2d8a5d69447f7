#pragma once
// Edits of what an exported graph takes and gives.
#include "anemone/onnx/graph.h"

namespace anemone::onnx::exporting {

/// Inputs and outputs of float16 become float, with casts behind and before them: pipelines hand over float.
void take_and_give_float(Model& model);

}  // namespace anemone::onnx::exporting

#pragma once
// ONNX files as far as they are understood: recognised, shown, counted.
#include <filesystem>

#include "anemone/onnx/graph.h"
#include "anemone/support/result.h"
#include "anemone/toolchain/analysis.h"

namespace anemone::toolchain {

/// The graph of a file with its types inferred. `warnings`: where the file contradicts itself.
Result<onnx::Model> load_onnx(const std::filesystem::path& path, Diagnostics& warnings);

/// "an ONNX model (opset 17) of 1211 nodes, 402 initialisers; inputs: float[1,3,256,256] x".
std::string brief(const onnx::Model& model);

/// What `analyze` says of a file whose operations are counted, and not yet translated.
Analysis describe_onnx(const onnx::Model& model, const Diagnostics& warnings);

}  // namespace anemone::toolchain

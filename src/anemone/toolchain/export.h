#pragma once
// The optimised graph as ONNX, for pipelines that go on running ONNX.
#include <filesystem>

#include "anemone/backends/onnx/ort_coreml.h"
#include "anemone/onnx/graph.h"
#include "anemone/toolchain/deliver.h"

namespace anemone::toolchain {

struct ExportOptions {
  std::int64_t opset = 17;
  bool half_interface = false;  ///< with fp16: inputs and outputs are fp16 too, else float with casts
  bool dynamic_batch = false;   ///< any number of samples instead of one
  /// Say what ONNX Runtime's CoreML provider refuses in operations that it takes, of this version or, empty, of all.
  bool for_ort_coreml = false;
  std::optional<onnx::exporting::OrtCoreml> ort;
};
/// "1.19/neuralnetwork".
Result<onnx::exporting::OrtCoreml> ort_coreml_from(const std::string& word);

/// The graph that would be written: convert() and its raising to ONNX. `converted`: the program behind it; the rewrites
/// for a provider stand among its passes.
struct Exported {
  Converted converted;
  onnx::Model model;
};
Result<Exported> export_model(const Model& model, ConvertOptions options, const ExportOptions& what);

/// The same, written. A checkpoint keeps the tensor input that it was trained with unless an image is asked for.
Result<Delivered> deliver_onnx(const Model& model, const std::filesystem::path& output, const ConvertOptions& options,
                               const ExportOptions& what = {}, bool write = true);
/// The same into a stream; what needs a second file for its weights is refused.
Result<Delivered> deliver_onnx_stream(const Model& model, const ConvertOptions& options, const ExportOptions& what,
                                      const Stream& stream);

}  // namespace anemone::toolchain

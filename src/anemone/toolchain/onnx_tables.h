#pragma once
// What of ONNX is supported, as tables: docs/reference/onnx.md is made of them.
#include <string>
#include <vector>

namespace anemone::toolchain {

/// An operation of MIL on its way to ONNX.
struct OnnxExportRow {
  std::string mil, onnx;  ///< `onnx`: what it becomes; without `exported`, why it does not
  bool exported = false;
};
std::vector<OnnxExportRow> onnx_export_rows();

/// What `export --for ort-coreml` says otherwise.
struct OrtRewriteRow {
  std::string name, why, changes;
  bool neural_network_only = false;
};
std::vector<OrtRewriteRow> ort_rewrite_rows();

}  // namespace anemone::toolchain

// The rows of backends/onnx, copied out.
#include "anemone/toolchain/onnx_tables.h"

#include "anemone/backends/onnx/ort_coreml.h"
#include "anemone/backends/onnx/rows.h"

namespace anemone::toolchain {

std::vector<OnnxExportRow> onnx_export_rows() {
  std::vector<OnnxExportRow> rows;
  for (const auto& family : onnx::exporting::raise_families()) {
    for (const onnx::exporting::RaiseRow& row : family)
      rows.push_back({std::string(row.mil), std::string(row.onnx), row.raise != nullptr});
  }
  return rows;
}

std::vector<OrtRewriteRow> ort_rewrite_rows() {
  std::vector<OrtRewriteRow> rows;
  for (const onnx::exporting::OrtRewrite& r : onnx::exporting::ort_rewrites())
    rows.push_back({std::string(r.name), std::string(r.why), std::string(r.changes), r.neural_network_only});
  return rows;
}

}  // namespace anemone::toolchain

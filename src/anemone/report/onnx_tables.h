#pragma once
// What becomes ONNX, as text and as a part of the reference page; what is read of it is in report/tables.h.
#include <string>
#include <vector>

#include "anemone/toolchain/onnx_tables.h"
#include "anemone/toolchain/tables.h"

namespace anemone::report {

struct OnnxExport {
  std::vector<toolchain::OnnxExportRow> rows;
  std::vector<toolchain::OrtRewriteRow> rewrites;
};
std::string onnx_export_text(const OnnxExport& table);
std::string onnx_export_markdown(const OnnxExport& table);  ///< sections of docs/reference/onnx.md
/// Both directions.
std::string onnx_json(const std::vector<toolchain::OnnxRow>& read, const OnnxExport& table);

}  // namespace anemone::report

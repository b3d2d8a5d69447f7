// One line an operation.
#include "anemone/report/onnx_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/report/json_parts.h"

namespace anemone::report {
using toolchain::OnnxExportRow;
using toolchain::OrtRewriteRow;

std::string onnx_export_text(const OnnxExport& table) {
  std::string out;
  for (const OnnxExportRow& row : table.rows)
    out += fmt::format("{:<40} {}{}\n", row.mil, row.exported ? "" : "— ", row.onnx);
  return out;
}

std::string onnx_json(const std::vector<toolchain::OnnxRow>& read, const OnnxExport& table) {
  Json imported = Json::array();
  for (const toolchain::OnnxRow& row : read)
    imported.push_back({{"domain", row.domain}, {"op", row.op}, {"since", row.since}, {"refused", row.limits}});
  Json exported = Json::array(), said_otherwise = Json::array();
  for (const OnnxExportRow& row : table.rows)
    exported.push_back({{"mil", row.mil}, {"exported", row.exported}, {row.exported ? "onnx" : "why_not", row.onnx}});
  for (const OrtRewriteRow& row : table.rewrites) {
    said_otherwise.push_back({{"name", row.name},
                              {"why", row.why},
                              {"changes", row.changes},
                              {"neural_network_only", row.neural_network_only}});
  }
  return dump(
      {{"schema", "anemone.onnx/1"}, {"import", imported}, {"export", exported}, {"ort_coreml", said_otherwise}});
}

std::string onnx_export_markdown(const OnnxExport& table) {
  const std::vector<OnnxExportRow>& rows = table.rows;
  const auto left = std::count_if(rows.begin(), rows.end(), [](const OnnxExportRow& row) { return !row.exported; });
  std::string out =
      fmt::format("## Export: from MIL to ONNX\n{} of {} operations of MIL can be said in ONNX, opset 13 to 21.\n\n",
                  rows.size() - static_cast<std::size_t>(left), rows.size());
  out += "| MIL | ONNX |\n|---|---|\n";
  for (const OnnxExportRow& row : rows) {
    if (row.exported) out += fmt::format("| {} | {} |\n", row.mil, row.onnx);
  }
  out += "\nNot exported:\n\n| MIL | why |\n|---|---|\n";
  for (const OnnxExportRow& row : rows) {
    if (!row.exported) out += fmt::format("| {} | {} |\n", row.mil, row.onnx);
  }
  out +=
      "\n## Export for ONNX Runtime's CoreML provider\n"
      "What `export --for ort-coreml` says otherwise, so that the provider takes the whole graph.\n\n"
      "| rewrite | what the provider refuses | formats | what it does to the numbers |\n|---|---|---|---|\n";
  for (const OrtRewriteRow& row : table.rewrites) {
    out += fmt::format("| {} | {} | {} | {} |\n", row.name, row.why, row.neural_network_only ? "NeuralNetwork" : "both",
                       row.changes.empty() ? "rounding" : row.changes);
  }
  return out;
}

}  // namespace anemone::report

// The verbs `ops`, `passes` and `errors`: the tables.
#include "anemone/report/tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/cli/verbs.h"
#include "anemone/report/errors.h"
#include "anemone/report/onnx_tables.h"

namespace anemone::cli {
namespace {

// A page of docs/ is printed as it is; a table for people at their terminal's width.
void show(Call& call, bool markdown, const std::string& text) { return markdown ? call.print(text) : call.page(text); }

int run_ops(Call& call) {
  bool markdown = false;
  bool onnx = false;
  std::string part;
  call.options.argument("NAME", part, "only the operations with this in their name", false);
  call.options.flag("--onnx", onnx, "the operations of ONNX that become operations of MIL, and the way back");
  call.options.flag("--markdown", markdown, "as docs/reference/ops.md, or onnx.md");
  if (const auto over = call.parse()) return *over;
  if (onnx) {
    auto table = toolchain::onnx_rows();
    report::OnnxExport way_back{toolchain::onnx_export_rows(), toolchain::ort_rewrite_rows()};
    std::erase_if(table, [&](const toolchain::OnnxRow& row) { return row.op.find(part) == std::string::npos; });
    std::erase_if(way_back.rows,
                  [&](const toolchain::OnnxExportRow& row) { return row.mil.find(part) == std::string::npos; });
    if (table.empty() && way_back.rows.empty())
      return call.misused(bad_usage("no operation has '" + part + "' in its name", "'anemone ops --onnx' lists them"));
    call.detail(fmt::format("{} rows to read, {} to write", table.size(), way_back.rows.size()));
    show(call, markdown,
         call.json  ? report::onnx_json(table, way_back)
         : markdown ? report::onnx_markdown(table) + "\n" + report::onnx_export_markdown(way_back)
                    : report::onnx_text(table) + "\n" + report::onnx_export_text(way_back));
    return 0;
  }
  auto rows = toolchain::op_rows();
  std::erase_if(rows, [&](const toolchain::OpRow& row) { return row.name.find(part) == std::string::npos; });
  if (rows.empty())
    return call.misused(bad_usage("no operation has '" + part + "' in its name", "'anemone ops' lists them"));
  const auto fast = std::count_if(rows.begin(), rows.end(), [](const toolchain::OpRow& row) { return row.fast; });
  const auto executed =
      std::count_if(rows.begin(), rows.end(), [](const toolchain::OpRow& row) { return row.executes; });
  call.detail(fmt::format("{} operations: {} are executed, {} of them by kernels", rows.size(), executed, fast));
  show(call, markdown,
       call.json  ? report::ops_json(rows)
       : markdown ? report::ops_markdown(rows)
                  : report::ops_text(rows));
  return 0;
}

int run_passes(Call& call) {
  bool markdown = false;
  call.options.flag("--markdown", markdown, "as docs/reference/passes.md");
  if (const auto over = call.parse()) return *over;
  const auto rows = toolchain::pass_rows();
  const auto pipelines = toolchain::pipeline_rows();
  call.detail(fmt::format("{} passes in {} pipelines", rows.size(), pipelines.size()));
  show(call, markdown,
       call.json  ? report::passes_json(rows, pipelines)
       : markdown ? report::passes_markdown(rows, pipelines)
                  : report::passes_text(rows, pipelines));
  return 0;
}

int run_errors(Call& call) {
  bool markdown = false;
  call.options.flag("--markdown", markdown, "as docs/reference/errors.md");
  if (const auto over = call.parse()) return *over;
  const auto rows = error_rows();
  call.detail(fmt::format("{} errors have a row", rows.size()));
  show(call, markdown,
       call.json  ? report::errors_json(rows)
       : markdown ? report::errors_markdown(rows)
                  : report::errors_text(rows));
  return 0;
}

}  // namespace

const Verb kOpsVerb{.name = "ops",
                    .arguments = "[NAME]",
                    .summary = "the operations that anemone understands, with their forms",
                    .examples = "anemone ops\nanemone ops conv\nanemone ops --json\nanemone ops --onnx",
                    .run = run_ops};
const Verb kPassesVerb{.name = "passes",
                       .arguments = "",
                       .summary = "the passes and the pipelines made of them",
                       .examples = "anemone passes",
                       .run = run_passes};
const Verb kErrorsVerb{.name = "errors",
                       .arguments = "",
                       .summary = "the errors by number: what each means and what to do",
                       .examples = "anemone errors\nanemone errors --json",
                       .run = run_errors};

}  // namespace anemone::cli

// Three renderings of two tables.
#include "anemone/report/tables.h"

#include <fmt/format.h>

#include "anemone/report/json_parts.h"
#include "anemone/support/text.h"

namespace anemone::report {
namespace {

using toolchain::OnnxRow;
using toolchain::OpRow;
using toolchain::PassRow;
using toolchain::PipelineRow;

std::string join(const std::vector<std::string>& words, std::string_view separator) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : std::string(separator)) + word;
  return out;
}

std::string how_it_runs(const OpRow& row) {
  return row.fast ? "kernel" : row.executes ? "by definition" : "types only";
}

constexpr std::string_view kGenerated = "<!-- Made by `anemone {} --markdown`; a test compares. Do not edit. -->\n\n";

}  // namespace

std::string ops_text(const std::vector<OpRow>& rows) {
  std::string out;
  std::size_t executed = 0;
  for (const OpRow& row : rows) {
    executed += row.executes;
    std::vector<std::string> since;
    for (const toolchain::FormRow& form : row.forms) since.push_back(form.since);
    out += fmt::format("{:<31} {:<12} {:<13} {}\n", row.name, join(since, " "), how_it_runs(row), row.summary);
  }
  return out +
         fmt::format("{}, {} of them executed; others are carried as they are: read, printed, analysed and written\n",
                     counted(static_cast<std::int64_t>(rows.size()), "operation"), executed);
}

std::string ops_json(const std::vector<OpRow>& rows) {
  Json list = Json::array();
  for (const OpRow& row : rows) {
    Json forms = Json::array();
    for (const toolchain::FormRow& form : row.forms) {
      Json params = Json::array();
      for (const toolchain::ParamRow& p : form.params) {
        params.push_back({{"name", p.name},
                          {"types", p.types},
                          {"required", p.required},
                          {"constant", p.constant},
                          {"list", p.list},
                          {"default", p.fallback}});
      }
      forms.push_back({{"since", form.since}, {"params", params}});
    }
    list.push_back({{"name", row.name}, {"summary", row.summary}, {"runs", how_it_runs(row)}, {"forms", forms}});
  }
  return dump({{"schema", "anemone.ops/1"}, {"ops", list}});
}

std::string ops_markdown(const std::vector<OpRow>& rows) {
  std::string out = fmt::format(fmt::runtime(kGenerated), "ops");
  out +=
      "# Operations\n\n`c` = must be known at compile time. *kernel*: the executor has a fast kernel; *by definition*: "
      "it runs, slowly.\n";
  for (const OpRow& row : rows) {
    out += fmt::format("\n## {}\n\n{} ({})\n", row.name, row.summary, how_it_runs(row));
    for (const toolchain::FormRow& form : row.forms) {
      out += fmt::format("\nSince {}:\n\n| parameter | types | | default |\n|---|---|---|---|\n", form.since);
      for (const toolchain::ParamRow& p : form.params) {
        out += fmt::format("| {}{} | {} | {}{} | {} |\n", p.name, p.list ? "…" : "", p.types, p.constant ? "c " : "",
                           p.required ? "required" : "optional", p.fallback);
      }
    }
  }
  return out;
}

std::string onnx_text(const std::vector<OnnxRow>& rows) {
  std::string out;
  for (const OnnxRow& row : rows) {
    out += fmt::format("{:<14} {:<28} {:>3}{}{}\n", row.domain.empty() ? "ai.onnx" : row.domain, row.op, row.since,
                       row.limits.empty() ? "" : "  not: ", row.limits);
  }
  return out + fmt::format("{} rows; the number is the opset from which a row speaks\n", rows.size());
}

std::string onnx_markdown(const std::vector<OnnxRow>& rows) {
  std::string out = fmt::format(fmt::runtime(kGenerated), "ops --onnx");
  out +=
      "# ONNX operations\n\n## Read\n\nWhat becomes MIL. An operation with several rows has a form for each range of "
      "opsets. int64 and every other integer becomes int32, float64 and bfloat16 become fp32. Everything else is refused "
      "with the names of the nodes, before anything is written.\n\n| domain | operation | since | refused |\n|---|---|---|---|\n";
  for (const OnnxRow& row : rows)
    out += fmt::format("| {} | {} | {} | {} |\n", row.domain, row.op, row.since, row.limits);
  return out;
}

std::string passes_text(const std::vector<PassRow>& rows, const std::vector<PipelineRow>& pipelines) {
  std::string out;
  for (const PassRow& row : rows) out += fmt::format("{:<26} {:<9} {}\n", row.name, row.numerics, row.summary);
  for (const PipelineRow& p : pipelines)
    out += fmt::format("\npipeline {}: {}\n", p.name, p.passes.empty() ? "nothing" : join(p.passes, ", "));
  return out;
}

std::string passes_json(const std::vector<PassRow>& rows, const std::vector<PipelineRow>& pipelines) {
  Json list = Json::array(), lines = Json::array();
  for (const PassRow& row : rows)
    list.push_back(
        {{"name", row.name}, {"summary", row.summary}, {"numerics", row.numerics}, {"pipelines", row.pipelines}});
  for (const PipelineRow& p : pipelines) lines.push_back({{"name", p.name}, {"passes", p.passes}});
  return dump({{"schema", "anemone.passes/1"}, {"passes", list}, {"pipelines", lines}});
}

std::string passes_markdown(const std::vector<PassRow>& rows, const std::vector<PipelineRow>& pipelines) {
  std::string out = fmt::format(fmt::runtime(kGenerated), "passes");
  out +=
      "# Passes\n\n*exact*: no number changes; *rounding*: last bits may; *lossy*: precision is given up on "
      "purpose.\n\n| pass | numerics | what it does | in |\n|---|---|---|---|\n";
  for (const PassRow& row : rows)
    out += fmt::format("| {} | {} | {} | {} |\n", row.name, row.numerics, row.summary, join(row.pipelines, ", "));
  out += "\n## Pipelines\n\n";
  for (const PipelineRow& p : pipelines)
    out += fmt::format("- **{}**: {}\n", p.name, p.passes.empty() ? "nothing" : join(p.passes, ", "));
  return out;
}

}  // namespace anemone::report

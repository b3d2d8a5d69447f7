// Rows of the op table, the list of passes and the planner's rules, as text.
#include "anemone/toolchain/tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/frontends/onnx/lower.h"
#include "anemone/ops/ops.h"
#include "anemone/passes/pass.h"
#include "anemone/plan/ane/rules.h"
#include "anemone/plan/ane/support_table.h"
#include "anemone/plan/ort/rules.h"
#include "anemone/runtime/kernel_table.h"
#include "anemone/support/text.h"
#include "anemone/toolchain/analysis_rules.h"

namespace anemone::toolchain {
namespace {

namespace ane = plan::ane;

std::string type_names(DTypeSet set) {
  if (set == kAnything) return "any";
  std::string out;
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (set & dtype_bit(dtype)) out += (out.empty() ? "" : " ") + std::string(name(dtype));
  }
  return out;
}

std::string takes_word(char letter) {
  switch (letter) {
    case 'y':
      return "yes";
    case 'n':
      return "no";
    case 'c':
      return "if";
    case 'l':
      return "lowered";
    default:
      return "?";
  }
}

RuleRow row_of(const plan::RuleText& r) {
  const auto text = [](std::string_view s) { return std::string(s); };
  return {text(r.code),
          text(r.name),
          text(r.what),
          text(r.why),
          text(r.instead),
          text(name(r.effect)),
          text(r.severity),
          text(name(r.trust)),
          text(r.source),
          text(r.command),
          {},
          {},
          r.needs_data};
}

RuleRow row_of(const plan::ort::Rule& rule) {
  RuleRow row = row_of(rule.text);
  row.applies = applies_to(rule);
  for (const std::string_view op : rule.ops) {
    if (!op.empty()) row.operations += (row.operations.empty() ? "" : ", ") + std::string(op);
  }
  return row;
}

}  // namespace

std::vector<OpRow> op_rows() {
  std::vector<OpRow> rows;
  for (const OpDef* def : ops::table().all()) {
    OpRow row{std::string(def->name),
              std::string(def->summary),
              {},
              def->eval != nullptr,
              runtime::find_kernel(def->name) != nullptr};
    for (const Form& form : def->forms) {
      FormRow f{std::string(name(form.since)), {}};
      for (const Param& p : form.params)
        f.params.push_back(
            {std::string(p.name), type_names(p.types), to_string(p.fallback), p.required, p.constant, p.list});
      row.forms.push_back(std::move(f));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<PassRow> pass_rows() {
  std::vector<PassRow> rows;
  for (const passes::Pass& pass : passes::all_passes()) {
    PassRow row{std::string(pass.name), std::string(pass.summary), std::string(name(pass.numerics)), {}};
    for (const PipelineRow& p : pipeline_rows()) {
      if (std::find(p.passes.begin(), p.passes.end(), row.name) != p.passes.end()) row.pipelines.push_back(p.name);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<PipelineRow> pipeline_rows() {
  std::vector<PipelineRow> rows;
  for (std::string_view wanted : passes::pipeline_names()) {
    const auto passes = *passes::pipeline(wanted);
    rows.push_back({std::string(wanted), {passes.begin(), passes.end()}});
  }
  return rows;
}

RuleTables rule_tables() {
  RuleTables tables;
  for (const ane::Rule* rule : ane::rules()) tables.rules.push_back(row_of(rule->text));
  for (const plan::ort::Rule* rule : plan::ort::rules()) tables.provider_rules.push_back(row_of(*rule));
  for (const ane::SupportRow& row : ane::support_rows()) {
    tables.types.push_back({std::string(row.type), takes_word(row.takes[0]), takes_word(row.takes[1]),
                            takes_word(row.takes[2]), takes_word(row.takes[3]), std::string(name(row.trust)),
                            std::string(row.sources)});
  }
  for (const ane::Source& source : ane::sources())
    tables.sources.push_back({std::string(source.name), std::string(source.what)});
  return tables;
}

Result<RuleRow> rule_row(const std::string& code) {
  std::string upper = code;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  if (const ane::Rule* rule = ane::find_rule(upper)) return row_of(rule->text);
  if (const plan::ort::Rule* rule = plan::ort::find_rule(upper)) return row_of(*rule);
  for (const plan::RuleText& rule : analysis_rules()) {
    if (same_word(rule.code, code)) return row_of(rule);
  }
  std::vector<std::string_view> codes;
  for (const ane::Rule* rule : ane::rules()) codes.push_back(rule->text.code);
  for (const plan::ort::Rule* rule : plan::ort::rules()) codes.push_back(rule->text.code);
  return bad_usage(fmt::format("there is no rule '{}'", code),
                   did_you_mean(upper, codes, "'anemone rules' lists them"));
}

std::vector<OnnxRow> onnx_rows() {
  std::vector<OnnxRow> rows;
  for (const onnx::SupportRow& row : onnx::support_table())
    rows.push_back({std::string(row.domain), std::string(row.op), row.since, std::string(row.limits)});
  return rows;
}

}  // namespace anemone::toolchain

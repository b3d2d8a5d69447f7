// Rows of the op table and the list of passes, as text.
#include "anemone/toolchain/tables.h"

#include <algorithm>

#include "anemone/ops/ops.h"
#include "anemone/passes/pass.h"
#include "anemone/runtime/kernel_table.h"

namespace anemone {
namespace {

std::string type_names(DTypeSet set) {
  if (set == kAnything) return "any";
  std::string out;
  for (int i = 0; i < kDTypeCount; ++i) {
    const auto dtype = static_cast<DType>(i);
    if (set & dtype_bit(dtype)) out += (out.empty() ? "" : " ") + std::string(name(dtype));
  }
  return out;
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
            {std::string(p.name), type_names(p.types), std::string(p.fallback), p.required, p.constant, p.list});
      row.forms.push_back(std::move(f));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<PassRow> pass_rows() {
  std::vector<PassRow> rows;
  for (const Pass& pass : all_passes()) {
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
  for (std::string_view wanted : pipeline_names()) {
    const auto passes = *pipeline(wanted);
    rows.push_back({std::string(wanted), {passes.begin(), passes.end()}});
  }
  return rows;
}

}  // namespace anemone

#pragma once
// Plans as pages, and the parts of such a page that others show, too.
#include <map>
#include <string>

#include "anemone/toolchain/measurements.h"
#include "anemone/toolchain/plan_model.h"

namespace anemone::report {

/// One self-contained page about the first plan: numbers, a strip of segments, findings, and a table of operations that
/// can be searched, sorted and grouped.
std::string plan_html(const toolchain::PlanResult& result);

/// Markup. Figures of the whole plan; segments in program order, as wide as their time; what was found, each with its fix
/// folded below it; the table, once a page, beside what a device measured where `measured` is not null.
std::string plan_figures(const plan::Plan& plan);
std::string plan_strip(const plan::Plan& plan);
std::string plan_findings(const std::vector<plan::Finding>& findings, const plan::Plan& plan);
std::string plan_ops(const plan::Plan& plan, const std::map<std::string, toolchain::MeasuredOp>* measured);

}  // namespace anemone::report

// Collects findings and puts them in order.
#include "anemone/plan/finding.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace anemone::plan {
namespace {

Finding blank(const RuleText& rule) {
  return {.code = std::string(rule.code),
          .name = std::string(rule.name),
          .severity = std::string(rule.severity),
          .message = {},
          .instead = std::string(rule.instead),
          .command = std::string(rule.command),
          .trust = rule.trust,
          .checked = true,
          .cost_us = {},
          .ops = {},
          .without = {}};
}

}  // namespace

std::string_view name(Effect effect) {
  constexpr std::string_view kNames[] = {"leaves the engine", "leaves the provider", "slower", "numeric hazard",
                                         "may not compile"};
  return kNames[static_cast<std::size_t>(effect)];
}

Finding& Findings::at(const RuleText& rule) {
  for (Entry& entry : list_) {
    if (entry.rule == &rule && entry.finding.checked) return entry.finding;
  }
  list_.push_back({&rule, blank(rule)});
  return list_.back().finding;
}

Finding& Findings::open(const RuleText& rule) {
  list_.push_back({&rule, blank(rule)});
  Finding& finding = list_.back().finding;
  finding.severity = "info";
  finding.command.clear();
  finding.checked = false;
  return finding;
}

std::vector<Finding> Findings::take() {
  std::vector<Finding> out;
  for (Entry& entry : list_) {
    if (entry.finding.message.empty()) entry.finding.message = fmt::format("{}: {}", entry.rule->what, entry.rule->why);
    out.push_back(std::move(entry.finding));
  }
  list_.clear();
  const auto rank = [](const Finding& f) { return f.severity == "error" ? 0 : f.severity == "warn" ? 1 : 2; };
  std::stable_sort(out.begin(), out.end(), [&](const Finding& a, const Finding& b) {
    const double x = a.cost_us.value_or(0), y = b.cost_us.value_or(0);
    return std::tuple(!a.checked, -x, rank(a), a.code) < std::tuple(!b.checked, -y, rank(b), b.code);
  });
  return out;
}

Finding& Report::at(std::string op) {
  Finding& f = finding();
  f.ops.push_back(std::move(op));
  return f;
}

void Report::cost(double us) {
  Finding& f = finding();
  f.cost_us = f.cost_us.value_or(0) + us;
}

}  // namespace anemone::plan

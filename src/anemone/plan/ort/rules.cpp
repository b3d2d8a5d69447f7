// The list of all rules, and how they are asked.
#include "anemone/plan/ort/rules.h"

#include <fmt/format.h>

#include <algorithm>

namespace anemone::plan::ort {

bool Rule::holds_in(Target target) const {
  return target.version >= since && target.version <= until && (!format || *format == target.format);
}

bool Rule::asks_about(std::string_view op) const {
  return ops[0].empty() || std::find(ops.begin(), ops.end(), op) != ops.end();
}

std::string applies_to(const Rule& rule) {
  std::string text = rule.since == 19 && rule.until == 24 ? "1.19 to 1.24"
                     : rule.since == 19                   ? fmt::format("up to 1.{}", rule.until)
                     : rule.until == 24                   ? fmt::format("from 1.{}", rule.since)
                                                          : fmt::format("1.{} to 1.{}", rule.since, rule.until);
  if (rule.format) text += fmt::format(", {}", name(*rule.format));
  return text;
}

std::span<const Rule* const> rules() {
  static const std::vector<const Rule*> kAll = [] {
    std::vector<const Rule*> all;
    for (const auto theme : {general_rules(), shape_rules(), constant_rules(), form_rules(), resize_rules()}) {
      for (const Rule& rule : theme) all.push_back(&rule);
    }
    return by_code(std::move(all));
  }();
  return kAll;
}

const Rule* find_rule(std::string_view code) { return find_by_code(rules(), code); }

Answer judge(const Subject& subject, const Node& node) {
  const Op op{subject, node, find_builder(node.op_type)};
  for (const Rule* rule : rules()) {
    if (!rule->holds_in(subject.target) || !rule->asks_about(node.op_type)) continue;
    std::optional<std::string> reason = rule->check(op);
    if (!reason) continue;
    const std::string_view instead = rule->advises_by_op ? instead_of(node.op_type) : std::string_view();
    return {rule, *std::move(reason), instead.empty() ? rule->text.instead : instead};
  }
  return {};
}

}  // namespace anemone::plan::ort

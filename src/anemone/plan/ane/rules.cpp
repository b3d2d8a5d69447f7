// The list of all rules, and how they are asked.
#include "anemone/plan/ane/rules.h"

#include <algorithm>

namespace anemone::plan::ane {

std::span<const Rule* const> rules() {
  static const std::vector<const Rule*> kAll = [] {
    std::vector<const Rule*> all;
    for (const auto theme : {type_rules(), size_rules(), pattern_rules(), interface_rules(), number_rules(),
                             weight_rules(), compile_rules(), placement_rules()})
      all.insert(all.end(), theme.begin(), theme.end());
    return by_code(std::move(all));
  }();
  return kAll;
}

const Rule* find_rule(std::string_view code) { return find_by_code(rules(), code); }

Findings report_all(const Subject& subject, bool read_weights) {
  Findings findings;
  report_refusals(subject, findings);
  for (const Rule* rule : rules()) {
    if (rule->reads_weights && !read_weights) continue;
    const Report report(findings, rule->text);
    if (rule->surveys) rule->surveys(subject, report);
    for (std::size_t i = 0; rule->notices && i < subject.nodes.size(); ++i) {
      if (rule->ops.has(*subject.nodes[i])) rule->notices(subject, i, report);
    }
  }
  return findings;
}

}  // namespace anemone::plan::ane

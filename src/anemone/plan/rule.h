#pragma once
// A rule as every planner writes it: a row that says what it is about, why, on what evidence, and that holds its own
// check. What a planner looks at is its `Subject`; what a rule finds goes into a `Report`.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anemone/ir/op_def.h"
#include "anemone/plan/finding.h"

namespace anemone::plan {

/// Operations that a check is asked about: members of sets, named types, or both. Empty: every operation.
struct Ops {
  OpSet sets = 0;
  std::array<std::string_view, 8> types{};

  constexpr Ops() = default;
  constexpr Ops(OpSet any) : sets(any) {}
  constexpr Ops(std::initializer_list<std::string_view> names) { std::copy(names.begin(), names.end(), types.begin()); }
  constexpr Ops(OpSet any, std::initializer_list<std::string_view> names) : Ops(names) { sets = any; }

  bool empty() const { return sets == 0 && types[0].empty(); }
  bool has(const Node& node) const {
    if (empty() || is(node, sets)) return true;
    return std::find(types.begin(), types.end(), node.type) != types.end() && !node.type.empty();
  }
};

/// Why a unit does not take an operation.
struct Refusal {
  std::string reason;             ///< one sentence, with the numbers
  std::optional<Trust> trust{};   ///< where it differs from the rule's
  std::string_view instead{};     ///< where it differs from the rule's
  Support support = Support::no;  ///< `unknown`: nothing speaks for it
};

/// A refusal is looked for in this order, and the first one found is the answer.
enum class Stage : std::uint8_t { known, types, table, sizes, particular, context };

/// The part of a rule that judges a single operation before anything is placed.
template <class Op>
struct Refuser {
  Stage stage = Stage::particular;
  std::optional<Refusal> (*check)(const Op&) = nullptr;
  Ops ops{};
};

/// A row. `Subject` is the placed program as one planner sees it; `Subject::Op` one operation with its device.
/// A check knows no code: what it reports is filed under its own row.
template <class Subject>
struct Rule {
  RuleText text;
  std::array<Refuser<typename Subject::Op>, 8> refusers{};            ///< an operation leaves the unit
  Ops ops{};                                                          ///< that `notices` is asked about
  void (*notices)(const Subject&, std::size_t op, Report) = nullptr;  ///< one operation of the placed program
  void (*surveys)(const Subject&, Report) = nullptr;                  ///< the placed program as a whole
  bool reads_weights = false;                                         ///< skipped when weights are not to be read
};

/// The rules of a planner, in the order of their codes.
template <class Rule>
std::vector<const Rule*> by_code(std::vector<const Rule*> rules) {
  std::sort(rules.begin(), rules.end(), [](const Rule* a, const Rule* b) { return a->text.code < b->text.code; });
  return rules;
}
/// Null: there is none of that code.
template <class Rule>
const Rule* find_by_code(std::span<const Rule* const> rules, std::string_view code) {
  const auto found =
      std::find_if(rules.begin(), rules.end(), [&](const Rule* rule) { return rule->text.code == code; });
  return found == rules.end() ? nullptr : *found;
}

}  // namespace anemone::plan

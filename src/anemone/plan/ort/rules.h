#pragma once
// The rules of ONNX Runtime's CoreML provider: rows with their checks, one file a theme (rules_*.cpp).
#include <span>
#include <string_view>

#include "anemone/plan/ort/subject.h"

namespace anemone::plan::ort {

/// A row. The first rule, in the order of the codes, that finds a reason is the answer.
struct Rule {
  RuleText text;
  std::array<std::string_view, 8> ops{};  ///< it is asked about; empty: all
  int since = 19, until = 24;             ///< versions 1.x in which it holds
  std::optional<Format> format{};         ///< absent: both
  /// A sentence with the numbers; absent: nothing speaks against the node.
  std::optional<std::string> (*check)(const Op&) = nullptr;
  bool advises_by_op = false;  ///< instead_of(op) says more than `instead`, where something is known

  bool holds_in(Target target) const;
  bool asks_about(std::string_view op) const;
};
std::string applies_to(const Rule& rule);  ///< "1.19 to 1.22, mlprogram"

std::span<const Rule* const> rules();  ///< by code
const Rule* find_rule(std::string_view code);

/// The text of a row: what the provider's sources say, and what takes a node from it.
constexpr RuleText refusal(std::string_view code, std::string_view name, std::string_view what, std::string_view why,
                           std::string_view instead, std::string_view source) {
  return {.code = code,
          .name = name,
          .what = what,
          .why = why,
          .instead = instead,
          .effect = Effect::leaves_provider,
          .severity = "error",
          .trust = Trust::documented,
          .source = source};
}

/// What says the same as an operation without a builder; empty: nothing known.
std::string_view instead_of(std::string_view op);

std::span<const Rule> general_rules();   ///< before the operation's own builder is asked
std::span<const Rule> shape_rules();     ///< extents and ranks that must be known, or be so
std::span<const Rule> constant_rules();  ///< operands that must be constants
std::span<const Rule> form_rules();      ///< attributes
std::span<const Rule> resize_rules();

/// Why the provider does not take a node; no rule: it does.
struct Answer {
  const Rule* rule = nullptr;
  std::string reason;
  std::string_view instead;  ///< for this operation, else the rule's
};
Answer judge(const Subject& subject, const Node& node);

}  // namespace anemone::plan::ort

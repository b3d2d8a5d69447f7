// The rules of the planner: for the terminal, for machines, and as a reference page.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "anemone/plan/ane/rules.h"
#include "anemone/plan/ane/support_table.h"
#include "anemone/report/plan.h"

namespace anemone::report {
namespace {

using Json = nlohmann::ordered_json;

Json as_json(const RuleText& r) {
  return {{"code", r.code},
          {"name", r.name},
          {"what", r.what},
          {"why", r.why},
          {"instead", r.instead},
          {"effect", name(r.effect)},
          {"severity", r.severity},
          {"trust", name(r.trust)},
          {"source", r.source},
          {"command", r.command},
          {"needs_data", r.needs_data}};
}

std::string_view takes_word(char letter) {
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

const RuleText* find(const std::string& code) {
  std::string upper = code;
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  const ane::Rule* rule = ane::find_rule(upper);
  return rule ? &rule->text : nullptr;
}

}  // namespace

std::string rules_text() {
  std::string out;
  for (const ane::Rule* rule : ane::rules()) {
    const RuleText& r = rule->text;
    out += fmt::format("{}  {:<20} {:<5} {:<10}  {}\n", r.code, r.name, r.severity, name(r.trust), r.what);
  }
  return out + fmt::format("{} rules; 'anemone explain CODE' says why and what to do\n", ane::rules().size());
}

std::string rules_json() {
  Json list = Json::array(), types = Json::array();
  for (const ane::Rule* rule : ane::rules()) list.push_back(as_json(rule->text));
  for (const ane::SupportRow& row : ane::support_rows()) {
    types.push_back({{"type", row.type},
                     {"h13", takes_word(row.takes[0])},
                     {"h14", takes_word(row.takes[1])},
                     {"h15", takes_word(row.takes[2])},
                     {"h16", takes_word(row.takes[3])},
                     {"trust", name(row.trust)},
                     {"sources", row.sources}});
  }
  return Json{{"schema", "anemone.rules/1"}, {"rules", list}, {"types", types}}.dump(2) + "\n";
}

std::string rules_markdown() {
  std::string out =
      "<!-- Made by `anemone rules --markdown`; a test compares. Do not edit. -->\n\n# Rules of the Neural Engine\n\n"
      "Apple publishes no list of what its engine takes. These rules come from Apple's guides where there are any, "
      "from\n"
      "people who measured, and from files that real devices reported on. *measured*: computed here from such files;\n"
      "*documented*: Apple says so; *reported*: others measured it; *guessed*: conflicting, or taken from another "
      "chip.\n";
  for (const ane::Rule* rule : ane::rules()) {
    const RuleText& r = rule->text;
    out += fmt::format("\n## {} {}\n\n{} ({}, {})\n\n- **why**: {}\n- **instead**: {}\n- **evidence**: {}: {}\n",
                       r.code, r.name, r.what, r.severity, name(r.effect), r.why, r.instead, name(r.trust), r.source);
    if (!r.command.empty()) out += fmt::format("- **command**: `{}`\n", r.command);
    out += fmt::format("- **test**: [tests/plan/{0}.mil](../../tests/plan/{0}.mil)\n", r.code);
    if (r.needs_data)
      out += "- bounds from weights are checked; what depends on activations is reported as not checked\n";
  }
  out +=
      "\n## Operation types\n\nWhich generation takes a type at all, with fp16 tensors of fixed shape. *if*: under "
      "conditions that `anemone plan` checks;\n"
      "*lowered*: accepted and made of other operations; *?*: not known, and counted as no.\n\n"
      "| type | A14, M1 | A15, M2, M3 | A16 | A17 Pro, M4 and later | trust | sources "
      "|\n|---|---|---|---|---|---|---|\n";
  for (const ane::SupportRow& row : ane::support_rows()) {
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", row.type, takes_word(row.takes[0]),
                       takes_word(row.takes[1]), takes_word(row.takes[2]), takes_word(row.takes[3]), name(row.trust),
                       row.sources);
  }
  out += "\n## Sources\n\n| short | source |\n|---|---|\n";
  for (const ane::Source& s : ane::sources()) out += fmt::format("| {} | {} |\n", s.name, s.what);
  return out;
}

std::optional<std::string> explain_text(const std::string& code) {
  const RuleText* r = find(code);
  if (!r) return std::nullopt;
  std::string out = fmt::format("{} {} ({})\n\n  what      {}\n  why       {}\n  effect    {}\n  instead   {}\n",
                                r->code, r->name, r->severity, r->what, r->why, name(r->effect), r->instead);
  if (!r->command.empty()) out += fmt::format("  command   {}\n", r->command);
  if (r->needs_data) out += "  checked   as far as weights say; the rest needs data\n";
  return out + fmt::format("  evidence  {}: {}\n", name(r->trust), r->source);
}

std::optional<std::string> explain_json(const std::string& code) {
  const RuleText* r = find(code);
  if (!r) return std::nullopt;
  Json out{{"schema", "anemone.explain/1"}};
  out.update(as_json(*r));
  return out.dump(2) + "\n";
}

std::string nearest_rule(const std::string& code) {
  std::vector<std::string_view> codes;
  for (const ane::Rule* rule : ane::rules()) codes.push_back(rule->text.code);
  return std::string(closest(code, codes));
}

}  // namespace anemone::report

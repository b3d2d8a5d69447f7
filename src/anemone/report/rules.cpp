// The rules of the planner: for the terminal, for machines, and as a reference page.
#include "anemone/report/rules.h"

#include <fmt/format.h>

#include "anemone/report/json_parts.h"

namespace anemone::report {
namespace {

using toolchain::RuleRow;

Json as_json(const RuleRow& r) {
  Json out{{"code", r.code},
           {"name", r.name},
           {"what", r.what},
           {"why", r.why},
           {"instead", r.instead},
           {"effect", r.effect},
           {"severity", r.severity},
           {"trust", r.trust},
           {"source", r.source},
           {"command", r.command},
           {"needs_data", r.needs_data}};
  if (!r.applies.empty()) out["applies"] = r.applies, out["operations"] = r.operations;
  return out;
}

std::string provider_markdown(const toolchain::RuleTables& tables) {
  std::string out =
      "\n## ONNX Runtime's CoreML provider\n\nWhat `anemone plan --ort` refuses, and in which releases and formats. A node "
      "is asked in this order, and the first rule\nthat finds a reason is the answer. Sources are files of "
      "`onnxruntime/core/providers/coreml`, release by release, and\nwhat a release did with a model. Each rule has a case "
      "and the case beside it in\n[rules_test.cpp](../../src/anemone/plan/ort/rules_test.cpp).\n\n"
      "| rule | operations | refused | applies | instead | source |\n|---|---|---|---|---|---|\n";
  for (const RuleRow& r : tables.provider_rules) {
    out += fmt::format("| {} {} | {} | {} | {} | {} | {} |\n", r.code, r.name,
                       r.operations.empty() ? "all" : r.operations, r.what, r.applies, r.instead, r.source);
  }
  return out;
}

}  // namespace

std::string rules_text(const toolchain::RuleTables& tables) {
  std::string out;
  for (const auto* rows : {&tables.rules, &tables.provider_rules}) {
    for (const RuleRow& r : *rows)
      out += fmt::format("{}  {:<20} {:<5} {:<10}  {}\n", r.code, r.name, r.severity, r.trust, r.what);
  }
  return out + fmt::format(
                   "{} rules of the engine, {} of ONNX Runtime's CoreML provider; 'anemone explain CODE' says why and "
                   "what to do\n",
                   tables.rules.size(), tables.provider_rules.size());
}

std::string rules_json(const toolchain::RuleTables& tables) {
  Json list = Json::array(), provider = Json::array(), types = Json::array();
  for (const RuleRow& r : tables.rules) list.push_back(as_json(r));
  for (const RuleRow& r : tables.provider_rules) provider.push_back(as_json(r));
  for (const toolchain::EngineTypeRow& row : tables.types) {
    types.push_back({{"type", row.type},
                     {"h13", row.h13},
                     {"h14", row.h14},
                     {"h15", row.h15},
                     {"h16", row.h16},
                     {"trust", row.trust},
                     {"sources", row.sources}});
  }
  return dump({{"schema", "anemone.rules/1"}, {"rules", list}, {"provider_rules", provider}, {"types", types}});
}

std::string rules_markdown(const toolchain::RuleTables& tables) {
  std::string out =
      "<!-- Made by `anemone rules --markdown`; a test compares. Do not edit. -->\n\n# Rules of the Neural Engine\n\n"
      "Apple publishes no list of what its engine takes. These rules come from Apple's guides where there are any, from\n"
      "people who measured, and from files that real devices reported on. *measured*: a device was measured, or reported\n"
      "itself; *documented*: Apple says so; *reported*: others measured it; *computed*: by a model or a simulation here;\n"
      "*guessed*: conflicting, or taken from another chip.\n";
  for (const RuleRow& r : tables.rules) {
    out += fmt::format("\n## {} {}\n\n{} ({}, {})\n\n- **why**: {}\n- **instead**: {}\n- **evidence**: {}: {}\n",
                       r.code, r.name, r.what, r.severity, r.effect, r.why, r.instead, r.trust, r.source);
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
  for (const toolchain::EngineTypeRow& row : tables.types) {
    out += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", row.type, row.h13, row.h14, row.h15, row.h16,
                       row.trust, row.sources);
  }
  out += provider_markdown(tables);
  out += "\n## Sources\n\n| short | source |\n|---|---|\n";
  for (const toolchain::SourceRow& s : tables.sources) out += fmt::format("| {} | {} |\n", s.name, s.what);
  return out;
}

std::string explain_text(const RuleRow& r) {
  std::string out = fmt::format("{}{} ({})\n\n  what      {}\n  why       {}\n  effect    {}\n  instead   {}\n", r.code,
                                r.name == r.code ? "" : " " + r.name, r.severity, r.what, r.why, r.effect, r.instead);
  if (!r.applies.empty()) out += fmt::format("  applies   ONNX Runtime {}\n", r.applies);
  if (!r.operations.empty()) out += fmt::format("  to        {}\n", r.operations);
  if (!r.command.empty()) out += fmt::format("  command   {}\n", r.command);
  if (r.needs_data) out += "  checked   as far as weights say; the rest needs data\n";
  return out + fmt::format("  evidence  {}: {}\n", r.trust, r.source);
}

std::string explain_json(const RuleRow& r) {
  Json out{{"schema", "anemone.explain/1"}};
  out.update(as_json(r));
  return dump(out);
}

}  // namespace anemone::report

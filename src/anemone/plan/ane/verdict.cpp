// Asks the rules that refuse operations, in the order of their stages: the first refusal is the answer.
#include "anemone/plan/ane/verdict.h"

#include <fmt/format.h>

#include <algorithm>

namespace anemone::plan::ane {
namespace {

struct Question {
  const Rule* rule;
  Refuser<Subject::Op> refuser;
};

const std::vector<Question>& questions() {
  static const std::vector<Question> kAll = [] {
    std::vector<Question> all;
    for (const Rule* rule : rules()) {
      for (const auto& refuser : rule->refusers) {
        if (refuser.check) all.push_back({rule, refuser});
      }
    }
    std::stable_sort(all.begin(), all.end(),
                     [](const Question& a, const Question& b) { return a.refuser.stage < b.refuser.stage; });
    return all;
  }();
  return kAll;
}

}  // namespace

Judged judge(const Node& node, const Device& device, const WholeProgram& whole, const std::vector<std::string>& off) {
  if (std::find(off.begin(), off.end(), node.type) != off.end()) {
    Verdict verdict{Support::no, "WHATIF", {}, {}, Trust::guessed};
    verdict.reason = fmt::format("'{}' is taken off the engine as a hypothesis", node.type);
    return {std::move(verdict), nullptr};
  }
  Subject::Op op{node, device, find_support(node.type), whole, runtime_operands(node)};
  for (const auto& output : node.outputs) op.at_run_time.push_back(output.get());
  for (const Question& question : questions()) {
    if (!question.refuser.ops.has(node)) continue;
    std::optional<Refusal> refusal = question.refuser.check(op);
    if (!refusal) continue;
    const RuleText& text = question.rule->text;
    Verdict verdict{
        refusal->support, std::string(text.code), std::move(refusal->reason), {}, refusal->trust.value_or(text.trust)};
    if (refusal->support == Support::no) verdict.instead = refusal->instead.empty() ? text.instead : refusal->instead;
    return {std::move(verdict), question.rule};
  }
  Verdict yes;
  const bool lowered = takes(*op.row, device.generation) == 'l';
  yes.trust = lowered ? Trust::guessed : op.row->trust;
  if (lowered) yes.reason = "lowered to other operations on this generation";
  return {std::move(yes), nullptr};
}

}  // namespace anemone::plan::ane

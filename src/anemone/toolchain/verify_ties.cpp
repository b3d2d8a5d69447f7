// What each top-k chose from and what it chose, in both models.
#include "anemone/toolchain/verify_ties.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <unordered_set>

#include "anemone/ops/infer_util.h"
#include "anemone/toolchain/compare.h"

namespace anemone::toolchain {
namespace {

/// One choice by order: the scores, and the output that says from where they came.
struct Choice {
  const Node* node;
  const Value *scores, *places;
};

std::vector<Choice> choices_of(const Function& function) {
  std::vector<Choice> choices;
  for (const Node& node : function.body.nodes) {
    if (node.type != "topk" && node.type != "argsort") continue;
    const Value *scores = node.input("x"), *places = node.outputs.back().get();  // topk's come after its values
    if (scores && !scores->constant && !is_float(places->type.dtype)) choices.push_back({&node, scores, places});
  }
  return choices;
}

/// Scores and places of every choice, in order.
Result<std::vector<Array>> run_to(const Session& session, const SessionOptions& options,
                                  const std::vector<Choice>& choices, const std::vector<Array>& inputs) {
  std::vector<std::string> names;
  for (const Choice& choice : choices) {
    names.push_back(choice.scores->name);
    names.push_back(choice.places->name);
  }
  return values_of(session, options, std::move(names), inputs);
}

/// The most that the scores at one place of the order differ between two orders, by the reference's scores; nothing
/// when the places are the same. The order lies along `axis`.
std::optional<double> moved_by(const Array& scores, const Array& got, const Array& want, std::size_t axis) {
  const auto inner = static_cast<std::size_t>(std::accumulate(got.dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1,
                                                              got.dims.end(), std::int64_t{1}, std::multiplies<>()));
  const auto chosen = static_cast<std::size_t>(got.dims[axis]), all = static_cast<std::size_t>(scores.dims[axis]);
  std::optional<double> most;
  for (std::size_t i = 0; i < got.data.size(); ++i) {
    if (got.data[i] == want.data[i]) continue;
    const std::size_t row = i / (inner * chosen), column = i % inner;
    const auto score = [&](double place) {
      const auto at = static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(all) - 1));
      return scores.data[(row * all + at) * inner + column];
    };
    most = std::max(most.value_or(0), std::abs(score(got.data[i]) - score(want.data[i])));
  }
  return most;
}

}  // namespace

bool is_behind_top_k(const Value& output) {
  std::unordered_set<const Node*> seen;
  std::vector<const Node*> open;
  const auto look = [&](const Value* value) {
    if (value->producer && seen.insert(value->producer).second) open.push_back(value->producer);
  };
  look(&output);
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    if (node->type == "topk" || node->type == "argsort" || node->type == "non_maximum_suppression") return true;
    for (const Operand& operand : node->operands()) {
      for (const Value* value : operand.values) look(value);
    }
  }
  return false;
}

Result<std::optional<std::string>> only_ties_moved(const Comparison& f, const std::vector<Array>& inputs) {
  const std::vector<Choice> mine = choices_of(f.candidate.function()), theirs = choices_of(f.reference.function());
  if (mine.empty() || mine.size() != theirs.size()) return std::nullopt;
  TRY(const std::vector<Array> got, run_to(f.candidate, f.options, mine, inputs));
  TRY(const std::vector<Array> their_inputs, arrays_for(f.reference, f.input, f.candidate.function()));
  TRY(const std::vector<Array> want, run_to(f.reference, f.reference_options, theirs, their_inputs));
  std::optional<std::string> found;
  for (std::size_t i = 0; i < mine.size(); ++i) {
    const Array &scores = want[2 * i], &places = want[2 * i + 1];
    if (got[2 * i].dims != scores.dims || got[2 * i + 1].dims != places.dims || scores.rank() != places.rank())
      return std::nullopt;
    OutputJudge judge("", false);
    TRY_VOID(judge.add("", got[2 * i], scores));
    const OutputComparison same = judge.finish(f.min_psnr_db);
    if (!same.pass) return std::nullopt;
    const std::size_t axis = ops::wrap_axis(ConstantView(*theirs[i].node).integer("axis"), scores.rank());
    const auto moved = moved_by(scores, got[2 * i + 1], places, axis);
    if (!moved) continue;
    if (*moved > 2 * same.max_abs) return std::nullopt;  // two scores, each that far off, may change places
    found = fmt::format(
        "'{}' ({}) chose from scores that agree ({}) and put equal ones elsewhere: they differ by at "
        "most {:.3g} of {:.3g}",
        mine[i].places->name, mine[i].node->type,
        std::isinf(same.psnr_db) ? "identical" : fmt::format("{:.1f} dB", same.psnr_db), *moved, same.scale);
  }
  return found;
}

}  // namespace anemone::toolchain

// Two models on the same inputs: are their numbers the same, and where do the landmarks go.
#include "anemone/toolchain/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "anemone/ops/random_inputs.h"
#include "anemone/passes/pass.h"
#include "anemone/toolchain/compare.h"
#include "anemone/toolchain/overflow.h"
#include "anemone/toolchain/seeded_inputs.h"

namespace anemone::toolchain {
namespace {

// Which output of the reference each output of the candidate stands against: by name, else by position.
Result<std::vector<std::pair<std::size_t, std::size_t>>> match_outputs(const Session& candidate,
                                                                       const Session& reference) {
  const auto &mine = candidate.function().body.outputs(), &theirs = reference.function().body.outputs();
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < mine.size(); ++i) {
    for (std::size_t j = 0; j < theirs.size(); ++j) {
      if (theirs[j]->name == mine[i]->name) {
        pairs.emplace_back(i, j);
        break;
      }
    }
  }
  if (pairs.empty() && mine.size() == theirs.size()) {
    for (std::size_t i = 0; i < mine.size(); ++i) pairs.emplace_back(i, i);
  }
  // Packages by others name the landmarks as they like.
  const auto known = reference.landmarks() ? reference.landmarks() : candidate.landmarks();
  if (pairs.empty() && known) {
    const auto place = [&](const Session& session) -> std::optional<std::size_t> {
      const auto info =
          session.landmarks() ? session.landmarks() : landmark_output_by_shape(session.model(), known->points);
      const auto& outputs = session.function().body.outputs();
      const auto at =
          std::find_if(outputs.begin(), outputs.end(), [&](const Value* v) { return info && v->name == info->output; });
      if (at == outputs.end()) return std::nullopt;
      return static_cast<std::size_t>(at - outputs.begin());
    };
    const auto here = place(candidate), there = place(reference);
    if (here && there) pairs.emplace_back(*here, *there);
  }
  if (mine.empty() && theirs.empty())
    return bad_input(ErrorCode::nothing_to_compare, "the models have no outputs: there is nothing to compare",
                     candidate.model().path.string());
  if (pairs.empty()) {
    return bad_usage(fmt::format("the models have no output in common: {} ('{}' …) against {} ('{}' …)", mine.size(),
                                 mine.empty() ? "" : mine[0]->name, theirs.size(),
                                 theirs.empty() ? "" : theirs[0]->name));
  }
  return pairs;
}

// One entry a comparison: the files of one run. Several files without names are several runs of a model with one input.
std::vector<std::vector<InputFile>> split_runs(std::vector<InputFile> files) {
  const bool one_each =
      std::all_of(files.begin(), files.end(), [&](const InputFile& f) { return f.name == files[0].name; });
  std::vector<std::vector<InputFile>> runs;
  for (InputFile& file : files) {
    if (runs.empty() || one_each) runs.emplace_back();
    runs.back().push_back(std::move(file));
  }
  return runs;
}

using Answers = std::vector<std::vector<Array>>;  // one entry a run, one array an output

// What both sides are run on: files, else arrays made for the candidate.
struct Runs {
  std::vector<std::vector<InputFile>> files;
  std::vector<std::vector<Array>> arrays;
  std::size_t count() const { return files.empty() ? arrays.size() : files.size(); }
};

// All runs of one side, which then gives its engine back: two networks in memory at once are one too many.
Result<Answers> answer_all(Session& session, const Runs& runs, const Function& made_for, std::size_t done) {
  const Talk& talk = session.model().talk;
  Answers answers;
  for (std::size_t r = 0; r < runs.count(); ++r) {
    std::vector<Array> inputs;
    if (runs.files.empty()) {
      TRY(inputs, rearranged(runs.arrays[r], made_for, session.function()));
    } else {
      TRY(inputs, session.bind(runs.files[r]));
    }
    const Stopwatch watch;
    TRY(answers.emplace_back(), session.run(inputs));
    talk.at("verifying", done + r + 1, 2 * runs.count());
    talk.detail(fmt::format("ran {} on input {} of {}: {:.1f} ms", session.model().path.string(), r + 1, runs.count(),
                            watch.ms()));
  }
  session.release();
  return answers;
}

// Whether the order of equal scores may decide where a value stands.
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

// The landmarks of the pair: what the candidate says of itself, else the output that stands against the reference's.
std::optional<LandmarkInfo> landmarks_of(const Session& candidate, const Session& reference,
                                         const std::vector<std::pair<std::size_t, std::size_t>>& pairs) {
  if (candidate.landmarks()) return candidate.landmarks();
  if (!reference.landmarks()) return std::nullopt;
  for (const auto& [mine, theirs] : pairs) {
    if (reference.function().body.outputs()[theirs]->name != reference.landmarks()->output) continue;
    LandmarkInfo info = *reference.landmarks();
    info.output = candidate.function().body.outputs()[mine]->name;
    return info;
  }
  return std::nullopt;
}

// Where a candidate that fails stops being finite, if it does: in fp16 a square beyond 65504 is enough.
Result<void> explain(const Session& candidate, const SessionOptions& options, const Runs& runs, VerifyResult& result) {
  std::vector<Array> inputs;
  if (runs.files.empty()) {
    inputs = runs.arrays[0];
  } else {
    TRY(inputs, candidate.bind(runs.files[0]));
  }
  TRY(const std::optional<std::string> found, first_not_finite(candidate, inputs, options));
  if (found) result.notes.push_back("inside the candidate " + *found);
  return {};
}

// A verdict is only as good as what it rests on.
void conclude(VerifyResult& result, bool seeded) {
  std::size_t judged = 0, failed = 0, not_finite = 0, reacting = 0;
  for (const OutputComparison& o : result.outputs) {
    judged += o.judged;
    failed += !o.pass;
    not_finite += o.verdict == "NOT FINITE";
    reacting += o.reacts && !o.constant && o.values > 0;
    if (o.reordered)
      result.notes.push_back(
          fmt::format("'{}' stands behind a top-k: the values are the same, only equal scores changed places", o.name));
    if (!o.reacts) result.notes.push_back(fmt::format("'{}' of the reference does not react to the input", o.name));
  }
  if (result.landmarks && !result.landmarks->pass) ++failed;
  if (not_finite > 0) {
    result.reason = fmt::format("{} of {} outputs are not finite", not_finite, result.outputs.size());
  } else if (failed > 0) {
    result.reason = "the numbers differ";
  } else if (judged == 0) {
    result.reason = "the outputs are constant or empty, so that they agree says nothing about the models";
  } else if (seeded && result.inputs > 1 && reacting == 0) {
    result.reason = "no output of the reference reacts to the seeded inputs; give an --input that matters";
  }
  result.pass = result.reason.empty();
}

std::string_view words(std::optional<runtime::Precision> p) {
  return !p || *p == runtime::Precision::as_stored ? "as stored"
         : *p == runtime::Precision::fp32          ? "in fp32"
                                                   : "in fp16";
}

}  // namespace

Result<VerifyResult> verify_models(const Model& candidate_model, const Model& reference_model,
                                   const VerifyRequest& request) {
  Runs runs{split_runs(request.inputs), {}};
  const bool seeded = runs.files.empty();
  const std::vector<InputFile> first = seeded ? std::vector<InputFile>() : runs.files[0];
  TRY(Session candidate, Session::open(candidate_model, first, request.session));
  const bool images = seeded && takes_pixels(candidate);
  if (images) {
    const Dims& dims = candidate.function().body.inputs[0]->type.dims;
    for (InputFile& image : seeded_images(dims[3], dims[2], request.seed)) runs.files.push_back({std::move(image)});
  } else if (seeded) {
    constexpr std::uint64_t kSeeds = 2;
    for (std::uint64_t r = 0; r < kSeeds; ++r) {
      TRY(runs.arrays.emplace_back(), ops::random_inputs(candidate.function(), request.seed + r));
    }
  }
  SessionOptions reference_options = request.session;
  reference_options.precision.reset();
  reference_options.half_sums = false;
  TRY(Session reference, Session::open(reference_model, runs.files.empty() ? first : runs.files[0], reference_options));
  TRY(const auto pairs, match_outputs(candidate, reference));
  const auto landmarks = landmarks_of(candidate, reference, pairs);

  VerifyResult result;
  result.candidate = candidate_model.path.string();
  result.reference = reference_model.path.string();
  result.limit_mean_px = request.max_mean_px;
  result.limit_max_px = request.max_px;
  result.limit_psnr_db = request.min_psnr_db;
  result.inputs = runs.count();
  TRY(const Answers got, answer_all(candidate, runs, candidate.function(), 0));
  TRY(const Answers want, answer_all(reference, runs, candidate.function(), runs.count()));
  result.notes = candidate.notes();
  bool failed = false;
  for (const auto& [mine, theirs] : pairs) {
    const Value& output = *candidate.function().body.outputs()[mine];
    OutputJudge judge(output.name, is_behind_top_k(output));
    for (std::size_t r = 0; r < runs.count(); ++r) TRY_VOID(judge.add(got[r][mine], want[r][theirs]));
    result.outputs.push_back(judge.finish(request.min_psnr_db));
    failed = failed || !result.outputs.back().pass;
    if (!landmarks || output.name != landmarks->output) continue;
    result.landmarks = LandmarkComparison{landmarks->points, 0, 0, 0, {}, false};
    for (std::size_t r = 0; r < runs.count(); ++r)
      compare_landmarks(got[r][mine], want[r][theirs], *landmarks, *result.landmarks);
  }
  if (LandmarkComparison* points = result.landmarks ? &*result.landmarks : nullptr) {
    const bool some = points->left_out < points->points * static_cast<std::int64_t>(runs.count());
    points->pass = some && points->mean_px <= request.max_mean_px && points->max_px <= request.max_px;
  }
  conclude(result, seeded);
  if (failed) TRY_VOID(explain(candidate, request.session, runs, result));
  result.basis = fmt::format("{} {}; candidate executed {}, reference as stored, both on this CPU", runs.count(),
                             !seeded  ? "given inputs"
                             : images ? "seeded images (noise, gradients, an ellipse)"
                                      : "seeded random inputs",
                             words(request.session.precision));
  return result;
}

}  // namespace anemone::toolchain

// Two models on the same inputs: are their numbers the same, and where do the landmarks go.
#include "anemone/toolchain/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "anemone/passes/pass.h"
#include "anemone/support/text.h"
#include "anemone/toolchain/compare.h"
#include "anemone/toolchain/engine_plan.h"
#include "anemone/toolchain/landmark_judge.h"
#include "anemone/toolchain/landmark_pictures.h"
#include "anemone/toolchain/layers.h"
#include "anemone/toolchain/saved_arrays.h"
#include "anemone/toolchain/seeded_inputs.h"
#include "anemone/toolchain/verify_causes.h"
#include "anemone/toolchain/verify_faces.h"
#include "anemone/toolchain/verify_inputs.h"
#include "anemone/toolchain/verify_ties.h"

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

// Which outputs are compared in spite of their names, and which are not compared at all.
void say_how_outputs_match(const Session& candidate, const Session& reference,
                           const std::vector<std::pair<std::size_t, std::size_t>>& pairs,
                           std::vector<std::string>& notes) {
  const auto &mine = candidate.function().body.outputs(), &theirs = reference.function().body.outputs();
  const auto [first, second] = pairs.front();
  if (mine[first]->name != theirs[second]->name)
    notes.push_back(fmt::format("the outputs have no name in common and are matched by {}: '{}' against '{}'{}",
                                pairs.size() == mine.size() ? "position" : "what is points of a face",
                                mine[first]->name, theirs[second]->name, pairs.size() > 1 ? " …" : ""));
  const auto say_rest = [&](const char* side, const auto& outputs, const auto& is_matched) {
    std::string names;
    std::size_t rest = 0;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (std::any_of(pairs.begin(), pairs.end(), [&](const auto& pair) { return is_matched(pair, i); })) continue;
      if (++rest <= 4) names += (names.empty() ? "'" : ", '") + outputs[i]->name + "'";
    }
    if (rest == 0) return;
    notes.push_back(fmt::format("not compared, as the other side has no such output: {} of the {}{}", names, side,
                                rest > 4 ? fmt::format(" and {} more", rest - 4) : ""));
  };
  say_rest("candidate", mine, [](const auto& pair, std::size_t i) { return pair.first == i; });
  // What a checkpoint computes on its way is left out of a package on purpose.
  if (reference.model().is_checkpoint()) return;
  say_rest("reference", theirs, [](const auto& pair, std::size_t i) { return pair.second == i; });
}

// One run of one side: an array an output.
using Answer = std::vector<Array>;

// Runs of one side, which then gives its engine back: two networks in memory at once are one too many.
Result<std::vector<Answer>> answer_all(Session& session, std::span<const VerifyInput> inputs, const Function& made_for,
                                       std::size_t done, std::size_t total) {
  const Talk& talk = session.model().talk;
  std::vector<Answer> answers;
  for (const VerifyInput& input : inputs) {
    TRY(const std::vector<Array> arrays, arrays_for(session, input, made_for));
    const Stopwatch watch;
    TRY(answers.emplace_back(), session.run(arrays));
    talk.at("verifying", done + answers.size(), total);
    talk.detail(fmt::format("ran {} on {}: {:.1f} ms", session.model().path.string(), input.label, watch.ms()));
  }
  return answers;
}

// How far the reference's own points move when every pixel changes by up to half a grey level, which nobody sees.
Result<std::vector<bool>> undetermined_points(Session& reference, const VerifyInput& input, const Function& made_for,
                                              const Answer& want, std::size_t output, const LandmarkJudge& judge) {
  constexpr int kTries = 4;
  if (!takes_pixels(reference) || !input.arrays.empty()) return std::vector<bool>();
  TRY(const std::vector<InputFile> files, files_of(input));
  if (files.size() != 1 || !files[0].is_image) return std::vector<bool>();
  TRY(const std::vector<Array> plain, arrays_for(reference, input, made_for));
  Draws draws(1);
  std::vector<std::vector<double>> moved;
  for (int i = 0; i < kTries; ++i) {
    std::vector<Array> arrays = plain;
    for (double& pixel : arrays[0].data) pixel += reference.grey_level() * draws.uniform(-0.5, 0.5);
    TRY(const Answer answer, reference.run(arrays));
    moved.push_back(judge.distances(answer[output], want[output]));
  }
  return judge.undetermined(moved);
}

// So many runs at a time that their outputs stay within a few hundred megabytes.
std::size_t runs_at_once(const Function& function) {
  constexpr std::int64_t kNumbers = std::int64_t{1} << 25;
  std::int64_t numbers = 1;
  for (const Value* output : function.body.outputs()) {
    if (output->type.is_tensor()) numbers += element_count(output->type.dims).value_or(0);
  }
  return static_cast<std::size_t>(std::clamp<std::int64_t>(kNumbers / numbers, 1, 64));
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
  const LandmarkComparison* points = result.landmarks ? &*result.landmarks : nullptr;
  if (points && points->inputs == 0) {
    result.notes.push_back("the points are judged on no picture of a face: give some with --input or --images");
  } else if (points && !points->pass) {
    ++failed;
  }
  if (not_finite > 0) {
    result.reason = fmt::format("{} of {} {} not finite", not_finite,
                                counted(static_cast<std::int64_t>(result.outputs.size()), "output"),
                                not_finite == 1 ? "is" : "are");
  } else if (points && points->inputs > 0 && points->inputs_without_answer == points->inputs) {
    result.reason =
        "the reference determines less than half of its points on every input; give pictures it was made for";
  } else if (failed > 0) {
    result.reason = "the numbers differ";
  } else if (points && points->truth && !points->truth->pass) {
    result.reason = "it is further from the ground truth than the reference is";
  } else if (judged == 0) {
    result.reason = "the outputs are constant or empty, so that they agree says nothing about the models";
  } else if (seeded && result.inputs > 1 && reacting == 0) {
    result.reason = "no output of the reference reacts to the seeded inputs; give an --input that matters";
  }
  result.pass = result.reason.empty();
}

std::string_view words(const Model& model, std::optional<runtime::Precision> p) {
  const bool stored = !p || *p == runtime::Precision::as_stored;
  return stored                           ? (model.is_checkpoint() ? "in fp32" : "as stored")
         : *p == runtime::Precision::fp32 ? "in fp32"
                                          : "in fp16";
}

// A comparison that cannot fail, or that was meant the other way round.
void say_what_is_odd(const Model& candidate, const Model& reference, const VerifyRequest& request,
                     VerifyResult& result) {
  std::error_code ignored;
  const bool alike = words(candidate, request.session.precision) == words(reference, request.reference_precision) &&
                     request.session.half_sums == runtime::HalfSums::none;
  if (alike && std::filesystem::equivalent(candidate.path, reference.path, ignored)) {
    result.notes.push_back("both are the same file: that its numbers agree with themselves proves nothing");
  } else if (candidate.is_checkpoint() && !reference.is_checkpoint()) {
    result.notes.push_back("the candidate is a checkpoint and the reference is not: did you swap them?");
  }
}

// The worst input of each output that fails, and of the points; where nothing fails, the one with the least signal.
std::vector<std::size_t> worst_inputs(const VerifyResult& result, const std::vector<VerifyInput>& inputs) {
  std::vector<std::size_t> worst;
  const auto add = [&](std::size_t index) {
    if (std::find(worst.begin(), worst.end(), index) == worst.end()) worst.push_back(index);
  };
  for (const OutputComparison& o : result.outputs) {
    if (!o.pass) add(o.worst_index);
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (result.landmarks && !result.landmarks->pass && inputs[i].label == result.landmarks->worst_input) add(i);
  }
  if (!worst.empty()) return worst;
  const auto least = std::min_element(result.outputs.begin(), result.outputs.end(),
                                      [](const auto& a, const auto& b) { return a.psnr_db < b.psnr_db; });
  return {least == result.outputs.end() ? 0 : least->worst_index};
}

// What is inside, why not, and the arrays of it.
Result<void> look_inside(const Session& candidate, const Session& reference, const VerifyRequest& request,
                         const SessionOptions& reference_options, const std::vector<VerifyInput>& inputs,
                         const std::vector<std::pair<std::size_t, std::size_t>>& pairs, VerifyResult& result) {
  std::vector<Comparison> worst;
  for (const std::size_t i : worst_inputs(result, inputs))
    worst.push_back({candidate, reference, request.session, reference_options, inputs[i], pairs, request.min_psnr_db});
  if (request.layers) {
    TRY(result.layers, compare_layers(worst[0]));
  }
  if (result.pass) {
    if (!request.save.empty()) result.notes.push_back("nothing fails, so nothing was saved");
    return {};
  }
  // Outputs that agree and say nothing, constants for one, have no difference to look for.
  const bool agree = std::all_of(result.outputs.begin(), result.outputs.end(),
                                 [](const auto& o) { return o.pass && o.verdict != "NOT FINITE"; });
  if (agree && !(result.landmarks && !result.landmarks->pass)) return {};
  TRY(Causes causes, find_causes(worst[0]));
  result.causes = std::move(causes.found);
  result.next = std::move(causes.next);
  if (!request.save.empty()) {
    auto saved = save_arrays(worst, result.layers, request.save);
    if (saved) {
      result.saved = *std::move(saved);
    } else {
      result.save_problem = std::move(saved).error();
    }
    for (Diagnostic& problem : result.save_problem) {
      if (problem.code == ErrorCode::cannot_create_folder) problem.help = "choose another one with --save";
    }
  }
  return {};
}

Result<VerifyResult> verify_at_size(const Model& candidate_model, const Model& reference_model,
                                    const VerifyRequest& request) {
  VerifyResult result;
  result.candidate = candidate_model.path.string();
  result.reference = reference_model.path.string();
  result.precision = precision_name(request.session);
  result.accumulate = accumulate_name(request.session.half_sums);
  result.limit_mean_px = request.max_mean_px;
  result.limit_max_px = request.max_px;
  result.limit_psnr_db = request.min_psnr_db;
  std::vector<VerifyInput> inputs;
  if (request.faces) {
    TRY(inputs, face_inputs(request.pictures, *request.faces, reference_model, request.session.threads, result.notes));
  } else {
    inputs = given_inputs(request);
  }
  const bool made = inputs.empty();
  std::vector<InputFile> first;
  if (!made) {
    TRY(first, files_of(inputs[0]));
  }
  TRY(Session candidate, Session::open(candidate_model, first, request.session));
  if (made) {
    const bool points = landmark_info(candidate_model) || landmark_info(reference_model);
    TRY(inputs, made_inputs(candidate, points, request.seed, result.notes));
    first = inputs[0].files;
  }
  SessionOptions reference_options = request.session;
  reference_options.precision = request.reference_precision;
  reference_options.half_sums = runtime::HalfSums::none;
  TRY(Session reference, Session::open(reference_model, first, reference_options));
  TRY(const auto pairs, match_outputs(candidate, reference));
  TRY_VOID(check_same_meaning(candidate, reference, first));
  say_how_outputs_match(candidate, reference, pairs, result.notes);
  say_what_is_odd(candidate_model, reference_model, request, result);
  for (const std::string& note : candidate.notes()) result.notes.push_back(note);

  const auto landmarks = landmarks_of(candidate, reference, pairs);
  std::vector<OutputJudge> judges;
  std::optional<std::size_t> points_at;
  for (const auto& [mine, theirs] : pairs) {
    const Value& output = *candidate.function().body.outputs()[mine];
    if (landmarks && output.name == landmarks->output) points_at = judges.size();
    judges.emplace_back(output.name, is_behind_top_k(output));
  }
  std::optional<LandmarkJudge> points;
  if (points_at) points.emplace(*landmarks, request.max_mean_px, request.max_px);
  std::vector<LandmarkPicture> pictures;
  std::optional<TruthFile> truth_file;
  std::optional<TruthJudge> truth;
  if (!request.truth.empty()) {
    if (!points) return bad_usage("neither model has landmarks for --truth to judge", "leave --truth out");
    TRY(truth_file, TruthFile::read(request.truth, landmarks->points));
    TRY_VOID(add_truth(inputs, *truth_file, landmarks->crop_size));
    truth.emplace(*landmarks, *truth_file);
  }

  const std::size_t at_once = std::min(inputs.size(), runs_at_once(candidate.function()));
  for (std::size_t begin = 0; begin < inputs.size(); begin += at_once) {
    const auto some = std::span<const VerifyInput>(inputs).subspan(begin, std::min(at_once, inputs.size() - begin));
    TRY(const auto got, answer_all(candidate, some, candidate.function(), 2 * begin, 2 * inputs.size()));
    candidate.release();
    TRY(const auto want, answer_all(reference, some, candidate.function(), 2 * begin + some.size(), 2 * inputs.size()));
    for (std::size_t r = 0; r < some.size(); ++r) {
      for (std::size_t o = 0; o < pairs.size(); ++o)
        TRY_VOID(judges[o].add(some[r].label, got[r][pairs[o].first], want[r][pairs[o].second]));
      if (!points) continue;
      const auto [mine, theirs] = pairs[*points_at];
      const std::vector<double> distances = points->distances(got[r][mine], want[r][theirs]);
      std::vector<bool> undetermined;
      if (some[r].judged_in_pixels && !points->within(distances)) {
        TRY(undetermined, undetermined_points(reference, some[r], candidate.function(), want[r], theirs, *points));
      }
      if (truth && !some[r].truth.empty()) truth->add(got[r][mine], want[r][theirs], some[r].truth);
      points->add(some[r].label, some[r].judged_in_pixels, want[r][theirs], distances, undetermined);
      if (!some[r].judged_in_pixels || pictures.size() >= request.keep_pictures) continue;
      TRY(auto picture, landmark_picture(some[r], *landmarks, got[r][mine], want[r][theirs]));
      if (!picture) continue;
      picture->distances_px = distances;
      pictures.push_back(*std::move(picture));
    }
    reference.release();
  }
  result.inputs = inputs.size();
  for (OutputJudge& judge : judges) result.outputs.push_back(judge.finish(request.min_psnr_db));
  if (points) result.landmarks = points->finish();
  if (points) result.landmarks->pictures = std::move(pictures);
  if (truth) result.landmarks->truth = truth->finish(request.max_nme_change_percent);
  conclude(result, made);
  result.basis = fmt::format("{}; {} executed {}{}, {} {}, both on this CPU", describe(inputs, request),
                             result.candidate, words(candidate_model, request.session.precision),
                             result.accumulate.empty() ? "" : " with sums in " + result.accumulate, result.reference,
                             words(reference_model, request.reference_precision));
  if (!result.pass || request.layers || !request.save.empty())
    TRY_VOID(look_inside(candidate, reference, request, reference_options, inputs, pairs, result));
  return result;
}

}  // namespace

// Models of different default sizes are compared at one that both take: the candidate's, else the reference's. An input
// that is given has a size of its own; where no size does, the models say that they do not go together.
Result<VerifyResult> verify_models(const Model& candidate, const Model& reference, const VerifyRequest& request) {
  const auto mine = input_size(candidate), theirs = input_size(reference);
  const bool given = request.faces || !request.inputs.empty() || !request.pictures.empty();
  if (!mine || !theirs || mine == theirs || (given && !request.session.resize))
    return verify_at_size(candidate, reference, request);
  const auto resized = [&](const Model& one, const Model& other, std::pair<std::int64_t, std::int64_t> size) {
    auto result = verify_at_size(one, other, request);
    if (result)
      result->notes.push_back(
          fmt::format("compared at {}x{} (height x width), which both take", size.first, size.second));
    return result;
  };
  if (const auto other = at_size(reference, mine->first, mine->second)) return resized(candidate, *other, *mine);
  if (const auto one = at_size(candidate, theirs->first, theirs->second)) return resized(*one, reference, *theirs);
  return verify_at_size(candidate, reference, request);
}

}  // namespace anemone::toolchain

// Who belongs to whom, and how far apart they are.
#include "anemone/toolchain/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "anemone/toolchain/landmark_files.h"

namespace anemone::toolchain {
namespace {

using Faces = std::vector<LabelledFace>;

/// Without an ending: .pts files have the picture's name and another one.
std::string key_of(const std::string& image) { return std::filesystem::path(image).stem().string(); }

bool have_names(const Faces& faces) {
  return std::all_of(faces.begin(), faces.end(), [](const LabelledFace& face) { return !face.image.empty(); });
}

float distance(const LabelledFace& a, const LabelledFace& b) {
  float sum = 0;
  for (std::size_t i = 0; i < a.points.size(); ++i)
    sum += std::hypot(a.points[i].x - b.points[i].x, a.points[i].y - b.points[i].y);
  return sum;
}

/// The prediction of each face of the truth, or null: of those of its picture the nearest one.
Result<std::vector<const LabelledFace*>> matched(const Faces& predictions, const Faces& truth,
                                                 const ScoreRequest& request) {
  std::vector<const LabelledFace*> out;
  if (!have_names(predictions) || !have_names(truth)) {
    if (predictions.size() != truth.size())
      return bad_input(
          ErrorCode::landmarks_differ,
          fmt::format("{} faces are predicted, and the ground truth has {}", predictions.size(), truth.size()),
          request.predictions.string(), "files without names of pictures are compared face by face");
    for (const LabelledFace& face : predictions) out.push_back(&face);
    return out;
  }
  std::size_t found = 0;
  for (const LabelledFace& wanted : truth) {
    const LabelledFace* best = nullptr;
    for (const LabelledFace& face : predictions) {
      if (key_of(face.image) != key_of(wanted.image) || face.points.size() != wanted.points.size()) continue;
      if (!best || distance(face, wanted) < distance(*best, wanted)) best = &face;
    }
    out.push_back(best);
    found += best ? 1 : 0;
  }
  if (found == 0)
    return bad_input(ErrorCode::landmarks_differ, "no predicted face is of a picture of the ground truth",
                     request.predictions.string(), "pictures are matched by their names without folder and ending");
  return out;
}

Result<std::size_t> points_of(const Faces& faces, const std::filesystem::path& path) {
  if (faces.empty()) return bad_input(ErrorCode::landmarks_differ, "there is no face in the file", path.string());
  for (const LabelledFace& face : faces) {
    if (face.points.size() != faces.front().points.size())
      return bad_input(
          ErrorCode::landmarks_differ,
          fmt::format("a face has {} points and another one {}", faces.front().points.size(), face.points.size()),
          path.string());
  }
  return faces.front().points.size();
}

}  // namespace

Result<ScoreResult> score(const ScoreRequest& request) {
  TRY(const Faces predictions, read_landmarks(request.predictions));
  TRY(const Faces truth, read_landmarks(request.truth));
  TRY(const std::size_t points, points_of(truth, request.truth));
  TRY(const std::size_t predicted, points_of(predictions, request.predictions));
  if (points != predicted)
    return bad_input(ErrorCode::landmarks_differ,
                     fmt::format("{} points a face are predicted, and the ground truth has {}", predicted, points),
                     request.predictions.string(), "give the predictions of a network of that labelling scheme");
  const face::Scheme* scheme = request.scheme ? face::scheme_named(*request.scheme) : face::scheme_of(points);
  if (!scheme || scheme->points != points)
    return bad_usage(
        fmt::format("{} points are not labelled as {}", points, request.scheme.value_or("any known scheme")),
        "WFLW has 98, 300W 68, COFW 29 points");
  TRY(const auto pairs, matched(predictions, truth, request));

  ScoreResult result{
      request.predictions.string(), request.truth.string(), std::string(scheme->name), points, truth.size(), 0, {}, {}};
  for (const LabelledFace& face : truth) result.names.push_back(face.image);
  result.missed = static_cast<std::size_t>(std::count(pairs.begin(), pairs.end(), nullptr));
  for (const face::Normalisation& by : scheme->normalisations) {
    ScoredNormalisation scored{std::string(by.name), 0, {}, {}};
    std::vector<float> found;
    for (std::size_t i = 0; i < truth.size(); ++i) {
      // A face that was not found has failed, and has no error to average.
      scored.errors.push_back(pairs[i] ? face::normalised_error(pairs[i]->points, truth[i].points, by)
                                       : std::numeric_limits<float>::infinity());
      if (pairs[i]) found.push_back(scored.errors.back());
    }
    if (const auto bad = std::find_if(found.begin(), found.end(), [](float e) { return !std::isfinite(e); });
        bad != found.end())
      return bad_input(ErrorCode::landmarks_differ,
                       fmt::format("the distance '{}' of a face of the ground truth is zero", by.name),
                       request.truth.string());
    scored.mean = face::mean_error(found);
    const std::vector<double> own{scheme->threshold};
    for (const double threshold : request.thresholds.empty() ? own : request.thresholds)
      scored.curves.push_back(face::error_curve(scored.errors, threshold));
    result.normalisations.push_back(std::move(scored));
  }
  return result;
}

}  // namespace anemone::toolchain

// Who belongs to whom, and how far apart they are.
#include "anemone/toolchain/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

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

struct Pair {
  float distance = 0;
  std::size_t wanted = 0, face = 0;
};

/// Every pair of the same picture, the nearest first; of equals the earlier one in the files.
std::vector<Pair> pairs_by_distance(const Faces& predictions, const Faces& truth) {
  std::unordered_map<std::string, std::vector<std::size_t>> of_picture;
  for (std::size_t i = 0; i < predictions.size(); ++i) of_picture[key_of(predictions[i].image)].push_back(i);
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto here = of_picture.find(key_of(truth[i].image));
    if (here == of_picture.end()) continue;
    for (const std::size_t k : here->second) pairs.push_back({distance(predictions[k], truth[i]), i, k});
  }
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.distance < b.distance; });
  return pairs;
}

/// The prediction of each face of the truth, or null. No prediction is that of two faces: in each picture the nearest
/// pair of those that are left belongs together, until there is none.
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
  const std::vector<Pair> pairs = pairs_by_distance(predictions, truth);
  std::vector<bool> taken(predictions.size());
  out.resize(truth.size());
  for (const Pair& pair : pairs) {
    if (out[pair.wanted] || taken[pair.face]) continue;
    out[pair.wanted] = &predictions[pair.face];
    taken[pair.face] = true;
  }
  if (pairs.empty())
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
      if (pairs[i] && !std::isfinite(face::normalised_error(truth[i].points, truth[i].points, by)))
        return bad_input(ErrorCode::landmarks_differ,
                         fmt::format("the distance '{}' of a face of the ground truth is zero", by.name),
                         request.truth.string());
      // A face that was not found has failed, and has no error to average.
      scored.errors.push_back(pairs[i] ? face::normalised_error(pairs[i]->points, truth[i].points, by)
                                       : std::numeric_limits<float>::infinity());
      if (pairs[i]) found.push_back(scored.errors.back());
    }
    if (const auto bad = std::find_if(found.begin(), found.end(), [](float e) { return !std::isfinite(e); });
        bad != found.end())
      return bad_input(ErrorCode::landmarks_differ,
                       "a predicted face is further from its place than 32 bits can say, or the ground truth is",
                       request.predictions.string());
    scored.mean = face::mean_error(found);
    const std::vector<double> own{scheme->threshold};
    for (const double threshold : request.thresholds.empty() ? own : request.thresholds)
      scored.curves.push_back(face::error_curve(scored.errors, threshold));
    result.normalisations.push_back(std::move(scored));
  }
  return result;
}

}  // namespace anemone::toolchain

// Distances, and the verdict on them.
#include "anemone/toolchain/landmark_judge.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "anemone/face/crop.h"

namespace anemone::toolchain {

std::vector<face::Point> crop_points(const Array& numbers, const LandmarkInfo& info) {
  using Coordinates = models::Landmarks::Coordinates;
  const std::vector<float> pairs(numbers.data.begin(), numbers.data.end());
  const auto side = static_cast<float>(info.crop_size);
  if (info.coordinates == Coordinates::centred)
    return face::to_image(pairs, {1, 0, 0, 0, 1, 0, 0, 0, 1}, static_cast<int>(info.crop_size),
                          face::PointConvention::star);
  std::vector<face::Point> out;
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2) {
    out.push_back(info.coordinates == Coordinates::unit
                      ? face::Point{pairs[i] * side - 0.5f, pairs[i + 1] * side - 0.5f}
                      : face::Point{pairs[i], pairs[i + 1]});
  }
  return out;
}

LandmarkJudge::LandmarkJudge(LandmarkInfo landmarks, double max_mean_px, double max_px)
    : landmarks_(std::move(landmarks)), max_mean_px_(max_mean_px), max_px_(max_px) {
  result_.points = landmarks_.points;
}

std::vector<double> LandmarkJudge::distances(const Array& got, const Array& want) const {
  const double to_pixels = landmarks_.to_pixels(landmarks_.crop_size);
  std::vector<double> out(static_cast<std::size_t>(landmarks_.points));
  for (std::size_t p = 0; p < out.size(); ++p) {
    const double distance =
        to_pixels * std::hypot(got.data[2 * p] - want.data[2 * p], got.data[2 * p + 1] - want.data[2 * p + 1]);
    out[p] = std::isfinite(distance) ? distance : std::numeric_limits<double>::quiet_NaN();
  }
  return out;
}

bool LandmarkJudge::within(const std::vector<double>& distances) const {
  double sum = 0;
  for (const double d : distances) {
    if (!(d <= max_px_)) return false;
    sum += d;
  }
  return sum <= max_mean_px_ * static_cast<double>(distances.size());
}

std::vector<bool> LandmarkJudge::undetermined(const std::vector<std::vector<double>>& moved) const {
  std::vector<bool> out(static_cast<std::size_t>(landmarks_.points));
  for (const std::vector<double>& one : moved) {
    for (std::size_t p = 0; p < out.size(); ++p) out[p] = out[p] || !(one[p] <= max_px_ / 4);
  }
  return out;
}

void LandmarkJudge::add(const std::string& input, bool judged, const Array& want, const std::vector<double>& distances,
                        const std::vector<bool>& undetermined) {
  double sum = 0, largest = 0;
  std::int64_t compared = 0, unfinished = 0;
  std::size_t worst = 0;
  for (std::size_t p = 0; p < distances.size(); ++p) {
    if (!std::isfinite(distances[p])) {
      ++result_.left_out;
    } else if (!undetermined.empty() && undetermined[p]) {
      ++unfinished;
    } else {
      ++compared;
      sum += distances[p];
      if (distances[p] > largest) worst = p;
      largest = std::max(largest, distances[p]);
    }
  }
  if (!judged) {
    ++result_.inputs_not_judged;
    result_.other_max_px = std::max(result_.other_max_px, largest);
    return;
  }
  std::copy_if(distances.begin(), distances.end(), std::back_inserter(result_.distances_px),
               [](double d) { return std::isfinite(d); });
  result_.undetermined += unfinished;
  ++result_.inputs;
  // A handful of points out of many says nothing about the rest.
  if (2 * compared < static_cast<std::int64_t>(distances.size())) {
    ++result_.inputs_without_answer;
    return;
  }
  const double mean = sum / static_cast<double>(compared);
  if (result_.worst_input.empty() || largest > result_.max_px) {
    result_.worst_input = input;
    result_.worst_point = static_cast<std::int64_t>(worst);
  }
  result_.mean_px = std::max(result_.mean_px, mean);
  result_.max_px = std::max(result_.max_px, largest);
  if (const auto& eyes = landmarks_.eye_corners) {
    const double to_pixels = landmarks_.to_pixels(landmarks_.crop_size);
    const auto [a, b] = *eyes;
    const double between =
        to_pixels * std::hypot(want.data[2 * a] - want.data[2 * b], want.data[2 * a + 1] - want.data[2 * b + 1]);
    if (between > 0) result_.nme_percent = std::max(result_.nme_percent.value_or(0), 100 * mean / between);
  }
}

LandmarkComparison LandmarkJudge::finish() {
  // Where nothing was judged, nothing is wrong: `inputs` says so.
  result_.pass = result_.inputs == 0 || (result_.inputs_without_answer < result_.inputs &&
                                         result_.mean_px <= max_mean_px_ && result_.max_px <= max_px_);
  return std::move(result_);
}

}  // namespace anemone::toolchain

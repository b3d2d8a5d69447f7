// Prior boxes, decoding and non-maximum suppression.
#include "anemone/face/detections.h"

#include <algorithm>
#include <cmath>

namespace anemone::face {
namespace {

struct Level {
  int step;
  std::array<int, 2> sizes;
};
constexpr std::array<Level, 3> kLevels{{{8, {16, 32}}, {16, {64, 128}}, {32, {256, 512}}}};
constexpr float kCentreVariance = 0.1f, kSizeVariance = 0.2f;

int cells(int side, int step) { return (side + step - 1) / step; }

Detection decode(const DetectorOutputs& outputs, const float* prior, std::size_t row, float width, float height) {
  Detection out;
  out.prior = row;
  out.score = outputs.conf[2 * row + 1];
  const float* loc = outputs.loc.data() + 4 * row;
  const float cx = prior[0] + loc[0] * kCentreVariance * prior[2], cy = prior[1] + loc[1] * kCentreVariance * prior[3];
  const float w = prior[2] * std::exp(loc[2] * kSizeVariance), h = prior[3] * std::exp(loc[3] * kSizeVariance);
  const float x1 = cx - w / 2, y1 = cy - h / 2;
  out.box = {x1 * width, y1 * height, (w + x1) * width, (h + y1) * height};
  const float* points = outputs.landms.data() + 10 * row;
  for (std::size_t k = 0; k < 5; ++k) {
    out.points[k] = {(prior[0] + points[2 * k] * kCentreVariance * prior[2]) * width,
                     (prior[1] + points[2 * k + 1] * kCentreVariance * prior[3]) * height};
  }
  return out;
}

}  // namespace

std::size_t prior_count(int height, int width) {
  std::size_t count = 0;
  for (const Level& level : kLevels)
    count +=
        2 * static_cast<std::size_t>(cells(height, level.step)) * static_cast<std::size_t>(cells(width, level.step));
  return count;
}

std::vector<float> prior_boxes(int height, int width) {
  std::vector<float> out;
  out.reserve(4 * prior_count(height, width));
  const double w = width, h = height;
  for (const Level& level : kLevels) {
    for (int row = 0; row < cells(height, level.step); ++row) {
      for (int column = 0; column < cells(width, level.step); ++column) {
        for (const int size : level.sizes) {
          for (const double value : {(column + 0.5) * level.step / w, (row + 0.5) * level.step / h, size / w, size / h})
            out.push_back(static_cast<float>(value));
        }
      }
    }
  }
  return out;
}

float overlap(const Box& a, const Box& b) {
  const auto area = [](const Box& box) { return (box.x2 - box.x1 + 1) * (box.y2 - box.y1 + 1); };
  const float w = std::max(0.0f, std::min(a.x2, b.x2) - std::max(a.x1, b.x1) + 1);
  const float h = std::max(0.0f, std::min(a.y2, b.y2) - std::max(a.y1, b.y1) + 1);
  const float both = w * h;
  return both / (area(a) + area(b) - both);
}

std::vector<Detection> detections(const DetectorOutputs& outputs, std::span<const float> priors, int height, int width,
                                  const DetectionLimits& limits) {
  std::vector<Detection> candidates;
  for (std::size_t row = 0; row < priors.size() / 4; ++row) {
    if (outputs.conf[2 * row + 1] > limits.min_score)  // false for NaN
      candidates.push_back(
          decode(outputs, priors.data() + 4 * row, row, static_cast<float>(width), static_cast<float>(height)));
  }
  // Near one, fp16 has steps of 0.0005, so that many priors of a face share a score; what is left for the background is
  // near zero, where steps are small, and still tells the best of them.
  const auto background = [&](const Detection& each) { return outputs.conf[2 * each.prior]; };
  std::stable_sort(candidates.begin(), candidates.end(), [&](const Detection& a, const Detection& b) {
    return a.score != b.score ? a.score > b.score : background(a) < background(b);
  });
  std::vector<Detection> kept;
  for (const Detection& candidate : candidates) {
    if (limits.most != 0 && kept.size() == limits.most) break;
    const bool free = std::all_of(kept.begin(), kept.end(), [&](const Detection& better) {
      return overlap(better.box, candidate.box) <= limits.max_overlap;
    });
    if (free) kept.push_back(candidate);
  }
  return kept;
}

}  // namespace anemone::face

// Errors, curves, areas.
#include "anemone/face/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace anemone::face {
namespace {

constexpr double kStep = 0.0001;

/// Eight running sums, then the rest: NumPy's order for up to 128 numbers, halved above. The order decides the last bit.
template <class T>
T sum(std::span<const T> values) {
  constexpr std::size_t kLanes = 8, kBlock = 128;
  const std::size_t n = values.size();
  if (n < kLanes) {
    T total = 0;
    for (const T value : values) total += value;
    return total;
  }
  if (n > kBlock) {
    std::size_t half = n / 2;
    half -= half % kLanes;
    return sum(values.first(half)) + sum(values.subspan(half));
  }
  std::array<T, kLanes> lanes{};
  std::copy_n(values.begin(), kLanes, lanes.begin());
  std::size_t i = kLanes;
  for (; i < n - n % kLanes; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += values[i + lane];
  }
  T total = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  for (; i < n; ++i) total += values[i];
  return total;
}

float length(float x, float y) {
  const float xx = x * x, yy = y * y;
  return std::sqrt(xx + yy);
}

Point mean_of(std::span<const Point> points, const std::vector<std::size_t>& indices) {
  Point out;
  for (const std::size_t i : indices) {
    out.x += points[i].x;
    out.y += points[i].y;
  }
  const auto count = static_cast<float>(indices.size());
  return indices.size() == 1 ? points[indices[0]] : Point{out.x / count, out.y / count};
}

/// Composite Simpson over samples first … last, an even number of intervals.
double simpson(const std::vector<double>& y, const std::vector<double>& x, std::size_t first, std::size_t last) {
  double total = 0;
  for (std::size_t i = first; i < last; i += 2) {
    const double h0 = x[i + 1] - x[i], h1 = x[i + 2] - x[i + 1];
    const double both = h0 + h1, product = h0 * h1, ratio = h0 / h1;
    total += both / 6.0 * (y[i] * (2.0 - 1.0 / ratio) + y[i + 1] * (both * both / product) + y[i + 2] * (2.0 - ratio));
  }
  return total;
}

/// With an odd number of intervals: a trapezoid at the one end or at the other, averaged.
double area_under(const std::vector<double>& y, const std::vector<double>& x) {
  const std::size_t n = y.size();
  if (n % 2 == 1) return simpson(y, x, 0, n - 2);
  const double first = simpson(y, x, 0, n - 3) + 0.5 * (x[n - 1] - x[n - 2]) * (y[n - 2] + y[n - 1]);
  const double last = simpson(y, x, 1, n - 2) + 0.5 * (x[1] - x[0]) * (y[0] + y[1]);
  return (first + last) / 2.0;
}

double rounded(double value, double digits) { return std::nearbyint(value * digits) / digits; }

}  // namespace

float normalised_error(std::span<const Point> predicted, std::span<const Point> truth, const Normalisation& by) {
  const Point left = mean_of(truth, by.left), right = mean_of(truth, by.right);
  const float scale = length(left.x - right.x, left.y - right.y);
  std::vector<float> errors;
  for (std::size_t i = 0; i < truth.size(); ++i)
    errors.push_back(length(predicted[i].x - truth[i].x, predicted[i].y - truth[i].y) / scale);
  return sum<float>(errors) / static_cast<float>(errors.size());
}

ErrorCurve error_curve(std::span<const float> errors, double threshold) {
  ErrorCurve out;
  out.threshold = threshold;
  std::vector<double> sorted(errors.begin(), errors.end());
  std::sort(sorted.begin(), sorted.end());
  const auto steps = static_cast<std::size_t>(std::ceil((threshold + kStep) / kStep));
  for (std::size_t i = 0; i < steps; ++i) {
    out.errors.push_back(static_cast<double>(i) * kStep);
    const auto within = std::upper_bound(sorted.begin(), sorted.end(), out.errors.back()) - sorted.begin();
    out.shares.push_back(static_cast<double>(within) / static_cast<double>(sorted.size()));
  }
  out.failure_rate = rounded(1.0 - out.shares.back(), 1e4);
  out.area = rounded(area_under(out.shares, out.errors) / threshold, 1e6);
  return out;
}

double mean_error(std::span<const float> errors) {
  const std::vector<double> wide(errors.begin(), errors.end());
  return sum<double>(wide) / static_cast<double>(wide.size());
}

}  // namespace anemone::face

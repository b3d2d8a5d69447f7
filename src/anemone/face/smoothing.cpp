// The one-euro filter on points.
#include "anemone/face/smoothing.h"

#include <cmath>
#include <numbers>

namespace anemone::face {
namespace {

/// The share of the new value in a first-order low pass.
double share(double cutoff, double interval) {
  const double r = 2 * std::numbers::pi * cutoff * interval;
  return r / (r + 1);
}

float mixed(float before, double now, double part) {
  return static_cast<float>(before + part * (now - static_cast<double>(before)));
}

}  // namespace

const std::vector<Point>& Smoother::smooth(int id, double seconds, std::vector<Point>& points) {
  State& state = states_[id];
  const double interval = seconds - state.seconds;
  if (state.points.size() != points.size() || !(interval > 0)) {
    state = {seconds, points, std::vector<Point>(points.size())};
    return state.speeds;
  }
  const double of_speed = share(options_.speed_cutoff, interval);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto filter = [&](float& before, float& speed, float now) {
      speed = mixed(speed, (now - before) / interval, of_speed);
      before = mixed(before, now, share(options_.min_cutoff + options_.beta * std::abs(speed), interval));
    };
    filter(state.points[i].x, state.speeds[i].x, points[i].x);
    filter(state.points[i].y, state.speeds[i].y, points[i].y);
  }
  state.seconds = seconds;
  points = state.points;
  return state.speeds;
}

void Smoother::restore(int id, double seconds, const std::vector<Point>& points, const std::vector<Point>& speeds) {
  if (speeds.size() == points.size()) states_[id] = {seconds, points, speeds};
}

}  // namespace anemone::face

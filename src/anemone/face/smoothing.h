#pragma once
// The one-euro filter (Casiez, Roussel, Vogel 2012): a low pass whose cut-off rises with speed, so that a still face
// does not tremble and a moving one does not lag.
#include <map>
#include <vector>

#include "anemone/face/pixels.h"

namespace anemone::face {

struct OneEuroOptions {
  double min_cutoff = 1.0;    ///< Hz, at rest
  double beta = 0.05;         ///< Hz for each pixel a second
  double speed_cutoff = 1.0;  ///< Hz, of the speed itself
};

class Smoother {
 public:
  explicit Smoother(OneEuroOptions options = {}) : options_(options) {}
  /// `points` of the face `id` at that time become smooth; the first of a face are taken as they are. Their speeds in
  /// pixels a second: with the points all that the filter remembers. Valid until the next call.
  const std::vector<Point>& smooth(int id, double seconds, std::vector<Point>& points);
  /// Goes on from what smooth() gave at that time.
  void restore(int id, double seconds, const std::vector<Point>& points, const std::vector<Point>& speeds);
  void forget(int id) { states_.erase(id); }

 private:
  struct State {
    double seconds = 0;
    std::vector<Point> points, speeds;
  };
  OneEuroOptions options_;
  std::map<int, State> states_;
};

}  // namespace anemone::face

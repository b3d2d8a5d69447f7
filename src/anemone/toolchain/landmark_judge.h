#pragma once
// How far the points of two landmark networks are apart, and which of them mean something.
#include <string>
#include <vector>

#include "anemone/face/pixels.h"
#include "anemone/ir/op_def.h"
#include "anemone/toolchain/model.h"
#include "anemone/toolchain/verify_result.h"

namespace anemone::toolchain {

/// What a network says, in pixels of the crop: (0, 0) is the centre of the first one.
std::vector<face::Point> crop_points(const Array& numbers, const LandmarkInfo& info);

/// Over several inputs. A point that is not finite in one of the models is left out and counted. So is a point that the
/// reference does not determine: where a change of the picture that nobody sees moves it by a good part of the limit,
/// the network has no answer to compare with.
class LandmarkJudge {
 public:
  LandmarkJudge(LandmarkInfo landmarks, double max_mean_px, double max_px);

  /// One distance a point, in pixels of the crop; NaN where one side is not finite.
  std::vector<double> distances(const Array& got, const Array& want) const;
  /// Whether all points are finite and within both limits: then nobody needs to ask how well they are determined.
  bool within(const std::vector<double>& distances) const;
  /// Which points moved by more than a quarter of the largest distance allowed.
  std::vector<bool> undetermined(const std::vector<std::vector<double>>& moved) const;

  /// `undetermined` may be empty: all points count. `judged`: a picture of what the network was made for; else its
  /// distances are reported and decide nothing.
  void add(const std::string& input, bool judged, const Array& want, const std::vector<double>& distances,
           const std::vector<bool>& undetermined);
  LandmarkComparison finish();

 private:
  LandmarkInfo landmarks_;
  double max_mean_px_, max_px_;
  LandmarkComparison result_;
};

}  // namespace anemone::toolchain

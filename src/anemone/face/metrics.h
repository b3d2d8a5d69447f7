#pragma once
// How good landmarks are: the error of a face, and what is left over many faces. The rules are those of STAR's
// evaluation, its arithmetic included, so that the digits are the same.
#include <span>
#include <vector>

#include "anemone/face/pixels.h"
#include "anemone/face/schemes.h"

namespace anemone::face {

/// Mean distance of the points, divided by the truth's own distance; float32 throughout, summed as NumPy sums. Infinite
/// or NaN where that distance is zero.
float normalised_error(std::span<const Point> predicted, std::span<const Point> truth, const Normalisation& by);

struct ErrorCurve {
  std::vector<double> errors, shares;  ///< the share of faces with at most that error, at steps of 0.0001
  double threshold = 0;
  double failure_rate = 0;  ///< share of faces above the last step; four decimals
  double area = 0;          ///< under the curve, by Simpson's rule, divided by the threshold; six decimals
};

/// Steps end where NumPy's arange ends: for 0.05 that is 0.0501, and both figures are taken there.
ErrorCurve error_curve(std::span<const float> errors, double threshold);

/// As numpy.mean gives it for doubles.
double mean_error(std::span<const float> errors);

}  // namespace anemone::face

#pragma once
// How far two models are apart, as pictures. Markup.
#include <string>
#include <vector>

#include "anemone/toolchain/report.h"

namespace anemone::report {

/// How many points lie how far from the reference's, in pixels.
std::string distance_histogram(const std::vector<double>& distances_px);
/// The share of the points that lie within a distance.
std::string distance_curve(const std::vector<double>& distances_px);
/// The picture with the points of both models: circles before, dots after.
std::string landmark_overlay(const toolchain::LandmarkPicture& picture);

}  // namespace anemone::report

#pragma once
// What is drawn over an image: boxes, names, contour lines, points, heat.
#include <vector>

#include "anemone/face/landmarks.h"
#include "anemone/formats/image/video.h"

namespace anemone::face {

/// Sizes follow the face's own size, so that a small one stays visible.
std::vector<formats::Shape> overlay(const std::vector<Face>& faces);

/// Blends the heatmaps over the pixels where their crops came from: transparent where nothing lit up, red where most.
void blend(formats::Image& image, const std::vector<Heatmaps>& heatmaps);

}  // namespace anemone::face

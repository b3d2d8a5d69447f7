#pragma once
// What RetinaFace's numbers mean: prior boxes, decoding, and the choice among boxes that overlap. The formulas are those
// of the network's training code (biubug6/Pytorch_Retinaface); arithmetic is float32 as there.
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "anemone/face/pixels.h"

namespace anemone::face {

struct Detection {
  Box box;
  float score = 0;
  std::array<Point, 5> points{};  ///< eye, eye, nose, mouth corner, mouth corner; the image's left side first
  std::size_t prior = 0;          ///< row of the network's outputs
};

/// Two prior boxes a cell on the strides 8, 16 and 32: rows of centre x, centre y, width, height, in parts of the image.
std::vector<float> prior_boxes(int height, int width);
std::size_t prior_count(int height, int width);

/// The network's three outputs for one image: loc [N,4], conf [N,2] (probabilities), landms [N,10].
struct DetectorOutputs {
  std::span<const float> loc, conf, landms;
};

struct DetectionLimits {
  float min_score = 0.02f;   ///< candidates score more than this
  float max_overlap = 0.4f;  ///< of a weaker box with a stronger one (intersection over union) before it is dropped
  std::size_t most = 0;      ///< the best so many; 0: all
};

/// In pixels of the network's input of that size, best first. Boxes are not cut at the image's border.
std::vector<Detection> detections(const DetectorOutputs& outputs, std::span<const float> priors, int height, int width,
                                  const DetectionLimits& limits);

/// Intersection over union of two boxes, with sides counted as last - first + 1.
float overlap(const Box& a, const Box& b);

}  // namespace anemone::face

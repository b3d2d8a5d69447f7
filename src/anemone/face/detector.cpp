// An image through the detector's network and back to its own pixels.
#include "anemone/face/detector.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/formats/image/image.h"

namespace anemone::face {
namespace {

constexpr std::array<float, 3> kMean{104, 117, 123};  // blue, green, red of the training pictures
constexpr int kLargestSide = 16384;
constexpr double kSurroundings = 1.5;         // what near() looks at beyond the box, in its sides each way
constexpr int kGrid = 32, kWindowSteps = 64;  // of windows: where they begin, and their sizes, so that few engines do
constexpr int kLargestWindow = 640;           // larger surroundings are made smaller
constexpr float kSameFace = 0.3f;             // overlap of a face's boxes

formats::Image copy_bgr(const PixelView& view) {
  formats::Image out{view.width, view.height, 3, {}};
  out.bgr.reserve(static_cast<std::size_t>(view.width) * static_cast<std::size_t>(view.height) * 3);
  const int step = bytes_per_pixel(view.format);
  const bool gray = view.format == PixelFormat::gray,
             rgb = view.format == PixelFormat::rgb || view.format == PixelFormat::rgba;
  for (int y = 0; y < view.height; ++y) {
    const std::uint8_t* p = view.row(y);
    for (int x = 0; x < view.width; ++x, p += step) {
      for (const int channel : {0, 1, 2}) out.bgr.push_back(p[gray ? 0 : rgb ? 2 - channel : channel]);
    }
  }
  return out;
}

PixelView view_of(const formats::Image& image) {
  return {image.bgr.data(), image.width, image.height, 3 * std::ptrdiff_t{image.width}, PixelFormat::bgr};
}

}  // namespace

Detector::Detector(std::unique_ptr<DetectorNetwork> network, DetectorOptions options)
    : network_(std::move(network)), options_(options) {}
Detector::Detector(Detector&&) noexcept = default;
Detector::~Detector() = default;

Result<std::vector<Detection>> Detector::detect(const PixelView& image) { return detect_whole(image, options_.limits); }

Result<std::vector<Detection>> Detector::detect_whole(const PixelView& image, const DetectionLimits& limits) {
  auto size = options_.size;
  if (const auto fixed = network_->fixed_size()) size = fixed;
  if (!size && std::max(image.width, image.height) > kLargestSide)
    size = {std::min(image.height, kLargestSide), std::min(image.width, kLargestSide)};
  return detect_at(image, size.value_or(std::pair(image.height, image.width)), size.has_value(), limits);
}

Result<std::vector<Detection>> Detector::detect_at(const PixelView& image, std::pair<int, int> size, bool fitted,
                                                   const DetectionLimits& limits) {
  if (image.width < 1 || image.height < 1) return std::vector<Detection>();
  const auto [height, width] = size;
  const double ratio =
      fitted ? std::min(width / static_cast<double>(image.width), height / static_cast<double>(image.height)) : 1;
  const int inner_width = std::max(1, static_cast<int>(std::nearbyint(image.width * ratio))),
            inner_height = std::max(1, static_cast<int>(std::nearbyint(image.height * ratio)));
  formats::Image resized;
  PixelView input = image;
  if (inner_width != image.width || inner_height != image.height) {
    TRY(resized, formats::resize_image(copy_bgr(image), inner_width, inner_height));
    input = view_of(resized);
  }
  TRY(Prepared* const network, network_->at(height, width));
  planes_.resize(3 * static_cast<std::size_t>(network->height) * static_cast<std::size_t>(network->width));
  fill_planes(input, network->form, network->height, network->width, kMean, planes_);
  TRY_VOID(network->run(planes_));
  if (priors_of_ != std::pair(network->height, network->width)) {
    priors_ = prior_boxes(network->height, network->width);
    priors_of_ = {network->height, network->width};
  }
  auto found = detections({network->output(0), network->output(1), network->output(2)}, priors_, network->height,
                          network->width, limits);
  const auto back = static_cast<float>(ratio);
  if (fitted) {
    for (Detection& one : found) {
      one.box = {one.box.x1 / back, one.box.y1 / back, one.box.x2 / back, one.box.y2 / back};
      for (Point& point : one.points) point = {point.x / back, point.y / back};
    }
  }
  return found;
}

Result<std::optional<Detection>> Detector::near(const PixelView& image, const Box& box) {
  const double margin = kSurroundings * std::max(box.width(), box.height());
  const auto begin = [&](float first, int limit) {
    return static_cast<int>(std::clamp(std::floor((first - margin) / kGrid) * kGrid, 0.0, 1.0 * limit));
  };
  const auto end = [&](float last, int limit) { return static_cast<int>(std::clamp(last + margin, 0.0, 1.0 * limit)); };
  const int x = begin(box.x1, image.width), y = begin(box.y1, image.height);
  PixelView part = image;
  part.width = end(box.x2, image.width) - x;
  part.height = end(box.y2, image.height) - y;
  if (part.width < 2 || part.height < 2) return std::optional<Detection>();
  part.data = image.row(y) + x * bytes_per_pixel(image.format);
  // Half of the frame costs nearly as much as all of it, and of all of it the answer is the detector's own.
  const bool whole = 2.0 * part.width * part.height > 1.0 * image.width * image.height;
  const auto steps = [](int side) { return (side + kWindowSteps - 1) / kWindowSteps * kWindowSteps; };
  std::pair<int, int> size(steps(part.height), steps(part.width));
  bool fitted = std::max(size.first, size.second) > kLargestWindow;
  if (fitted) size = {kLargestWindow, kLargestWindow};
  if (const auto fixed = network_->fixed_size()) {
    size = *fixed;
    fitted = true;
  }
  DetectionLimits limits = options_.limits;
  limits.most = 0;  // a stronger neighbour is no reason to lose this one
  TRY(const auto found, whole ? detect_whole(image, limits) : detect_at(part, size, fitted, limits));
  std::optional<Detection> best;
  float most = kSameFace;
  const float dx = whole ? 0 : static_cast<float>(x), dy = whole ? 0 : static_cast<float>(y);
  for (Detection one : found) {
    one.box = {one.box.x1 + dx, one.box.y1 + dy, one.box.x2 + dx, one.box.y2 + dy};
    for (Point& point : one.points) point = {point.x + dx, point.y + dy};
    if (overlap(one.box, box) < most) continue;
    most = overlap(one.box, box);
    best = one;
  }
  return best;
}

}  // namespace anemone::face

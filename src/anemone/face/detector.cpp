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
constexpr int kReach = 256;  // a cell of the coarsest map sees 507 pixels: beyond half of that nothing changes it
constexpr int kGrid = 64, kWindowSteps = 128;  // where windows begin, and their sizes, so that few engines do
constexpr float kSameFace = 0.3f;              // overlap of a face's boxes in two frames
constexpr float kFar = 1e6f;                   // beyond it no box is one

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

struct Span {
  int begin = 0, size = 0;
};
struct Window {
  Span x, y;
};

/// What decides about the pixels `first` … `last`. It ends where the image ends, or so far away that the network's own
/// border does not show.
Span reach(float first, float last, int limit) {
  const auto grid = [](double at) { return static_cast<int>(std::floor(at / kGrid)) * kGrid; };
  const int begin = std::clamp(grid(first - kReach), 0, grid(limit - 1));
  const int wanted = std::max(1, static_cast<int>(std::ceil(last)) + kReach - begin);
  const int size = (wanted + kWindowSteps - 1) / kWindowSteps * kWindowSteps;
  return {begin, std::min(size, limit - begin)};
}

Detection shifted(Detection one, float dx, float dy) {
  one.box = {one.box.x1 + dx, one.box.y1 + dy, one.box.x2 + dx, one.box.y2 + dy};
  for (Point& point : one.points) point = {point.x + dx, point.y + dy};
  return one;
}

}  // namespace

Detector::Detector(std::unique_ptr<DetectorNetwork> network, DetectorOptions options)
    : network_(std::move(network)), options_(options) {}
Detector::Detector(Detector&&) noexcept = default;
Detector::~Detector() = default;

std::optional<std::pair<int, int>> Detector::fixed_size() const { return network_->fixed_size(); }

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

Result<std::optional<std::vector<Detection>>> Detector::follow(const PixelView& image, std::span<const Box> boxes) {
  const std::optional<std::vector<Detection>> search_all;
  if (options_.size || network_->fixed_size() || std::max(image.width, image.height) > kLargestSide) return search_all;
  std::vector<Window> windows;
  double pixels = 0;
  for (const Box& box : boxes) {
    if (!(std::abs(box.x1) < kFar && std::abs(box.y1) < kFar && std::abs(box.x2) < kFar && std::abs(box.y2) < kFar))
      return search_all;
    windows.push_back({reach(box.x1, box.x2, image.width), reach(box.y1, box.y2, image.height)});
    pixels += 1.0 * windows.back().x.size * windows.back().y.size;
  }
  if (2 * pixels > 1.0 * image.width * image.height) return search_all;
  DetectionLimits limits = options_.limits;
  limits.most = 0;  // a stronger neighbour is no reason to lose this one
  std::vector<Detection> out;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const auto& [x, y] = windows[i];
    PixelView part = image;
    part.data = image.row(y.begin) + x.begin * bytes_per_pixel(image.format);
    part.width = x.size;
    part.height = y.size;
    TRY(const auto found, detect_at(part, {y.size, x.size}, false, limits));
    std::optional<Detection> best;
    float most = kSameFace;
    for (Detection one : found) {
      one = shifted(one, static_cast<float>(x.begin), static_cast<float>(y.begin));
      if (const float common = overlap(one.box, boxes[i]); common >= most) {
        most = common;
        best = one;
      }
    }
    const auto is_same = [&](const Detection& other) { return overlap(other.box, best->box) > limits.max_overlap; };
    if (!best || std::any_of(out.begin(), out.end(), is_same)) return search_all;  // lost, or two became one
    out.push_back(*best);
  }
  return std::optional(std::move(out));
}

}  // namespace anemone::face

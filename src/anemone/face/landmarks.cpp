// Crops through the landmark network.
#include "anemone/face/landmarks.h"

#include <algorithm>
#include <cmath>

namespace anemone::face {

Landmarker::Landmarker(std::unique_ptr<Prepared> network, int points, PointConvention convention, bool with_heatmaps)
    : network_(std::move(network)), points_(points), convention_(convention), with_heatmaps_(with_heatmaps) {
  const std::size_t pixels = static_cast<std::size_t>(network_->width) * static_cast<std::size_t>(network_->height);
  crop_.resize(3 * pixels);
  planes_.resize(3 * pixels);
}
Landmarker::Landmarker(Landmarker&&) noexcept = default;
Landmarker::~Landmarker() = default;

Heatmaps Landmarker::strongest(const Matrix& matrix) const {
  const std::span<const float> maps = network_->output(1);
  const std::size_t cells = maps.size() / static_cast<std::size_t>(points_);
  Heatmaps out{matrix, network_->width, 0, 0, std::vector<float>(cells)};
  out.height = out.width = static_cast<int>(std::lround(std::sqrt(static_cast<double>(cells))));
  for (std::size_t point = 0; point < static_cast<std::size_t>(points_); ++point) {
    const std::span<const float> map = maps.subspan(point * cells, cells);
    const float top = *std::max_element(map.begin(), map.end());
    if (!(top > 0)) continue;
    for (std::size_t i = 0; i < cells; ++i) out.strongest[i] = std::max(out.strongest[i], map[i] / top);
  }
  return out;
}

Result<void> Landmarker::find(const PixelView& image, std::span<Face> faces, std::vector<Heatmaps>* heatmaps) {
  const int size = network_->width;
  for (Face& face : faces) {
    face.landmarks.clear();
    const auto matrix = crop_matrix(face.box, size);
    if (!matrix) continue;
    warp(image, *matrix, size, crop_.data());
    fill_planes({crop_.data(), size, size, 3 * std::ptrdiff_t{size}, PixelFormat::bgr}, network_->form, size, size, {},
                planes_);
    TRY_VOID(network_->run(planes_));
    const std::span<const float> numbers = network_->output(0);
    if (heatmaps && with_heatmaps_) heatmaps->push_back(strongest(*matrix));
    if (std::all_of(numbers.begin(), numbers.end(), [](float x) { return std::isfinite(x); }))
      face.landmarks = to_image(numbers, *matrix, size, convention_);
  }
  return {};
}

}  // namespace anemone::face

// Faces as shapes.
#include "anemone/face/overlay.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/face/schemes.h"

namespace anemone::face {
namespace {

using formats::Shape;

struct Color {
  std::uint8_t blue, green, red;
};
/// One a face, by its id: a colour-blind safe set (Okabe and Ito 2008).
constexpr Color kColors[] = {{0, 159, 230}, {233, 180, 86}, {115, 158, 0},  {66, 228, 240},
                             {178, 114, 0}, {0, 94, 213},   {167, 121, 204}};
constexpr Color kPoint{255, 255, 255};

Shape shape_of(Shape::Kind kind, std::vector<float> points, float size, Color color) {
  return {kind, std::move(points), size, color.blue, color.green, color.red, {}};
}

void add_face(const Face& face, std::vector<Shape>& shapes) {
  const Color color = kColors[static_cast<std::size_t>(std::max(face.id, 0)) % std::size(kColors)];
  const float side = std::max(1.0f, std::min(face.box.width(), face.box.height()));
  const float line = std::clamp(side / 120, 1.0f, 4.0f), dot = std::clamp(side / 130, 0.8f, 4.0f);
  const Box& b = face.box;
  shapes.push_back(shape_of(Shape::Kind::closed_line, {b.x1, b.y1, b.x2, b.y1, b.x2, b.y2, b.x1, b.y2}, line, color));
  Shape words = shape_of(Shape::Kind::text, {b.x1, b.y1 - 2 * line}, std::clamp(side / 9, 8.0f, 24.0f), color);
  words.words = fmt::format("{} {:.2f}", face.id, face.score);
  shapes.push_back(std::move(words));
  if (const Scheme* scheme = scheme_of(face.landmarks.size())) {
    for (const Contour& contour : scheme->contours) {
      std::vector<float> points;
      for (const std::size_t i : contour.points)
        points.insert(points.end(), {face.landmarks[i].x, face.landmarks[i].y});
      shapes.push_back(
          shape_of(contour.closed ? Shape::Kind::closed_line : Shape::Kind::line, std::move(points), line, color));
    }
  }
  for (const Point& point : face.landmarks)
    shapes.push_back(shape_of(Shape::Kind::circle, {point.x, point.y}, dot, kPoint));
}

/// Bilinear, 0 outside of the map.
float sample(const Heatmaps& map, float x, float y) {
  if (!(x >= 0 && y >= 0 && x <= static_cast<float>(map.width - 1) && y <= static_cast<float>(map.height - 1)))
    return 0;
  const int left = std::min(static_cast<int>(x), map.width - 2), top = std::min(static_cast<int>(y), map.height - 2);
  const float u = x - static_cast<float>(left), v = y - static_cast<float>(top);
  const auto at = [&](int row, int column) {
    return map.strongest[static_cast<std::size_t>(row) * static_cast<std::size_t>(map.width) +
                         static_cast<std::size_t>(column)];
  };
  return (1 - v) * ((1 - u) * at(top, left) + u * at(top, left + 1)) +
         v * ((1 - u) * at(top + 1, left) + u * at(top + 1, left + 1));
}

}  // namespace

std::vector<formats::Shape> overlay(const std::vector<Face>& faces) {
  std::vector<Shape> shapes;
  for (const Face& face : faces) add_face(face, shapes);
  return shapes;
}

void blend(formats::Image& image, const std::vector<Heatmaps>& heatmaps) {
  for (const Heatmaps& map : heatmaps) {
    if (map.width < 2 || map.height < 2) continue;
    const float k = map.matrix[0], side = static_cast<float>(map.crop_size) / k;
    const float left = -map.matrix[2] / k, top = -map.matrix[5] / k;  // of the crop, in the image
    const auto cut = [](float x, int limit) {
      return static_cast<int>(std::clamp(x, 0.0f, static_cast<float>(limit)));
    };
    const float cells = static_cast<float>(map.width) / static_cast<float>(map.crop_size);
    for (int y = cut(top, image.height); y < cut(top + side, image.height); ++y) {
      for (int x = cut(left, image.width); x < cut(left + side, image.width); ++x) {
        const float crop_x = k * static_cast<float>(x) + map.matrix[2],
                    crop_y = k * static_cast<float>(y) + map.matrix[5];
        const float heat = sample(map, (crop_x + 0.5f) * cells - 0.5f, (crop_y + 0.5f) * cells - 0.5f);
        const float part = 0.8f * heat;
        const float color[3] = {0, 255 * (1 - heat), 255};  // yellow to red
        std::uint8_t* pixel =
            image.bgr.data() +
            3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(x));
        for (int c = 0; c < 3; ++c)
          pixel[c] =
              static_cast<std::uint8_t>(std::lround((1 - part) * static_cast<float>(pixel[c]) + part * color[c]));
      }
    }
  }
}

}  // namespace anemone::face

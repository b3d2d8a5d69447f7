// Planes as networks take them.
#include "anemone/face/network.h"

#include <gtest/gtest.h>

#include <vector>

namespace anemone::face {
namespace {

TEST(FillPlanesTest, OrdersScalesAndFills) {
  const std::uint8_t bgr[] = {10, 20, 30, 40, 50, 60, 99, 99};  // one row of two pixels, two bytes of padding
  const PixelView view{bgr, 2, 1, 8, PixelFormat::bgr};
  std::vector<float> planes(3 * 2 * 3);
  fill_planes(view, {false, 2, {-1, -2, -3}}, 2, 3, {5, 6, 7}, planes);
  EXPECT_EQ(planes, (std::vector<float>{19, 79, 9, 9, 9, 9, 38, 98, 10, 10, 10, 10, 57, 117, 11, 11, 11, 11}));
  fill_planes(view, {true, 1, {}}, 2, 3, {5, 6, 7}, planes);
  EXPECT_EQ(planes, (std::vector<float>{30, 60, 7, 7, 7, 7, 20, 50, 6, 6, 6, 6, 10, 40, 5, 5, 5, 5}));
  const PixelView rgb{bgr, 2, 1, 8, PixelFormat::rgb};
  fill_planes(rgb, {false, 1, {}}, 1, 2, {}, std::span(planes).first(6));
  EXPECT_EQ(planes[0], 30) << "blue of an RGB pixel stands last";
}

}  // namespace
}  // namespace anemone::face

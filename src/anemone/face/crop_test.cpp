// Crops are those of OpenCV 4 to the last bit, and points come back to where they were.
#include "anemone/face/crop.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "anemone/formats/image/image.h"
#include "anemone/formats/wire/sha256.h"
#include "tests/support/data.h"

namespace anemone::face {
namespace {

constexpr int kSize = 256;

Matrix matrix_from(const nlohmann::json& hex) {
  Matrix out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::strtof(hex.at(i).get<std::string>().c_str(), nullptr);
  return out;
}

PixelView view_of(const formats::Image& image) {
  return {image.bgr.data(), image.width, image.height, 3 * std::ptrdiff_t{image.width}, PixelFormat::bgr};
}

std::string hash_of(const PixelView& view, const Matrix& matrix) {
  std::vector<std::uint8_t> crop(3 * kSize * kSize);
  warp(view, matrix, kSize, crop.data());
  return formats::sha256_hex(std::as_bytes(std::span(crop)));
}

TEST(CropTest, PixelsAreOpenCvs) {
  const auto image = formats::decode_image(test::test_data() / "face/astronaut.png");
  if (!image && image.error().front().code == ErrorCode::no_media_module)
    GTEST_SKIP() << "SKIPPED: the media module is not built";
  ASSERT_TRUE(image) << render(image.error());
  std::ifstream file(test::test_data() / "face/warp_cases.json");
  for (const auto& one : nlohmann::json::parse(file))
    EXPECT_EQ(hash_of(view_of(*image), matrix_from(one.at("matrix_hex"))), one.at("bgr_sha256")) << one.at("name");
}

TEST(CropTest, TheSharedCasesToo) {
  const std::filesystem::path folder = test::shared_data() / "golden";
  std::ifstream file(folder / "star/warp_cases/cases.json");
  if (!file) GTEST_SKIP() << "SKIPPED: no " << folder.string() << " (crops of other people's pictures)";
  for (const auto& one : nlohmann::json::parse(file)) {
    const auto image = formats::decode_image(folder / one.at("image").get<std::string>());
    ASSERT_TRUE(image) << render(image.error());
    EXPECT_EQ(hash_of(view_of(*image), matrix_from(one.at("matrix_hex"))), one.at("bgr_sha256")) << one.at("name");
  }
}

TEST(CropTest, AFormatChangesNothing) {
  constexpr int kSide = 16;
  std::vector<std::uint8_t> bgr, rgba, gray;
  for (int i = 0; i < kSide * kSide; ++i) {
    const std::uint8_t b = static_cast<std::uint8_t>(i), g = static_cast<std::uint8_t>(7 * i),
                       r = static_cast<std::uint8_t>(255 - i);
    bgr.insert(bgr.end(), {b, g, r});
    rgba.insert(rgba.end(), {r, g, b, 9});
    gray.push_back(b);
  }
  const Matrix matrix = *crop_matrix({2, 3, 13, 14}, kSize);
  EXPECT_EQ(hash_of({bgr.data(), kSide, kSide, 3 * kSide, PixelFormat::bgr}, matrix),
            hash_of({rgba.data(), kSide, kSide, 4 * kSide, PixelFormat::rgba}, matrix));
  std::vector<std::uint8_t> crop(3 * kSize * kSize);
  warp({gray.data(), kSide, kSide, kSide, PixelFormat::gray}, matrix, kSize, crop.data());
  for (std::size_t i = 0; i < crop.size(); i += 3) ASSERT_TRUE(crop[i] == crop[i + 1] && crop[i] == crop[i + 2]);
}

TEST(CropTest, MatrixIsStars) {
  const auto matrix = crop_matrix({177.48f, 56.38f, 270.13f, 176.38f}, kSize);  // the astronaut's box
  ASSERT_TRUE(matrix);
  EXPECT_EQ((*matrix)[0], std::strtof("0x1.4f90d80000000p+1", nullptr));
  EXPECT_EQ((*matrix)[2], std::strtof("-0x1.ca6dea0000000p+8", nullptr));
  EXPECT_EQ((*matrix)[5], std::strtof("-0x1.6136880000000p+7", nullptr));
  for (const Box& none : {Box{5, 5, 5.9f, 20}, Box{20, 5, 10, 20}, Box{0, 0, NAN, 5}, Box{-1e30f, 0, 1e30f, 5}})
    EXPECT_FALSE(crop_matrix(none, kSize));
}

TEST(CropTest, PointsComeBack) {
  const Matrix matrix = *crop_matrix({100, 100, 200, 220}, kSize);
  const std::vector<float> centre{0, 0};
  const Point star = to_image(centre, matrix, kSize, PointConvention::star)[0];
  EXPECT_NEAR(star.x, 150, 1e-4);
  EXPECT_NEAR(star.y, 160, 1e-4);
  const std::vector<float> corner{1, -1};
  const Point a = to_image(corner, matrix, kSize, PointConvention::star)[0];
  const Point b = to_image(corner, matrix, kSize, PointConvention::pyfaceau)[0];
  EXPECT_NEAR((a.x - b.x) * matrix[0], 0.5, 1e-3) << "half a crop pixel at the edge";
  EXPECT_NEAR((a.y - b.y) * matrix[0], -0.5, 1e-3);
}

}  // namespace
}  // namespace anemone::face

// Prior boxes against PyTorch's, decoding by hand, and the choice among boxes that overlap.
#include "anemone/face/detections.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "anemone/formats/wire/npy.h"
#include "tests/support/data.h"

namespace anemone::face {
namespace {

std::vector<float> floats_of(const std::filesystem::path& path) {
  const auto array = formats::read_npy(path);
  if (!array) return {};
  std::vector<float> out(array->bytes.size() / sizeof(float));
  std::memcpy(out.data(), array->bytes.data(), out.size() * sizeof(float));
  return out;
}

TEST(DetectionsTest, PriorBoxesAreTheReferences) {
  EXPECT_EQ(prior_boxes(224, 224), floats_of(test::test_data() / "retinaface/priors_224x224.npy"));
  const auto shared = test::shared_data() / "golden/retinaface";
  if (!std::filesystem::exists(shared)) GTEST_SKIP() << "SKIPPED: no " << shared.string() << " (three more sizes)";
  EXPECT_EQ(prior_boxes(640, 640), floats_of(shared / "priors_640x640.npy"));
  EXPECT_EQ(prior_boxes(624, 1024), floats_of(shared / "priors_h624_w1024.npy"));
  EXPECT_EQ(prior_boxes(361, 643), floats_of(shared / "priors_h361_w643.npy"));
}

TEST(DetectionsTest, CountsRoundUp) {
  EXPECT_EQ(prior_count(640, 640), 16800u);
  EXPECT_EQ(prior_count(1, 1), 6u);
  EXPECT_EQ(prior_boxes(1, 1).size(), 24u);
}

/// Outputs for 8x8: priors 0 and 1 of stride 8, then two each of the other strides.
struct Numbers {
  std::vector<float> loc = std::vector<float>(24), conf = std::vector<float>(12), landms = std::vector<float>(60);
  std::vector<Detection> found(const DetectionLimits& limits = {}) const {
    return detections({loc, conf, landms}, prior_boxes(8, 8), 8, 8, limits);
  }
};

TEST(DetectionsTest, DecodesOffsets) {
  Numbers numbers;
  numbers.conf[1] = 0.9f;
  numbers.loc = {1, -1, 0.5f, 0};
  numbers.loc.resize(24);
  numbers.landms[0] = 2;
  const auto found = numbers.found();
  ASSERT_EQ(found.size(), 1u);
  // The first prior: centre (4, 4), side 16; in pixels of the input.
  const double cx = 4 + 1 * 0.1 * 16, cy = 4 - 1 * 0.1 * 16, w = 16 * std::exp(0.5 * 0.2);
  EXPECT_NEAR(found[0].box.x1, cx - w / 2, 1e-5);
  EXPECT_NEAR(found[0].box.x2, cx + w / 2, 1e-5);
  EXPECT_NEAR(found[0].box.y1, cy - 8, 1e-5);
  EXPECT_NEAR(found[0].points[0].x, 4 + 2 * 0.1 * 16, 1e-5);
  EXPECT_NEAR(found[0].points[1].x, 4, 1e-5);
  EXPECT_EQ(found[0].prior, 0u);
}

TEST(DetectionsTest, KeepsTheBestOfThoseThatOverlap) {
  Numbers numbers;
  numbers.conf[1] = 0.6f;   // side 16
  numbers.conf[3] = 0.7f;   // side 32 around the same centre: a quarter in common
  numbers.conf[5] = 0.65f;  // side 64
  numbers.conf[7] = 0.02f;  // not above the least score
  numbers.conf[9] = NAN;
  EXPECT_EQ(numbers.found().size(), 3u);
  EXPECT_EQ(numbers.found()[0].score, 0.7f);
  EXPECT_EQ(numbers.found({.max_overlap = 0.2f}).size(), 1u);
  EXPECT_EQ(numbers.found({.most = 2}).size(), 2u);
  EXPECT_EQ(numbers.found({.min_score = 0.65f}).size(), 1u);
}

// fp16 has 1 and 0.9995 there, and thirty priors of a face share one of them.
TEST(DetectionsTest, EqualScoresAreToldApartByTheBackground) {
  Numbers numbers;
  numbers.conf[0] = 2e-4f, numbers.conf[1] = 1;
  numbers.conf[2] = 3e-6f, numbers.conf[3] = 1;
  const auto found = numbers.found({.max_overlap = 0});
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].prior, 1u);
}

TEST(DetectionsTest, OverlapCountsWholePixels) {
  EXPECT_FLOAT_EQ(overlap({0, 0, 9, 9}, {0, 0, 9, 9}), 1);
  EXPECT_FLOAT_EQ(overlap({0, 0, 9, 9}, {10, 0, 19, 9}), 0);
  EXPECT_FLOAT_EQ(overlap({0, 0, 9, 9}, {9, 0, 18, 9}), 10.0f / 190);
}

}  // namespace
}  // namespace anemone::face

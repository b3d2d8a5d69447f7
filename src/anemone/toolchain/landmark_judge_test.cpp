// Which points count, and how far apart is too far.
#include "anemone/toolchain/landmark_judge.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "anemone/toolchain/face_pictures.h"

namespace anemone::toolchain {
namespace {

Array points(const std::vector<double>& x) {
  Array array{DType::fp32, {1, static_cast<std::int64_t>(x.size()), 2}, {}};
  for (const double v : x) array.data.insert(array.data.end(), {v, 0});
  return array;
}

LandmarkJudge judge_of(std::int64_t count) {
  LandmarkInfo info;
  info.points = count;
  info.coordinates = models::Landmarks::Coordinates::pixels;
  return {info, 0.15, 1.0};
}

const Array kWant = points({0, 10, 20, 30});

LandmarkComparison judged(const std::vector<double>& got, const std::vector<bool>& undetermined, bool face = true) {
  LandmarkJudge judge = judge_of(4);
  judge.add("a face", face, kWant, judge.distances(points(got), kWant), undetermined);
  return judge.finish();
}

TEST(LandmarkJudge, MeasuresPixels) {
  const LandmarkComparison c = judged({0, 10.1, 20, 30.3}, {});
  EXPECT_NEAR(c.max_px, 0.3, 1e-9);
  EXPECT_NEAR(c.mean_px, 0.1, 1e-9);
  EXPECT_EQ(c.worst_point, 3);
  EXPECT_TRUE(c.pass);
  EXPECT_FALSE(judged({0, 10, 20, 31.5}, {}).pass);
  EXPECT_FALSE(judged({0.2, 10.2, 20.2, 30.2}, {}).pass);
}

TEST(LandmarkJudge, LeavesOutWhatTheReferenceDoesNotDetermine) {
  const LandmarkComparison c = judged({0, 10, 20, 50}, {false, false, false, true});
  EXPECT_TRUE(c.pass);
  EXPECT_EQ(c.undetermined, 1);
  EXPECT_EQ(c.max_px, 0);
  // Not where that is most of them: a candidate that is wrong must not find shelter there.
  const LandmarkComparison most = judged({0, 50, 50, 50}, {false, true, true, true});
  EXPECT_FALSE(most.pass);
  EXPECT_EQ(most.inputs_without_answer, 1);
}

TEST(LandmarkJudge, APointIsUndeterminedWhenHalfAGreyLevelMovesIt) {
  const LandmarkJudge judge = judge_of(4);
  const double lost = std::nan("");
  EXPECT_EQ(judge.undetermined({{0.1, 0.24, 0.1, 0.1}, {0.1, 0.24, 0.26, lost}}),
            (std::vector<bool>{false, false, true, true}));
}

TEST(LandmarkJudge, ReportsAndDoesNotJudgeWhatIsNoFace) {
  LandmarkJudge judge = judge_of(4);
  judge.add("noise", false, kWant, judge.distances(points({9, 9, 9, 9}), kWant), {});
  judge.add("a face", true, kWant, judge.distances(kWant, kWant), {});
  const LandmarkComparison c = judge.finish();
  EXPECT_TRUE(c.pass);
  EXPECT_EQ(c.inputs_not_judged, 1);
  EXPECT_EQ(c.other_max_px, 21);
  EXPECT_EQ(judged({0, 10, 20, 30}, {}, false).inputs, 0) << "no face was seen";
}

TEST(LandmarkJudge, WhatIsNotFiniteIsNotNear) {
  LandmarkJudge judge = judge_of(4);
  const auto distances = judge.distances(points({0, 10, std::nan(""), 30}), kWant);
  EXPECT_FALSE(judge.within(distances));
  judge.add("a face", true, kWant, distances, {});
  EXPECT_EQ(judge.finish().left_out, 1);
}

TEST(FacePictures, AreTheSameEveryTimeAndDiffer) {
  const auto faces = face_pictures(64, 48, 1), again = face_pictures(64, 48, 1), other = face_pictures(64, 48, 2);
  if (!faces) GTEST_SKIP() << faces.error().front().message;
  ASSERT_EQ(faces->size(), 6u);
  for (std::size_t i = 0; i < faces->size(); ++i) {
    const InputFile& face = (*faces)[i];
    EXPECT_EQ(face.width, 64);
    EXPECT_EQ(face.height, 48);
    EXPECT_EQ(face.bgr, (*again)[i].bgr);
    EXPECT_EQ(face.bgr == (*other)[i].bgr, i == 0) << face.label;  // the first is the picture itself
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(face.label, (*faces)[j].label);
  }
}

TEST(FacePictures, TheFirstIsTheExample) {
  const auto faces = face_pictures(256, 256, 1);
  if (!faces) GTEST_SKIP() << faces.error().front().message;
  if (!std::filesystem::exists("examples")) GTEST_SKIP() << "run in the project's folder";
  const auto example = read_input("examples/astronaut/crop256.png");
  ASSERT_TRUE(example) << render(example.error());
  EXPECT_EQ((*faces)[0].bgr, example->bgr);
}

}  // namespace
}  // namespace anemone::toolchain

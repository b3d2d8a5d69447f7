// Who is who, what is lost, and what the filter does: with networks that see bright squares as faces.
#include "anemone/face/tracker.h"

#include <gtest/gtest.h>

#include <cmath>

namespace anemone::face {
namespace {

constexpr int kWidth = 1600, kHeight = 1200, kFace = 64;  // a face's surroundings are a fifth of it

/// A black picture with white squares, corner by corner.
struct Picture {
  std::vector<std::uint8_t> bgr = std::vector<std::uint8_t>(3 * kWidth * kHeight);
  explicit Picture(const std::vector<std::pair<int, int>>& corners) {
    for (const auto& [left, top] : corners) {
      for (int y = top; y < top + kFace; ++y) {
        for (int x = left; x < left + kFace; ++x)
          for (int c = 0; c < 3; ++c) bgr[static_cast<std::size_t>(3 * (y * kWidth + x) + c)] = 255;
      }
    }
  }
  PixelView view() const { return {bgr.data(), kWidth, kHeight, 3 * kWidth, PixelFormat::bgr}; }
  PixelView top_left(int width, int height) const { return {bgr.data(), width, height, 3 * kWidth, PixelFormat::bgr}; }
};

/// The bounding box of what is bright in the input becomes the box of prior 0; empty pictures have none.
class FakeDetector final : public Prepared, public DetectorNetwork {
 public:
  FakeDetector() { form.scale = 1; }
  Result<Prepared*> at(int h, int w) override {
    height = h;
    width = w;
    sizes->emplace_back(w, h);
    return this;
  }
  std::optional<std::pair<int, int>> fixed_size() const override { return std::nullopt; }
  Result<void> run(std::span<const float> input) override {
    const auto priors = prior_boxes(height, width);
    outputs_[0].assign(priors.size(), 0);
    outputs_[1].assign(priors.size() / 2, 0);
    outputs_[2].assign(priors.size() / 4 * 10, 0);
    int left = width, right = -1, top = height, bottom = -1;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        if (input[static_cast<std::size_t>(y * width + x)] < 128) continue;
        left = std::min(left, x);
        right = std::max(right, x);
        top = std::min(top, y);
        bottom = std::max(bottom, y);
      }
    }
    if (right < 0) return {};
    const float w = static_cast<float>(width), h = static_cast<float>(height);
    const auto part = [](int sum, float side) { return static_cast<float>(sum) / side; };
    const float box[4] = {part(left + right + 1, 2 * w), part(top + bottom + 1, 2 * h), part(right - left + 1, w),
                          part(bottom - top + 1, h)};
    for (std::size_t i : {0u, 1u}) {
      outputs_[0][i] = (box[i] - priors[i]) / (0.1f * priors[i + 2]);
      outputs_[0][i + 2] = std::log(box[i + 2] / priors[i + 2]) / 0.2f;
    }
    outputs_[1][1] = 0.9f;
    return {};
  }
  std::span<const float> output(std::size_t index) const override { return outputs_[index]; }
  using Sizes = std::vector<std::pair<int, int>>;
  std::shared_ptr<Sizes> sizes = std::make_shared<Sizes>();  ///< it was run at

 private:
  std::vector<float> outputs_[3];
};

/// Points: the corners of what is bright in the crop.
class FakeLandmarks final : public Prepared {
 public:
  FakeLandmarks() {
    height = width = kSize;
    form.scale = 1;
  }
  Result<void> run(std::span<const float> input) override {
    int left = kSize, right = 0, top = kSize, bottom = 0;
    for (int y = 0; y < kSize; ++y) {
      for (int x = 0; x < kSize; ++x) {
        if (input[static_cast<std::size_t>(y * kSize + x)] < 128) continue;
        left = std::min(left, x);
        right = std::max(right, x);
        top = std::min(top, y);
        bottom = std::max(bottom, y);
      }
    }
    const auto norm = [](int pixel) { return (2 * static_cast<float>(pixel) + 1) / kSize - 1; };
    points_ = {norm(left), norm(top), norm(right), norm(top), norm(right), norm(bottom), norm(left), norm(bottom)};
    return {};
  }
  std::span<const float> output(std::size_t) const override { return points_; }

 private:
  static constexpr int kSize = 256;
  std::vector<float> points_;
};

struct Pipeline {
  Landmarker landmarker{std::make_unique<FakeLandmarks>(), 4, PointConvention::star, false};
  std::shared_ptr<FakeDetector::Sizes> sizes;
  Detector detector = make();
  Tracker tracker{landmarker, detector, {}};
  Detector make() {
    auto network = std::make_unique<FakeDetector>();
    sizes = network->sizes;
    return {std::move(network), {}};
  }
};

TEST(TrackerTest, FollowsAMovingFaceWithoutLookingAtTheWholeFrame) {
  Pipeline p;
  const Picture first({{100, 80}});
  auto faces = p.tracker.next(first.view(), *p.detector.detect(first.view()), 0);
  ASSERT_TRUE(faces);
  ASSERT_EQ(faces->size(), 1u);
  const int id = faces->front().id;
  for (int step = 1; step <= 10; ++step) {
    const Picture next({{100 + 4 * step, 80 + 2 * step}});
    faces = p.tracker.next(next.view(), std::nullopt, step / 25.0);
    ASSERT_TRUE(faces);
    ASSERT_EQ(faces->size(), 1u);
    EXPECT_EQ(faces->front().id, id);
    EXPECT_TRUE(faces->front().tracked);
    EXPECT_NEAR(faces->front().landmarks[0].x, 100 + 4 * step, 1.0);
    EXPECT_NEAR(faces->front().box.x1, 100 + 4 * step, 1.5) << "the box goes along";
  }
}

TEST(TrackerTest, LooksAtAllThatTheNetworkSees) {
  // Windows begin on a grid of the coarsest map's cells, 256 pixels before the face, and end as far behind it or with
  // the frame: elsewhere the network's own border would change the numbers.
  using Sizes = FakeDetector::Sizes;
  const auto looked_at = [](std::vector<std::pair<int, int>> corners) {
    Pipeline p;
    const Picture picture(corners);
    EXPECT_TRUE(p.tracker.next(picture.view(), *p.detector.detect(picture.view()), 0));
    p.sizes->clear();
    EXPECT_TRUE(p.tracker.next(picture.view(), std::nullopt, 0.04));
    return *p.sizes;
  };
  EXPECT_EQ(looked_at({{700, 500}}), (Sizes{{640, 640}}));
  EXPECT_EQ(looked_at({{20, 10}}), (Sizes{{384, 384}}));
  EXPECT_EQ(looked_at({{1510, 1100}}), (Sizes{{kWidth - 1216, kHeight - 832}}));
}

TEST(TrackerTest, SearchesAllWhereThatIsNoDearer) {
  Pipeline p;
  const Picture picture({{100, 80}});
  const PixelView small = picture.top_left(640, 480);
  ASSERT_TRUE(p.tracker.next(small, *p.detector.detect(small), 0));
  const auto faces = p.tracker.next(small, std::nullopt, 0.04);
  ASSERT_TRUE(faces);
  ASSERT_EQ(faces->size(), 1u);
  EXPECT_FALSE(faces->front().tracked);
  EXPECT_EQ(p.sizes->back(), std::pair(640, 480));
}

TEST(TrackerTest, TwoFacesThatBecameOneAreOne) {
  Pipeline p;
  const Picture picture({{700, 500}});
  Detection left, right;
  left.box = {670, 500, 734, 564};
  right.box = {730, 500, 794, 564};
  ASSERT_TRUE(p.tracker.next(picture.view(), std::vector{left, right}, 0));
  const auto faces = p.tracker.next(picture.view(), std::nullopt, 0.04);
  ASSERT_TRUE(faces);
  EXPECT_EQ(faces->size(), 1u);
}

TEST(TrackerTest, AFaceThatIsGoneIsGone) {
  Pipeline p;
  const Picture first({{100, 80}}), empty({});
  ASSERT_TRUE(p.tracker.next(first.view(), *p.detector.detect(first.view()), 0));
  const auto faces = p.tracker.next(empty.view(), std::nullopt, 0.04);
  ASSERT_TRUE(faces);
  EXPECT_TRUE(faces->empty());
  // It comes back elsewhere: seen at once, because nobody is followed, and under another name.
  const Picture again({{220, 20}});
  const auto back = p.tracker.next(again.view(), std::nullopt, 0.08);
  ASSERT_TRUE(back);
  ASSERT_EQ(back->size(), 1u);
  EXPECT_NE(back->front().id, 0);
  EXPECT_FALSE(back->front().tracked);
}

TEST(TrackerTest, NamesFollowOverlap) {
  Pipeline p;
  const Picture picture({{40, 40}});
  const auto detection = [](float x, float score) {
    Detection d;
    d.box = {x, 40, x + 60, 100};
    d.score = score;
    return d;
  };
  const auto ids = [&](std::vector<Detection> found) {
    std::vector<int> out;
    const auto faces = p.tracker.next(picture.view(), std::move(found), 0);
    for (const Face& face : *faces) out.push_back(face.id);
    return out;
  };
  EXPECT_EQ(ids({detection(40, 0.9f), detection(200, 0.8f)}), (std::vector<int>{0, 1}));
  EXPECT_EQ(ids({detection(205, 0.95f), detection(44, 0.9f)}), (std::vector<int>{1, 0}))
      << "the order is the detector's";
  EXPECT_EQ(ids({detection(120, 0.9f), detection(210, 0.8f)}), (std::vector<int>{2, 1})) << "a new face is new";
}

TEST(TrackerTest, GoesOnWhereAnEarlierRunStopped) {
  Pipeline whole, later;
  std::vector<Face> last;
  const auto frame = [](int step) { return Picture({{100 + 4 * step, 80}}); };
  for (int step = 0; step < 3; ++step) {
    const Picture picture = frame(step);
    std::optional<std::vector<Detection>> found;
    if (step == 0) found = *whole.detector.detect(picture.view());
    last = *whole.tracker.next(picture.view(), found, step);
  }
  later.tracker.resume(last, 1, 2);
  const auto a = whole.tracker.next(frame(3).view(), std::nullopt, 3),
             b = later.tracker.next(frame(3).view(), std::nullopt, 3);
  ASSERT_TRUE(a && b);
  ASSERT_EQ(a->size(), 1u);
  ASSERT_EQ(b->size(), 1u);
  EXPECT_EQ(a->front().id, b->front().id);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(a->front().landmarks[i].x, b->front().landmarks[i].x, 1e-3);
}

TEST(SmoothingTest, StillFacesAreCalmedAndFastOnesKept) {
  Smoother still, fast;
  double trembling = 0, lag = 0;
  for (int i = 0; i < 50; ++i) {
    std::vector<Point> a{{100 + (i % 2 ? 0.5f : -0.5f), 50}}, b{{100 + 40.0f * static_cast<float>(i), 50}};
    const float wanted = b[0].x;
    still.smooth(0, i / 25.0, a);
    fast.smooth(0, i / 25.0, b);
    if (i > 25) trembling = std::max(trembling, std::abs(a[0].x - 100.0));
    if (i > 25) lag = std::max(lag, static_cast<double>(std::abs(b[0].x - wanted)));
  }
  EXPECT_LT(trembling, 0.25);
  EXPECT_LT(lag, 8) << "a fifth of a frame's motion";
}

TEST(SmoothingTest, GoesOnWhereItStopped) {
  Smoother whole, later;
  const auto points = [](int i) { return std::vector<Point>{{100 + 3.0f * static_cast<float>(i * i % 7), 50}}; };
  std::vector<Point> last, speeds;
  for (int i = 0; i < 6; ++i) {
    last = points(i);
    speeds = whole.smooth(3, i / 25.0, last);
  }
  later.restore(3, 5 / 25.0, last, speeds);
  auto a = points(6), b = points(6);
  whole.smooth(3, 6 / 25.0, a);
  later.smooth(3, 6 / 25.0, b);
  EXPECT_EQ(a[0].x, b[0].x);
  EXPECT_NE(a[0].x, points(6)[0].x);
}

}  // namespace
}  // namespace anemone::face

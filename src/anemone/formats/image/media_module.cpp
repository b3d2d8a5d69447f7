// The media module: OpenCV's decoders and encoders behind a C interface. No exception and no text leaves it.
#include "anemone/formats/image/media_module.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

namespace {

constexpr const char* kNoMemory = "there is not enough memory for the image";

cv::Mat view(const std::uint8_t* bgr, int width, int height) {
  return {height, width, CV_8UC3, const_cast<std::uint8_t*>(bgr)};
}

const char* decode(const std::uint8_t* file, std::size_t size, std::uint64_t max_pixels, std::int32_t* width,
                   std::int32_t* height, anemone::formats::MediaSink pixels) {
  try {
    const cv::Mat bytes(1, static_cast<int>(size), CV_8UC1, const_cast<std::uint8_t*>(file));
    const cv::Mat image = cv::imdecode(bytes, cv::IMREAD_COLOR);
    if (image.empty() || image.type() != CV_8UC3) return "the image cannot be decoded";
    if (image.total() > max_pixels) return "the image is larger than its header says";
    std::uint8_t* out = pixels.allocate(pixels.context, image.total() * 3);
    if (out == nullptr) return kNoMemory;
    image.copyTo(cv::Mat(image.rows, image.cols, CV_8UC3, out));
    *width = image.cols;
    *height = image.rows;
    return nullptr;
  } catch (const std::bad_alloc&) {
    return kNoMemory;
  } catch (...) {
    return "the image cannot be decoded";
  }
}

const char* resize(const std::uint8_t* bgr, std::int32_t width, std::int32_t height, std::int32_t new_width,
                   std::int32_t new_height, std::uint8_t* out) {
  try {
    cv::Mat target(new_height, new_width, CV_8UC3, out);
    cv::resize(view(bgr, width, height), target, target.size(), 0, 0, cv::INTER_LINEAR);
    return target.data == out ? nullptr : "the image cannot be resized";
  } catch (...) {
    return "the image cannot be resized";
  }
}

const char* encode(const std::uint8_t* bgr, std::int32_t width, std::int32_t height, const char* extension,
                   anemone::formats::MediaSink file) {
  try {
    std::vector<std::uint8_t> bytes;
    if (!cv::imencode(extension, view(bgr, width, height), bytes)) return "the image cannot be encoded";
    std::uint8_t* out = file.allocate(file.context, bytes.size());
    if (out == nullptr) return kNoMemory;
    std::memcpy(out, bytes.data(), bytes.size());
    return nullptr;
  } catch (...) {
    return "the image cannot be encoded";
  }
}

void draw_one(cv::Mat& image, const anemone::formats::MediaShape& shape) {
  using anemone::formats::MediaShape;
  constexpr int kShift = 4;  // OpenCV draws at sixteenths of a pixel
  const auto fixed = [](float x) { return cvRound(x * (1 << kShift)); };
  std::vector<cv::Point> points;
  for (std::size_t i = 0; i < shape.count; ++i)
    points.emplace_back(fixed(shape.points[2 * i]), fixed(shape.points[2 * i + 1]));
  if (points.empty()) return;
  const cv::Scalar color(shape.bgr[0], shape.bgr[1], shape.bgr[2]);
  const int width = std::max(1, cvRound(shape.size));
  switch (shape.kind) {
    case MediaShape::line:
    case MediaShape::closed_line:
      cv::polylines(image, points, shape.kind == MediaShape::closed_line, color, width, cv::LINE_AA, kShift);
      break;
    case MediaShape::circle:
      cv::circle(image, points[0], fixed(shape.size), color, cv::FILLED, cv::LINE_AA, kShift);
      break;
    case MediaShape::text: {
      constexpr double kCapital = 21;  // pixels of this font at scale 1
      cv::putText(image, shape.words, cv::Point(points[0].x >> kShift, points[0].y >> kShift), cv::FONT_HERSHEY_SIMPLEX,
                  shape.size / kCapital, color, std::max(1, cvRound(shape.size / 8)), cv::LINE_AA);
      break;
    }
  }
}

const char* draw(std::uint8_t* bgr, std::int32_t width, std::int32_t height, const anemone::formats::MediaShape* shapes,
                 std::size_t count) {
  try {
    cv::Mat image = view(bgr, width, height);
    for (std::size_t i = 0; i < count; ++i) draw_one(image, shapes[i]);
    return nullptr;
  } catch (...) {
    return "the image cannot be drawn into";
  }
}

const anemone::formats::MediaFunctions kFunctions =
    anemone::formats::with_video({anemone::formats::kMediaVersion, decode, resize, encode, draw});

}  // namespace

extern "C" __attribute__((visibility("default"))) const anemone::formats::MediaFunctions* anemone_media() {
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  cv::setNumThreads(1);                         // threads belong to the runtime
  ::setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", 0);  // FFmpeg prints nothing
  return &kFunctions;
}

// Pictures and videos with faces drawn into them.
#include "anemone/toolchain/face_drawing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/face/overlay.h"

namespace anemone::toolchain {
namespace {

constexpr double kUsualFps = 25;      // where the input does not know its own
constexpr double kLongestFrame = 60;  // seconds: AVI has no less than a frame a second, slower ones are repeated

std::string stem_of(const std::string& file) {
  if (file == "-") return "stdin";
  std::string stem = std::filesystem::path(file).stem().string();
  for (char& c : stem) c = c == ':' || c == '/' ? '-' : c;
  return stem;
}

}  // namespace

Result<formats::Image> drawn(const FaceFrame& frame) {
  formats::Image image = *frame.source.image;
  face::blend(image, frame.heatmaps);
  TRY_VOID(formats::draw(image, face::overlay(frame.faces)));
  return image;
}

bool DrawnFiles::is_input(const std::filesystem::path& path) const {
  return std::any_of(inputs_.begin(), inputs_.end(), [&](const std::string& input) {
    std::error_code none;  // a path that does not exist is equivalent to nothing
    return std::filesystem::equivalent(input, path, none);
  });
}

Result<void> DrawnFiles::take(const FaceFrame& frame) {
  TRY(const formats::Image image, drawn(frame));
  const bool is_new = file_ != frame.source.file || !frame.source.is_video;
  if (is_new) {
    TRY_VOID(close());
    const std::string stem = stem_of(frame.source.file) + "-faces";
    file_ = frame.source.file;
    std::string name = stem;
    const char* ending = frame.source.is_video ? ".avi" : ".png";
    for (int i = 1; is_input(folder_ / (name + ending)) || !taken_.insert(name).second; ++i)
      name = fmt::format("{}-{}", stem, i);
    if (!frame.source.is_video) return formats::write_image(image, folder_ / (name + ending));
    const double fps = std::max(frame.source.fps > 0 ? frame.source.fps : kUsualFps, 1 / kLongestFrame);
    times_ = fps < 1 ? static_cast<int>(std::ceil(1 / fps)) : 1;
    TRY(formats::VideoWriter made,
        formats::VideoWriter::create(folder_ / (name + ending), image.width, image.height, fps * times_));
    video_.emplace(std::move(made));
  }
  for (int i = 0; i < times_; ++i) TRY_VOID(video_->write(image));
  return {};
}

Result<void> DrawnFiles::close() {
  if (!video_) return {};
  auto closed = video_->close();
  video_.reset();
  return closed;
}

}  // namespace anemone::toolchain

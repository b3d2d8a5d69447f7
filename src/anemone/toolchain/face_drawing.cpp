// Pictures and videos with faces drawn into them.
#include "anemone/toolchain/face_drawing.h"

#include <fmt/format.h>

#include "anemone/face/overlay.h"

namespace anemone::toolchain {
namespace {

constexpr double kUsualFps = 25;  // where the input does not know its own

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

Result<void> DrawnFiles::take(const FaceFrame& frame) {
  TRY(const formats::Image image, drawn(frame));
  const bool is_new = file_ != frame.source.file || !frame.source.is_video;
  if (is_new) {
    TRY_VOID(close());
    const std::string stem = stem_of(frame.source.file) + "-faces";
    file_ = frame.source.file;
    std::string name = stem;
    for (int i = 1; !taken_.insert(name).second; ++i) name = fmt::format("{}-{}", stem, i);
    if (!frame.source.is_video) return formats::write_image(image, folder_ / (name + ".png"));
    TRY(formats::VideoWriter made, formats::VideoWriter::create(folder_ / (name + ".avi"), image.width, image.height,
                                                                frame.source.fps > 0 ? frame.source.fps : kUsualFps));
    video_.emplace(std::move(made));
  }
  return video_->write(image);
}

Result<void> DrawnFiles::close() {
  if (!video_) return {};
  auto closed = video_->close();
  video_.reset();
  return closed;
}

}  // namespace anemone::toolchain

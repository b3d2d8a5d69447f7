// Videos by way of the media module.
#include "anemone/formats/image/video.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "anemone/formats/image/media.h"
#include "anemone/support/file.h"

namespace anemone::formats {

Result<VideoReader> VideoReader::open(const char* path, int camera, const std::string& name) {
  if (!media()) return media().error();
  MediaVideo opened{};
  if (const char* problem = (*media())->open_video(path, camera, &opened))
    return bad_input(
        ErrorCode::video_unreadable, problem, name,
        path ? "convert it first: ffmpeg -i FILE -c:v mjpeg -q:v 2 OUT.avi" : "is it plugged in and free?");
  VideoReader reader;
  reader.handle_ = opened.handle;
  reader.name_ = name;
  reader.width_ = opened.width;
  reader.height_ = opened.height;
  reader.fps_ = std::isfinite(opened.fps) && opened.fps > 0 ? opened.fps : 0;
  if (opened.frames >= 0) reader.frames_ = opened.frames;
  return reader;
}

Result<VideoReader> VideoReader::open(const std::filesystem::path& path) {
  TRY(const Bytes file, map_file(path));  // says what is wrong with the path better than a decoder
  if (is_text({file.data(), file.size()}))
    return bad_input(ErrorCode::video_unreadable, "this is text, no picture and no video", path.string());
  TRY(VideoReader reader, open(path.c_str(), 0, path.string()));
  reader.length_ = video_length({file.data(), file.size()});
  return reader;
}

Result<VideoReader> VideoReader::open_camera(int number) {
  return open(nullptr, number, fmt::format("camera {}", number));
}

VideoReader::VideoReader(VideoReader&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      name_(std::move(other.name_)),
      width_(other.width_),
      height_(other.height_),
      fps_(other.fps_),
      frames_(other.frames_),
      length_(other.length_),
      any_(other.any_) {}

VideoReader::~VideoReader() {
  if (handle_) (*media())->close_video(handle_);
}

Result<std::optional<VideoReader::Frame>> VideoReader::next() {
  Frame frame;
  std::int32_t width = 0, height = 0, end = 0;
  if (const char* problem = (*media())->read_frame(handle_, sink(frame.image.bgr), &width, &height, &frame.ms, &end)) {
    return bad_input(ErrorCode::video_unreadable, problem, name_);
  }
  if (end != 0) {
    if (!any_)
      return bad_input(ErrorCode::video_unreadable, "no frame of the video can be decoded", name_,
                       "is it a video, and whole? 'ffmpeg -i FILE -c:v mjpeg -q:v 2 OUT.avi' converts it");
    return std::optional<Frame>();
  }
  any_ = true;
  frame.image.width = width;
  frame.image.height = height;
  return std::optional<Frame>(std::move(frame));
}

Result<VideoWriter> VideoWriter::create(const std::filesystem::path& path, int width, int height, double fps) {
  if (!media()) return media().error();
  VideoWriter writer;
  if (const char* problem = (*media())->create_video(path.c_str(), width, height, fps, &writer.handle_))
    return bad_environment(ErrorCode::video_refused, problem, path.string(), "can the folder be written?");
  writer.name_ = path.string();
  writer.width_ = width;
  writer.height_ = height;
  return writer;
}

VideoWriter::VideoWriter(VideoWriter&& other) noexcept
    : handle_(std::exchange(other.handle_, nullptr)),
      name_(std::move(other.name_)),
      width_(other.width_),
      height_(other.height_),
      frames_(other.frames_) {}

VideoWriter::~VideoWriter() {
  if (handle_) (void)close();
}

Result<void> VideoWriter::write(const Image& image) {
  if (image.width != width_ || image.height != height_)
    return bad_environment(
        ErrorCode::video_refused,
        fmt::format("a frame of {}x{} pixels in a video of {}x{}", image.width, image.height, width_, height_), name_);
  if (const char* problem = (*media())->write_frame(handle_, image.bgr.data()))
    return bad_environment(ErrorCode::video_refused, problem, name_);
  ++frames_;
  return {};
}

Result<void> VideoWriter::close() {
  if (const char* problem = (*media())->close_writer(std::exchange(handle_, nullptr)))
    return bad_environment(ErrorCode::video_refused, problem, name_);
  const auto written = VideoReader::open(std::filesystem::path(name_));
  const std::int64_t there = written ? written->frames().value_or(0) : 0;
  if (there >= frames_) return {};
  return bad_environment(ErrorCode::video_refused,
                         fmt::format("the file holds {} of the {} frames that were written", there, frames_), name_,
                         "is the disk full?");
}

Result<void> draw(Image& image, const std::vector<Shape>& shapes) {
  if (!media()) return media().error();
  std::vector<MediaShape> plain;
  for (const Shape& shape : shapes) {
    constexpr MediaShape::Kind kKinds[] = {MediaShape::line, MediaShape::closed_line, MediaShape::circle,
                                           MediaShape::text};
    plain.push_back({kKinds[static_cast<std::size_t>(shape.kind)],
                     shape.points.data(),
                     shape.points.size() / 2,
                     shape.size,
                     {shape.blue, shape.green, shape.red},
                     shape.words.c_str()});
  }
  if (const char* problem = (*media())->draw(image.bgr.data(), image.width, image.height, plain.data(), plain.size()))
    return bad_environment(ErrorCode::image_refused, problem);
  return {};
}

}  // namespace anemone::formats

#pragma once
// Frames of videos and cameras, and videos from frames, by way of the media module.
#include <filesystem>
#include <optional>
#include <vector>

#include "anemone/formats/image/image.h"
#include "anemone/formats/image/video_container.h"

namespace anemone::formats {

/// One at a time, in order: nothing is kept. Motion JPEG in AVI is decoded exactly as single pictures are.
class VideoReader {
 public:
  /// E0317, E0312.
  static Result<VideoReader> open(const std::filesystem::path& path);
  static Result<VideoReader> open_camera(int number);
  VideoReader(VideoReader&& other) noexcept;
  VideoReader& operator=(VideoReader&&) = delete;
  ~VideoReader();

  struct Frame {
    Image image;
    double ms = 0;  ///< from the start; frames need not be evenly spaced
  };
  /// Nothing at the end. E0317: a frame cannot be decoded, or there is none at all.
  Result<std::optional<Frame>> next();

  int width() const { return width_; }
  int height() const { return height_; }
  double fps() const { return fps_; }                             ///< 0: not known
  std::optional<std::int64_t> frames() const { return frames_; }  ///< as the file's header counts or estimates them
  VideoLength length() const { return length_; }                  ///< of a file: which of the two

 private:
  VideoReader() = default;
  static Result<VideoReader> open(const char* path, int camera, const std::string& name);
  void* handle_ = nullptr;
  std::string name_;
  int width_ = 0, height_ = 0;
  double fps_ = 0;
  std::optional<std::int64_t> frames_;
  VideoLength length_ = VideoLength::estimated;
  bool any_ = false;  ///< a frame was read
};

/// .mp4 (MPEG-4) or .avi (Motion JPEG). The file grows in place; what was written before an interruption can be played
/// once close() ran.
class VideoWriter {
 public:
  /// E0319.
  static Result<VideoWriter> create(const std::filesystem::path& path, int width, int height, double fps);
  VideoWriter(VideoWriter&& other) noexcept;
  VideoWriter& operator=(VideoWriter&&) = delete;
  ~VideoWriter();
  Result<void> write(const Image& image);
  /// E0319 where the file does not hold what was written, as on a full disk: encoders do not say so.
  Result<void> close();

 private:
  VideoWriter() = default;
  void* handle_ = nullptr;
  std::string name_;
  int width_ = 0, height_ = 0;
  std::int64_t frames_ = 0;
};

/// Lines, dots and words drawn into an image, with smooth edges.
struct Shape {
  enum class Kind : std::uint8_t { line, closed_line, circle, text } kind = Kind::line;
  std::vector<float> points;  ///< x, y, …; of a circle and a text one point
  float size = 1;             ///< width of a line, radius of a circle, height of capital letters
  std::uint8_t blue = 0, green = 0, red = 0;
  std::string words;
};
Result<void> draw(Image& image, const std::vector<Shape>& shapes);

}  // namespace anemone::formats

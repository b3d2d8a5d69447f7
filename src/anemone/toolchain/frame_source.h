#pragma once
// Frames, whatever they come from: pictures, folders of them, patterns, videos, cameras, raw pixels on a pipe.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "anemone/face/pixels.h"
#include "anemone/formats/image/video.h"
#include "anemone/support/result.h"

namespace anemone::toolchain {

/// Pixels without a header, one frame after the other, on standard input.
struct RawFrames {
  int width = 0, height = 0;
  face::PixelFormat format = face::PixelFormat::bgr;
  double fps = 25;
};
/// "640x360", "640x360:rgb24": bgr24 is the default, gray, bgra and rgba are known, as FFmpeg calls them.
Result<RawFrames> parse_raw_frames(const std::string& word, double fps);

struct SourceFrame {
  std::string file;                       ///< the input that it is of: path, "camera:0", "-"
  std::int64_t index = 0;                 ///< within its input
  double ms = 0;                          ///< since its input's start
  bool is_video = false;                  ///< of a sequence in time
  double fps = 0;                         ///< as the input says; 0: not known
  std::shared_ptr<formats::Image> image;  ///< null where `problem` says why
  Diagnostics problem;                    ///< the input ends here
};

class FrameSource {
 public:
  /// Words of the command line, in order: files, folders (the pictures inside, by name), patterns with * or ?, "camera:N",
  /// "-". What stands there twice is read once. Errors (usage): nothing matches, or "-" without `raw`; a file that is not
  /// there.
  static Result<FrameSource> open(const std::vector<std::string>& words, std::optional<RawFrames> raw);

  /// Nothing after the last frame. An input that cannot be read gives one frame with its problem.
  std::optional<SourceFrame> next();
  /// Frames in all, as far as the inputs tell; nothing for cameras and pipes.
  std::optional<std::int64_t> expected() const;
  bool is_endless() const { return endless_; }
  std::set<std::string> names() const;
  /// The first so many frames of this input are passed over. Its name as the log has it: what is not UTF-8 is replaced.
  void skip(const std::string& file, std::int64_t frames);
  /// Asked while nothing comes from a pipe; true: the input ends there.
  void stop_when(std::function<bool()> stop) { stop_ = std::move(stop); }

 private:
  struct Input {
    std::string name;
    enum class Kind : std::uint8_t { picture, video, camera, raw } kind = Kind::picture;
    int camera = 0;
    std::int64_t skip = 0;
  };
  SourceFrame failed(Diagnostics problem);
  std::optional<SourceFrame> next_raw(const Input& input);
  std::optional<SourceFrame> next_of_video(const Input& input);

  std::vector<Input> inputs_;
  std::optional<RawFrames> raw_;
  bool endless_ = false;
  std::size_t at_ = 0;
  std::int64_t index_ = 0;
  std::function<bool()> stop_;
  std::optional<formats::VideoReader> video_;
};

}  // namespace anemone::toolchain

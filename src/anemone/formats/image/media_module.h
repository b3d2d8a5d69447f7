#pragma once
// The C interface between the program and its media module. Both sides are built together; the version guards mixtures.
#include <cstddef>
#include <cstdint>

namespace anemone::formats {

inline constexpr std::uint32_t kMediaVersion = 2;
inline constexpr const char* kMediaEntry = "anemone_media";

/// Where the module puts bytes: resizes the caller's buffer and returns its start, or null when there is no memory.
struct MediaSink {
  void* context;
  std::uint8_t* (*allocate)(void* context, std::size_t size);
};

/// What an opened video says of itself. `frames` is -1 where nobody knows (cameras), an estimate for some containers.
struct MediaVideo {
  void* handle;
  std::int32_t width, height;
  double fps;
  std::int64_t frames;
};

/// One thing to draw, in pixels of the image with fractions. A circle is a point and a radius in `size`.
struct MediaShape {
  enum Kind : std::int32_t { line, closed_line, circle, text } kind;
  const float* points;  ///< x, y, x, y …
  std::size_t count;    ///< of points
  float size;           ///< of lines the width, of text the height of a capital letter
  std::uint8_t bgr[3];
  const char* words;
};

/// Functions return null for success, or a message that stays valid.
struct MediaFunctions {
  std::uint32_t version;
  const char* (*decode)(const std::uint8_t* file, std::size_t size, std::uint64_t max_pixels, std::int32_t* width,
                        std::int32_t* height, MediaSink pixels);
  const char* (*resize)(const std::uint8_t* bgr, std::int32_t width, std::int32_t height, std::int32_t new_width,
                        std::int32_t new_height, std::uint8_t* out);
  /// `extension` as ".png".
  const char* (*encode)(const std::uint8_t* bgr, std::int32_t width, std::int32_t height, const char* extension,
                        MediaSink file);
  const char* (*draw)(std::uint8_t* bgr, std::int32_t width, std::int32_t height, const MediaShape* shapes,
                      std::size_t count);

  /// A file, or where `path` is null the camera of that number.
  const char* (*open_video)(const char* path, std::int32_t camera, MediaVideo* video);
  /// The next frame in upright BGR and its time from the start; *end is set when there is none.
  const char* (*read_frame)(void* video, MediaSink pixels, std::int32_t* width, std::int32_t* height, double* ms,
                            std::int32_t* end);
  void (*close_video)(void* video);

  /// The format follows from the name's ending: .mp4, or .avi (Motion JPEG).
  const char* (*create_video)(const char* path, std::int32_t width, std::int32_t height, double fps, void** writer);
  const char* (*write_frame)(void* writer, const std::uint8_t* bgr);
  const char* (*close_writer)(void* writer);
};

/// The part of the module that needs videoio.
MediaFunctions with_video(MediaFunctions functions);

}  // namespace anemone::formats

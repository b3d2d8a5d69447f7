#pragma once
// The C interface between the program and its media module. Both sides are built together; the version guards mixtures.
#include <cstddef>
#include <cstdint>

namespace anemone::formats {

inline constexpr std::uint32_t kMediaVersion = 1;
inline constexpr const char* kMediaEntry = "anemone_media";

/// Where the module puts bytes: resizes the caller's buffer and returns its start, or null when there is no memory.
struct MediaSink {
  void* context;
  std::uint8_t* (*allocate)(void* context, std::size_t size);
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
};

}  // namespace anemone::formats

#pragma once
// What the container of a video says about its own length, read from its first bytes.
#include <cstdint>
#include <span>

namespace anemone::formats {

enum class VideoLength : std::uint8_t {
  counted,    ///< AVI and MP4 keep a list of their frames: a number of frames is exact
  estimated,  ///< a duration times a rate, and the duration may be that of the sound
  cut_off,    ///< Matroska and WebM whose segment is longer than the file
};
VideoLength video_length(std::span<const std::byte> file);

/// Text all through its first kilobytes: a decoder may play even that.
bool is_text(std::span<const std::byte> file);

}  // namespace anemone::formats

#pragma once
// What image files claim about their size and whether they are whole: the checks before a decoder sees them.
#include <cstdint>
#include <string>

#include "anemone/support/bytes.h"
#include "anemone/support/result.h"

namespace anemone::formats {

/// Width and height from the header of a format that decode_image takes; an error for other files.
struct ImageSizeInFile {
  std::uint64_t width = 0, height = 0;
};
Result<ImageSizeInFile> size_in_file(const Bytes& file, const std::string& name);
/// By its first bytes; it may be damaged.
bool is_image(const Bytes& file);
/// True for a JPEG or PNG without its end: JPEG decoders fill the rest with grey and call that success.
bool is_cut_off(const Bytes& file);

}  // namespace anemone::formats

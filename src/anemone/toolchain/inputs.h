#pragma once
// What the command line gives a model to eat: arrays and images from files.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "anemone/ir/interface.h"
#include "anemone/ir/op_def.h"
#include "anemone/support/result.h"

namespace anemone::toolchain {

/// One `--input`: "NAME=FILE", or "FILE" where there is one input.
struct InputFile {
  std::string name;  ///< empty: the only input
  std::filesystem::path file;
  std::string label;              ///< of pictures that are made, not read: what was drawn
  bool is_image = false;          ///< decoded; else an .npy
  Array array;                    ///< the tensor of an .npy
  std::vector<std::uint8_t> bgr;  ///< an image: height·width·3, as decoded (gray is repeated)
  std::int64_t width = 0, height = 0;
};
Result<InputFile> read_input(const std::string& word);
/// What messages call it: the path, or what was drawn.
std::string name_of(const InputFile& input);
/// The pictures (.png, .jpg, .jpeg, .bmp, .webp, .ppm, .pgm) of a folder in the order of their names; hidden files and
/// folders inside are left out. Errors (usage): no folder, no picture in it.
Result<std::vector<std::filesystem::path>> pictures_in(const std::filesystem::path& folder);
Result<std::vector<InputFile>> read_inputs(const std::vector<std::string>& words);

/// Pixels (0…255) that were not read from a file: for seeded inputs.
InputFile make_image(std::vector<std::uint8_t> bgr, std::int64_t width, std::int64_t height);
/// Bilinear.
Result<InputFile> resized(const InputFile& image, std::int64_t width, std::int64_t height);

/// Pixels as planes [1, C, H, W] in the colour's order. Gray is the luma of Rec. 601, as Core ML's own conversion.
Array planes(const InputFile& image, Color color);

}  // namespace anemone::toolchain

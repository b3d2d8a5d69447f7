#pragma once
// What two models are compared on.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "anemone/face/crop.h"
#include "anemone/toolchain/session.h"
#include "anemone/toolchain/verify.h"

namespace anemone::toolchain {

/// One run of both models.
struct VerifyInput {
  std::string label;                    ///< "face1.png", "face 3 (turned by -12 degrees …)", "seed 2"
  std::vector<InputFile> files;         ///< empty: the picture, else the arrays
  std::filesystem::path picture;        ///< decoded when its turn comes
  std::vector<Array> arrays;            ///< made for the candidate's function
  bool judged_in_pixels = true;         ///< landmarks on it mean something
  std::filesystem::path source;         ///< of a face that was cut out: its picture, …
  std::optional<face::Matrix> to_crop;  ///< … the way from there into the crop …
  face::Point middle;                   ///< … and the middle of its box
  std::vector<face::Point> truth;       ///< what people marked, in pixels of the crop; empty: not known
};

/// Those that the user gave: files, and the pictures of a folder. Several files without names are several runs.
std::vector<VerifyInput> given_inputs(const VerifyRequest& request);

/// Where nobody gave any: for landmark networks faces and pictures that are none, for others that take pixels pictures,
/// else random arrays. `notes` gets a line where faces could not be had.
Result<std::vector<VerifyInput>> made_inputs(const Session& candidate, bool landmarks, std::uint64_t seed,
                                             std::vector<std::string>& notes);

/// "6 pictures of the built-in face and 3 without a face", "12 pictures of faces/", "1 given input".
std::string describe(const std::vector<VerifyInput>& inputs, const VerifyRequest& request);

/// The files of a run, read now.
Result<std::vector<InputFile>> files_of(const VerifyInput& input);
/// The arrays that a side takes for it. `made_for`: the function whose arrays VerifyInput::arrays are.
Result<std::vector<Array>> arrays_for(const Session& side, const VerifyInput& input, const Function& made_for);

/// An error where the two sides would understand the same file as different things: pixels here, normalised numbers
/// there; or take pictures of different sizes.
Result<void> check_same_meaning(const Session& candidate, const Session& reference,
                                const std::vector<InputFile>& files);

}  // namespace anemone::toolchain

#pragma once
// Inputs that nobody gave: seeded, so that every run sees the same.
#include <cstdint>
#include <vector>

#include "anemone/support/result.h"
#include "anemone/toolchain/session.h"

namespace anemone::toolchain {

/// Numbers from a seed (splitmix64): the same on every machine.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  double uniform(double low, double high);
  double normal();  ///< of deviation 1 (the sum of twelve uniform ones)

 private:
  std::uint64_t state_;
};

/// Whether the model has one input, of pixels: then seeded images go through the same preprocessing as a user's.
bool takes_pixels(const Session& session);

/// Pictures that exercise a vision network: noise, smooth gradients, and a bright ellipse on a dark ground. No faces.
std::vector<InputFile> seeded_images(std::int64_t width, std::int64_t height, std::uint64_t seed);

/// The arrays of `inputs`, made for one function, in the order of another one's inputs: by name, and by position where
/// no name is shared. An error where the models take different inputs.
Result<std::vector<Array>> rearranged(const std::vector<Array>& inputs, const Function& from, const Function& to);
/// That error: both interfaces, and what to do.
Diagnostic different_inputs(const Function& mine, const Function& theirs);

}  // namespace anemone::toolchain

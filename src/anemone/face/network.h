#pragma once
// What this folder asks of a network. Who knows files and graphs implements it (toolchain/face_networks.h).
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "anemone/face/pixels.h"
#include "anemone/support/result.h"

namespace anemone::face {

/// How pixels (0…255) become the numbers of a network's input: plane c of that order is pixel·scale + bias[c].
struct InputForm {
  bool rgb = false;  ///< else BGR
  float scale = 1;
  std::array<float, 3> bias{};
};

/// A network at one input size [1,3,height,width], ready to run. Not for two threads at once.
class Prepared {
 public:
  virtual ~Prepared() = default;
  int height = 0, width = 0;
  InputForm form;
  /// Outputs stay valid until the next run.
  virtual Result<void> run(std::span<const float> input) = 0;
  virtual std::span<const float> output(std::size_t index) const = 0;
};

/// RetinaFace, at any size it can take. Outputs: loc, conf, landms.
class DetectorNetwork {
 public:
  virtual ~DetectorNetwork() = default;
  /// For an image of that size. A network of a fixed size gives itself: the image is fitted into it.
  virtual Result<Prepared*> at(int height, int width) = 0;
  /// The size it has when it cannot take others.
  virtual std::optional<std::pair<int, int>> fixed_size() const = 0;
};

/// Fills planes [3, height, width] from the image; where the network's input is larger, the rest becomes `rest`, in the
/// order blue, green, red (the mean colour of the detector's training, which it sees as zero).
void fill_planes(const PixelView& image, const InputForm& form, int height, int width, std::array<float, 3> rest,
                 std::span<float> planes);

}  // namespace anemone::face

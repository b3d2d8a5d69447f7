#pragma once
// Which pixels a network of the face pipeline takes, and whether those are the ones that its kind was trained with.
#include <string>

#include "anemone/face/network.h"
#include "anemone/toolchain/model.h"

namespace anemone::toolchain {

enum class FaceNetworkKind : std::uint8_t { detector, landmarks };

/// How the pipeline has to fill the network's input. Checkpoints take normalised numbers, and so do arrays of ONNX files
/// and packages, unless the graph begins by normalising pixels; an image input takes pixels. E0632: an image or
/// array input whose order of channels, or whose scale and bias, as the first operations of the graph say them, are not
/// those of the training.
Result<face::InputForm> input_form(const Model& model, FaceNetworkKind kind);

/// What cannot be checked: an image input whose scale is nowhere to be seen (folded into the weights), an array of a
/// network that does not say which one it is. Else empty.
std::string unproved_pixels(const Model& model);

}  // namespace anemone::toolchain

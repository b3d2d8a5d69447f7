#pragma once
// RetinaFace face detection with the MobileNetV1 ×0.25 backbone: boxes, scores and five points for every prior box.
#include "anemone/frontends/models/network.h"

namespace anemone::models {

inline constexpr std::string_view kRetinaFaceName = "retinaface-mobilenet0.25";

/// Default size 640×640; any other works. Outputs loc [1,N,4], conf [1,N,2] (softmax done), landms [1,N,10], where
/// N = 2·Σ ceil(H/s)·ceil(W/s) over the strides s = 8, 16, 32.
Result<Network> build_retinaface(const formats::StateDict& state, const NetworkOptions& options);

/// BGR, the means of the training pictures taken off.
Preprocessing retinaface_preprocessing();

/// The 300 keys in the order of the file.
KeySpecs retinaface_keys();
ModuleTree retinaface_modules();

}  // namespace anemone::models

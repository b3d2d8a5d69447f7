#pragma once
// For applications that want faces and landmarks and nothing else: one header, plain pixels, no OpenCV.
#include "anemone/formats/image/image.h"
#include "anemone/toolchain/face_pipeline.h"

namespace anemone {

using face::Box;
using face::Face;
using face::PixelFormat;
using face::PixelView;
using face::Point;
using toolchain::FaceOptions;
using toolchain::FacePipeline;

}  // namespace anemone

#pragma once
// ONNX graphs as text, in ONNX's own textual syntax (onnx/docs/Syntax.md); values of tensors are left out, and the type
// of what a node gives stands behind it as a comment.
#include <string>

#include "anemone/onnx/graph.h"

namespace anemone::onnx {

std::string to_text(const Model& model);

/// "float[1,3,N,?]"; "?" for what is not known.
std::string to_text(const Type& type);

}  // namespace anemone::onnx

#pragma once
// ML Programs as ONNX graphs: backends/onnx/rows.h says each operation, this walks.
#include "anemone/backends/onnx/emit.h"
#include "anemone/ir/graph.h"
#include "anemone/onnx/graph.h"
#include "anemone/support/result.h"

namespace anemone::onnx::exporting {

/// The main function as a graph with the same names of inputs and outputs, metadata included. An image becomes the
/// tensor of its pixels, 0 to 255, in the order of its channels; what the program does to them stays in the graph.
/// E0430: what ONNX cannot say, all of it at once, grouped, before weights are touched.
Result<Model> raise(const Program& program, const RaiseOptions& options = {});

/// Keys of the metadata that says what an image input takes: this prefix and the input's name.
inline constexpr std::string_view kMetaPixels = "org.anemone.pixels.";

}  // namespace anemone::onnx::exporting

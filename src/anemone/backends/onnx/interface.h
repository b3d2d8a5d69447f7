#pragma once
// Edits of what an exported graph takes and gives.
#include <string>
#include <vector>

#include "anemone/onnx/graph.h"

namespace anemone::onnx::exporting {

/// Inputs and outputs of float16 become float, with casts behind and before them: pipelines hand over float.
void take_and_give_float(Model& model);

/// An input or output as the caller of the graph knows it, where the program has another form of it.
struct BorderValue {
  std::string raised;  ///< its name in the exported graph
  std::string name;
  DataType dtype = DataType::undefined;  ///< undefined: whatever it is
  std::vector<std::int64_t> dims;        ///< none for scalars
};

/// The graph takes and gives what callers know: their names, int64, bool and double where the program has int32 and
/// float, scalars where it has vectors of one. An output that stands twice does so again. Borders of values that are
/// not there are passed over.
void restore_border(Model& model, const std::vector<BorderValue>& inputs, const std::vector<BorderValue>& outputs);

}  // namespace anemone::onnx::exporting

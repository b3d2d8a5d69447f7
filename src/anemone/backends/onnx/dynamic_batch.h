#pragma once
// Graphs of one sample as graphs of any number of them.
#include <string>

#include "anemone/onnx/graph.h"
#include "anemone/support/result.h"

namespace anemone::onnx::exporting {

/// Every input of rank 2 and more whose first extent is 1 takes any number of samples, called `symbol`. Shapes that name
/// the 1 are said otherwise, constants that are joined with samples are repeated. Types must be inferred, and are
/// inferred anew. E0431: operations that look at more than one sample at a time, or at the batch itself, all at once.
Result<void> make_batch_dynamic(Model& model, const std::string& symbol = "batch");

}  // namespace anemone::onnx::exporting

#pragma once
// An ONNX graph becomes a MIL program with fixed shapes. docs/reference/onnx.md lists what is understood.
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/onnx/graph.h"
#include "anemone/support/result.h"

namespace anemone::onnx {

struct LowerOptions {
  Target target = Target::ios17;
  std::filesystem::path folder;                                   ///< where external data lie
  std::int64_t batch = 1;                                         ///< for a first dimension that is not fixed
  std::optional<std::pair<std::int64_t, std::int64_t>> size;      ///< (height, width) of inputs of rank 4
  std::map<std::string, std::vector<std::int64_t>> input_shapes;  ///< by the graph's names; before all else
  std::vector<std::string> outputs;                               ///< values to end at; none: the graph's own outputs
};

/// What the ONNX graph calls an input or an output, and its type there. Core ML takes fp32, fp16 and int32 in one to
/// five dimensions: int64, bool, double … and scalars cross the boundary in another form.
struct Port {
  std::string name;      ///< in the ONNX graph
  std::string mil_name;  ///< in the program
  DataType dtype = DataType::undefined;
  Dims dims;  ///< in the ONNX graph, at the sizes of the program; empty for a scalar
};

struct LoweredModel {
  std::unique_ptr<Program> program;
  std::vector<Port> inputs, outputs;
  std::size_t computed = 0;  ///< nodes of the main graph, constants aside, that fixed shapes make constant
  std::size_t unneeded = 0;  ///< nodes of the main graph on which no output depends
};

/// Every extent is fixed, arithmetic on shapes is gone, weights are views of the file where their type allows it.
/// Errors: E0400, operations or forms that MIL cannot express, all of them in one diagnostic with the names of their
/// nodes; E0440, an input whose extents are not known; E0441, a shape that the graph does not take; E0442, more than
/// five dimensions; E0443, inputs or outputs that are no tensors; E0405, E0406.
Result<LoweredModel> lower(const Model& model, const LowerOptions& options = {});

/// One line of the table of what is understood.
struct SupportRow {
  std::string_view domain, op;
  std::int64_t since = 1;   ///< the first opset that the function speaks for
  std::string_view limits;  ///< what of the operation is refused; empty: nothing
};
std::vector<SupportRow> support_table();  ///< by domain, operation, opset

}  // namespace anemone::onnx

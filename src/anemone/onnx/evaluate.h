#pragma once
// What nodes compute from operands that are known before run time: one row an operation, as small tensors need it.
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "anemone/onnx/graph.h"

namespace anemone::onnx {

/// Elements, as wide as they come: integers and booleans in `whole`, floating point in `real`; the other is empty.
struct Array {
  DataType dtype = DataType::undefined;
  std::vector<std::int64_t> dims;
  std::vector<std::int64_t> whole;
  std::vector<double> real;

  bool is_real() const;
  std::size_t size() const { return is_real() ? real.size() : whole.size(); }
};
/// Absent: external, never computed, of more than 65536 elements, or of a dtype that is not held (strings, complex).
std::optional<Array> read_array(const Tensor& tensor);
Tensor to_tensor(std::string name, const Array& array);

/// A node as its row sees it: operands are there unless the node leaves them out.
class EvaluateView {
 public:
  EvaluateView(const Node& node, std::int64_t opset, std::vector<std::optional<Array>> inputs)
      : node_(node), opset_(opset), inputs_(std::move(inputs)) {}

  const Node& node() const { return node_; }
  std::int64_t opset() const { return opset_; }
  std::size_t inputs() const { return inputs_.size(); }
  const Array* input(std::size_t index) const {
    return index < inputs_.size() && inputs_[index] ? &*inputs_[index] : nullptr;
  }
  /// From an input where the opset has it there, else from the attribute.
  std::optional<std::vector<std::int64_t>> integers(std::size_t index, std::string_view attribute) const;

 private:
  const Node& node_;
  std::int64_t opset_;
  std::vector<std::optional<Array>> inputs_;
};

struct EvaluateRow {
  std::string_view op;
  std::optional<Array> (*evaluate)(const EvaluateView&);  ///< of the first output
};
std::span<const EvaluateRow> evaluate_arithmetic_rows();
std::span<const EvaluateRow> evaluate_movement_rows();

/// The first output of a node whose operands are all constants of the model; floating point is rounded to its dtype once
/// a node. Absent: no row computes it, or it is too large (65536 elements).
std::optional<Array> evaluate(const Model& model, const Node& node);

/// Helpers of the rows.
std::optional<std::int64_t> bounded_count(const std::vector<std::int64_t>& dims);  ///< absent: too many
/// For each place of `dims`, the sum over its axes of what `offsets` has there: where in another tensor its element lies.
std::vector<std::size_t> places_of(const std::vector<std::int64_t>& dims,
                                   const std::vector<std::vector<std::int64_t>>& offsets);
/// The elements of `from` at `places`, in the new dims.
Array taken(const Array& from, std::vector<std::int64_t> dims, const std::vector<std::size_t>& places);

}  // namespace anemone::onnx

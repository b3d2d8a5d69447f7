#pragma once
// Types and shapes of ONNX graphs: one row an operation, asked in order of execution.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "anemone/onnx/graph.h"

namespace anemone::onnx {

using Shape = std::vector<Dimension>;

struct InferOptions {
  /// Follow small integer tensors that are computed from shapes (Shape, Gather, Concat, …) to where they give a shape.
  /// ONNX Runtime does not: there a Reshape by a computed shape has a rank and nothing more.
  bool propagate_data = true;
  /// How much of a result a reader with gaps says; absent: everything that follows.
  enum class Told : std::uint8_t { all, rank, element_type };
  Told (*told)(const Model&, const Node&) = nullptr;
};

/// Fills in the types of all values, as far as they follow; what is declared is kept where nothing better is known.
/// The diagnostics are about nodes whose operands contradict each other (E0420) and declarations that contradict what
/// follows (E0421, a warning): the outputs of such nodes keep their declared types.
Diagnostics infer_types(Model& model, const InferOptions& options = {});
/// The same for the outputs of one node, from what its operands are now.
Diagnostics infer_types(Model& model, Node& node, const InferOptions& options);

/// Elements of a small integer tensor; absent ones are not known.
using Known = std::vector<std::optional<std::int64_t>>;
constexpr std::size_t kMostKnown = 1024;  ///< elements of a tensor whose values are followed

/// A node as its row sees it. Setting outputs that the node does not have does nothing.
class InferView {
 public:
  InferView(const Model& model, const Node& node, const std::unordered_map<const Value*, Known>& known)
      : model_(model), node_(node), known_(known), outputs_(node.output_count()) {}

  const Node& node() const { return node_; }
  std::int64_t opset() const { return model_.opset(node_.domain); }
  std::size_t inputs() const { return node_.input_count(); }
  bool has(std::size_t input) const { return node_.input(input) != nullptr; }

  DataType dtype(std::size_t input) const;      ///< undefined: not known, or no tensor
  const Shape* shape(std::size_t input) const;  ///< null: the rank is not known
  const Type* type(std::size_t input) const;    ///< null: left out
  /// Values that are known before run time.
  const Tensor* constant(std::size_t input) const;
  std::optional<std::vector<std::int64_t>> integers(std::size_t input) const;  ///< int32 and int64
  std::optional<std::vector<double>> numbers(std::size_t input) const;         ///< of any real dtype
  const Known* known(std::size_t input) const;                                 ///< partly known integers
  /// From an input where the opset has it there, else from the attribute; absent: neither is there, or not known.
  std::optional<std::vector<std::int64_t>> integers(std::size_t input, std::string_view attribute) const;

  void set(std::size_t output, DataType dtype, std::optional<Shape> shape);
  void set(std::size_t output, Type type);
  /// Contradictory operands: a sentence about this node.
  void fail(std::string message) { failure_ = std::move(message); }

  const std::vector<std::optional<Type>>& results() const { return outputs_; }
  const std::string& failure() const { return failure_; }

 private:
  const Model& model_;
  const Node& node_;
  const std::unordered_map<const Value*, Known>& known_;
  std::vector<std::optional<Type>> outputs_;
  std::string failure_;
};

struct InferRow {
  std::string_view op;
  void (*infer)(InferView&);
};
/// The rows of ai.onnx, by family.
std::span<const InferRow> elementwise_rows();
std::span<const InferRow> window_rows();   ///< convolution, pooling, resize
std::span<const InferRow> product_rows();  ///< MatMul, Gemm, recurrent
std::span<const InferRow> movement_rows();
std::span<const InferRow> reduction_rows();
std::span<const InferRow> creation_rows();  ///< constants, shapes, ranges, random numbers
/// Null when no row knows the operation.
const InferRow* find_row(std::string_view domain, std::string_view op);

/// Integers that `node` computes from known ones, for InferOptions::propagate_data.
std::optional<Known> compute_known(const InferView& view);

/// Helpers of the rows.
Dimension known_extent(std::int64_t value);
Shape unknown_shape(std::size_t rank);
std::optional<std::int64_t> axis_of(std::int64_t axis, std::size_t rank);  ///< counted from the front
/// Which of `rank` extents Shape gives by its attributes: begin ≤ end.
std::pair<std::int64_t, std::int64_t> shape_range(const Node& shape, std::size_t rank);
/// NumPy's rule; absent when two known extents differ and neither is 1.
std::optional<Shape> broadcast(const Shape& a, const Shape& b);
/// The elements of a tensor in memory, as double or int64; absent where they are external or were never computed.
std::optional<std::vector<double>> read_numbers(const Tensor& tensor);
std::optional<std::vector<std::int64_t>> read_integers(const Tensor& tensor);

}  // namespace anemone::onnx

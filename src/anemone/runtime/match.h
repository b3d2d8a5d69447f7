#pragma once
// Which operations one kernel does together: patterns over the graph, decided before anything is placed.
#include <string>
#include <vector>

#include "anemone/runtime/graph_view.h"

namespace anemone::runtime {

struct KernelRow;

/// Neighbouring operations that one kernel does. Only `node` is always there.
struct Group {
  const Node* node = nullptr;         ///< whose kernel it is
  const KernelRow* row = nullptr;     ///< null: reference execution, or nothing to do when `is_empty`
  bool is_empty = false;              ///< all results are without elements
  const Node* norm_before = nullptr;  ///< a batch_norm that the convolution does while it reads its input
  const Node* relu_before = nullptr;  ///< and the relu between them
  const Node* norm_after = nullptr;   ///< a batch_norm that goes into the weights
  const Node* add = nullptr;
  const Node* activation = nullptr;
  const Node* dequantize = nullptr;  ///< behind a quantize: together they round floats to steps

  /// What comes in as the first operand, and the value that the last of them makes.
  const Value& in() const;
  const Value& out() const;
  /// The other summand; null when nothing is added.
  const Value* summand() const;
  /// "batch_norm+relu+conv+add"
  std::string ops() const;
};

/// All needed nodes of the function, each in one group, in an order of execution.
std::vector<Group> match(const GraphView& graph);

}  // namespace anemone::runtime

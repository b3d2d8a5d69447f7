#pragma once
// The reference executor: runs functions and nodes by the meanings of the op table, one node after the other, in
// double. It is the oracle that passes and the fast executor are measured against, and what constants are folded with.
#include <span>
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/ir/op_def.h"

namespace anemone::ops {

/// Runs one node. `fetch` gives the array of every operand (null = there is none: an error). Results are rounded to the
/// dtypes of the outputs. Errors: E0200 … when the type rule refuses the operands as they are, E0701 opaque operation,
/// E0702 a declared type that is not what comes out, E0703 a result too large to hold, E0704 an operand without value.
Result<std::vector<Array>> evaluate_node(const Node& node, const EvalView::Fetch& fetch);

/// Runs a function. `inputs` are in the order of the body's inputs, with values that their dtypes hold; a state is
/// given by its content, and `states_after` receives what was written to the states, in order. Errors: those of
/// evaluate_node, E0705 for inputs that do not fit, and E0706 for loops that do not end and blocks nested too deep.
Result<std::vector<Array>> evaluate(const Function& function, std::span<const Array> inputs,
                                    std::vector<Array>* states_after = nullptr);

/// The most elements a result may have: above it, a mistake is more likely than a wish.
inline constexpr std::int64_t kMostElements = std::int64_t{1} << 28;

}  // namespace anemone::ops

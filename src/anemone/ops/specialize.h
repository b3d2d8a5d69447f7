#pragma once
// Fixed shapes out of flexible ones: the form of a program that passes, plan and runtime work on.
#include <map>
#include <memory>
#include <string>

#include "anemone/ir/graph.h"
#include "anemone/support/result.h"

namespace anemone::ops {

/// A copy of one function as a program of its own, its inputs with the given shapes (those not named keep theirs).
/// Types are inferred anew, and arithmetic on shapes becomes constants, so that reshapes and slices get fixed results.
/// Opaque operations keep their declared types. Errors: E0206 no such function or input, or a shape that does not fit
/// the declaration; E0200 … from type rules.
Result<std::unique_ptr<Program>> specialize(const Program& program, const std::string& function,
                                            const std::map<std::string, Dims>& input_shapes);

}  // namespace anemone::ops

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

/// What `at_default_size` did.
struct Sized {
  std::unique_ptr<Program> program;      ///< null: every extent is known already, or an input has no default
  std::map<std::string, Dims> defaults;  ///< the inputs with unknown extents, and the shapes chosen for them
  std::string without_default;           ///< the first input that has no default size; then nothing was done
};

/// The default function of a flexible program at the default sizes of its interface: what it is planned, counted and
/// tried with when nobody names a size. Inputs in `given` have these shapes instead. Errors: those of specialize.
Result<Sized> at_default_size(const Program& program, const std::map<std::string, Dims>& given = {});

/// Every extent of its inputs and results is known.
bool is_fixed(const Function& function);

}  // namespace anemone::ops

#pragma once
// Several input sizes in one package.
#include <memory>
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/support/result.h"

namespace anemone::toolchain {

/// One program that takes any of the sizes, from programs that differ in extents only: those extents become unknown and
/// the image (or array) input gets the list. E0810 when more than extents depends on the size.
Result<std::unique_ptr<Program>> merge_sizes(std::vector<std::unique_ptr<Program>> programs);

/// One program with a function a size: `size_HxW`, the first is the default; a single program stays as it is. Only
/// packages of ios18 hold several.
Result<std::unique_ptr<Program>> functions_by_size(std::vector<std::unique_ptr<Program>> programs);

/// The program for inputs of this height and width, those of four dimensions: the default function where it takes them,
/// else the first that does, with every extent known. Errors, blamed on what was typed: E0705 with what is taken.
Result<std::unique_ptr<Program>> program_at_size(const Program& program, std::int64_t height, std::int64_t width);

/// Whether Core ML takes an array or image of this shape for the feature: an enumerated one, one within the ranges, or
/// the declared one. An image has the shape [height, width]. Errors: E0705 with what it takes.
Result<void> check_admitted(const Feature& feature, const Dims& shape);

}  // namespace anemone::toolchain

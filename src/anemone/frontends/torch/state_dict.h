#pragma once
// From the tensors of a state dict to constants of a graph; numbers are read only when a network asks for them.
#include <string>
#include <string_view>

#include "anemone/formats/torch/checkpoint.h"
#include "anemone/ir/constant.h"
#include "anemone/support/result.h"

namespace anemone::torch {

/// The tensor as float32. Shares the storage when that holds packed, aligned float32; half, bfloat16 and double are
/// converted (double rounds to nearest even), other views are copied in row-major order. E0601 for a missing key, E0602
/// for elements that are not floating point.
Result<ConstantPtr> float32_constant(const formats::StateDict& state, std::string_view key);

/// Adds a packed row-major tensor. E0603 for a key that is there already, E0604 when the bytes do not make the shape.
Result<void> append(formats::StateDict& state, std::string key, formats::ScalarType dtype, Dims shape, Bytes data);

/// Where messages about a state dict point: the file, and the part of it that holds the weights.
std::string place_of(const formats::StateDict& state);

}  // namespace anemone::torch

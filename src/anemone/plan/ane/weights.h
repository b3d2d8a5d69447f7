#pragma once
// What can be said about numbers without running anything: from stored weights and from operations that bound them.
#include <cstdint>
#include <optional>
#include <span>

#include "anemone/ir/graph.h"

namespace anemone::plan::ane {

/// The bits of a plain fp16 constant; empty for anything else.
std::span<const std::uint16_t> halves(const Value* value);

/// Share of the elements that are not 0 and below fp16's normal range.
double subnormal_share(std::span<const std::uint16_t> bits);

/// The largest Σ|w| of a row: what an accumulator holds when every input is 1.
double largest_row(std::span<const std::uint16_t> bits, std::int64_t rows);

/// The largest magnitude that operations or an image input guarantee; nothing when they guarantee none.
std::optional<double> magnitude(const Function& function, const Value* value);

}  // namespace anemone::plan::ane

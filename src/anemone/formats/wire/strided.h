#pragma once
// Shapes, and strided views of a buffer gathered into row-major order.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace anemone::formats {

/// More than any tensor has; products of extents and strides up to it do not overflow.
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 48;
/// Number of elements, or -1 when an extent is negative or the product exceeds kMaxElements.
std::int64_t checked_count(std::span<const std::int64_t> shape);

/// Row-major strides in elements; an extent of 0 counts as 1, as in PyTorch.
std::vector<std::int64_t> contiguous_strides(std::span<const std::int64_t> shape);

/// True when the elements lie in row-major order without gaps (extents of 1 have no say, nor do empty views).
bool is_row_major(std::span<const std::int64_t> shape, std::span<const std::int64_t> stride);

/// Copies the view {offset, shape, stride} (in elements of `element` bytes) of `source` into row-major order.
/// The caller has checked that every element lies inside `source` and that the result is of sane size.
std::vector<std::byte> gather_row_major(std::span<const std::byte> source, std::size_t element, std::int64_t offset,
                                        std::span<const std::int64_t> shape, std::span<const std::int64_t> stride);

}  // namespace anemone::formats

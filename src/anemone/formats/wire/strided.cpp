// Gathers strided views: runs that are contiguous are copied at once, the rest element by element.
#include "anemone/formats/wire/strided.h"

#include <algorithm>
#include <cstring>

namespace anemone::formats {

namespace {

struct Dimension {
  std::int64_t extent, stride;
};

/// The view without extents of 1 and with neighbours merged where one continues the other. Outermost first.
std::vector<Dimension> simplify(std::span<const std::int64_t> shape, std::span<const std::int64_t> stride) {
  std::vector<Dimension> dimensions;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    if (!dimensions.empty() && dimensions.back().stride == stride[i] * shape[i]) {
      dimensions.back() = {dimensions.back().extent * shape[i], stride[i]};
    } else {
      dimensions.push_back({shape[i], stride[i]});
    }
  }
  return dimensions;
}

template <std::size_t kElement>
void copy_elements(std::byte* to, const std::byte* from, std::int64_t count, std::int64_t stride) {
  for (std::int64_t i = 0; i < count; ++i) {
    std::memcpy(to + static_cast<std::size_t>(i) * kElement, from + static_cast<std::size_t>(i * stride) * kElement,
                kElement);
  }
}

void copy_run(std::byte* to, const std::byte* from, std::size_t element, Dimension run) {
  if (run.stride == 1) {
    std::memcpy(to, from, static_cast<std::size_t>(run.extent) * element);
    return;
  }
  switch (element) {
    case 1:
      return copy_elements<1>(to, from, run.extent, run.stride);
    case 2:
      return copy_elements<2>(to, from, run.extent, run.stride);
    case 4:
      return copy_elements<4>(to, from, run.extent, run.stride);
    case 8:
      return copy_elements<8>(to, from, run.extent, run.stride);
    default:
      return copy_elements<16>(to, from, run.extent, run.stride);
  }
}

}  // namespace

std::int64_t checked_count(std::span<const std::int64_t> shape) {
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t extent : shape) {
    if (extent < 0) return -1;
    if (extent == 0) {
      empty = true;
    } else if (count > kMaxElements / extent) {
      return -1;  // also beside an extent of 0: strides would overflow
    } else {
      count *= extent;
    }
  }
  return empty ? 0 : count;
}

std::vector<std::int64_t> contiguous_strides(std::span<const std::int64_t> shape) {
  std::vector<std::int64_t> stride(shape.size());
  std::int64_t next = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    stride[i] = next;
    next *= std::max<std::int64_t>(shape[i], 1);
  }
  return stride;
}

bool is_row_major(std::span<const std::int64_t> shape, std::span<const std::int64_t> stride) {
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return true;
  std::int64_t expected = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 1) continue;
    if (stride[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

std::vector<std::byte> gather_row_major(std::span<const std::byte> source, std::size_t element, std::int64_t offset,
                                        std::span<const std::int64_t> shape, std::span<const std::int64_t> stride) {
  std::size_t count = 1;
  for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
  std::vector<std::byte> result(count * element);
  if (count == 0) return result;
  std::vector<Dimension> dimensions = simplify(shape, stride);
  const Dimension run = dimensions.empty() ? Dimension{1, 1} : dimensions.back();
  if (!dimensions.empty()) dimensions.pop_back();
  std::vector<std::int64_t> index(dimensions.size(), 0);
  std::int64_t position = offset;
  std::byte* to = result.data();
  while (true) {
    copy_run(to, source.data() + static_cast<std::size_t>(position) * element, element, run);
    to += static_cast<std::size_t>(run.extent) * element;
    std::size_t d = dimensions.size();
    while (d > 0) {  // count up like an odometer
      --d;
      position += dimensions[d].stride;
      if (++index[d] < dimensions[d].extent) break;
      position -= dimensions[d].stride * dimensions[d].extent;
      index[d] = 0;
      if (d == 0) return result;
    }
    if (dimensions.empty()) return result;
  }
}

}  // namespace anemone::formats

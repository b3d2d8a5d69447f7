// Numbers that inference reads: elements of constants, and small integers computed from shapes.
#include <algorithm>
#include <cstring>

#include "anemone/onnx/infer.h"
#include "anemone/support/half.h"

namespace anemone::onnx {
namespace {

constexpr std::size_t kMostRead = 1u << 16;  // elements: shapes, axes, scales are small

bool is_readable(const Tensor& tensor, std::int64_t count) {
  if (tensor.external || count > static_cast<std::int64_t>(kMostRead)) return false;
  return static_cast<std::int64_t>(tensor.data.size()) == onnxspec::packed_size(tensor.dtype, count).value_or(-1);
}

template <class T>
T element(const Tensor& tensor, std::size_t index) {
  T value;
  std::memcpy(&value, tensor.data.data() + index * sizeof value, sizeof value);
  return value;
}

template <class T>
std::optional<std::int64_t> whole(const std::optional<std::int64_t>& a, const std::optional<std::int64_t>& b, T&& f) {
  if (!a || !b) return std::nullopt;
  return f(*a, *b);
}

/// Extents of a shape as elements.
Known extents_of(const Shape& shape) {
  Known known;
  for (const Dimension& dimension : shape)
    known.push_back(extent(dimension) >= 0 ? std::optional(extent(dimension)) : std::nullopt);
  return known;
}

std::optional<Known> known_input(const InferView& v, std::size_t input) {
  if (const Known* known = v.known(input)) return *known;
  const auto all = v.integers(input);
  if (!all) return std::nullopt;
  return Known(all->begin(), all->end());
}

std::optional<Known> shape_known(const InferView& v) {
  const Shape* shape = v.shape(0);
  if (!shape) return std::nullopt;
  const auto [begin, end] = shape_range(v.node(), shape->size());
  return extents_of({shape->begin() + begin, shape->begin() + end});
}

std::optional<Known> gather_known(const InferView& v) {
  const auto data = known_input(v, 0);
  const auto indices = v.integers(1);
  const Shape* shape = v.shape(0);
  if (!data || !indices || !shape || shape->size() != 1) return std::nullopt;
  Known result;
  for (std::int64_t index : *indices) {
    const auto size = static_cast<std::int64_t>(data->size());
    if (index < 0) index += size;
    if (index < 0 || index >= size) return std::nullopt;
    result.push_back((*data)[static_cast<std::size_t>(index)]);
  }
  return result;
}

std::optional<Known> concat_known(const InferView& v) {
  Known result;
  for (std::size_t i = 0; i < v.inputs(); ++i) {
    const auto part = known_input(v, i);
    const Shape* shape = v.shape(i);
    if (!part || !shape || shape->size() != 1) return std::nullopt;
    result.insert(result.end(), part->begin(), part->end());
    if (result.size() > kMostKnown) return std::nullopt;
  }
  return result;
}

std::optional<Known> slice_known(const InferView& v) {
  const auto data = known_input(v, 0);
  const auto starts = v.integers(1, "starts"), ends = v.integers(2, "ends");
  const auto steps = v.has(4) ? v.integers(4) : std::vector<std::int64_t>{1};
  const Shape* shape = v.shape(0);
  if (!data || !starts || !ends || !steps || !shape || shape->size() != 1) return std::nullopt;
  if (starts->size() != 1 || ends->size() != 1 || steps->size() != 1 || steps->front() != 1) return std::nullopt;
  const auto size = static_cast<std::int64_t>(data->size());
  const auto clamp = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); };
  const std::int64_t begin = clamp(starts->front()), end = clamp(ends->front());
  if (begin >= end) return Known{};
  return Known(data->begin() + begin, data->begin() + end);
}

/// One operation for two operands of equal length, or one of them a single element.
std::optional<Known> arithmetic_known(const InferView& v) {
  const auto a = known_input(v, 0), b = known_input(v, 1);
  if (!a || !b || a->empty() || b->empty()) return std::nullopt;
  if (a->size() != b->size() && a->size() != 1 && b->size() != 1) return std::nullopt;
  constexpr std::int64_t kSane = std::int64_t{1} << 31;  // products of two cannot overflow
  Known result;
  for (std::size_t i = 0; i < std::max(a->size(), b->size()); ++i) {
    const auto &x = (*a)[a->size() == 1 ? 0 : i], &y = (*b)[b->size() == 1 ? 0 : i];
    result.push_back(whole(x, y, [&](std::int64_t p, std::int64_t q) -> std::optional<std::int64_t> {
      if (std::max(p, q) > kSane || std::min(p, q) < -kSane) return std::nullopt;
      const std::string_view op = v.node().op_type;
      if (op == "Add") return p + q;
      if (op == "Sub") return p - q;
      if (op == "Mul") return p * q;
      if (op == "Div" && q != 0) return p / q;
      return std::nullopt;
    }));
  }
  return result;
}

}  // namespace

std::optional<Known> compute_known(const InferView& v) {
  if (!v.node().domain.empty()) return std::nullopt;
  const std::string_view op = v.node().op_type;
  if (op == "Shape") return shape_known(v);
  if (op == "Gather") return gather_known(v);
  if (op == "Concat") return concat_known(v);
  if (op == "Slice") return slice_known(v);
  if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div") {
    return v.dtype(0) == DataType::int64 || v.dtype(0) == DataType::int32 ? arithmetic_known(v) : std::nullopt;
  }
  if (op == "Squeeze" || op == "Unsqueeze" || op == "Identity" || op == "Reshape") return known_input(v, 0);
  if (op == "Cast") {
    const std::int64_t to = v.node().integer("to", 0);
    return to == 6 || to == 7 ? known_input(v, 0) : std::nullopt;
  }
  if (op == "Constant") {
    if (const auto* attribute = v.node().attribute("value_int")) {
      if (const auto* value = std::get_if<std::int64_t>(&attribute->value)) return Known{*value};
    }
    const std::vector<std::int64_t> list = v.node().integers("value_ints");
    return list.empty() ? std::nullopt : std::optional<Known>(Known(list.begin(), list.end()));
  }
  return std::nullopt;
}

std::optional<std::vector<std::int64_t>> read_integers(const Tensor& tensor) {
  const auto count = onnxspec::element_count(tensor.dims);
  if (!count || !is_readable(tensor, *count)) return std::nullopt;
  std::vector<std::int64_t> values;
  for (std::size_t i = 0; i < static_cast<std::size_t>(*count); ++i) {
    if (tensor.dtype == DataType::int64) {
      values.push_back(element<std::int64_t>(tensor, i));
    } else if (tensor.dtype == DataType::int32) {
      values.push_back(element<std::int32_t>(tensor, i));
    } else {
      return std::nullopt;
    }
  }
  return values;
}

std::optional<std::vector<double>> read_numbers(const Tensor& tensor) {
  const auto count = onnxspec::element_count(tensor.dims);
  if (!count || !is_readable(tensor, *count)) return std::nullopt;
  std::vector<double> values;
  for (std::size_t i = 0; i < static_cast<std::size_t>(*count); ++i) {
    switch (tensor.dtype) {
      case DataType::float32:
        values.push_back(element<float>(tensor, i));
        break;
      case DataType::float64:
        values.push_back(element<double>(tensor, i));
        break;
      case DataType::float16:
        values.push_back(float_from_half(element<std::uint16_t>(tensor, i)));
        break;
      case DataType::int64:
        values.push_back(static_cast<double>(element<std::int64_t>(tensor, i)));
        break;
      case DataType::int32:
        values.push_back(element<std::int32_t>(tensor, i));
        break;
      default:
        return std::nullopt;
    }
  }
  return values;
}

}  // namespace anemone::onnx

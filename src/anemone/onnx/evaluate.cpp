// Tensors <-> arrays, and the walk over a node's operands.
#include "anemone/onnx/evaluate.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "anemone/onnx/infer.h"
#include "anemone/support/half.h"

namespace anemone::onnx {
namespace {

constexpr std::int64_t kMostElements = 1 << 16;

template <class T, class Out>
void widen(const Tensor& tensor, std::int64_t count, std::vector<Out>& out) {
  out.resize(static_cast<std::size_t>(count));
  const std::byte* from = tensor.data.data();
  for (Out& each : out) {
    T value;
    std::memcpy(&value, from, sizeof value);
    from += sizeof value;
    each = static_cast<Out>(value);
  }
}

template <class T, class In>
Bytes narrowed(const std::vector<In>& values) {
  std::vector<T> out(values.size());
  std::transform(values.begin(), values.end(), out.begin(), [](In value) { return static_cast<T>(value); });
  return Bytes::copy_of(std::span<const T>(out));
}

void round_to_dtype(Array& array) {
  for (double& value : array.real) {
    if (array.dtype == DataType::float32) value = static_cast<float>(value);
    if (array.dtype == DataType::float16) value = float_from_half(half_from_float(static_cast<float>(value)));
  }
}

const EvaluateRow* find_evaluate_row(const std::string& op) {
  static const std::unordered_map<std::string_view, const EvaluateRow*> kRows = [] {
    std::unordered_map<std::string_view, const EvaluateRow*> rows;
    for (const auto family : {evaluate_arithmetic_rows(), evaluate_movement_rows()}) {
      for (const EvaluateRow& row : family) rows.emplace(row.op, &row);
    }
    return rows;
  }();
  const auto found = kRows.find(op);
  return found == kRows.end() ? nullptr : found->second;
}

}  // namespace

bool Array::is_real() const {
  return dtype == DataType::float32 || dtype == DataType::float64 || dtype == DataType::float16;
}

std::optional<Array> read_array(const Tensor& tensor) {
  const auto count = bounded_count(tensor.dims);
  if (!count || tensor.external) return std::nullopt;
  const auto bytes = onnxspec::packed_size(tensor.dtype, *count);
  if (!bytes || static_cast<std::int64_t>(tensor.data.size()) != *bytes) return std::nullopt;
  Array array{tensor.dtype, tensor.dims, {}, {}};
  switch (tensor.dtype) {
    case DataType::float32:
      widen<float>(tensor, *count, array.real);
      return array;
    case DataType::float64:
      widen<double>(tensor, *count, array.real);
      return array;
    case DataType::float16:
      widen<std::uint16_t>(tensor, *count, array.real);
      for (double& value : array.real) value = float_from_half(static_cast<std::uint16_t>(value));
      return array;
    case DataType::int64:
      widen<std::int64_t>(tensor, *count, array.whole);
      return array;
    case DataType::int32:
      widen<std::int32_t>(tensor, *count, array.whole);
      return array;
    case DataType::uint8:
    case DataType::boolean:
      widen<std::uint8_t>(tensor, *count, array.whole);
      return array;
    default:
      return std::nullopt;
  }
}

Tensor to_tensor(std::string name, const Array& array) {
  Tensor tensor;
  tensor.name = std::move(name);
  tensor.dtype = array.dtype;
  tensor.dims = array.dims;
  switch (array.dtype) {
    case DataType::float32:
      tensor.data = narrowed<float>(array.real);
      break;
    case DataType::float64:
      tensor.data = narrowed<double>(array.real);
      break;
    case DataType::float16: {
      std::vector<std::uint16_t> halves;
      for (const double value : array.real) halves.push_back(half_from_float(static_cast<float>(value)));
      tensor.data = Bytes::copy_of(std::span<const std::uint16_t>(halves));
      break;
    }
    case DataType::int64:
      tensor.data = narrowed<std::int64_t>(array.whole);
      break;
    case DataType::int32:
      tensor.data = narrowed<std::int32_t>(array.whole);
      break;
    default:
      tensor.data = narrowed<std::uint8_t>(array.whole);
  }
  return tensor;
}

std::optional<std::vector<std::int64_t>> EvaluateView::integers(std::size_t index, std::string_view attribute) const {
  if (const Array* array = input(index)) return array->is_real() ? std::nullopt : std::optional(array->whole);
  if (!node_.attribute(attribute)) return std::nullopt;
  return node_.integers(attribute);
}

std::optional<std::int64_t> bounded_count(const std::vector<std::int64_t>& dims) {
  std::int64_t count = 1;  // of the other axes where one is 0: strides are products of theirs
  bool is_empty = false;
  for (const std::int64_t n : dims) {
    if (n < 0 || n > kMostElements / count) return std::nullopt;
    is_empty |= n == 0;
    count *= std::max<std::int64_t>(n, 1);
  }
  return is_empty ? 0 : count;
}

std::vector<std::size_t> places_of(const std::vector<std::int64_t>& dims,
                                   const std::vector<std::vector<std::int64_t>>& offsets) {
  std::vector<std::size_t> places{0};
  for (const std::vector<std::int64_t>& axis : offsets) {
    std::vector<std::size_t> finer(places.size() * axis.size());
    auto out = finer.begin();
    for (const std::size_t place : places) {
      for (const std::int64_t offset : axis) *out++ = place + static_cast<std::size_t>(offset);
    }
    places = std::move(finer);
  }
  places.resize(static_cast<std::size_t>(bounded_count(dims).value_or(0)));
  return places;
}

Array taken(const Array& from, std::vector<std::int64_t> dims, const std::vector<std::size_t>& places) {
  Array out{from.dtype, std::move(dims), {}, {}};
  const auto take = [&](const auto& source, auto& target) {
    target.resize(places.size());
    std::transform(places.begin(), places.end(), target.begin(), [&](std::size_t place) { return source[place]; });
  };
  from.is_real() ? take(from.real, out.real) : take(from.whole, out.whole);
  return out;
}

std::optional<Array> evaluate(const Model& model, const Node& node) {
  const EvaluateRow* row = node.domain.empty() ? find_evaluate_row(node.op_type) : nullptr;
  if (!row || node.output_count() != 1) return std::nullopt;
  std::vector<std::optional<Array>> inputs(node.input_count());
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    const Value* value = node.input(i);
    if (!value) continue;
    if (!value->tensor || !model.is_constant(*value)) return std::nullopt;
    inputs[i] = read_array(*value->tensor);
    if (!inputs[i]) return std::nullopt;
  }
  std::optional<Array> result = row->evaluate(EvaluateView(node, model.opset(), std::move(inputs)));
  if (!result) return std::nullopt;
  round_to_dtype(*result);
  return result;
}

}  // namespace anemone::onnx

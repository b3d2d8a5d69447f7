// Types of constants, shapes as tensors, ranges and random numbers.
#include <algorithm>
#include <cmath>

#include "anemone/onnx/infer.h"

namespace anemone::onnx {
namespace {

Dimension length(std::size_t size) { return known_extent(static_cast<std::int64_t>(size)); }

template <class T>
const T* held(const Node& node, std::string_view name) {
  const Attribute* attribute = node.attribute(name);
  return attribute ? std::get_if<T>(&attribute->value) : nullptr;
}

void set_tensor(InferView& v, DataType dtype, const std::vector<std::int64_t>& dims) {
  Shape shape;
  for (const std::int64_t n : dims) shape.push_back(known_extent(n));
  v.set(0, dtype, std::move(shape));
}

void constant(InferView& v) {
  const Node& n = v.node();
  if (const auto* tensors = held<std::vector<Tensor>>(n, "value"); tensors && !tensors->empty())
    return set_tensor(v, tensors->front().dtype, tensors->front().dims);
  if (const auto* sparse = held<std::vector<onnxspec::SparseTensor>>(n, "sparse_value"); sparse && !sparse->empty())
    return set_tensor(v, sparse->front().values.dtype, sparse->front().dims);
  if (n.attribute("value_int")) return v.set(0, DataType::int64, Shape{});
  if (n.attribute("value_float")) return v.set(0, DataType::float32, Shape{});
  if (n.attribute("value_string")) return v.set(0, DataType::string, Shape{});
  if (const auto* list = held<std::vector<std::int64_t>>(n, "value_ints"))
    return v.set(0, DataType::int64, Shape{length(list->size())});
  if (const auto* list = held<std::vector<float>>(n, "value_floats"))
    return v.set(0, DataType::float32, Shape{length(list->size())});
  if (const auto* list = held<std::vector<std::string>>(n, "value_strings"))
    return v.set(0, DataType::string, Shape{length(list->size())});
}

void constant_of_shape(InferView& v) {
  const auto* value = held<std::vector<Tensor>>(v.node(), "value");
  const DataType dtype = value && !value->empty() ? value->front().dtype : DataType::float32;
  if (const auto dims = v.integers(0)) return set_tensor(v, dtype, *dims);
  const Shape* shape = v.shape(0);
  const std::int64_t rank = shape && shape->size() == 1 ? extent((*shape)[0]) : -1;
  v.set(0, dtype, rank >= 0 && rank < 64 ? std::optional(unknown_shape(static_cast<std::size_t>(rank))) : std::nullopt);
}

void shape(InferView& v) {
  const Shape* x = v.shape(0);
  if (!x) return v.set(0, DataType::int64, Shape{Dimension{}});
  const auto [begin, end] = shape_range(v.node(), x->size());
  v.set(0, DataType::int64, Shape{known_extent(end - begin)});
}

void size(InferView& v) { v.set(0, DataType::int64, Shape{}); }

void range(InferView& v) {
  Dimension count;
  const auto start = v.numbers(0), limit = v.numbers(1), delta = v.numbers(2);
  if (start && limit && delta && start->size() == 1 && limit->size() == 1 && delta->size() == 1 &&
      delta->front() != 0) {
    const double n = std::ceil((limit->front() - start->front()) / delta->front());
    if (n < 1e12) count = known_extent(n > 0 ? static_cast<std::int64_t>(n) : 0);
  }
  v.set(0, v.dtype(0), Shape{count});
}

void one_hot(InferView& v) {
  const Shape* indices = v.shape(0);
  if (!indices) return v.set(0, v.dtype(2), std::nullopt);
  Shape out = *indices;
  const auto axis = axis_of(v.node().integer("axis", -1), out.size() + 1);
  if (!axis) return v.fail("the axis is outside the rank");
  const auto depth = v.numbers(1);
  const bool known = depth && depth->size() == 1 && depth->front() >= 0 && depth->front() < 1e12;
  out.insert(out.begin() + *axis, known ? known_extent(static_cast<std::int64_t>(depth->front())) : Dimension{});
  v.set(0, v.dtype(2), std::move(out));
}

void random(InferView& v) {
  set_tensor(v, static_cast<DataType>(v.node().integer("dtype", 1)), v.node().integers("shape"));
}

/// RandomNormalLike, Bernoulli and their kind: the shape of the input, the dtype of the attribute where it is given.
void like(InferView& v) {
  if (!v.has(0)) return;
  Type type = *v.type(0);
  if (v.node().attribute("dtype")) type.dtype = static_cast<DataType>(v.node().integer("dtype", 1));
  v.set(0, std::move(type));
}

constexpr InferRow kRows[] = {
    {"Bernoulli", like},        {"Constant", constant},    {"ConstantOfShape", constant_of_shape},
    {"EyeLike", like},          {"OneHot", one_hot},       {"RandomNormal", random},
    {"RandomNormalLike", like}, {"RandomUniform", random}, {"RandomUniformLike", like},
    {"Range", range},           {"Shape", shape},          {"Size", size},
};

}  // namespace

std::span<const InferRow> creation_rows() { return kRows; }

}  // namespace anemone::onnx

// Types of element by element operations, normalisations and casts.
#include <algorithm>
#include <array>

#include "anemone/onnx/infer.h"

namespace anemone::onnx {

Dimension known_extent(std::int64_t value) { return {value, {}, {}}; }

Shape unknown_shape(std::size_t rank) { return Shape(rank); }

std::optional<std::int64_t> axis_of(std::int64_t axis, std::size_t rank) {
  const auto r = static_cast<std::int64_t>(rank);
  if (axis < -r || axis >= r) return std::nullopt;
  return axis < 0 ? axis + r : axis;
}

std::pair<std::int64_t, std::int64_t> shape_range(const Node& shape, std::size_t rank) {
  const auto r = static_cast<std::int64_t>(rank);
  const auto clamp = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + r : at, 0, r); };
  const std::int64_t begin = clamp(shape.integer("start", 0));
  return {begin, std::max(begin, clamp(shape.integer("end", r)))};
}

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < result.size(); ++i) {  // from the back
    const Dimension one = known_extent(1);
    const Dimension& x = i < a.size() ? a[a.size() - 1 - i] : one;
    const Dimension& y = i < b.size() ? b[b.size() - 1 - i] : one;
    Dimension& out = result[result.size() - 1 - i];
    const std::int64_t p = extent(x), q = extent(y);
    if (p == 1) {
      out = y;
    } else if (q == 1) {
      out = x;
    } else if (p >= 0 && q >= 0) {
      if (p != q) return std::nullopt;
      out = x;
    } else if (p >= 0 || q >= 0) {
      out = p >= 0 ? x : y;  // an unknown extent is this one, or 1
    } else if (x.symbol == y.symbol) {
      out = x;
    }
    out.denotation.clear();
  }
  return result;
}

namespace {

std::optional<Shape> copy(const Shape* shape) { return shape ? std::optional(*shape) : std::nullopt; }

void same(InferView& v) {
  if (v.has(0)) v.set(0, *v.type(0));
}

/// A row of its own dtype in the shape of the first input.
template <DataType dtype>
void same_shape(InferView& v) {
  v.set(0, dtype, copy(v.shape(0)));
}

/// The common shape of all inputs, in `dtype`.
void broadcast_all(InferView& v, DataType dtype) {
  std::optional<Shape> shape = Shape{};
  for (std::size_t i = 0; i < v.inputs() && shape; ++i) {
    const Shape* other = v.shape(i);
    if (!other) {
      shape.reset();
      break;
    }
    shape = broadcast(*shape, *other);
    if (!shape) return v.fail("the shapes of the operands do not broadcast");
  }
  v.set(0, dtype, std::move(shape));
}

/// Up to opset 6 a binary operation broadcasts only when told to, towards its first operand.
bool is_old_binary(const InferView& v) { return v.opset() < 7 && v.inputs() == 2; }

void arithmetic(InferView& v) {
  if (is_old_binary(v)) return same(v);
  DataType dtype = v.dtype(0);
  for (std::size_t i = 1; i < v.inputs() && dtype == DataType::undefined; ++i) dtype = v.dtype(i);
  broadcast_all(v, dtype);
}

void comparison(InferView& v) {
  if (is_old_binary(v)) return same_shape<DataType::boolean>(v);
  broadcast_all(v, DataType::boolean);
}

void where(InferView& v) { broadcast_all(v, v.dtype(1) == DataType::undefined ? v.dtype(2) : v.dtype(1)); }

void cast(InferView& v) { v.set(0, static_cast<DataType>(v.node().integer("to", 0)), copy(v.shape(0))); }

void cast_like(InferView& v) { v.set(0, v.dtype(1), copy(v.shape(0))); }

void dropout(InferView& v) {
  same(v);
  v.set(1, v.opset() < 10 ? v.dtype(0) : DataType::boolean, copy(v.shape(0)));
}

/// Statistics of training, one value a channel.
void batch_normalization(InferView& v) {
  same(v);
  for (std::size_t i = 1; i < v.node().output_count(); ++i) v.set(i, v.dtype(1), copy(v.shape(1)));
}

/// Mean and inverse deviation have the normalised axes at extent 1.
void layer_normalization(InferView& v) {
  same(v);
  const Shape* shape = v.shape(0);
  if (!shape) return;
  const auto axis = axis_of(v.node().integer("axis", -1), shape->size());
  if (!axis) return v.fail("the axis is outside the rank");
  Shape reduced = *shape;
  for (auto i = static_cast<std::size_t>(*axis); i < reduced.size(); ++i) reduced[i] = known_extent(1);
  v.set(1, DataType::float32, reduced);
  v.set(2, DataType::float32, reduced);
}

void quantize_linear(InferView& v) {
  const auto output = static_cast<DataType>(v.node().integer("output_dtype", 0));
  v.set(0, v.has(2) ? v.dtype(2) : output != DataType::undefined ? output : DataType::uint8, copy(v.shape(0)));
}

void dequantize_linear(InferView& v) { v.set(0, v.dtype(1), copy(v.shape(0))); }

void dynamic_quantize_linear(InferView& v) {
  same_shape<DataType::uint8>(v);
  v.set(1, DataType::float32, Shape{});
  v.set(2, DataType::uint8, Shape{});
}

constexpr InferRow kRows[] = {
    {"Abs", same},
    {"Acos", same},
    {"Acosh", same},
    {"Add", arithmetic},
    {"Affine", same},  // withdrawn, as ImageScaler, ParametricSoftplus and ScaledTanh are; old converters write them
    {"And", comparison},
    {"Asin", same},
    {"Asinh", same},
    {"Atan", same},
    {"Atanh", same},
    {"BatchNormalization", batch_normalization},

    {"BitShift", arithmetic},
    {"BitwiseAnd", arithmetic},
    {"BitwiseNot", same},
    {"BitwiseOr", arithmetic},
    {"BitwiseXor", arithmetic},
    {"Cast", cast},
    {"CastLike", cast_like},
    {"Ceil", same},
    {"Celu", same},
    {"Clip", same},
    {"Cos", same},
    {"Cosh", same},
    {"CumSum", same},
    {"DequantizeLinear", dequantize_linear},
    {"Div", arithmetic},
    {"Dropout", dropout},
    {"DynamicQuantizeLinear", dynamic_quantize_linear},
    {"Elu", same},
    {"Equal", comparison},
    {"Erf", same},
    {"Exp", same},
    {"Floor", same},
    {"Gelu", same},
    {"Greater", comparison},
    {"GreaterOrEqual", comparison},
    {"GroupNormalization", same},
    {"HardSigmoid", same},
    {"HardSwish", same},
    {"Hardmax", same},
    {"Identity", same},
    {"ImageScaler", same},
    {"InstanceNormalization", same},
    {"IsInf", same_shape<DataType::boolean>},
    {"IsNaN", same_shape<DataType::boolean>},
    {"LRN", same},
    {"LayerNormalization", layer_normalization},
    {"LeakyRelu", same},
    {"Less", comparison},
    {"LessOrEqual", comparison},
    {"Log", same},
    {"LogSoftmax", same},
    {"LpNormalization", same},
    {"Max", arithmetic},
    {"Mean", arithmetic},
    {"MeanVarianceNormalization", same},
    {"Min", arithmetic},
    {"Mish", same},
    {"Mod", arithmetic},
    {"Mul", arithmetic},
    {"Neg", same},
    {"Not", same},
    {"Or", comparison},
    {"PRelu", same},
    {"ParametricSoftplus", same},
    {"Pow", arithmetic},
    {"QuantizeLinear", quantize_linear},
    {"RMSNormalization", same},
    {"Reciprocal", same},
    {"Relu", same},
    {"RotaryEmbedding", same},
    {"Round", same},
    {"ScaledTanh", same},
    {"Selu", same},
    {"Shrink", same},
    {"Sigmoid", same},
    {"Sign", same},
    {"Sin", same},
    {"Sinh", same},
    {"Softmax", same},
    {"Softplus", same},
    {"Softsign", same},
    {"Sqrt", same},
    {"Sub", arithmetic},
    {"Sum", arithmetic},
    {"Swish", same},
    {"Tan", same},
    {"Tanh", same},
    {"ThresholdedRelu", same},
    {"Trilu", same},
    {"Where", where},
    {"Xor", comparison},
};

}  // namespace

std::span<const InferRow> elementwise_rows() { return kRows; }

}  // namespace anemone::onnx

// Quantised tensors and weights, and products of integers.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/frontends/onnx/fused.h"
#include "anemone/frontends/onnx/window.h"

namespace anemone::onnx {
namespace {

bool is_int8(const MilValue* x) { return x->type.dtype == DType::int8 || x->type.dtype == DType::uint8; }

// Scale and zero point: numbers, or vectors along an axis, as tensors that broadcast against x.
MilValue* along(Call& c, MilValue* parameter, std::size_t rank, std::int64_t axis) {
  const std::int64_t count = count_of(parameter->type.dims);
  if (count == 1) return c.emit().reshape(parameter, parameter->type.dims.empty() ? Dims{} : Dims{1});
  if (parameter->type.dims.size() > 1) return parameter;  // blocks of one extent already
  Dims dims(rank, 1);
  dims[Call::axis(axis, rank)] = count;
  return c.emit().reshape(parameter, dims);
}

struct Bounds {
  double low, high;
};
Bounds bounds_of(DataType dtype) {
  switch (dtype) {
    case DataType::int8:
      return {-128, 127};
    case DataType::uint8:
      return {0, 255};
    case DataType::int16:
      return {-32768, 32767};
    case DataType::uint16:
      return {0, 65535};
    case DataType::int4:
      return {-8, 7};
    case DataType::uint4:
      return {0, 15};
    default:
      Call::refuse(
          fmt::format("to {}, which Core ML cannot compute", onnxspec::name_of(dtype)),
          "quantise to int8 or uint8, or end the network before it with --outputs; constants in float8 are read");
  }
}

// round(x / scale) + zero point, clamped; as int32.
MilValue* quantised(Emit& emit, MilValue* scaled, MilValue* zero, DataType dtype) {
  const Bounds bounds = bounds_of(dtype);
  MilValue* y = emit.add("round", {{"x", scaled}});
  if (zero) y = emit.add2(y, emit.cast(zero, y->type.dtype));
  y = emit.add("clip", {{"x", y}, {"alpha", emit.number(y, bounds.low)}, {"beta", emit.number(y, bounds.high)}});
  return emit.cast(y, DType::int32);
}

ConstantPtr scalar_or_vector(Emit& emit, const ConstantPtr& parameter) {
  if (parameter->count() != 1) return parameter;
  MilValue* value = emit.constant(parameter);
  return parameter->type.dims.empty() ? parameter : emit.known(emit.add("squeeze", {{"x", value}}));
}

// One number for each block of `block_size` along the axis, repeated as often, for every element of x.
MilValue* spread(Call& c, MilValue* blocks, std::int64_t block_size) {
  Emit& emit = c.emit();
  const Dims& dims = c.dims(0);
  const std::size_t axis = Call::axis(c.integer("axis", 1), dims.size());
  Dims counts = dims;
  counts[axis] = block_size < 1 ? -1 : (dims[axis] + block_size - 1) / block_size;
  if (blocks->type.dims != counts) {
    Call::refuse(fmt::format("scales {} for blocks of {} along axis {} of {}", brief(blocks->type.dims), block_size,
                             axis, brief(dims)));
  }
  const auto at = static_cast<std::ptrdiff_t>(axis);
  const std::int64_t before = count_of(Dims(dims.begin(), dims.begin() + at)),
                     after = count_of(Dims(dims.begin() + at + 1, dims.end()));
  blocks =
      emit.broadcast(emit.reshape(blocks, {before, counts[axis], 1, after}), {before, counts[axis], block_size, after});
  Dims whole = dims;
  whole[axis] = counts[axis] * block_size;
  return emit.slice(emit.reshape(blocks, whole), static_cast<std::int64_t>(axis), 0, dims[axis]);
}

// Scale or zero point, made to broadcast against x.
MilValue* fitted(Call& c, MilValue* parameter) {
  const std::int64_t block_size = c.integer("block_size", 0);
  return block_size != 0 ? spread(c, parameter, block_size) : along(c, parameter, c.rank(0), c.integer("axis", 1));
}

void lower_quantize_linear(Call& c) {
  Emit& emit = c.emit();
  const auto said = static_cast<DataType>(c.integer("output_dtype", 0));
  const DataType dtype = c.has(2) ? c.dtype(2) : said == DataType::undefined ? DataType::uint8 : said;
  const ConstantPtr scale = c.known(1), zero = c.known(2);
  MilValue* x = c.real(0);
  const std::int64_t axis = c.integer("axis", 1);
  const bool is_own = (dtype == DataType::int8 || dtype == DataType::uint8) && c.target() >= Target::ios17 && scale &&
                      (zero || !c.has(2)) && c.integer("block_size", 0) == 0;
  MilValue* y = nullptr;
  if (is_own) {
    const bool is_vector = scale->count() != 1;
    y = emit.add(
        "quantize",
        {{"input", x},
         {"scale", scalar_or_vector(emit, scale)},
         {"zero_point", zero ? scalar_or_vector(emit, zero) : nullptr},
         {"axis", is_vector ? make_scalar(DType::int32, static_cast<double>(Call::axis(axis, c.rank(0)))) : nullptr},
         {"output_dtype", dtype == DataType::int8 ? "int8" : "uint8"}});
  } else {
    MilValue* steps = emit.add("real_div", {{"x", x}, {"y", fitted(c, c.real(1))}});
    y = quantised(emit, steps, c.has(2) ? fitted(c, c.in(2)) : nullptr, dtype);
  }
  c.give(0, Lowered{dtype, {y}, false});
}

// (x − zero point) · scale, computed; of integers of any width, and of float8, whose zero point is 0.
MilValue* dequantised(Call& c, MilValue* x) {
  Emit& emit = c.emit();
  MilValue* scale = c.real(1);
  if (!is_float(x->type.dtype)) {
    x = emit.cast(x, DType::int32);
    if (c.has(2)) x = emit.sub(x, fitted(c, emit.cast(c.in(2), DType::int32)));
  }
  return emit.mul(emit.cast(x, scale->type.dtype), fitted(c, scale));
}

// A weight in blocks stays one: from ios18 on MIL has them, where they are whole. Null: it does not fit.
MilValue* packed_blocks(Call& c, const ConstantPtr& data, const ConstantPtr& scale, const ConstantPtr& zero) {
  const std::int64_t block_size = c.integer("block_size", 0);
  if (!data || !scale || c.target() < Target::ios18 || block_size < 1 || (c.has(2) && !zero)) return nullptr;
  const Dims& dims = data->type.dims;
  const std::size_t axis = Call::axis(c.integer("axis", 1), dims.size());
  const bool four = c.dtype(0) == DataType::int4 || c.dtype(0) == DataType::uint4;
  if (dims[axis] % block_size != 0 || scale->type.dims.size() != dims.size() ||
      scale->type.dims[axis] != dims[axis] / block_size ||
      !(four || data->type.dtype == DType::int8 || data->type.dtype == DType::uint8))
    return nullptr;
  const auto narrow = [&](const ConstantPtr& wide) -> ConstantPtr {
    if (!four || !wide) return wide;
    return make_constant(c.dtype(0) == DataType::int4 ? DType::int4 : DType::uint4, wide->type.dims, to_doubles(*wide));
  };
  Emit& emit = c.emit();
  return emit.add("constexpr_blockwise_shift_scale",
                  {{"data", narrow(data)}, {"scale", scale}, {"offset", narrow(zero)}});
}

void lower_dequantize_linear(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.raw(0);
  const ConstantPtr scale = c.known(1), zero = c.known(2), data = emit.known(x);
  const std::size_t rank = c.rank(0);
  if (MilValue* packed = packed_blocks(c, data, scale, zero)) return c.give(packed);
  const bool is_own = is_int8(x) && scale && (zero || !c.has(2)) && (!zero || zero->type.dtype == x->type.dtype) &&
                      c.integer("block_size", 0) == 0;
  if (!is_own || rank == 0) return c.give(dequantised(c, x));
  const bool is_vector = scale->count() != 1;
  const std::size_t axis = is_vector ? Call::axis(c.integer("axis", 1), rank) : 0;
  if (data && c.target() >= Target::ios16) {  // a compressed weight
    return c.give(emit.add("constexpr_affine_dequantize",
                           {{"quantized_data", data},
                            {"zero_point", zero ? scalar_or_vector(emit, zero) : make_scalar(x->type.dtype, 0)},
                            {"scale", scalar_or_vector(emit, scale)},
                            {"axis", static_cast<std::int64_t>(axis)}}));
  }
  if (c.target() < Target::ios17) return c.give(dequantised(c, x));
  c.give(
      emit.add("dequantize", {{"input", x},
                              {"scale", scalar_or_vector(emit, scale)},
                              {"zero_point", zero ? scalar_or_vector(emit, zero) : nullptr},
                              {"axis", is_vector ? make_scalar(DType::int32, static_cast<double>(axis)) : nullptr}}));
}

// Scale and zero point from the data: 255 steps that include 0.
void lower_dynamic_quantize_linear(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.real(0);
  const auto extreme = [&](const char* reduction, const char* with_zero) {
    MilValue* y = emit.add(reduction, {{"x", x}, {"keep_dims", false}});
    return emit.add(with_zero, {{"x", y}, {"y", emit.number(y, 0)}});
  };
  MilValue* high = extreme("reduce_max", "maximum");
  MilValue* low = extreme("reduce_min", "minimum");
  MilValue* scale = emit.mul(emit.sub(high, low), 1.0 / 255);
  MilValue* zero = emit.add("real_div", {{"x", emit.mul(low, -1)}, {"y", scale}});
  zero = quantised(emit, zero, nullptr, DataType::uint8);
  MilValue* steps = emit.add("real_div", {{"x", x}, {"y", scale}});
  c.give(0, Lowered{DataType::uint8, {quantised(emit, steps, zero, DataType::uint8)}, false});
  c.give(1, scale);
  c.give(2, Lowered{DataType::uint8, {zero}, false});
}

// x − zero point as whole numbers; per row or column where the zero point is a vector.
MilValue* centred(Call& c, std::size_t input, std::size_t zero, std::int64_t axis, DType dtype) {
  Emit& emit = c.emit();
  MilValue* x = c.in(input);
  if (c.has(zero)) x = emit.sub(x, along(c, c.in(zero), c.rank(input), axis));
  return emit.cast(x, dtype);
}

void lower_matmul_integer(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = centred(c, 0, 2, -2, DType::int32);
  MilValue* y = centred(c, 1, 3, -1, DType::int32);
  c.give(emit.add("matmul", {{"x", x}, {"y", y}}));
}

// Sums of products of bytes are exact in fp32 up to this many terms.
void check_exact(const Call& c, std::size_t weight) {
  const Dims& w = c.dims(weight);
  const std::int64_t terms = w.empty() || w[0] == 0 ? 0 : count_of(w) / w[0];
  if (terms > (1 << 24) / (255 * 255))
    Call::refuse(fmt::format("sums of {} products of integers, which fp32 does not hold exactly", terms));
}

void lower_conv_integer(Call& c) {
  Emit& emit = c.emit();
  check_exact(c, 1);
  MilValue* y = conv_of(c, centred(c, 0, 2, 0, DType::fp32), centred(c, 1, 3, 0, DType::fp32), nullptr);
  c.give(emit.cast(y, DType::int32));
}

// y = round(product · x_scale·w_scale / y_scale) + zero point
void lower_qlinear_matmul(Call& c) {
  Emit& emit = c.emit();
  MilValue* product =
      emit.add("matmul", {{"x", centred(c, 0, 2, -2, DType::fp32)}, {"y", centred(c, 3, 5, -1, DType::fp32)}});
  MilValue* scales =
      emit.mul(along(c, c.real(1), product->type.dims.size(), -2), along(c, c.real(4), product->type.dims.size(), -1));
  MilValue* steps = emit.mul(product, emit.add("real_div", {{"x", scales}, {"y", c.real(6)}}));
  c.give(0, Lowered{c.dtype(7), {quantised(emit, steps, c.in(7), c.dtype(7))}, false});
}
void lower_qlinear_conv(Call& c) {
  Emit& emit = c.emit();
  MilValue* product = conv_of(c, centred(c, 0, 2, 0, DType::fp32), centred(c, 3, 5, 0, DType::fp32), nullptr);
  const std::size_t rank = product->type.dims.size();
  if (c.has(8)) product = emit.add2(product, along(c, emit.cast(c.in(8), DType::fp32), rank, 1));
  MilValue* scales = emit.mul(along(c, c.real(1), rank, 1), along(c, c.real(4), rank, 1));
  MilValue* steps = emit.mul(product, emit.add("real_div", {{"x", scales}, {"y", c.real(6)}}));
  c.give(0, Lowered{c.dtype(7), {quantised(emit, steps, c.in(7), c.dtype(7))}, false});
}

// com.microsoft: A, A_scale, A_zero, B, B_scale, B_zero, C_scale, C_zero
void lower_qlinear_binary(Call& c, std::string_view op) {
  Emit& emit = c.emit();
  const auto real = [&](std::size_t at) {
    return emit.mul(centred(c, at, at + 2, -1, DType::fp32), along(c, c.real(at + 1), c.rank(at), -1));
  };
  MilValue* y = emit.add(op, {{"x", real(0)}, {"y", real(3)}});
  MilValue* steps = emit.add("real_div", {{"x", y}, {"y", c.real(6)}});
  c.give(0, Lowered{c.dtype(0), {quantised(emit, steps, c.has(7) ? c.in(7) : nullptr, c.dtype(0))}, false});
}
void lower_qlinear_add(Call& c) { lower_qlinear_binary(c, "add"); }
void lower_qlinear_mul(Call& c) { lower_qlinear_binary(c, "mul"); }

constexpr std::string_view kMicrosoft = "com.microsoft";
constexpr Row kRows[] = {
    {"QuantizeLinear", 10, lower_quantize_linear, "to float8"},
    {"DequantizeLinear", 10, lower_dequantize_linear, "float8 that is computed"},
    {"DynamicQuantizeLinear", 11, lower_dynamic_quantize_linear},
    {"MatMulInteger", 10, lower_matmul_integer},
    {"ConvInteger", 10, lower_conv_integer, "sums of more than 258 products"},
    {"QLinearMatMul", 10, lower_qlinear_matmul},
    {"QLinearConv", 10, lower_qlinear_conv},
    {"QuantizeLinear", 1, lower_quantize_linear, "to float8", kMicrosoft},
    {"DequantizeLinear", 1, lower_dequantize_linear, "float8 that is computed", kMicrosoft},
    {"QLinearAdd", 1, lower_qlinear_add, {}, kMicrosoft},
    {"QLinearMul", 1, lower_qlinear_mul, {}, kMicrosoft},
};

}  // namespace

std::span<const Row> quantize_lowerings() { return kRows; }

}  // namespace anemone::onnx

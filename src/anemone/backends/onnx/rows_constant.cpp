// Tensors from nothing, random numbers, quantisation, compressed constants.
#include <algorithm>
#include <array>

#include "anemone/backends/onnx/rows.h"

namespace anemone::onnx::exporting {
namespace {

constexpr char kInitializer[] = "an initialiser with the numbers in full";

Call filled(Emit& e, Value* shape) {
  Tensor value;
  value.name = "value";
  value.dtype = e.dtype();
  value.dims = {1};
  value.data = e.literal(e.has("value") ? e.number("value") : 0)->tensor->data;
  return {"ConstantOfShape", {shape}, {attr("value", std::move(value))}};
}

Result<void> fill(Emit& e) { return e.give(filled(e, e.in_int64("shape"))); }

Result<void> fill_like(Emit& e) {
  const MilType& like = e.type("ref_tensor");
  return e.give(filled(e, like.is_fixed() ? e.int64s(like.dims) : e.make("Shape", {e.in("ref_tensor")})));
}

Result<void> range_1d(Emit& e) {
  const DataType dtype = e.dtype();
  const auto scalar_of = [&](std::string_view param) {
    Value* value = e.in_as(param, dtype);
    return e.dims(param).empty() ? value : e.reshape(value, {});
  };
  return e.give("Range", {scalar_of("start"), scalar_of("end"), scalar_of("step")});
}

/// A node of random numbers; where the shape comes at run time, of the shape of a tensor that is filled before.
Call random(Emit& e, const std::string& op, DataType dtype, Attrs attributes) {
  attributes.push_back(attr("dtype", static_cast<std::int64_t>(dtype)));
  if (e.has("seed") && e.integer("seed") >= 0) attributes.push_back(attr("seed", e.number("seed")));
  if (!e.is_fixed()) return {op + "Like", {e.make("ConstantOfShape", {e.in_int64("shape")})}, std::move(attributes)};
  attributes.push_back(attr("shape", e.out_type().dims));
  return {op, {}, std::move(attributes)};
}
// Distributions without a width are refused by runtimes.
Result<void> random_normal(Emit& e) {
  const double mean = e.number("mean"), deviation = e.number("stddev");
  if (deviation == 0) return e.give("Expand", {e.literal(mean), e.in_int64("shape")});
  return e.give(random(e, "RandomNormal", e.dtype(), {attr("mean", mean), attr("scale", deviation)}));
}
Result<void> random_uniform(Emit& e) {
  const double low = e.number("low"), high = e.number("high");
  if (low == high) return e.give("Expand", {e.literal(low), e.in_int64("shape")});
  return e.give(random(e, "RandomUniform", e.dtype(), {attr("low", low), attr("high", high)}));
}
Result<void> random_bernoulli(Emit& e) {
  Value* drawn = e.make(random(e, "RandomUniform", DataType::float32, {}));
  Value* hit = e.make("Less", {drawn, e.literal(e.number("prob"), DataType::float32)});
  return e.give("Cast", {hit}, {attr("to", static_cast<std::int64_t>(e.dtype()))});
}
Result<void> random_categorical(Emit& e) {
  const std::int64_t classes = e.dims("x").back();
  if (classes == kUnknown) return e.refuse("the number of classes is not known", "give the input a size with --shapes");
  Value* x = e.reshape(e.in_as("x", DataType::float32), {-1, classes});
  if (e.text("mode") == "probs") x = e.make("Log", {x});
  Value* drawn =
      e.make("Multinomial", {x},
             {attr("sample_size", e.integer("size")), attr("dtype", static_cast<std::int64_t>(DataType::int32))});
  Dims out = e.out_type().dims;
  if (std::count(out.begin(), out.end(), kUnknown) > 1)
    return e.refuse("more than one extent is not known", "give the input a size with --shapes");
  return e.give("Reshape", {e.cast(drawn, e.dtype()), e.int64s(out)});
}

/// The scale in the dtype of what is quantised, and the zero point: ONNX takes its dtype for the result's.
Inputs quantisation(Emit& e, DataType number, DataType integer) {
  Value* scale = e.in_as("scale", number);
  if (e.has("zero_point")) return {e.in("input"), scale, e.in("zero_point")};
  const Dims& dims = e.dims("scale");
  const auto count = static_cast<std::size_t>(element_count(dims).value_or(1));
  return {e.in("input"), scale, e.literals(integer, dims, std::vector<double>(count, 0))};
}
Attrs along_axis(Emit& e) { return e.has("axis") ? Attrs{attr("axis", e.axis("axis", e.rank("input")))} : Attrs{}; }
Result<void> quantize(Emit& e) {
  if (e.dtype("input") == DataType::float16 && e.opset() < 19)
    return e.refuse("quantisation of fp16 exists since opset 19", "'--opset 19', or '--precision fp32'");
  return e.give("QuantizeLinear", quantisation(e, e.dtype("input"), e.dtype()), along_axis(e));
}
Result<void> dequantize(Emit& e) {
  if (e.dtype() == DataType::float16 && e.opset() < 19)
    return e.refuse("dequantisation to fp16 exists since opset 19", "'--opset 19', or '--precision fp32'");
  return e.give("DequantizeLinear", quantisation(e, e.dtype(), e.dtype("input")), along_axis(e));
}

/// raise() has evaluated them before.
Result<void> evaluated(Emit&) { return own_bug("a compressed constant that was not evaluated"); }

constexpr std::array kRows = {
    RaiseRow{"fill", fill, "ConstantOfShape"},
    RaiseRow{"fill_like", fill_like, "Shape, ConstantOfShape"},
    RaiseRow{"range_1d", range_1d, "Range"},
    RaiseRow{"random_normal", random_normal, "RandomNormal, RandomNormalLike"},
    RaiseRow{"random_uniform", random_uniform, "RandomUniform, RandomUniformLike"},
    RaiseRow{"random_bernoulli", random_bernoulli, "RandomUniform, Less, Cast"},
    RaiseRow{"random_categorical", random_categorical, "Log, Reshape, Multinomial, Cast"},
    RaiseRow{"quantize", quantize, "QuantizeLinear"},
    RaiseRow{"dequantize", dequantize, "DequantizeLinear"},
    RaiseRow{"constexpr_affine_dequantize", evaluated, kInitializer},
    RaiseRow{"constexpr_lut_to_dense", evaluated, kInitializer},
    RaiseRow{"constexpr_sparse_to_dense", evaluated, kInitializer},
    RaiseRow{"constexpr_cast", evaluated, kInitializer},
    RaiseRow{"constexpr_blockwise_shift_scale", evaluated, kInitializer},
    RaiseRow{"constexpr_lut_to_sparse", evaluated, kInitializer},
    RaiseRow{"constexpr_sparse_blockwise_shift_scale", evaluated, kInitializer},
};

}  // namespace

std::span<const RaiseRow> raise_constant() { return kRows; }

}  // namespace anemone::onnx::exporting

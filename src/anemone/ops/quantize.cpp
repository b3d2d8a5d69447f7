// quantize and dequantize of activations.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr DTypeSet kInt8s = dtype_bit(DType::int8) | dtype_bit(DType::uint8);
constexpr Param kQuantize[] = {input("input", kFloats, 0), option("zero_point", kInt8s), fixed("scale", kFloats),
                               option("axis", kInt32), fixed("output_dtype", kString)};
constexpr Param kDequantize[] = {input("input", kInt8s, 'Q'), option("zero_point", kInt8s, 'Q'),
                                 fixed("scale", kFloats), option("axis", kInt32)};

// (C1) a scalar scale comes without axis and with a scalar zero_point; (C2) a vector with both as long as the axis.
Result<void> check_scale(const InferView& v) {
  const Type &x = v.type("input"), &scale = v.type("scale");
  if (scale.rank() == 0) {
    if (v.has("axis")) return v.wrong("axis", "is given with a scalar scale");  // (C1)
    return check_dims(v, "zero_point", Dims{});
  }
  if (!v.has("axis")) return v.wrong("axis", "is needed with a scale that is a vector");  // (C2)
  if (!x.ranked) return {};
  TRY(const std::int64_t axis, axis_in(v, "axis", v.integer("axis"), x.rank()));
  TRY_VOID(check_length(v, "scale", x.dims[static_cast<std::size_t>(axis)]));
  return check_length(v, "zero_point", x.dims[static_cast<std::size_t>(axis)]);
}

Types infer_quantize(const InferView& v) {
  TRY_VOID(check_scale(v));
  TRY_VOID(check_word(v, "output_dtype", {"int8", "uint8"}));  // (C3)
  Type type = v.type("input");
  type.dtype = *dtype_from(v.text("output_dtype"));
  if (v.has("zero_point") && v.type("zero_point").dtype != type.dtype) {  // (C4)
    return v.wrong("zero_point",
                   fmt::format("is {}, the output is {}", name(v.type("zero_point").dtype), name(type.dtype)));
  }
  return one(std::move(type));
}
Types infer_dequantize(const InferView& v) {
  TRY_VOID(check_scale(v));
  Type type = v.type("input");
  type.dtype = v.type("scale").dtype;
  return one(std::move(type));
}
constexpr Form kQuantizeForms[] = {{Target::ios17, kQuantize, infer_quantize}};
constexpr Form kDequantizeForms[] = {{Target::ios17, kDequantize, infer_dequantize}};

// y = f(x, scale, zero point), the latter two of the slice along axis.
template <class F>
void map_scaled(EvalView& v, F&& f) {
  const Array &x = v.in("input"), &scale = v.in("scale");
  const Array* zero = v.maybe("zero_point");
  std::size_t inner = 1, extent = 1;
  if (scale.rank() > 0) {
    const AxisView view(x.dims, wrap_axis(v.integer("axis"), x.rank()));
    inner = static_cast<std::size_t>(view.inner);
    extent = static_cast<std::size_t>(view.extent);
  }
  for (std::size_t i = 0; i < x.data.size(); ++i) {
    const std::size_t slice = i / inner % extent;
    v.out().data[i] = f(x.data[i], scale.data[slice], zero ? zero->data[slice] : 0);
  }
}

Result<void> eval_quantize(EvalView& v) {
  const bool is_signed = v.out().dtype == DType::int8;
  map_scaled(v, [&](double x, double scale, double zero) {
    return std::clamp(std::nearbyint(x / scale) + zero, is_signed ? -128.0 : 0.0, is_signed ? 127.0 : 255.0);
  });
  return {};
}
Result<void> eval_dequantize(EvalView& v) {
  map_scaled(v, [](double x, double scale, double zero) { return scale * (x - zero); });
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "quantize",
     .summary = "round(input / scale) + zero_point, clipped to output_dtype",
     .forms = kQuantizeForms,
     .eval = eval_quantize},
    {.name = "dequantize",
     .summary = "scale · (input − zero_point)",
     .forms = kDequantizeForms,
     .eval = eval_dequantize},
};

}  // namespace

std::span<const OpDef> quantize() { return kOps; }

}  // namespace anemone::ops

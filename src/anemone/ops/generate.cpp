// fill, fill_like, range_1d, one_hot: tensors out of numbers.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

// fill, fill_like
constexpr Param kFill[] = {input("shape", kInt32, 0), option("value", kNumbersBool, 0, 0)};
constexpr Param kFillLike[] = {input("ref_tensor", kNumbersBool, 0), option("value", kNumbersBool, 0, 0)};
constexpr Param kFillLike17[] = {input("ref_tensor", kAny17, 0), option("value", kNumbersBool, 0, 0)};
DType value_type(const InferView& v) { return v.has("value") ? v.type("value").dtype : DType::fp32; }

Types infer_fill(const InferView& v) {
  TRY_VOID(check_rank(v, "shape", 1, 1));  // (C1)
  const Type& operand = v.type("shape");
  const auto shape = v.known_ints("shape");
  if (!shape && (!operand.ranked || operand.dims[0] == kUnknown)) return one(Type::unranked(value_type(v)));
  if (!shape) return one(value_type(v), Dims(static_cast<std::size_t>(operand.dims[0]), kUnknown));
  if (std::any_of(shape->begin(), shape->end(), [](std::int64_t e) { return e < 0; })) {  // (C2)
    return v.wrong("shape", fmt::format("{} has a negative extent", brief(*shape)));
  }
  return one(value_type(v), *shape);
}
Types infer_fill_like(const InferView& v) {
  Type type = v.type("ref_tensor");
  type.dtype = value_type(v);
  return one(std::move(type));
}
constexpr Form kFillForms[] = {{Target::ios15, kFill, infer_fill}};
constexpr Form kFillLikeForms[] = {{Target::ios16, kFillLike, infer_fill_like},
                                   {Target::ios17, kFillLike17, infer_fill_like}};
Result<void> eval_fill(EvalView& v) {
  std::fill(v.out().data.begin(), v.out().data.end(), number_of(v, "value"));
  return {};
}

// range_1d
constexpr Param kRange[] = {input("end", kNumbers), input("start", kNumbers), input("step", kNumbers)};
constexpr double kMostSteps = 1e9;
Types infer_range(const InferView& v) {
  const DType dtype = v.type("end").dtype;
  if (!v.constant("end") || !v.constant("start") || !v.constant("step")) return one(dtype, {kUnknown});
  const double start = v.number("start"), end = v.number("end"), step = v.number("step");
  const double count = std::ceil((end - start) / step);
  if (!(step != 0) || !(count <= kMostSteps)) {  // (C1) a finite number of steps
    return v.wrong("step", fmt::format("{} never leads from {} to {}", step, start, end));
  }
  return one(dtype, {std::max<std::int64_t>(0, static_cast<std::int64_t>(count))});
}
constexpr Form kRangeForms[] = {{Target::ios15, kRange, infer_range}};
Result<void> eval_range(EvalView& v) {
  const double start = number_of(v, "start"), end = number_of(v, "end"), step = number_of(v, "step");
  Array& y = v.out();
  if (y.dims[0] == kUnknown) {
    const double count = std::ceil((end - start) / step);
    if (step == 0 || !(count <= kMostSteps))
      return v.wrong("step", fmt::format("{} never leads from {} to {}", step, start, end));
    y.dims[0] = std::max<std::int64_t>(0, static_cast<std::int64_t>(count));
    y.data.resize(static_cast<std::size_t>(y.dims[0]));
  }
  for (std::size_t i = 0; i < y.data.size(); ++i) y.data[i] = start + static_cast<double>(i) * step;
  return {};
}

// one_hot
constexpr Param kOneHot15[] = {input("indices", kInt32, 0), input("one_hot_vector_size", kInt32, 0),
                               option("axis", kInt32, 0, -1), option("on_value", kNumbersBool, 'T', 1),
                               option("off_value", kNumbersBool, 'T', 0)};
constexpr Param kOneHot17[] = {input("indices", kInt32 | kSmallInts, 0),
                               input("one_hot_vector_size", kInt32 | kSmallInts, 0), option("axis", kInt32, 0, -1),
                               option("on_value", kAny17, 'T', 1), option("off_value", kAny17, 'T', 0)};
Types infer_one_hot(const InferView& v) {
  const Type& indices = v.type("indices");
  const DType dtype = v.has("on_value")    ? v.type("on_value").dtype
                      : v.has("off_value") ? v.type("off_value").dtype
                                           : DType::int32;
  if (!indices.ranked) return one(Type::unranked(dtype));
  TRY(const std::int64_t axis, axis_in(v, "axis", v.integer("axis"), indices.rank() + 1));  // (C1)
  const auto size = v.known_ints("one_hot_vector_size");
  if (size && (size->size() != 1 || (*size)[0] < 1))
    return v.wrong("one_hot_vector_size", "is not a positive number");  // (C2)
  Dims out = indices.dims;
  out.insert(out.begin() + axis, size ? (*size)[0] : kUnknown);
  return one(dtype, std::move(out));
}
constexpr Form kOneHotForms[] = {{Target::ios15, kOneHot15, infer_one_hot}, {Target::ios17, kOneHot17, infer_one_hot}};
Result<void> eval_one_hot(EvalView& v) {
  const Array& indices = v.in("indices");
  Array& y = v.out();
  const double on = number_of(v, "on_value"), off = number_of(v, "off_value");
  const AxisView view(y.dims, wrap_axis(v.integer("axis"), y.rank()));
  std::fill(y.data.begin(), y.data.end(), off);
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (std::int64_t in = 0; in < view.inner; ++in) {
      const auto hot = static_cast<std::int64_t>(indices.data[static_cast<std::size_t>(o * view.inner + in)]);
      if (hot >= 0 && hot < view.extent) y.data[view.at(o, hot, in)] = on;
    }
  }
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "fill", .summary = "a tensor of equal numbers", .forms = kFillForms, .eval = eval_fill},
    {.name = "fill_like",
     .summary = "a tensor of equal numbers in the shape of another",
     .forms = kFillLikeForms,
     .eval = eval_fill},
    {.name = "range_1d", .summary = "start, start + step, … below end", .forms = kRangeForms, .eval = eval_range},
    {.name = "one_hot",
     .summary = "on_value at the places that indices name along a new axis, off_value elsewhere",
     .forms = kOneHotForms,
     .eval = eval_one_hot},
};

}  // namespace

std::span<const OpDef> generate() { return kOps; }

}  // namespace anemone::ops

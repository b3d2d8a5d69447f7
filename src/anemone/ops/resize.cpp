// Resizing of the last two dimensions by a factor or to a size, resize of any dimensions, and crop.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"
#include "anemone/ops/sampling.h"

namespace anemone::ops {
namespace {

constexpr DTypeSet kFactor = kInt32 | dtype_bit(DType::fp32);

constexpr Param kUpNearest[] = {input("x"), option("scale_factor_height", kFactor, 'U', 1),
                                option("scale_factor_width", kFactor, 'U', 1)};
constexpr Param kResizeNearest[] = {input("x"), fixed("target_size_height", kInt32),
                                    fixed("target_size_width", kInt32)};
constexpr Param kUpBilinear15[] = {input("x"), option("scale_factor_height", kFactor, 'U', 1),
                                   option("scale_factor_width", kFactor, 'U', 1),
                                   option("align_corners", kBool, 0, true)};
constexpr Param kUpBilinear16[] = {
    input("x"), option("scale_factor_height", kFactor, 'U', 1), option("scale_factor_width", kFactor, 'U', 1),
    option("align_corners", kBool, 0, true), option("half_pixel_centers", kBool, 0, derived("!align_corners"))};
constexpr Param kResizeBilinear[] = {input("x"), option("target_size_height", kInt32, 0, 1),
                                     option("target_size_width", kInt32, 0, 1),
                                     option("sampling_mode", kString, 0, "DEFAULT")};

// (C1) rank 3 to 5, (C2) both extents are positive.
Types with_extents(const InferView& v, std::int64_t height, std::int64_t width) {
  const Type& x = v.type("x");
  TRY_VOID(check_rank(v, "x", 3, 5));  // (C1)
  if (!x.ranked) return one(x);
  for (std::int64_t extent : {height, width}) {
    if (extent != kUnknown && extent < 1)
      return v.wrong("x", fmt::format("would get the extents {}×{}", height, width));  // (C2)
  }
  Dims out = x.dims;
  out[out.size() - 2] = height;
  out[out.size() - 1] = width;
  return one(x.dtype, std::move(out));
}

std::int64_t scaled(std::int64_t extent, double factor) {
  if (extent == kUnknown) return kUnknown;
  const double result = std::floor(static_cast<double>(extent) * factor);
  return result >= 0 && result < 1e12 ? static_cast<std::int64_t>(result) : 0;
}
Types infer_upsample(const InferView& v) {
  const Type& x = v.type("x");
  if (x.ranked && x.rank() < 3) return with_extents(v, 1, 1);
  const std::size_t n = x.dims.size();
  return with_extents(v, x.ranked ? scaled(x.dims[n - 2], v.number("scale_factor_height")) : kUnknown,
                      x.ranked ? scaled(x.dims[n - 1], v.number("scale_factor_width")) : kUnknown);
}
Types infer_upsample_bilinear(const InferView& v) {
  if (v.flag("align_corners") && v.flag("half_pixel_centers")) {  // (C3) they exclude each other
    return v.wrong("half_pixel_centers", "is true together with align_corners");
  }
  return infer_upsample(v);
}
Types infer_target(const InferView& v) {
  for (const char* param : {"target_size_height", "target_size_width"}) {
    if (v.integer(param) < 1) return v.wrong(param, fmt::format("is {}", v.integer(param)));  // (C2), and not unknown
  }
  return with_extents(v, v.integer("target_size_height"), v.integer("target_size_width"));
}
Result<void> check_sampling_mode(const InferView& v) {
  return check_word(v, "sampling_mode",
                    {"STRICT_ALIGN_CORNERS", "ALIGN_CORNERS", "DEFAULT", "UNALIGN_CORNERS", "OFFSET_CORNERS"});
}
Types infer_resize_bilinear(const InferView& v) {
  TRY_VOID(check_sampling_mode(v));  // (C3)
  return infer_target(v);
}

constexpr Form kUpNearestForms[] = {{Target::ios15, kUpNearest, infer_upsample}};
constexpr Form kResizeNearestForms[] = {{Target::ios15, kResizeNearest, infer_target}};
constexpr Form kUpBilinearForms[] = {{Target::ios15, kUpBilinear15, infer_upsample_bilinear},
                                     {Target::ios16, kUpBilinear16, infer_upsample_bilinear}};
constexpr Form kResizeBilinearForms[] = {{Target::ios15, kResizeBilinear, infer_resize_bilinear}};

// x with one dimension resampled. Nearest without a mode takes floor(i · in / out), with one the
// neighbour of the position; Core ML does not say which of two at the same distance, and the lower makes twice the size
// come out as everywhere else.
Array resample_axis(const Array& x, std::size_t axis, std::int64_t extent, std::string_view mode, bool nearest) {
  Array y{x.dtype, x.dims, {}};
  y.dims[axis] = extent;
  y.data.resize(static_cast<std::size_t>(product(y.dims)));
  const AxisView from(x.dims, axis), to(y.dims, axis);
  for (std::int64_t i = 0; i < extent; ++i) {
    LinearTap tap = linear_tap(sample_position(mode, i, from.extent, extent), from.extent);
    if (nearest && mode.empty()) tap = {nearest_index(i, from.extent, extent), 0, 0};
    if (nearest && tap.weight > 0) tap = {tap.weight <= 0.5 ? tap.low : tap.high, 0, 0};
    for (std::int64_t o = 0; o < from.outer; ++o) {
      for (std::int64_t in = 0; in < from.inner; ++in) {
        const double low = x.data[from.at(o, tap.low, in)];
        y.data[to.at(o, i, in)] = tap.weight == 0 ? low : low + tap.weight * (x.data[from.at(o, tap.high, in)] - low);
      }
    }
  }
  return y;
}

void resize_to_output(EvalView& v, std::string_view mode, bool nearest) {
  const Array& x = v.in("x");
  Array now = x;
  for (std::size_t d = 0; d < x.dims.size(); ++d) {
    const std::int64_t extent = v.out().dims[d];
    if (extent != x.dims[d] || (mode == "OFFSET_CORNERS" && !nearest && d + 2 >= x.dims.size())) {
      now = resample_axis(now, d, extent, mode, nearest);
    }
  }
  v.out().data = std::move(now.data);
}

Result<void> eval_nearest(EvalView& v) {
  resize_to_output(v, "", true);
  return {};
}
Result<void> eval_upsample_bilinear(EvalView& v) {
  resize_to_output(v, upsample_mode(v), false);
  return {};
}
Result<void> eval_resize_bilinear(EvalView& v) {
  resize_to_output(v, v.text("sampling_mode"), false);
  return {};
}

// resize: the last resized_dims dimensions, to a shape that may come at run time.
constexpr DTypeSet kSizes = kInt32 | dtype_bit(DType::int16) | dtype_bit(DType::uint16) | dtype_bit(DType::uint32);
constexpr Param kResizeShape[] = {
    input("x", kNumbers), input("shape", kSizes, 0), fixed("resized_dims", dtype_bit(DType::uint32)),
    option("interpolation_mode", kString, 0, "LINEAR"), option("sampling_mode", kString, 0, "DEFAULT")};
Types infer_resize(const InferView& v) {
  const Type &x = v.type("x"), &shape = v.type("shape");
  TRY_VOID(check_rank(v, "shape", 1, 1));                                         // (C1)
  TRY_VOID(check_word(v, "interpolation_mode", {"LINEAR", "NEAREST_NEIGHBOR"}));  // (C2)
  TRY_VOID(check_sampling_mode(v));                                               // (C3)
  if (!x.ranked) return one(x);
  const std::int64_t count = v.integer("resized_dims");
  const std::int64_t given = shape.ranked && shape.dims[0] != kUnknown ? shape.dims[0] : count;
  if (count < 0 || count > x.rank() || count > given) {  // (C4) not more than x has and shape gives
    return v.wrong("resized_dims",
                   fmt::format("{} dimensions of rank {} and a shape of {} numbers", count, x.rank(), given));
  }
  const auto wanted = v.known_ints("shape");
  Dims out = x.dims;
  for (std::int64_t i = 0; i < count; ++i) {  // from the right
    const auto d = static_cast<std::size_t>(x.rank() - 1 - i);
    if (!wanted) {
      out[d] = kUnknown;
      continue;
    }
    const std::int64_t extent = (*wanted)[wanted->size() - 1 - static_cast<std::size_t>(i)];
    if (extent < 0) return v.wrong("shape", fmt::format("{} has a negative extent", brief(*wanted)));  // (C5)
    if (extent > 0) out[d] = extent;
  }
  return one(x.dtype, std::move(out));
}
constexpr Form kResizeForms[] = {{Target::ios17, kResizeShape, infer_resize}};
Result<void> eval_resize(EvalView& v) {
  resize_to_output(v, v.text("sampling_mode"), v.text("interpolation_mode") == "NEAREST_NEIGHBOR");
  return {};
}

// crop
constexpr Param kCrop[] = {input("x"), fixed("crop_height", kInt32), fixed("crop_width", kInt32)};
Types infer_crop(const InferView& v) {
  const Type& x = v.type("x");
  TRY_VOID(check_rank(v, "x", 3, 5));  // (C1)
  if (!x.ranked) return one(x);
  Dims out = x.dims;
  std::size_t d = out.size() - 2;
  for (const char* param : {"crop_height", "crop_width"}) {
    const Dims cut = v.ints(param);
    if (cut.size() != 2 || cut[0] < 0 || cut[1] < 0) {  // (C2) two amounts that are not negative
      return v.wrong(param, fmt::format("{} is not [before, after]", brief(cut)));
    }
    out[d] = minus(out[d], cut[0] + cut[1]);
    if (x.dims[d] != kUnknown && out[d] < 1) {  // (C3) something is left
      return v.wrong(param, fmt::format("{} leaves nothing of {}", brief(cut), x.dims[d]));
    }
    ++d;
  }
  return one(x.dtype, std::move(out));
}
constexpr Form kCropForms[] = {{Target::ios15, kCrop, infer_crop}};
Result<void> eval_crop(EvalView& v) {
  const Array& x = v.in("x");
  Array& y = v.out();
  const Dims strides = row_major_strides(x.dims);
  const std::size_t n = x.dims.size();
  const std::int64_t base = v.ints("crop_height")[0] * strides[n - 2] + v.ints("crop_width")[0];
  for_each_index(y.dims, [&](const Dims& index, std::size_t flat) {
    y.data[flat] = x.data[static_cast<std::size_t>(base) + offset(index, strides)];
  });
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "upsample_nearest_neighbor",
     .summary = "the last two dimensions times a factor, nearest neighbour",
     .forms = kUpNearestForms,
     .eval = eval_nearest,
     .traits = kResize},
    {.name = "resize_nearest_neighbor",
     .summary = "the last two dimensions to a size, nearest neighbour",
     .forms = kResizeNearestForms,
     .eval = eval_nearest,
     .traits = kResize},
    {.name = "upsample_bilinear",
     .summary = "the last two dimensions times a factor, bilinear",
     .forms = kUpBilinearForms,
     .eval = eval_upsample_bilinear,
     .traits = kResize},
    {.name = "resize_bilinear",
     .summary = "the last two dimensions to a size, bilinear",
     .forms = kResizeBilinearForms,
     .eval = eval_resize_bilinear,
     .traits = kResize},
    {.name = "resize",
     .summary = "the last dimensions to a shape, linear or nearest neighbour",
     .forms = kResizeForms,
     .eval = eval_resize,
     .traits = kResize},
    {.name = "crop",
     .summary = "x without margins of its last two dimensions",
     .forms = kCropForms,
     .eval = eval_crop,
     .traits = kMovement},
};

}  // namespace

std::span<const OpDef> resize() { return kOps; }

}  // namespace anemone::ops

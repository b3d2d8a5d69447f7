// Bilinear sampling at computed places: crop_resize (boxes), affine (a transformed grid), resample (given coordinates).
#include <algorithm>
#include <optional>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"
#include "anemone/ops/sampling.h"

namespace anemone::ops {
namespace {

// One plane [height, width] of an array.
struct Plane {
  const double* data;
  std::int64_t height, width;
  double at(std::int64_t row, std::int64_t column) const { return data[row * width + column]; }
  bool holds(std::int64_t row, std::int64_t column) const {
    return row >= 0 && row < height && column >= 0 && column < width;
  }
};
Plane plane_of(const Array& x, std::int64_t sample, std::int64_t channel) {
  const std::int64_t height = x.dims[2], width = x.dims[3];
  return {x.data.data() + (sample * x.dims[1] + channel) * height * width, height, width};
}

// The four neighbours weighted; those outside of the plane count as `outside`.
double bilinear(const Plane& p, double row, double column, double outside) {
  if (!(row > -1 && row < static_cast<double>(p.height) && column > -1 && column < static_cast<double>(p.width)))
    return outside;
  const auto top = static_cast<std::int64_t>(std::floor(row)), left = static_cast<std::int64_t>(std::floor(column));
  const double down = row - static_cast<double>(top), right = column - static_cast<double>(left);
  const auto tap = [&](std::int64_t r, std::int64_t c, double weight) {
    return weight == 0 ? 0 : weight * (p.holds(r, c) ? p.at(r, c) : outside);
  };
  return tap(top, left, (1 - down) * (1 - right)) + tap(top, left + 1, (1 - down) * right) +
         tap(top + 1, left, down * (1 - right)) + tap(top + 1, left + 1, down * right);
}

// crop_resize: boxes as [N,1,4,1,1], or [N,1,5,1,1] with the sample first; from iOS17 as [N,4] and box_indices [N].
constexpr DTypeSet kSizes16 = dtype_bit(DType::uint16);
constexpr Param kCrop15[] = {input("x"),
                             input("roi"),
                             option("target_height", kInt32, 0, 1),
                             option("target_width", kInt32, 0, 1),
                             option("normalized_coordinates", kBool, 0, false),
                             option("spatial_scale", dtype_bit(DType::fp32), 0, 1),
                             option("box_coordinate_mode", kString, 0, "CORNERS_HEIGHT_FIRST"),
                             option("sampling_mode", kString, 0, "DEFAULT")};
constexpr Param kCrop16[] = {input("x"),
                             input("roi"),
                             option("target_height", kInt32, 0, 1),
                             option("target_width", kInt32, 0, 1),
                             option("normalized_coordinates", kBool, 0, false),
                             option("spatial_scale", dtype_bit(DType::fp32), 0, 1),
                             option("box_coordinate_mode", kString, 0, "CORNERS_HEIGHT_FIRST"),
                             option("sampling_mode", kString, 0, "DEFAULT"),
                             option("pad_value", kFloats, 'T', 0)};
constexpr Param kCrop17[] = {input("x"),
                             input("boxes", kFloats | kSizes16, 0),
                             maybe("box_indices", kInt32 | kSizes16, 0, derived("0…N-1")),
                             option("target_height", kInt32, 0, 1),
                             option("target_width", kInt32, 0, 1),
                             option("normalized_coordinates", kBool, 0, false),
                             option("spatial_scale", dtype_bit(DType::fp32), 0, 1),
                             option("box_coordinate_mode", kString, 0, "CORNERS_HEIGHT_FIRST"),
                             option("sampling_mode", kString, 0, "DEFAULT"),
                             option("pad_value", kFloats, 'T', 0)};

Result<void> check_crop(const InferView& v) {
  TRY_VOID(check_rank(v, "x", 4, 4));  // (C1)
  TRY_VOID(check_word(
      v, "box_coordinate_mode",  // (C2)
      {"CORNERS_HEIGHT_FIRST", "CORNERS_WIDTH_FIRST", "CENTER_SIZE_HEIGHT_FIRST", "CENTER_SIZE_WIDTH_FIRST"}));
  TRY_VOID(check_word(v, "sampling_mode",
                      {"STRICT_ALIGN_CORNERS", "ALIGN_CORNERS", "DEFAULT", "UNALIGN_CORNERS", "OFFSET_CORNERS"}));
  for (const char* param : {"target_height", "target_width"}) {  // (C3)
    if (v.integer(param) < 1) return v.wrong(param, fmt::format("{} is not positive", v.integer(param)));
  }
  return {};
}
Types infer_crop15(const InferView& v) {
  TRY_VOID(check_crop(v));
  const Type &x = v.type("x"), &roi = v.type("roi");
  TRY_VOID(check_rank(v, "roi", 5, 5));  // (C4) [N,1,4,1,1] or [N,1,5,1,1]
  if (!x.ranked || !roi.ranked) return one(Type::unranked(x.dtype));
  const std::int64_t numbers = roi.dims[2];
  if (!may_equal(roi.dims[1], 1) || !may_equal(roi.dims[3], 1) || !may_equal(roi.dims[4], 1) ||
      (numbers != 4 && numbers != 5 && numbers != kUnknown)) {
    return v.wrong("roi", fmt::format("{} is neither [N,1,4,1,1] nor [N,1,5,1,1]", brief(roi.dims)));
  }
  // With the sample in the box there is one result a box, whatever the number of samples.
  const std::int64_t samples = numbers == 4 || x.dims[0] == 1 ? x.dims[0] : kUnknown;
  return one(x.dtype, {roi.dims[0], samples, x.dims[1], v.integer("target_height"), v.integer("target_width")});
}
Types infer_crop17(const InferView& v) {
  TRY_VOID(check_crop(v));
  const Type &x = v.type("x"), &boxes = v.type("boxes");
  TRY_VOID(check_rank(v, "boxes", 2, 2));
  if (!x.ranked || !boxes.ranked) return one(Type::unranked(x.dtype));
  if (!may_equal(boxes.dims[1], 4)) return v.wrong("boxes", fmt::format("{} is not [N,4]", brief(boxes.dims)));  // (C4)
  TRY_VOID(check_length(v, "box_indices", boxes.dims[0]));                                                       // (C5)
  if (v.flag("normalized_coordinates") && !is_float(boxes.dtype)) {                                              // (C6)
    return v.wrong("boxes", fmt::format("are {}, and normalized coordinates need floats", name(boxes.dtype)));
  }
  return one(x.dtype, {boxes.dims[0], x.dims[1], v.integer("target_height"), v.integer("target_width")});
}
constexpr Form kCropForms[] = {{Target::ios15, kCrop15, infer_crop15},
                               {Target::ios16, kCrop16, infer_crop15},
                               {Target::ios17, kCrop17, infer_crop17}};

struct Span {
  double first, last;
};
// Sample i of `count` along a span of the image, in the five modes; `resize` is the same with the span 0 … extent − 1.
double place_in(const std::string& mode, Span span, std::int64_t i, std::int64_t count) {
  const double n = static_cast<double>(count), index = static_cast<double>(i), length = span.last - span.first;
  if (mode == "STRICT_ALIGN_CORNERS" || mode == "ALIGN_CORNERS") {
    if (count == 1) return mode == "ALIGN_CORNERS" ? (span.first + span.last) / 2 : span.first;
    return span.first + index * length / (n - 1);
  }
  if (mode == "UNALIGN_CORNERS") return span.first + (index + 0.5) * (length + 1) / n - 0.5;
  if (mode == "OFFSET_CORNERS") return span.first + (index + 0.5) * std::max(1.0, length) / n;
  return span.first + index * (length + 1) / n;
}

// Rows and columns of a box of four numbers.
std::pair<Span, Span> spans_of(const EvalView& v, const double* box, const Array& x) {
  const std::string mode = v.text("box_coordinate_mode");
  const bool width_first = mode.ends_with("WIDTH_FIRST"), centers = mode.starts_with("CENTER");
  const bool normalized = v.flag("normalized_coordinates");
  const double scale = number_of(v, "spatial_scale");
  const auto span = [&](double a, double b, std::int64_t extent) {
    const Span s = centers ? Span{a - b / 2, a + b / 2} : Span{a, b};
    const double unit = scale * (normalized ? static_cast<double>(extent - 1) : 1);
    return Span{s.first * unit, s.last * unit};
  };
  const std::size_t row = width_first ? 1 : 0, column = width_first ? 0 : 1;
  return {span(box[row], box[row + 2], x.dims[2]), span(box[column], box[column + 2], x.dims[3])};
}

Result<void> eval_crop(EvalView& v) {
  const Array& x = v.in("x");
  const Array* indices = v.maybe("box_indices");
  const bool old_form = v.has("roi");
  const Array& boxes = v.in(old_form ? "roi" : "boxes");
  Array& y = v.out();
  const std::int64_t count = boxes.dims[0], numbers = old_form ? boxes.dims[2] : 4;
  if (old_form && y.dims[1] == kUnknown) {
    y.dims[1] = 1;
    y.data.assign(static_cast<std::size_t>(product(y.dims)), 0);
  }
  const std::int64_t height = y.dims[y.dims.size() - 2], width = y.dims.back();
  const std::int64_t repeats = old_form && numbers == 4 ? x.dims[0] : 1;
  const double pad = number_of(v, "pad_value");
  const std::string mode = v.text("sampling_mode");
  std::size_t out = 0;
  for (std::int64_t n = 0; n < count; ++n) {
    const double* box = boxes.data.data() + n * numbers + (numbers - 4);
    const auto [rows, columns] = spans_of(v, box, x);
    if (mode == "UNALIGN_CORNERS" && (rows.last < rows.first || columns.last < columns.first)) {
      return v.wrong(old_form ? "roi" : "boxes",
                     fmt::format("box {} is turned over, which UNALIGN_CORNERS does not define", n));
    }
    for (std::int64_t b = 0; b < repeats; ++b) {
      const double index = numbers == 5 ? box[-1]
                           : indices    ? indices->data[static_cast<std::size_t>(n)]
                                        : static_cast<double>(old_form ? b : n);
      if (!(index >= 0 && index < static_cast<double>(x.dims[0]))) {
        return v.wrong("box_indices", fmt::format("box {} names sample {} of {}", n, index, x.dims[0]));
      }
      for (std::int64_t c = 0; c < x.dims[1]; ++c) {
        const Plane plane = plane_of(x, static_cast<std::int64_t>(index), c);
        for (std::int64_t r = 0; r < height; ++r) {
          for (std::int64_t k = 0; k < width; ++k) {
            const double row = place_in(mode, rows, r, height), column = place_in(mode, columns, k, width);
            const bool inside = row >= 0 && row <= static_cast<double>(plane.height - 1) && column >= 0 &&
                                column <= static_cast<double>(plane.width - 1);
            y.data[out++] = inside ? bilinear(plane, row, column, pad) : pad;
          }
        }
      }
    }
  }
  return {};
}

// affine: (x, y) in −1 … 1 of the output goes to a0·x + a1·y + a2, b0·x + b1·y + b2 of the input.
constexpr Param kAffine[] = {input("x"),
                             input("transform_matrix"),
                             fixed("output_height", kInt32),
                             fixed("output_width", kInt32),
                             fixed("sampling_mode", kString),
                             fixed("padding_mode", kString),
                             fixed("padding_value", kFloats, 'T'),
                             fixed("coordinates_mode", kString),
                             fixed("align_corners", kBool)};
Types infer_affine(const InferView& v) {
  const Type &x = v.type("x"), &matrix = v.type("transform_matrix");
  TRY_VOID(check_rank(v, "x", 4, 4));                 // (C1)
  TRY_VOID(check_rank(v, "transform_matrix", 2, 2));  // (C2) [B or 1, 6]
  if (x.ranked && matrix.ranked &&
      (!may_equal(matrix.dims[1], 6) || (matrix.dims[0] != 1 && !may_equal(matrix.dims[0], x.dims[0])))) {
    return v.wrong("transform_matrix", fmt::format("{} is neither [1,6] nor [{},6]", brief(matrix.dims), x.dims[0]));
  }
  TRY_VOID(check_word(v, "sampling_mode", {"bilinear"}));  // (C3) the values that Core ML accepts
  TRY_VOID(check_word(v, "padding_mode", {"constant"}));
  TRY_VOID(check_word(v, "coordinates_mode", {"normalized_minus_one_to_one"}));
  if (!v.flag("align_corners")) return v.wrong("align_corners", "must be true");
  if (v.number("padding_value") != 0) return v.wrong("padding_value", "must be 0");
  const std::int64_t height = v.integer("output_height"), width = v.integer("output_width");
  if (height < 1 || width < 1) return v.wrong("output_height", fmt::format("{}×{} is empty", height, width));  // (C4)
  if (!x.ranked) return one(Type::unranked(x.dtype));
  return one(x.dtype, {x.dims[0], x.dims[1], height, width});
}
constexpr Form kAffineForms[] = {{Target::ios15, kAffine, infer_affine}};
Result<void> eval_affine(EvalView& v) {
  const Array &x = v.in("x"), &matrix = v.in("transform_matrix");
  Array& y = v.out();
  const auto grid = [](std::int64_t i, std::int64_t count) {
    return count == 1 ? 0 : -1 + 2 * static_cast<double>(i) / static_cast<double>(count - 1);
  };
  for_each_index(y.dims, [&](const Dims& index, std::size_t flat) {
    const double* m = matrix.data.data() + (matrix.dims[0] == 1 ? 0 : index[0] * 6);
    const double row = grid(index[2], y.dims[2]), column = grid(index[3], y.dims[3]);
    const Plane plane = plane_of(x, index[0], index[1]);
    const double from_column = (m[0] * column + m[1] * row + m[2] + 1) / 2 * static_cast<double>(plane.width - 1);
    const double from_row = (m[3] * column + m[4] * row + m[5] + 1) / 2 * static_cast<double>(plane.height - 1);
    y.data[flat] = bilinear(plane, from_row, from_column, 0);
  });
  return {};
}

// resample: coordinates [B, h, w, 2] hold (x, y).
constexpr DTypeSet kPlaces15 = kInt32 | dtype_bit(DType::fp32);
template <DTypeSet Places>
constexpr Param kResample[] = {input("x"),
                               input("coordinates", Places, 0),
                               fixed("sampling_mode", kString),
                               fixed("padding_mode", kString),
                               fixed("padding_value", kFloats, 'T'),
                               fixed("coordinates_mode", kString),
                               fixed("align_corners", kBool)};
Types infer_resample(const InferView& v) {
  const Type &x = v.type("x"), &places = v.type("coordinates");
  TRY_VOID(check_rank(v, "x", 4, 4));                                 // (C1)
  TRY_VOID(check_rank(v, "coordinates", 4, 4));                       // (C2) [B, h, w, 2]
  TRY_VOID(check_word(v, "sampling_mode", {"bilinear", "nearest"}));  // (C3)
  TRY_VOID(check_word(v, "padding_mode", {"constant", "border", "reflection", "symmetric"}));
  TRY_VOID(
      check_word(v, "coordinates_mode", {"unnormalized", "normalized_minus_one_to_one", "normalized_zero_to_one"}));
  if (!x.ranked || !places.ranked) return one(Type::unranked(x.dtype));
  if (!may_equal(places.dims[0], x.dims[0]) || !may_equal(places.dims[3], 2)) {
    return v.wrong("coordinates", fmt::format("{} is not [{},h,w,2]", brief(places.dims), x.dims[0]));
  }
  return one(x.dtype, {x.dims[0], x.dims[1], places.dims[1], places.dims[2]});
}
constexpr Form kResampleForms[] = {{Target::ios15, kResample<kPlaces15>, infer_resample},
                                   {Target::ios16, kResample<kPlaces15 | kFloats>, infer_resample},
                                   {Target::ios17, kResample<kPlaces15 | kFloats | kSmallInts>, infer_resample}};

// Mirrors a coordinate between two walls, as often as needed.
double mirrored(double at, double low, double high) {
  if (high <= low) return low;
  const double period = 2 * (high - low), inside = std::fmod(std::fabs(at - low), period);
  return low + (inside <= high - low ? inside : period - inside);
}

struct Places {
  std::string coordinates, padding;
  bool align;
  // From the coordinate as given to a position between the centers of elements 0 … extent − 1.
  double position(double at, std::int64_t extent) const {
    const auto n = static_cast<double>(extent), last = n - 1;
    if (coordinates == "normalized_minus_one_to_one") at = align ? (at + 1) / 2 * last : ((at + 1) * n - 1) / 2;
    if (coordinates == "normalized_zero_to_one") at = align ? at * last : at * n - 0.5;
    if (padding == "reflection") at = mirrored(at, 0, last);
    if (padding == "symmetric") at = mirrored(at, -0.5, last + 0.5);
    return padding == "constant" ? at : std::clamp(at, 0.0, std::max(last, 0.0));
  }
};

Result<void> eval_resample(EvalView& v) {
  const Array &x = v.in("x"), &places = v.in("coordinates");
  Array& y = v.out();
  const Places rule{v.text("coordinates_mode"), v.text("padding_mode"), v.flag("align_corners")};
  const bool nearest = v.text("sampling_mode") == "nearest";
  const double outside = number_of(v, "padding_value");
  for_each_index(y.dims, [&](const Dims& index, std::size_t flat) {
    const auto at = static_cast<std::size_t>(((index[0] * y.dims[2] + index[2]) * y.dims[3] + index[3]) * 2);
    const Plane plane = plane_of(x, index[0], index[1]);
    double column = rule.position(places.data[at], plane.width), row = rule.position(places.data[at + 1], plane.height);
    if (nearest) {
      row = std::nearbyint(row);
      column = std::nearbyint(column);
    }
    y.data[flat] = bilinear(plane, row, column, outside);
  });
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "crop_resize", .summary = "boxes of x, each resized to one size", .forms = kCropForms, .eval = eval_crop},
    {.name = "affine",
     .summary = "x sampled at an affinely transformed grid",
     .forms = kAffineForms,
     .eval = eval_affine},
    {.name = "resample", .summary = "x sampled at coordinates", .forms = kResampleForms, .eval = eval_resample},
};

}  // namespace

std::span<const OpDef> sample() { return kOps; }

}  // namespace anemone::ops

// max_pool, avg_pool, l2_pool.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"
#include "anemone/ops/window.h"

namespace anemone::ops {
namespace {

constexpr Param kWindowed[] = {input("x"),
                               fixed("kernel_sizes", kInt32),
                               option("strides", kInt32, 0, each(1)),
                               fixed("pad_type", kString),
                               option("pad", kInt32, 0, each(0)),
                               option("ceil_mode", kBool, 0, false)};
constexpr Param kAverage[] = {input("x"),
                              fixed("kernel_sizes", kInt32),
                              option("strides", kInt32, 0, each(1)),
                              fixed("pad_type", kString),
                              option("pad", kInt32, 0, each(0)),
                              option("ceil_mode", kBool, 0, false),
                              option("exclude_padding_from_average", kBool, 0, false)};

Types infer_window(const InferView& v, std::int64_t highest_rank) {
  const Type& x = v.type("x");
  TRY_VOID(check_rank(v, "x", 3, highest_rank));  // (C1)
  if (!x.ranked) return one(x);
  const std::size_t spatial = x.dims.size() - 2;
  TRY_VOID(check_numbers(v, "kernel_sizes", spatial, 1));  // (C2) one positive number a spatial dimension
  TRY_VOID(check_numbers(v, "strides", spatial, 1));
  TRY_VOID(check_numbers(v, "pad", 2 * spatial, 0));
  TRY_VOID(v.opset() >= Target::ios16 ? check_word(v, "pad_type", {"valid", "same", "custom", "same_lower"})  // (C3)
                                      : check_word(v, "pad_type", {"valid", "same", "custom"}));
  const std::string type = v.text("pad_type");
  if (v.flag("ceil_mode")) {  // (C4) ceil_mode: one or two dimensions, no "same", symmetric pads
    if (spatial > 2 || type == "same" || type == "same_lower") {
      return v.wrong("ceil_mode",
                     fmt::format("is not possible with {} spatial dimensions and pad_type \"{}\"", spatial, type));
    }
    const Dims pad = v.ints("pad", 2 * spatial);
    for (std::size_t d = 0; type == "custom" && d < spatial; ++d) {
      if (pad[2 * d] != pad[2 * d + 1])
        return v.wrong("pad", fmt::format("{} is not symmetric, as ceil_mode needs", brief(pad)));
    }
  }
  const Window window = pool_window(v, Dims(x.dims.begin() + 2, x.dims.end()));
  Dims out(x.dims.begin(), x.dims.begin() + 2);
  for (std::size_t d = 0; d < spatial; ++d) {
    if (window.out[d] != kUnknown && window.out[d] <= 0) {  // (C5) the window fits
      return v.wrong("x", fmt::format("extent {} with padding {}+{} is smaller than the window of {}", window.in[d],
                                      window.before[d], window.after[d], window.kernel[d]));
    }
    out.push_back(window.out[d]);
  }
  return one(x.dtype, std::move(out));
}
Types infer_pool(const InferView& v) { return infer_window(v, 5); }
Types infer_l2_pool(const InferView& v) { return infer_window(v, 4); }

constexpr Form kMaxForms[] = {{Target::ios15, kWindowed, infer_pool}};
constexpr Form kAverageForms[] = {{Target::ios15, kAverage, infer_pool}};
constexpr Form kL2Forms[] = {{Target::ios15, kWindowed, infer_l2_pool}};

// Calls start(), step(element) for every element of a window that is not padding, and y = finish(inside, places): the
// elements, and the places of a whole window. Core ML counts them all, also those that ceil_mode adds beyond the padding.
template <class Start, class Step, class Finish>
void pool_eval(EvalView& v, Start&& start, Step&& step, Finish&& finish) {
  const Array& x = v.in("x");
  Array& y = v.out();
  const Window w = with_three_dimensions(pool_window(v, Dims(x.dims.begin() + 2, x.dims.end())));
  const std::int64_t plane = product(w.in), places = product(w.kernel);
  const Dims strides = row_major_strides(w.in);
  const Dims walk{y.dims[0] * y.dims[1], w.out[0], w.out[1], w.out[2]};
  for_each_index(walk, [&](const Dims& index, std::size_t flat) {
    std::int64_t first[3], last[3];
    for (std::size_t d = 0; d < 3; ++d) {
      const std::int64_t begin = index[d + 1] * w.strides[d] - w.before[d], end = begin + w.kernel[d];
      first[d] = std::max<std::int64_t>(begin, 0);
      last[d] = std::min(end, w.in[d]);
    }
    start();
    std::int64_t inside = 0;
    for (std::int64_t z = first[0]; z < last[0]; ++z) {
      for (std::int64_t r = first[1]; r < last[1]; ++r) {
        for (std::int64_t c = first[2]; c < last[2]; ++c, ++inside) {
          step(x.data[static_cast<std::size_t>(index[0] * plane + z * strides[0] + r * strides[1] + c)]);
        }
      }
    }
    y.data[flat] = finish(inside, places);
  });
}

Result<void> eval_max(EvalView& v) {
  double highest = 0;
  pool_eval(
      v, [&] { highest = -HUGE_VAL; }, [&](double x) { highest = std::isnan(x) || x > highest ? x : highest; },
      [&](std::int64_t, std::int64_t) { return highest; });
  return {};
}

Result<void> eval_average(EvalView& v) {
  const bool exclude = v.flag("exclude_padding_from_average");
  double sum = 0;
  pool_eval(
      v, [&] { sum = 0; }, [&](double x) { sum += x; },
      [&](std::int64_t inside, std::int64_t places) { return sum / static_cast<double>(exclude ? inside : places); });
  return {};
}

Result<void> eval_l2(EvalView& v) {
  double sum = 0;
  pool_eval(
      v, [&] { sum = 0; }, [&](double x) { sum += x * x; }, [&](std::int64_t, std::int64_t) { return std::sqrt(sum); });
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "max_pool",
     .summary = "the greatest element of each window",
     .forms = kMaxForms,
     .eval = eval_max,
     .traits = kPool},
    {.name = "avg_pool",
     .summary = "the mean of each window",
     .forms = kAverageForms,
     .eval = eval_average,
     .traits = kPool},
    {.name = "l2_pool", .summary = "√Σx² over each window", .forms = kL2Forms, .eval = eval_l2, .traits = kPool},
};

}  // namespace

std::span<const OpDef> pool() { return kOps; }

}  // namespace anemone::ops

// Formulas of output extents and paddings, from the MIL reference.
#include "anemone/ops/window.h"

#include <algorithm>

#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

Window sliding_window(const ConstantView& v, Dims spatial, Dims kernel, Dims dilations, bool ceil_mode) {
  const std::size_t n = spatial.size();
  Window w;
  w.in = std::move(spatial);
  w.kernel = std::move(kernel);
  w.dilations = std::move(dilations);
  w.strides = v.ints("strides", n);
  w.before = w.after = w.out = Dims(n, 0);
  const std::string type = v.text("pad_type");
  const Dims pad = type == "custom" ? v.ints("pad", 2 * n) : Dims(2 * n, 0);
  for (std::size_t d = 0; d < n; ++d) {
    const std::int64_t extent = w.in[d], span = w.span(d), stride = w.strides[d];
    w.before[d] = pad[2 * d];
    w.after[d] = pad[2 * d + 1];
    if (extent == kUnknown || span == kUnknown) {
      w.out[d] = kUnknown;
      continue;
    }
    if (type == "same" || type == "same_lower") {
      const std::int64_t total = std::max<std::int64_t>(0, stride * ceil_div(extent, stride) - extent + span - stride);
      w.before[d] = type == "same" ? total / 2 : total - total / 2;  // the odd one goes after, with same_lower before
      w.after[d] = total - w.before[d];
    }
    const std::int64_t padding = w.before[d] + w.after[d], room = extent + padding - span;
    w.out[d] = room < 0 ? 0 : (ceil_mode ? ceil_div(room, stride) : room / stride) + 1;
    // A last window that would begin in the trailing padding is dropped.
    if (ceil_mode && padding > 0 && 2 * (w.out[d] - 1) * stride >= 2 * extent + padding) --w.out[d];
  }
  return w;
}

}  // namespace

Window conv_window(const ConstantView& v, Dims spatial, Dims kernel) {
  const std::size_t n = spatial.size();
  return sliding_window(v, std::move(spatial), std::move(kernel), v.ints("dilations", n), false);
}

Window pool_window(const ConstantView& v, Dims spatial) {
  const std::size_t n = spatial.size();
  return sliding_window(v, std::move(spatial), v.ints("kernel_sizes"), Dims(n, 1), v.flag("ceil_mode"));
}

Window conv_transpose_window(const ConstantView& v, Dims spatial, Dims kernel) {
  const std::size_t n = spatial.size();
  Window w;
  w.in = std::move(spatial);
  w.kernel = std::move(kernel);
  w.dilations = v.ints("dilations", n);
  w.strides = v.ints("strides", n);
  w.before = w.after = w.out = Dims(n, 0);
  const std::string type = v.text("pad_type");
  const Dims pad = type == "custom" ? v.ints("pad", 2 * n) : Dims(2 * n, 0);
  const Dims wanted = v.ints("output_shape");
  for (std::size_t d = 0; d < n; ++d) {
    const std::int64_t extent = w.in[d], span = w.span(d), stride = w.strides[d];
    w.before[d] = pad[2 * d];
    w.after[d] = pad[2 * d + 1];
    if (type == "same" && span != kUnknown) {  // what the padding of the forward convolution was
      const std::int64_t total = std::max<std::int64_t>(0, span - stride);
      w.before[d] = total / 2;
      w.after[d] = total - w.before[d];
    }
    if (extent == kUnknown || span == kUnknown) {
      w.out[d] = kUnknown;
    } else {
      w.out[d] = type == "same" ? times(extent, stride)
                                : minus(plus(times(std::max<std::int64_t>(extent, 1) - 1, stride), span),
                                        w.before[d] + w.after[d]);
    }
    if (wanted.size() == n + 2) w.out[d] = wanted[d + 2];
  }
  return w;
}

Window with_three_dimensions(Window w) {
  const std::size_t missing = w.in.size() < 3 ? 3 - w.in.size() : 0;
  for (Dims* dims : {&w.in, &w.kernel, &w.strides, &w.dilations, &w.out}) dims->insert(dims->begin(), missing, 1);
  for (Dims* dims : {&w.before, &w.after}) dims->insert(dims->begin(), missing, 0);
  return w;
}

}  // namespace anemone::ops

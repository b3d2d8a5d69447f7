// Pooling: windows with dilations and ceil_mode as ONNX counts them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "anemone/frontends/onnx/window.h"

namespace anemone::onnx {
namespace {

// The extents of the result. With ceil_mode a window that would begin in the margin behind the input is left out.
Dims result_extents(const Call& c, const Window& w, const Dims& extents) {
  const bool ceil = c.flag("ceil_mode", false);
  Dims out;
  for (std::size_t d = 0; d < w.rank(); ++d) {
    const std::int64_t room = extents[d] + w.before[d] + w.after[d] - w.reach(d);
    if (room < 0) Call::refuse(fmt::format("a window of {} on {}", w.reach(d), extents[d]));
    std::int64_t n = (room + (ceil ? w.strides[d] - 1 : 0)) / w.strides[d] + 1;
    if (ceil && (n - 1) * w.strides[d] >= extents[d] + w.before[d]) --n;
    out.push_back(n);
  }
  return out;
}

// The margin behind the input that the last window needs.
Dims needed_after(const Window& w, const Dims& extents, const Dims& out) {
  Dims after;
  for (std::size_t d = 0; d < w.rank(); ++d)
    after.push_back(std::max(w.after[d], (out[d] - 1) * w.strides[d] + w.reach(d) - extents[d] - w.before[d]));
  return after;
}

// x with margins of `value` around its spatial dimensions.
MilValue* padded(Emit& emit, MilValue* x, const Window& w, double value) {
  if (!w.has_pads()) return x;
  return emit.add("pad", {{"x", x}, {"pad", w.pads()}, {"mode", "constant"}, {"constant_val", emit.number(x, value)}});
}

// For each place in the window the elements that stand there, one for each window: [N, C, out…].
std::vector<MilValue*> window_slices(Emit& emit, MilValue* x, const Window& w, const Dims& out) {
  const std::int64_t places = count_of(w.kernel);
  if (places > 169) Call::refuse(fmt::format("a window of {} places that MIL's pooling cannot say", places));
  const std::size_t n = w.rank();
  std::vector<MilValue*> slices;
  Dims place(n, 0);
  for (std::int64_t i = 0; i < places; ++i) {
    Dims begin(n + 2, 0), end = x->type.dims, stride(n + 2, 1);
    for (std::size_t d = 0; d < n; ++d) {
      begin[d + 2] = place[d] * w.dilations[d];
      stride[d + 2] = w.strides[d];
      end[d + 2] = begin[d + 2] + (out[d] - 1) * w.strides[d] + 1;
    }
    slices.push_back(emit.add("slice_by_index", {{"x", x}, {"begin", begin}, {"end", end}, {"stride", stride}}));
    for (std::size_t d = n; d-- > 0;) {
      if (++place[d] < w.kernel[d]) break;
      place[d] = 0;
    }
  }
  return slices;
}

Dims kernel_of(const Call& c) {
  Dims kernel = c.list("kernel_shape");
  if (kernel.empty()) Call::refuse("kernel_shape is missing");
  return kernel;
}

// Σ n[d]·steps[d] for every n below `counts`, the last dimension fastest.
std::vector<double> grid(const Dims& counts, const std::vector<double>& steps) {
  std::vector<double> sums(1, 0.0);
  table_size(counts);
  for (std::size_t d = 0; d < counts.size(); ++d) {
    std::vector<double> finer;
    for (const double sum : sums) {
      for (std::int64_t n = 0; n < counts[d]; ++n) finer.push_back(sum + static_cast<double>(n) * steps[d]);
    }
    sums = std::move(finer);
  }
  return sums;
}

// MaxPool's second output counts through the whole input. Within a plane, the index of an element is that of its window's
// first place, plus what the place is away from it.
void give_max_and_indices(Call& c, MilValue* x, const Window& w, const Dims& extents, const Dims& out) {
  Emit& emit = c.emit();
  const std::vector<MilValue*> slices =
      window_slices(emit, padded(emit, x, w, -std::numeric_limits<double>::infinity()), w, out);
  MilValue* best = slices[0];
  if (!c.wants(1)) {
    for (std::size_t i = 1; i < slices.size(); ++i) best = emit.add("maximum", {{"x", best}, {"y", slices[i]}});
    return c.give(0, best);
  }
  const std::size_t n = w.rank();
  const bool column_major = c.integer("storage_order", 0) == 1;
  std::vector<double> between_windows(n), between_places(n);
  double pitch = 1, first = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t d = column_major ? i : n - 1 - i;
    between_windows[d] = static_cast<double>(w.strides[d]) * pitch;
    between_places[d] = static_cast<double>(w.dilations[d]) * pitch;
    first -= static_cast<double>(w.before[d]) * pitch;
    pitch *= static_cast<double>(extents[d]);
  }
  const std::vector<double> places = grid(w.kernel, between_places);
  MilValue* place = emit.fill(DType::int32, best->type.dims, 0);
  for (std::size_t i = 1; i < slices.size(); ++i) {
    MilValue* is_greater = emit.add("greater", {{"x", slices[i]}, {"y", best}});
    place = emit.add("select", {{"cond", is_greater}, {"a", make_scalar(DType::int32, places[i])}, {"b", place}});
    best = emit.add("maximum", {{"x", best}, {"y", slices[i]}});
  }
  c.give(0, best);
  const Dims& dims = x->type.dims;
  Dims plane_dims(dims.size(), 1), window_dims{1, 1};
  plane_dims[0] = dims[0];
  plane_dims[1] = dims[1];
  window_dims.insert(window_dims.end(), out.begin(), out.end());
  std::vector<double> planes = grid({dims[0], dims[1]}, {static_cast<double>(dims[1]) * pitch, pitch});
  for (double& plane : planes) plane += first;
  const std::vector<double> windows = grid(out, between_windows);
  const auto constant = [&](const Dims& shape, const std::vector<double>& values) {
    return emit.constant(make_constant(DType::int32, shape, std::span<const double>(values)));
  };
  c.give(1, emit.add2(emit.add2(place, constant(window_dims, windows)), constant(plane_dims, planes)));
}

// The greatest of rows first, of columns then: as many slices as the window is wide and high together.
MilValue* greatest_by_axis(Emit& emit, MilValue* x, const Window& w, const Dims& out) {
  for (std::size_t d = 0; d < w.rank(); ++d) {
    if (w.kernel[d] > 1024) Call::refuse(fmt::format("a window of {} that MIL's pooling cannot say", w.kernel[d]));
    const auto axis = static_cast<std::int64_t>(d + 2);
    MilValue* best = nullptr;
    for (std::int64_t place = 0; place < w.kernel[d]; ++place) {
      const std::int64_t begin = place * w.dilations[d];
      MilValue* slice = emit.slice(x, axis, begin, begin + (out[d] - 1) * w.strides[d] + 1, w.strides[d]);
      best = best ? emit.add("maximum", {{"x", best}, {"y", slice}}) : slice;
    }
    x = best;
  }
  return x;
}

void lower_max_pool(Call& c) {
  Emit& emit = c.emit();
  const Dims extents = spatial(c.dims(0));
  Window w = read_window(c, kernel_of(c), extents);
  const Dims out = result_extents(c, w, extents);
  w.after = needed_after(w, extents, out);
  MilValue* x = c.real(0);
  if (c.wants(1)) return give_max_and_indices(c, x, w, extents, out);
  if (w.is_dilated()) {
    MilValue* margins = padded(emit, x, w, -std::numeric_limits<double>::infinity());
    return c.give(emit.cast(greatest_by_axis(emit, margins, w, out), c.in(0)->type.dtype));
  }
  MilValue* y = emit.add("max_pool", {{"x", x},
                                      {"kernel_sizes", w.kernel},
                                      {"strides", w.strides},
                                      {"pad_type", w.has_pads() ? "custom" : "valid"},
                                      {"pad", w.pads()},
                                      {"ceil_mode", false}});
  c.give(emit.cast(y, c.in(0)->type.dtype));
}

// How many elements each window averages, as a factor for a sum divided by the whole window: [1, 1, out…].
ConstantPtr share_factors(DType dtype, const Window& w, const Dims& room_begin, const Dims& room_end, const Dims& out) {
  Dims dims{1, 1};
  dims.insert(dims.end(), out.begin(), out.end());
  std::vector<double> values(table_size(dims));
  for (std::size_t flat = 0; flat < values.size(); ++flat) {
    std::size_t rest = flat;
    double factor = 1;
    for (std::size_t d = w.rank(); d-- > 0; rest /= static_cast<std::size_t>(out[d])) {
      const std::int64_t begin = static_cast<std::int64_t>(rest % static_cast<std::size_t>(out[d])) * w.strides[d];
      const auto places_before = [&](std::int64_t end) {
        const std::int64_t room = std::max<std::int64_t>(end - begin, 0);
        return std::min((room + w.dilations[d] - 1) / w.dilations[d], w.kernel[d]);
      };
      const std::int64_t counted = places_before(room_end[d]) - places_before(room_begin[d]);
      factor *= static_cast<double>(w.kernel[d]) / static_cast<double>(std::max<std::int64_t>(counted, 1));
    }
    values[flat] = factor;
  }
  return make_constant(dtype, dims, std::span<const double>(values));
}

void lower_average_pool(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.real(0);
  const Dims extents = spatial(c.dims(0));
  Window w = read_window(c, kernel_of(c), extents);
  const Dims out = result_extents(c, w, extents);
  const bool counts_pads = c.flag("count_include_pad", false);
  // What is counted: the input, or the input with the pads that the node names (not what ceil_mode adds behind them).
  Dims begin = w.before, end;
  for (std::size_t d = 0; d < w.rank(); ++d) {
    end.push_back(w.before[d] + extents[d] + (counts_pads ? w.after[d] : 0));
    if (counts_pads) begin[d] = 0;
  }
  const Dims declared_after = w.after;
  w.after = needed_after(w, extents, out);
  if (w.is_dilated()) {
    const std::vector<MilValue*> slices = window_slices(emit, padded(emit, x, w, 0), w, out);
    MilValue* sum = slices[0];
    for (std::size_t i = 1; i < slices.size(); ++i) sum = emit.add2(sum, slices[i]);
    MilValue* mean = emit.mul(sum, 1.0 / static_cast<double>(slices.size()));
    c.give(emit.mul(mean, emit.constant(share_factors(x->type.dtype, w, begin, end, out))));
    return;
  }
  MilValue* y = emit.add("avg_pool", {{"x", x},
                                      {"kernel_sizes", w.kernel},
                                      {"strides", w.strides},
                                      {"pad_type", w.has_pads() ? "custom" : "valid"},
                                      {"pad", w.pads()},
                                      {"ceil_mode", false},
                                      {"exclude_padding_from_average", !counts_pads}});
  if (counts_pads && w.after != declared_after)
    y = emit.mul(y, emit.constant(share_factors(x->type.dtype, w, begin, end, out)));
  c.give(y);
}

// (Σ|x|^p)^(1/p) over each window.
void lower_lp_pool(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.real(0);
  const Dims extents = spatial(c.dims(0));
  Window w = read_window(c, kernel_of(c), extents);
  const Dims out = result_extents(c, w, extents);
  w.after = needed_after(w, extents, out);
  const double p = c.number("p", 2);
  const double size = static_cast<double>(count_of(w.kernel));
  MilValue* powers = emit.add("pow", {{"x", emit.add("abs", {{"x", x}})}, {"y", emit.number(x, p)}});
  MilValue* sum = nullptr;
  if (w.is_dilated()) {
    for (MilValue* slice : window_slices(emit, padded(emit, powers, w, 0), w, out))
      sum = sum ? emit.add2(sum, slice) : slice;
  } else {
    sum = emit.mul(emit.add("avg_pool", {{"x", powers},
                                         {"kernel_sizes", w.kernel},
                                         {"strides", w.strides},
                                         {"pad_type", w.has_pads() ? "custom" : "valid"},
                                         {"pad", w.pads()},
                                         {"ceil_mode", false},
                                         {"exclude_padding_from_average", false}}),
                   size);
  }
  c.give(emit.add("pow", {{"x", sum}, {"y", emit.number(x, 1 / p)}}));
}

Dims spatial_axes(const Call& c) {
  Dims axes;
  for (std::size_t d = 2; d < c.rank(0); ++d) axes.push_back(static_cast<std::int64_t>(d));
  if (axes.empty()) Call::refuse("there is no spatial dimension");
  return axes;
}
MilValue* over_space(Call& c, std::string_view reduction, MilValue* x) {
  return c.emit().add(reduction, {{"x", x}, {"axes", spatial_axes(c)}, {"keep_dims", true}});
}
void lower_global_average_pool(Call& c) { c.give(over_space(c, "reduce_mean", c.real(0))); }
void lower_global_max_pool(Call& c) { c.give(over_space(c, "reduce_max", c.in(0))); }
void lower_global_lp_pool(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.real(0);
  const double p = c.number("p", 2);
  if (p == 2) return c.give(over_space(c, "reduce_l2_norm", x));
  if (p == 1) return c.give(over_space(c, "reduce_l1_norm", x));
  MilValue* powers = emit.add("pow", {{"x", emit.add("abs", {{"x", x}})}, {"y", emit.number(x, p)}});
  c.give(emit.add("pow", {{"x", over_space(c, "reduce_sum", powers)}, {"y", emit.number(x, 1 / p)}}));
}

// The elements go where the indices say, all else is 0.
void lower_max_unpool(Call& c) {
  Emit& emit = c.emit();
  const Dims dims = c.dims(0);
  const Window w = read_window(c, kernel_of(c), spatial(dims));
  Dims natural{dims[0], dims[1]};
  for (std::size_t d = 0; d < w.rank(); ++d)
    natural.push_back((dims[d + 2] - 1) * w.strides[d] - w.before[d] - w.after[d] + w.kernel[d]);
  const Dims out = c.has(2) ? c.ints(2) : natural;
  MilValue* x = c.in(0);
  Dims margins;  // the indices count in the natural shape; what is larger has zeros behind it
  for (std::size_t d = 0; d < natural.size(); ++d) {
    if (out.size() != natural.size() || out[d] < natural[d]) Call::refuse(fmt::format("output_shape {}", brief(out)));
    margins.push_back(0);
    margins.push_back(out[d] - natural[d]);
  }
  const std::int64_t count = count_of(dims);
  MilValue* flat = emit.add("scatter", {{"data", emit.fill(x->type.dtype, {count_of(natural)}, 0)},
                                        {"indices", emit.reshape(c.in(1), {count})},
                                        {"updates", emit.reshape(x, {count})},
                                        {"axis", 0},
                                        {"mode", "update"}});
  MilValue* y = emit.reshape(flat, natural);
  if (out != natural)
    y = emit.add("pad", {{"x", y}, {"pad", margins}, {"mode", "constant"}, {"constant_val", emit.number(y, 0)}});
  c.give(y);
}

constexpr Row kRows[] = {
    {"MaxPool", 1, lower_max_pool, "indices of a window of more than 169 places"},
    {"AveragePool", 1, lower_average_pool, "more than 169 places in a dilated window"},
    {"LpPool", 1, lower_lp_pool},
    {"GlobalAveragePool", 1, lower_global_average_pool},
    {"GlobalMaxPool", 1, lower_global_max_pool},
    {"GlobalLpPool", 1, lower_global_lp_pool},
    {"MaxUnpool", 9, lower_max_unpool},
};

}  // namespace

std::span<const Row> pool_lowerings() { return kRows; }

}  // namespace anemone::onnx

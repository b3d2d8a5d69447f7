// Convolutions.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/frontends/onnx/fused.h"
#include "anemone/frontends/onnx/window.h"

namespace anemone::onnx {

bool Window::is_dilated() const {
  return std::any_of(dilations.begin(), dilations.end(), [](std::int64_t d) { return d != 1; });
}
bool Window::has_pads() const {
  const auto some = [](std::int64_t n) { return n != 0; };
  return std::any_of(before.begin(), before.end(), some) || std::any_of(after.begin(), after.end(), some);
}
Dims Window::pads() const {
  Dims out;
  for (std::size_t d = 0; d < rank(); ++d) {
    out.push_back(before[d]);
    out.push_back(after[d]);
  }
  return out;
}

Dims spatial(const Dims& dims) { return dims.size() < 2 ? Dims{} : Dims(dims.begin() + 2, dims.end()); }

namespace {

// Beyond it nothing is a window, and sums and products of numbers within it are far from overflowing.
constexpr std::int64_t kMostOfWindow = 1 << 24;

void check_each(std::string_view name, const Dims& values, std::int64_t least) {
  for (const std::int64_t value : values) {
    if (value < least || value > kMostOfWindow) Call::refuse(fmt::format("{} {}", name, brief(values)));
  }
}

// The numbers of an attribute, or as many of the fallback.
Dims list_of(const Call& c, std::string_view name, std::size_t count, std::int64_t fallback) {
  Dims values = c.list(name);
  if (values.empty()) values.assign(count, fallback);
  if (values.size() != count) Call::refuse(fmt::format("{} has {} numbers instead of {}", name, values.size(), count));
  return values;
}

void read_pads(const Call& c, Window& w) {
  const std::size_t n = w.rank();
  const Dims pads = list_of(c, "pads", 2 * n, 0);
  check_each("pads", pads, -kMostOfWindow);
  std::copy_n(pads.begin(), n, w.before.begin());
  std::copy_n(pads.begin() + static_cast<std::ptrdiff_t>(n), n, w.after.begin());
}

// Without pads.
Window window_of(const Call& c, const Dims& kernel, const Dims& extents) {
  const std::size_t n = kernel.size();
  if (extents.size() != n) Call::refuse(fmt::format("a window of rank {} on {}", n, brief(extents)));
  Window w{kernel, list_of(c, "strides", n, 1), list_of(c, "dilations", n, 1), Dims(n, 0), Dims(n, 0)};
  check_each("kernel_shape", w.kernel, 1);
  check_each("strides", w.strides, 1);
  check_each("dilations", w.dilations, 1);
  return w;
}

}  // namespace

Window read_window(const Call& c, const Dims& kernel, const Dims& extents) {
  const std::size_t n = kernel.size();
  Window w = window_of(c, kernel, extents);
  const std::string mode = c.text("auto_pad", "NOTSET");
  if (mode == "NOTSET" || mode.empty()) {
    read_pads(c, w);
  } else if (mode == "SAME_UPPER" || mode == "SAME_LOWER") {
    for (std::size_t d = 0; d < n; ++d) {
      const std::int64_t out = (extents[d] + w.strides[d] - 1) / w.strides[d];
      const std::int64_t total = std::max<std::int64_t>((out - 1) * w.strides[d] + w.reach(d) - extents[d], 0);
      w.before[d] = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
      w.after[d] = total - w.before[d];
    }
  } else if (mode != "VALID") {
    Call::refuse(fmt::format("auto_pad '{}'", mode));
  }
  return w;
}

namespace {

void check_kernel_shape(const Call& c, const Dims& kernel) {
  if (const Dims said = c.list("kernel_shape"); !said.empty() && said != kernel)
    Call::refuse(fmt::format("kernel_shape {} and a weight of {}", brief(said), brief(kernel)));
}

}  // namespace

MilValue* conv_of(Call& c, MilValue* x, MilValue* weight, MilValue* bias) {
  const Dims kernel = spatial(weight->type.dims);
  check_kernel_shape(c, kernel);
  const Window w = read_window(c, kernel, spatial(x->type.dims));
  return c.emit().add("conv", {{"x", x},
                               {"weight", weight},
                               {"bias", bias},
                               {"strides", w.strides},
                               {"pad_type", w.has_pads() ? "custom" : "valid"},
                               {"pad", w.pads()},
                               {"dilations", w.dilations},
                               {"groups", c.integer("group", 1)}});
}
MilValue* conv_value(Call& c) {
  c.dims(0);
  c.dims(1);  // known, or refused
  return conv_of(c, c.in(0), c.in(1), c.has(2) ? c.in(2) : nullptr);
}

namespace {

void lower_conv(Call& c) { c.give(conv_value(c)); }

// What is cut off the full result, (in − 1)·stride + reach; negative where zeros come to its end.
void read_transposed_pads(const Call& c, Window& w, const Dims& extents) {
  const std::size_t n = w.rank();
  const Dims shape = c.list("output_shape");
  const Dims extra = list_of(c, "output_padding", n, 0);
  check_each("output_padding", extra, 0);
  const std::string mode = c.text("auto_pad", "NOTSET");
  const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  for (std::size_t d = 0; d < n; ++d) {
    const std::int64_t full = (extents[d] - 1) * w.strides[d] + w.reach(d) + extra[d];
    if (!shape.empty() || same) {
      const std::int64_t wanted = same && shape.empty() ? extents[d] * w.strides[d] : shape[shape.size() - n + d];
      const std::int64_t total = std::max<std::int64_t>(full - wanted, 0);
      w.before[d] = mode == "SAME_LOWER" ? total - total / 2 : total / 2;
      w.after[d] = full - wanted - w.before[d];
    }
    w.after[d] -= extra[d];
  }
}

void lower_conv_transpose(Call& c) {
  const Dims kernel = spatial(c.dims(1)), extents = spatial(c.dims(0));
  check_kernel_shape(c, kernel);
  const Dims shape = c.list("output_shape");
  if (!shape.empty() && shape.size() < kernel.size()) Call::refuse("output_shape is too short");
  Window w = window_of(c, kernel, extents);
  read_pads(c, w);
  read_transposed_pads(c, w, extents);
  Dims grown;
  for (std::int64_t& n : w.after) {
    grown.push_back(std::max<std::int64_t>(-n, 0));
    n = std::max<std::int64_t>(n, 0);
  }
  const bool grows = std::any_of(grown.begin(), grown.end(), [](std::int64_t n) { return n > 0; });
  Emit& emit = c.emit();
  MilValue* bias = c.has(2) ? c.in(2) : nullptr;
  MilValue* y = emit.add("conv_transpose", {{"x", c.in(0)},
                                            {"weight", c.in(1)},
                                            {"bias", grows ? nullptr : bias},
                                            {"strides", w.strides},
                                            {"pad_type", w.has_pads() ? "custom" : "valid"},
                                            {"pad", w.pads()},
                                            {"dilations", w.dilations},
                                            {"groups", c.integer("group", 1)}});
  if (grows) {  // nothing but the bias reaches the margin
    Dims pads;
    for (const std::int64_t n : grown) {
      pads.push_back(0);
      pads.push_back(n);
    }
    y = emit.add("pad", {{"x", y}, {"pad", pads}, {"mode", "constant"}, {"constant_val", emit.number(y, 0)}});
    if (bias) {
      Dims channels(kernel.size() + 2, 1);
      channels[1] = y->type.dims[1];
      y = emit.add2(y, emit.reshape(bias, channels));
    }
  }
  c.give(y);
}

constexpr Row kRows[] = {
    {"Conv", 1, lower_conv},
    {"ConvTranspose", 1, lower_conv_transpose},
};

}  // namespace

std::span<const Row> conv_lowerings() { return kRows; }

}  // namespace anemone::onnx

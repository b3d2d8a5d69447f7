// Convolutions and pools. Pads are always numbers, never words: what "same" comes to is decided here.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "anemone/backends/onnx/rows.h"
#include "anemone/ops/window.h"

namespace anemone::onnx::exporting {
namespace {

Dims spatial_of(const Dims& dims) { return Dims(dims.begin() + 2, dims.end()); }

Dims joined(const Dims& before, const Dims& after) {
  Dims out = before;
  out.insert(out.end(), after.begin(), after.end());
  return out;
}

Diagnostic unknown_extent(const Emit& e) {
  return e.refuse("an extent of the window's input is not known", "give the input a size with --shapes");
}

Inputs operands(Emit& e) {
  const DataType dtype = e.dtype();
  Inputs inputs{e.in("x"), e.in_as("weight", dtype)};
  if (e.has("bias")) inputs.push_back(e.in_as("bias", dtype));
  return inputs;
}

Result<void> conv(Emit& e) {
  const ops::Window w = ops::conv_window(e, spatial_of(e.dims("x")), spatial_of(e.dims("weight")));
  if (std::find(w.after.begin(), w.after.end(), kUnknown) != w.after.end()) return unknown_extent(e);
  return e.give("Conv", operands(e),
                {attr("kernel_shape", w.kernel), attr("strides", w.strides), attr("dilations", w.dilations),
                 attr("group", e.integer("groups")), attr("pads", joined(w.before, w.after))});
}

Result<void> conv_transpose(Emit& e) {
  const ops::Window w = ops::conv_transpose_window(e, spatial_of(e.dims("x")), spatial_of(e.dims("weight")));
  Dims after = w.after, more(w.in.size(), 0);
  for (std::size_t d = 0; d < w.in.size(); ++d) {
    if (w.in[d] == kUnknown || w.out[d] == kUnknown) return unknown_extent(e);
    const std::int64_t missing = w.out[d] - ((w.in[d] - 1) * w.strides[d] + w.span(d) - w.before[d] - w.after[d]);
    (missing < 0 ? after[d] : more[d]) += std::abs(missing);
    if (more[d] >= std::max(w.strides[d], w.dilations[d]) && more[d] > 0) {
      return e.refuse(
          fmt::format("an output_shape {} beyond what the window makes, with a stride of {}", more[d], w.strides[d]),
          "pad the result with an operation of its own");
    }
  }
  Attrs attributes{attr("kernel_shape", w.kernel), attr("strides", w.strides), attr("dilations", w.dilations),
                   attr("group", e.integer("groups")), attr("pads", joined(w.before, after))};
  if (std::any_of(more.begin(), more.end(), [](std::int64_t m) { return m > 0; }))
    attributes.push_back(attr("output_padding", more));
  return e.give("ConvTranspose", operands(e), std::move(attributes));
}

/// Attributes of a pool. A last window that ceil_mode adds is reached with padding at the end, so that every runtime
/// has as many windows as the program.
Result<Attrs> pool(Emit& e) {
  const ops::Window w = ops::pool_window(e, spatial_of(e.dims("x")));
  Dims after = w.after;
  for (std::size_t d = 0; d < w.in.size(); ++d) {
    if (w.after[d] == kUnknown) return unknown_extent(e);
    if (!e.flag("ceil_mode")) continue;
    if (w.in[d] == kUnknown) return unknown_extent(e);
    after[d] = std::max<std::int64_t>(0, (w.out[d] - 1) * w.strides[d] + w.kernel[d] - w.in[d] - w.before[d]);
  }
  return Attrs{attr("kernel_shape", w.kernel), attr("strides", w.strides), attr("pads", joined(w.before, after))};
}

Result<void> max_pool(Emit& e) {
  TRY(Attrs attributes, pool(e));
  return e.give("MaxPool", {e.in("x")}, std::move(attributes));
}

Result<void> avg_pool(Emit& e) {
  TRY(Attrs attributes, pool(e));
  attributes.push_back(attr("count_include_pad", std::int64_t{!e.flag("exclude_padding_from_average")}));
  return e.give("AveragePool", {e.in("x")}, std::move(attributes));
}

Result<void> l2_pool(Emit& e) {
  TRY(Attrs attributes, pool(e));
  attributes.push_back(attr("p", std::int64_t{2}));
  return e.give("LpPool", {e.in("x")}, std::move(attributes));
}

constexpr std::array kRows = {
    RaiseRow{"conv", conv, "Conv"},
    RaiseRow{"conv_transpose", conv_transpose, "ConvTranspose"},
    RaiseRow{"max_pool", max_pool, "MaxPool"},
    RaiseRow{"avg_pool", avg_pool, "AveragePool"},
    RaiseRow{"l2_pool", l2_pool, "LpPool"},
};

}  // namespace

std::span<const RaiseRow> raise_window() { return kRows; }

}  // namespace anemone::onnx::exporting

// Normalisations.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "anemone/backends/onnx/rows.h"

namespace anemone::onnx::exporting {
namespace {

/// The numbers of a parameter, or one default for each of `count`.
Value* values_or(Emit& e, std::string_view param, std::int64_t count, double fallback) {
  if (e.has(param)) return e.in_as(param, e.dtype());
  return e.literals(e.dtype(), {count}, std::vector<double>(static_cast<std::size_t>(count), fallback));
}

Result<void> batch_norm(Emit& e) {
  const std::int64_t channels = e.dims("mean").at(0);
  return e.give("BatchNormalization",
                {e.in("x"), values_or(e, "gamma", channels, 1), values_or(e, "beta", channels, 0),
                 e.in_as("mean", e.dtype()), e.in_as("variance", e.dtype())},
                {attr("epsilon", e.number("epsilon"))});
}

Result<void> instance_norm(Emit& e) {
  const std::int64_t channels = e.dims("x").at(1);
  if (channels == kUnknown) return e.refuse("the number of channels is not known", "give the input a size");
  return e.give("InstanceNormalization",
                {e.in("x"), values_or(e, "gamma", channels, 1), values_or(e, "beta", channels, 0)},
                {attr("epsilon", e.number("epsilon"))});
}

/// x / √(mean of x² + epsilon) over the axes, of an x whose mean is 0.
Value* scaled_to_one(Emit& e, Value* x, const Dims& axes) {
  Value* variance = e.reduce("ReduceMean", e.make("Mul", {x, x}), axes, true);
  return e.make("Div", {x, e.make("Sqrt", {e.make("Add", {variance, e.literal(e.number("epsilon"))})})});
}

Result<void> layer_norm(Emit& e) {
  const std::int64_t rank = e.rank();
  Dims axes = e.axes("axes", rank);
  bool trailing = true;
  for (std::size_t i = 0; i < axes.size(); ++i)
    trailing &= axes[i] == rank - static_cast<std::int64_t>(axes.size() - i);
  Dims normalised;
  for (const std::int64_t axis : axes) normalised.push_back(e.dims("x")[static_cast<std::size_t>(axis)]);
  const auto count = element_count(normalised);
  if (trailing && e.opset() >= 17 && (e.has("gamma") || count)) {
    Value* gamma = e.has("gamma")
                       ? e.in_as("gamma", e.dtype())
                       : e.literals(e.dtype(), normalised, std::vector<double>(static_cast<std::size_t>(*count), 1));
    Inputs inputs{e.in("x"), gamma};
    if (e.has("beta")) inputs.push_back(e.in_as("beta", e.dtype()));
    return e.give("LayerNormalization", std::move(inputs),
                  {attr("axis", axes[0]), attr("epsilon", e.number("epsilon"))});
  }
  if ((e.has("gamma") || e.has("beta")) && !std::is_sorted(axes.begin(), axes.end()))
    return e.refuse("axes that are not in order, with gamma or beta", "order the axes and the numbers of gamma");
  Value* x = e.in("x");
  Value* result = scaled_to_one(e, e.make("Sub", {x, e.reduce("ReduceMean", x, axes, true)}), axes);
  Dims shape(static_cast<std::size_t>(rank), 1);
  for (std::size_t i = 0; i < axes.size(); ++i) shape[static_cast<std::size_t>(axes[i])] = normalised[i];
  if (e.has("gamma")) result = e.make("Mul", {result, e.reshape(e.in_as("gamma", e.dtype()), shape)});
  if (e.has("beta")) result = e.make("Add", {result, e.reshape(e.in_as("beta", e.dtype()), shape)});
  return e.give_value(result);
}

Result<void> l2_norm(Emit& e) {
  const std::int64_t rank = e.rank();
  Value* sum = e.reduce("ReduceSumSquare", e.in("x"), {rank - 3, rank - 2, rank - 1}, true);
  Value* root = e.make("Sqrt", {e.make("Add", {sum, e.literal(e.number("epsilon"))})});
  return e.give("Div", {e.in("x"), root});
}

// LRN wants an odd size, and ONNX Runtime four dimensions. Elsewhere the mean of squares over a window of channels is
// an average pool along them.
Result<void> local_response_norm(Emit& e) {
  const std::int64_t size = e.integer("size");
  if (size % 2 != 0 && e.rank() == 4) {
    return e.give("LRN", {e.in("x")},
                  {attr("size", size), attr("alpha", e.number("alpha")), attr("beta", e.number("beta")),
                   attr("bias", e.number("k"))});
  }
  const Dims& x = e.dims("x");
  if (!e.is_fixed()) return e.refuse("the extents of x are not known", "give the input a size with --shapes");
  const bool batch = x.size() > 3;  // in three dimensions the first one is the channels
  Value* squares = e.make("Mul", {e.in("x"), e.in("x")});
  squares = e.reshape(squares, {batch ? x[0] : 1, 1, x[batch ? 1 : 0], -1});
  Value* mean = e.make("AveragePool", {squares},
                       {attr("kernel_shape", Dims{size, 1}), attr("pads", Dims{size / 2, 0, size - 1 - size / 2, 0}),
                        attr("count_include_pad", std::int64_t{1})});
  Value* base = e.make("Add", {e.make("Mul", {mean, e.literal(e.number("alpha"))}), e.literal(e.number("k"))});
  Value* divisor = e.reshape(e.make("Pow", {base, e.literal(e.number("beta"))}), x);
  return e.give("Div", {e.in("x"), divisor});
}

constexpr std::array kRows = {
    RaiseRow{"batch_norm", batch_norm, "BatchNormalization"},
    RaiseRow{"instance_norm", instance_norm, "InstanceNormalization"},
    RaiseRow{"layer_norm", layer_norm, "LayerNormalization; before opset 17, or over other axes, its arithmetic"},
    RaiseRow{"l2_norm", l2_norm, "ReduceSumSquare, Add, Sqrt, Div"},
    RaiseRow{"local_response_norm", local_response_norm,
             "LRN; beyond rank 4, or over an even window, AveragePool and its arithmetic"},
};

}  // namespace

std::span<const RaiseRow> raise_norm() { return kRows; }

}  // namespace anemone::onnx::exporting

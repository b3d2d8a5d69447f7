// gather, scatter, sort: elements at places that come as numbers.
#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>

#include "anemone/backends/onnx/rows.h"

namespace anemone::onnx::exporting {
namespace {

Result<void> gather(Emit& e) {
  const std::int64_t axis = e.axis("axis", e.rank()), batch = e.integer("batch_dims");
  if (batch == 0) {
    Value* indices = e.dtype("indices") == DataType::int32 ? e.in("indices") : e.in_int64("indices");
    return e.give("Gather", {e.in("x"), indices}, {attr("axis", axis)});
  }
  // GatherND takes places in the first dimension behind the batch, and puts them there.
  Value *x = e.in("x"), *places = e.unsqueeze(e.in_int64("indices"), {e.rank("indices")});
  if (axis == batch) return e.give("GatherND", {x, places}, {attr("batch_dims", batch)});
  const std::int64_t picks = e.rank("indices") - batch;
  Dims to_front, back;
  for (std::int64_t d = 0; d < e.rank(); ++d) {
    if (d == batch) to_front.push_back(axis);
    if (d != axis) to_front.push_back(d);
  }
  for (std::int64_t d = 0; d < batch; ++d) back.push_back(d);
  for (std::int64_t d = batch; d < axis; ++d) back.push_back(d + picks);
  for (std::int64_t d = batch; d < batch + picks; ++d) back.push_back(d);
  for (std::int64_t d = axis; d < e.rank() - 1; ++d) back.push_back(d + picks);
  Value* found = e.make("GatherND", {e.transpose(x, to_front), places}, {attr("batch_dims", batch)});
  return e.give("Transpose", {found}, {attr("perm", back)});
}

Result<void> gather_along_axis(Emit& e) {
  return e.give("GatherElements", {e.in("x"), e.in_int64("indices")}, {attr("axis", e.axis("axis", e.rank()))});
}

Result<void> gather_nd(Emit& e) {
  return e.give("GatherND", {e.in("x"), e.in_int64("indices")}, {attr("batch_dims", e.integer("batch_dims"))});
}

/// What ONNX calls the way in which updates are combined with data. Differences are sums of what is negated, and
/// quotients products of what is inverted.
struct Combination {
  std::string reduction;
  Value* updates = nullptr;
};
Result<Combination> combination(Emit& e) {
  const std::string mode = e.text("mode");
  Value* updates = e.in_as("updates", e.dtype("data"));
  if (mode == "update") return Combination{"none", updates};
  const std::int64_t since = mode == "max" || mode == "min" ? 18 : 16;
  if (e.opset() < since) {
    return e.refuse(fmt::format("mode \"{}\" exists since opset {}, and this is {}", mode, since, e.opset()),
                    fmt::format("'--opset {}'", since));
  }
  if (mode == "sub") return Combination{"add", e.make("Neg", {updates})};
  if (mode == "div") {
    if (!is_float(e.type("data").dtype)) return e.refuse("mode \"div\" of integers");
    return Combination{"mul", e.make("Div", {e.literal(1), updates})};
  }
  return Combination{mode, updates};
}

Attrs with_reduction(const Combination& c, Attrs attributes) {
  if (c.reduction != "none") attributes.push_back(attr("reduction", c.reduction));
  return attributes;
}

/// ONNX Runtime stops at an index outside of the data, where MIL lets it be with validate_indices = false.
Result<void> check_indices(Emit& e, std::int64_t axis) {
  const Constant* indices = e.constant("indices");
  const std::int64_t extent = e.dims("data")[static_cast<std::size_t>(axis)];
  if (!indices || extent == kUnknown) return {};
  for (const std::int64_t at : to_ints(*indices)) {
    if (at < -extent || at >= extent)
      return e.refuse(fmt::format("index {} is outside of an axis of {}", at, extent), "use indices that are inside");
  }
  return {};
}

Result<void> scatter_along_axis(Emit& e) {
  TRY_VOID(check_indices(e, e.axis("axis", e.rank("data"))));
  TRY(const Combination c, combination(e));
  return e.give("ScatterElements", {e.in("data"), e.in_int64("indices"), c.updates},
                with_reduction(c, {attr("axis", e.axis("axis", e.rank("data")))}));
}

Result<void> scatter_nd(Emit& e) {
  TRY(const Combination c, combination(e));
  return e.give("ScatterND", {e.in("data"), e.in_int64("indices"), c.updates}, with_reduction(c, {}));
}

// Every element of a slice gets the index of its slice.
Result<void> scatter(Emit& e) {
  TRY(const Combination c, combination(e));
  const Dims& data = e.dims("data");
  const auto axis = static_cast<std::size_t>(e.axis("axis", e.rank("data")));
  TRY_VOID(check_indices(e, static_cast<std::int64_t>(axis)));
  const auto picks = element_count(e.dims("indices"));
  if (!picks || !e.type("data").is_fixed())
    return e.refuse("extents of data or indices are not known", "give the input a size with --shapes");
  Dims flat = data, ones(data.size(), 1);
  flat[axis] = ones[axis] = *picks;
  Value* indices = e.make("Expand", {e.reshape(e.in_int64("indices"), ones), e.int64s(flat)});
  return e.give("ScatterElements", {e.in("data"), indices, e.reshape(c.updates, flat)},
                with_reduction(c, {attr("axis", static_cast<std::int64_t>(axis))}));
}

/// TopK's values and places. Runtimes know it for floats and the larger integers.
Inputs sorted(Emit& e, std::int64_t axis, Value* k) {
  const DataType dtype = e.dtype("x");
  const bool small = !is_float(e.type("x").dtype) && dtype != DataType::int32;
  Inputs found = e.make_several({"TopK",
                                 {small ? e.cast(e.in("x"), DataType::int32) : e.in("x"), k},
                                 {attr("axis", axis), attr("largest", std::int64_t{!e.flag("ascending")})}},
                                2);
  if (small) found[0] = e.cast(found[0], dtype);
  return found;
}

Result<void> topk(Emit& e) {
  const std::int64_t axis = e.axis("axis", e.rank());
  Value* k = nullptr;
  if (e.constant("k") || !e.has("k")) {
    const std::int64_t count = e.out_type().dims[static_cast<std::size_t>(axis)];
    if (count == kUnknown) return e.refuse("all elements of an axis that is not known", "give the input a size");
    k = e.int64s({count});
  } else {
    k = e.reshape(e.in_int64("k"), {1});
  }
  const Inputs found = sorted(e, axis, k);
  TRY_VOID(e.give_value(found[0]));
  if (e.node().outputs.size() < 2) return {};
  return e.give_value(e.cast(found[1], data_type(e.out_type(1).dtype, e.raising().options())), 1);
}

Result<void> argsort(Emit& e) {
  const std::int64_t axis = e.axis("axis", e.rank()), count = e.dims("x")[static_cast<std::size_t>(axis)];
  if (count == kUnknown) return e.refuse("the extent of the axis is not known", "give the input a size with --shapes");
  return e.give("Cast", {sorted(e, axis, e.int64s({count}))[1]}, {attr("to", static_cast<std::int64_t>(e.dtype()))});
}

Result<void> non_zero(Emit& e) {
  Value* places = e.transpose(e.make("NonZero", {e.in("x")}), {1, 0});
  return e.give("Cast", {places}, {attr("to", static_cast<std::int64_t>(e.dtype()))});
}

// Not OneHot: its negative indices count from the end, and runtimes know few of its types.
Result<void> one_hot(Emit& e) {
  const std::int64_t axis = e.axis("axis", e.out_type().rank());
  const std::int64_t size = e.out_type().dims[static_cast<std::size_t>(axis)];
  Dims shape(e.out_type().dims.size(), 1);
  shape[static_cast<std::size_t>(axis)] = size;
  Value* classes = nullptr;
  if (size == kUnknown) {
    Value* count = e.reshape(e.in_int64("one_hot_vector_size"), {});
    classes = e.make("Range", {e.literal(0, DataType::int64), count, e.literal(1, DataType::int64)});
    classes = e.reshape(classes, shape);
  } else {
    std::vector<double> numbers(static_cast<std::size_t>(size));
    std::iota(numbers.begin(), numbers.end(), 0);
    classes = e.literals(DataType::int64, shape, numbers);
  }
  Value* hot = e.make("Equal", {e.unsqueeze(e.in_int64("indices"), {axis}), classes});
  const auto value = [&](const char* param, double fallback) {
    return e.literal(e.has(param) ? e.number(param) : fallback);
  };
  return e.give("Where", {hot, value("on_value", 1), value("off_value", 0)});
}

constexpr std::array kRows = {
    RaiseRow{"gather", gather, "Gather; with batch_dims Unsqueeze, Transpose, GatherND"},
    RaiseRow{"gather_along_axis", gather_along_axis, "GatherElements"},
    RaiseRow{"gather_nd", gather_nd, "GatherND"},
    RaiseRow{"scatter", scatter, "Reshape, Expand, ScatterElements"},
    RaiseRow{"scatter_along_axis", scatter_along_axis, "ScatterElements"},
    RaiseRow{"scatter_nd", scatter_nd, "ScatterND"},
    RaiseRow{"topk", topk, "TopK, Cast"},
    RaiseRow{"argsort", argsort, "TopK, Cast"},
    RaiseRow{"non_zero", non_zero, "NonZero, Transpose, Cast"},
    RaiseRow{"one_hot", one_hot, "Unsqueeze, Range, Equal, Where"},
};

}  // namespace

std::span<const RaiseRow> raise_index() { return kRows; }

}  // namespace anemone::onnx::exporting

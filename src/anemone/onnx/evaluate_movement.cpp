// Values of operations that only move elements, and of constants by shape.
#include <algorithm>

#include "anemone/formats/wire/strided.h"
#include "anemone/onnx/evaluate.h"
#include "anemone/onnx/infer.h"

namespace anemone::onnx {
namespace {

using Dims = std::vector<std::int64_t>;

/// The same elements under new dims.
std::optional<Array> renamed(const Array& x, Dims dims) {
  const auto count = onnxspec::element_count(dims);
  if (!count || static_cast<std::size_t>(*count) != x.size()) return std::nullopt;
  Array out = x;
  out.dims = std::move(dims);
  return out;
}

std::optional<Array> same(const EvaluateView& v) {
  if (!v.input(0)) return std::nullopt;
  return *v.input(0);
}

std::optional<Array> unsqueeze(const EvaluateView& v) {
  const auto axes = v.integers(1, "axes");
  if (!v.input(0) || !axes) return std::nullopt;
  const std::size_t rank = v.input(0)->dims.size() + axes->size();
  std::vector<bool> added(rank);
  for (const std::int64_t given : *axes) {
    const auto axis = axis_of(given, rank);
    if (!axis || added[static_cast<std::size_t>(*axis)]) return std::nullopt;
    added[static_cast<std::size_t>(*axis)] = true;
  }
  Dims dims;
  auto next = v.input(0)->dims.begin();
  for (std::size_t i = 0; i < rank; ++i) dims.push_back(added[i] ? 1 : *next++);
  return renamed(*v.input(0), std::move(dims));
}

std::optional<Array> squeeze(const EvaluateView& v) {
  if (!v.input(0)) return std::nullopt;
  const auto axes = v.integers(1, "axes");
  const Dims& from = v.input(0)->dims;
  std::vector<bool> gone(from.size());
  for (std::size_t i = 0; i < from.size() && !axes; ++i) gone[i] = from[i] == 1;
  for (const std::int64_t given : axes.value_or(Dims{})) {
    const auto axis = axis_of(given, from.size());
    if (!axis) return std::nullopt;
    gone[static_cast<std::size_t>(*axis)] = true;
  }
  Dims dims;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!gone[i]) dims.push_back(from[i]);
  }
  return renamed(*v.input(0), std::move(dims));
}

std::optional<Array> reshape(const EvaluateView& v) {
  auto dims = v.integers(1, "shape");
  if (!v.input(0) || !dims) return std::nullopt;
  const Array& x = *v.input(0);
  std::int64_t known = 1, open = -1;
  for (std::size_t i = 0; i < dims->size(); ++i) {
    std::int64_t& n = (*dims)[i];
    if (n == 0 && v.node().integer("allowzero", 0) == 0) {
      if (i >= x.dims.size()) return std::nullopt;
      n = x.dims[i];
    }
    if (n == -1) open = static_cast<std::int64_t>(i);
    if (n < -1 || n > (1 << 20)) return std::nullopt;
    if (n >= 0) known = std::min<std::int64_t>(known * n, 1 << 20);
  }
  if (open >= 0) {
    if (known == 0) return std::nullopt;
    (*dims)[static_cast<std::size_t>(open)] = static_cast<std::int64_t>(x.size()) / known;
  }
  return renamed(x, *std::move(dims));
}

std::optional<Array> flatten(const EvaluateView& v) {
  if (!v.input(0)) return std::nullopt;
  const Dims& from = v.input(0)->dims;
  std::int64_t axis = v.node().integer("axis", 1), rows = 1;
  if (axis < 0) axis += static_cast<std::int64_t>(from.size());
  if (axis < 0 || axis > static_cast<std::int64_t>(from.size()) || v.input(0)->size() == 0) return std::nullopt;
  for (std::int64_t i = 0; i < axis; ++i) rows *= from[static_cast<std::size_t>(i)];
  return renamed(*v.input(0), {rows, static_cast<std::int64_t>(v.input(0)->size()) / rows});
}

/// The element of x that each place of `dims` takes: along every axis, from the place that `along` says.
template <class Along>
std::optional<Array> moved(const Array& x, const Dims& dims, Along&& along) {
  if (!bounded_count(dims)) return std::nullopt;
  const Dims strides = formats::contiguous_strides(x.dims);
  std::vector<Dims> offsets;
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    Dims& list = offsets.emplace_back();
    for (std::int64_t at = 0; at < dims[axis]; ++at) {
      const auto [source_axis, source] = along(axis, at);
      list.push_back(source_axis < x.dims.size() ? source * strides[source_axis] : 0);
    }
  }
  return taken(x, dims, places_of(dims, offsets));
}
using Place = std::pair<std::size_t, std::int64_t>;

std::optional<Array> transpose(const EvaluateView& v) {
  if (!v.input(0)) return std::nullopt;
  const Array& x = *v.input(0);
  Dims perm = v.node().integers("perm");
  for (std::size_t i = x.dims.size(); perm.size() < x.dims.size() && i-- > 0;)
    perm.push_back(static_cast<std::int64_t>(i));
  Dims dims;
  std::vector<bool> seen(x.dims.size());
  for (std::int64_t& axis : perm) {
    const auto at = axis_of(axis, x.dims.size());
    if (!at || seen[static_cast<std::size_t>(*at)]) return std::nullopt;
    axis = *at;
    seen[static_cast<std::size_t>(axis)] = true;
    dims.push_back(x.dims[static_cast<std::size_t>(axis)]);
  }
  if (dims.size() != x.dims.size()) return std::nullopt;
  return moved(x, dims, [&](std::size_t axis, std::int64_t at) { return Place(perm[axis], at); });
}

std::optional<Array> expand_to(const Array& x, const Dims& wanted) {
  Dims dims(std::max(x.dims.size(), wanted.size()), 1);
  const std::size_t ahead = dims.size() - x.dims.size(), before = dims.size() - wanted.size();
  for (std::size_t i = 0; i < dims.size(); ++i) {
    const std::int64_t mine = i < ahead ? 1 : x.dims[i - ahead], other = i < before ? 1 : wanted[i - before];
    if (mine != other && mine != 1 && other != 1) return std::nullopt;
    dims[i] = mine == 1 ? other : mine;
  }
  return moved(x, dims, [&](std::size_t axis, std::int64_t at) {
    if (axis < ahead) return Place(x.dims.size(), 0);
    return Place(axis - ahead, x.dims[axis - ahead] == 1 ? 0 : at);
  });
}

std::optional<Array> expand(const EvaluateView& v) {
  const auto wanted = v.integers(1, "");
  return v.input(0) && wanted ? expand_to(*v.input(0), *wanted) : std::nullopt;
}

std::optional<Array> tile(const EvaluateView& v) {
  const auto repeats = v.integers(1, "");
  if (!v.input(0) || !repeats || repeats->size() != v.input(0)->dims.size()) return std::nullopt;
  const Array& x = *v.input(0);
  Dims dims;
  for (std::size_t i = 0; i < repeats->size(); ++i) {
    if ((*repeats)[i] < 0 || (*repeats)[i] > (1 << 20)) return std::nullopt;
    dims.push_back(x.dims[i] * (*repeats)[i]);
  }
  return moved(x, dims, [&](std::size_t axis, std::int64_t at) { return Place(axis, at % x.dims[axis]); });
}

std::optional<Array> gather(const EvaluateView& v) {
  if (!v.input(0) || !v.input(1) || v.input(1)->is_real()) return std::nullopt;
  const Array &x = *v.input(0), &indices = *v.input(1);
  const auto axis = axis_of(v.node().integer("axis", 0), x.dims.size());
  if (!axis) return std::nullopt;
  const auto at = static_cast<std::size_t>(*axis);
  const std::int64_t extent = x.dims[at];
  Dims picked;
  for (const std::int64_t index : indices.whole) {
    if (index < -extent || index >= extent) return std::nullopt;
    picked.push_back(index < 0 ? index + extent : index);
  }
  Dims flat = x.dims;
  flat[at] = static_cast<std::int64_t>(picked.size());
  auto out = moved(x, flat, [&](std::size_t a, std::int64_t i) {
    return Place(a, a == at ? picked[static_cast<std::size_t>(i)] : i);
  });
  if (!out) return std::nullopt;
  Dims dims(x.dims.begin(), x.dims.begin() + *axis);
  dims.insert(dims.end(), indices.dims.begin(), indices.dims.end());
  dims.insert(dims.end(), x.dims.begin() + *axis + 1, x.dims.end());
  out->dims = std::move(dims);
  return out;
}

std::optional<Array> slice(const EvaluateView& v) {
  if (!v.input(0)) return std::nullopt;
  const Array& x = *v.input(0);
  const auto starts = v.integers(1, "starts"), ends = v.integers(2, "ends");
  auto axes = v.integers(3, "axes"), steps = v.integers(4, "steps");
  if (!starts || !ends || starts->size() != ends->size()) return std::nullopt;
  if (!steps) steps.emplace(starts->size(), 1);
  if (!axes) {
    axes.emplace();
    for (std::size_t i = 0; i < starts->size(); ++i) axes->push_back(static_cast<std::int64_t>(i));
  }
  if (axes->size() != starts->size() || steps->size() != starts->size()) return std::nullopt;
  Dims dims = x.dims, begin(x.dims.size(), 0), step(x.dims.size(), 1);
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const auto axis = axis_of((*axes)[i], x.dims.size());
    const std::int64_t by = (*steps)[i];
    if (!axis || by == 0 || by == INT64_MIN) return std::nullopt;
    const auto a = static_cast<std::size_t>(*axis);
    const std::int64_t n = x.dims[a];
    const auto clamped = [&](std::int64_t at) {
      return std::clamp<std::int64_t>(at < 0 ? at + n : at, by > 0 ? 0 : -1, by > 0 ? n : n - 1);
    };
    begin[a] = clamped((*starts)[i]);
    const std::int64_t room = by > 0 ? clamped((*ends)[i]) - begin[a] : begin[a] - clamped((*ends)[i]);
    step[a] = by;
    dims[a] = room > 0 ? (room - 1) / (by > 0 ? by : -by) + 1 : 0;
  }
  return moved(x, dims, [&](std::size_t a, std::int64_t i) { return Place(a, begin[a] + i * step[a]); });
}

std::optional<Array> concat(const EvaluateView& v) {
  if (v.inputs() == 0 || !v.input(0)) return std::nullopt;
  const auto axis = axis_of(v.node().integer("axis", 1), v.input(0)->dims.size());
  if (!axis) return std::nullopt;
  const auto at = static_cast<std::size_t>(*axis);
  Array out{v.input(0)->dtype, v.input(0)->dims, {}, {}};
  out.dims[at] = 0;
  std::int64_t outer = 1;
  for (std::size_t i = 0; i < at; ++i) outer *= out.dims[i];
  for (std::size_t i = 0; i < v.inputs(); ++i) {
    const Array* part = v.input(i);
    const bool fits = part && part->dtype == out.dtype && part->dims.size() == out.dims.size();
    if (!fits || !bounded_count(part->dims)) return std::nullopt;
    out.dims[at] += part->dims[at];
  }
  const auto count = bounded_count(out.dims);
  if (!count) return std::nullopt;
  for (std::int64_t row = 0; row < outer; ++row) {
    for (std::size_t i = 0; i < v.inputs(); ++i) {
      const auto piece = static_cast<std::int64_t>(v.input(i)->size()) / std::max<std::int64_t>(outer, 1);
      const auto copy = [&](const auto& from, auto& to) {
        to.insert(to.end(), from.begin() + row * piece, from.begin() + (row + 1) * piece);
      };
      out.is_real() ? copy(v.input(i)->real, out.real) : copy(v.input(i)->whole, out.whole);
    }
  }
  return out.size() == static_cast<std::size_t>(*count) ? std::optional(out) : std::nullopt;
}

/// Where elements are not 0: an index of each axis a row.
std::optional<Array> non_zero(const EvaluateView& v) {
  if (!v.input(0)) return std::nullopt;
  const Array& x = *v.input(0);
  const Dims strides = formats::contiguous_strides(x.dims);
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x.is_real() ? x.real[i] != 0 : x.whole[i] != 0) found.push_back(i);
  }
  Array out{
      DataType::int64, {static_cast<std::int64_t>(x.dims.size()), static_cast<std::int64_t>(found.size())}, {}, {}};
  for (std::size_t axis = 0; axis < x.dims.size(); ++axis) {
    for (const std::size_t place : found)
      out.whole.push_back(static_cast<std::int64_t>(place) / strides[axis] % x.dims[axis]);
  }
  return x.dims.empty() ? std::nullopt : std::optional(out);
}

std::optional<Array> constant_of_shape(const EvaluateView& v) {
  const auto dims = v.integers(0, "");
  if (!dims) return std::nullopt;
  Array value{DataType::float32, {}, {}, {0}};
  if (const Attribute* attribute = v.node().attribute("value")) {
    const auto* tensors = std::get_if<std::vector<Tensor>>(&attribute->value);
    auto read = tensors && tensors->size() == 1 ? read_array(tensors->front()) : std::nullopt;
    if (!read || read->size() != 1) return std::nullopt;
    value = *std::move(read);
    value.dims.clear();
  }
  return expand_to(value, *dims);
}

constexpr EvaluateRow kRows[] = {
    {"Concat", concat},       {"ConstantOfShape", constant_of_shape},
    {"Expand", expand},       {"Flatten", flatten},
    {"Gather", gather},       {"Identity", same},
    {"NonZero", non_zero},    {"Reshape", reshape},
    {"Slice", slice},         {"Squeeze", squeeze},
    {"Tile", tile},           {"Transpose", transpose},
    {"Unsqueeze", unsqueeze},
};

}  // namespace

std::span<const EvaluateRow> evaluate_movement_rows() { return kRows; }

}  // namespace anemone::onnx

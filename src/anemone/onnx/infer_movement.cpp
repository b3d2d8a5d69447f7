// Types of operations that only move elements.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/onnx/infer.h"

namespace anemone::onnx {
namespace {

constexpr std::int64_t kMostExtent = std::int64_t{1} << 40;

/// The product of extents; -1 where one is not known, or it grows beyond sense.
std::int64_t product(Shape::const_iterator begin, Shape::const_iterator end) {
  std::int64_t result = 1;
  for (auto it = begin; it != end; ++it) {
    const std::int64_t n = extent(*it);
    if (n < 0 || n > kMostExtent || (n != 0 && result > kMostExtent / n)) return -1;
    result *= n;
  }
  return result;
}

Dimension dimension(std::int64_t value) { return value >= 0 ? known_extent(value) : Dimension{}; }

void unknown_rank(InferView& v) { v.set(0, v.dtype(0), std::nullopt); }

void reshape(InferView& v) {
  const Shape* x = v.shape(0);
  std::optional<Known> wanted;
  if (const Known* known = v.known(1)) wanted = *known;
  if (const auto all = v.integers(1, "shape")) wanted.emplace(all->begin(), all->end());
  if (!wanted) {  // the length of the shape is a rank
    const Shape* length = v.shape(1);
    if (length && length->size() == 1 && extent((*length)[0]) >= 0 && extent((*length)[0]) < 64)
      return v.set(0, v.dtype(0), unknown_shape(static_cast<std::size_t>(extent((*length)[0]))));
    return unknown_rank(v);
  }
  const bool zero_is_zero = v.node().integer("allowzero", 0) != 0;
  Shape out;
  std::size_t rest = wanted->size();
  for (std::size_t i = 0; i < wanted->size(); ++i) {
    const auto& n = (*wanted)[i];
    out.emplace_back();
    if (!n) continue;
    if (*n == -1) {
      if (rest != wanted->size()) return v.fail("the shape has -1 twice");
      rest = i;
    } else if (*n == 0 && !zero_is_zero) {
      if (x && i >= x->size()) return v.fail("a 0 in the shape stands for no extent of x");
      if (x) out.back() = (*x)[i];
    } else {
      if (*n < 0) return v.fail(fmt::format("the shape has {}", *n));
      out.back() = known_extent(*n);
    }
  }
  const std::int64_t total = x ? product(x->begin(), x->end()) : -1;
  if (rest < out.size() && total >= 0) {
    out[rest] = known_extent(1);
    const std::int64_t others = product(out.begin(), out.end());
    out[rest] = {};
    if (others > 0 && total % others != 0)
      return v.fail(fmt::format("{} elements do not fill multiples of {}", total, others));
    if (others > 0) out[rest] = known_extent(total / others);
  }
  const std::int64_t made = product(out.begin(), out.end());
  if (total >= 0 && made >= 0 && total != made) return v.fail(fmt::format("{} elements do not become {}", total, made));
  v.set(0, v.dtype(0), std::move(out));
}

void flatten(InferView& v) {
  const Shape* x = v.shape(0);
  if (!x) return v.set(0, v.dtype(0), unknown_shape(2));
  std::int64_t axis = v.node().integer("axis", 1);
  if (axis < 0) axis += static_cast<std::int64_t>(x->size());
  if (axis < 0 || axis > static_cast<std::int64_t>(x->size())) return v.fail("the axis is outside the rank");
  v.set(0, v.dtype(0),
        Shape{dimension(product(x->begin(), x->begin() + axis)), dimension(product(x->begin() + axis, x->end()))});
}

void transpose(InferView& v) {
  const Shape* x = v.shape(0);
  if (!x) return unknown_rank(v);
  std::vector<std::int64_t> perm = v.node().integers("perm");
  for (std::size_t i = x->size(); perm.size() < x->size() && i-- > 0;) perm.push_back(static_cast<std::int64_t>(i));
  if (perm.size() != x->size()) return v.fail("perm is not of the rank of x");
  Shape out;
  for (const std::int64_t from : perm) {
    const auto axis = axis_of(from, x->size());
    if (!axis) return v.fail("an axis in perm is outside the rank");
    out.push_back((*x)[static_cast<std::size_t>(*axis)]);
  }
  v.set(0, v.dtype(0), std::move(out));
}

void squeeze(InferView& v) {
  const Shape* x = v.shape(0);
  const auto axes = v.integers(1, "axes");
  if (!x || (v.has(1) && !axes)) return unknown_rank(v);
  std::vector<bool> gone(x->size());
  if (axes) {
    for (const std::int64_t given : *axes) {
      const auto axis = axis_of(given, x->size());
      if (!axis) return v.fail("an axis is outside the rank");
      gone[static_cast<std::size_t>(*axis)] = true;
    }
  } else {
    for (std::size_t i = 0; i < x->size(); ++i) {
      if (extent((*x)[i]) < 0) return unknown_rank(v);
      gone[i] = extent((*x)[i]) == 1;
    }
  }
  Shape out;
  for (std::size_t i = 0; i < x->size(); ++i) {
    if (!gone[i]) out.push_back((*x)[i]);
  }
  v.set(0, v.dtype(0), std::move(out));
}

void unsqueeze(InferView& v) {
  const Shape* x = v.shape(0);
  const auto axes = v.integers(1, "axes");
  if (!x || !axes || axes->size() > 64) return unknown_rank(v);
  const std::size_t rank = x->size() + axes->size();
  std::vector<bool> added(rank);
  for (const std::int64_t given : *axes) {
    const auto axis = axis_of(given, rank);
    if (!axis || added[static_cast<std::size_t>(*axis)]) return v.fail("an axis is outside the rank, or there twice");
    added[static_cast<std::size_t>(*axis)] = true;
  }
  Shape out;
  auto next = x->begin();
  for (std::size_t i = 0; i < rank; ++i) out.push_back(added[i] ? known_extent(1) : *next++);
  v.set(0, v.dtype(0), std::move(out));
}

void concat(InferView& v) {
  const Shape* first = v.shape(0);
  if (!first) return unknown_rank(v);
  const auto axis = axis_of(v.node().integer("axis", 1), first->size());
  if (!axis) return v.fail("the axis is outside the rank");
  const auto at = static_cast<std::size_t>(*axis);
  Shape out = *first;
  std::int64_t total = 0;
  for (std::size_t i = 0; i < v.inputs(); ++i) {
    const Shape* part = v.shape(i);
    if (!part) {
      total = -1;
      continue;
    }
    if (part->size() != out.size())
      return v.fail(fmt::format("operands have rank {} and {}", out.size(), part->size()));
    for (std::size_t k = 0; k < out.size(); ++k) {
      if (k == at) continue;
      const std::int64_t mine = extent(out[k]), other = extent((*part)[k]);
      if (mine >= 0 && other >= 0 && mine != other)
        return v.fail(fmt::format("extents of axis {} are {} and {}", k, mine, other));
      if (mine < 0 && other >= 0) out[k] = (*part)[k];
    }
    const std::int64_t size = extent((*part)[at]);
    total = total < 0 || size < 0 || size > kMostExtent || total > kMostExtent ? -1 : total + size;
  }
  out[at] = dimension(total);
  v.set(0, v.dtype(0), std::move(out));
}

void split(InferView& v) {
  const Shape* x = v.shape(0);
  const std::size_t count = v.node().output_count();
  if (!x) {
    for (std::size_t i = 0; i < count; ++i) v.set(i, v.dtype(0), std::nullopt);
    return;
  }
  const auto axis = axis_of(v.node().integer("axis", 0), x->size());
  if (!axis) return v.fail("the axis is outside the rank");
  const std::int64_t size = extent((*x)[static_cast<std::size_t>(*axis)]);
  const auto parts = v.integers(1, "split");
  const auto n = static_cast<std::int64_t>(count);
  const std::int64_t each = size >= 0 && size < kMostExtent && n > 0 ? (size + n - 1) / n : -1;  // the last may be less
  for (std::size_t i = 0; i < count; ++i) {
    Dimension dim;
    if (parts && i < parts->size()) {
      dim = dimension((*parts)[i]);
    } else if (!parts && !v.has(1) && each >= 0) {
      dim = dimension(std::clamp<std::int64_t>(size - each * static_cast<std::int64_t>(i), 0, each));
    }
    Shape out = *x;
    out[static_cast<std::size_t>(*axis)] = dim;
    v.set(i, v.dtype(0), std::move(out));
  }
}

/// Elements from begin to end by step, as NumPy clamps them.
std::int64_t sliced(std::int64_t size, std::int64_t begin, std::int64_t end, std::int64_t step) {
  if (size < 0 || size > kMostExtent || step == 0 || step == INT64_MIN) return -1;
  const auto clamp = [&](std::int64_t at, std::int64_t low, std::int64_t high) {
    return std::clamp(at < 0 ? at + size : at, low, high);
  };
  if (step > 0) {
    begin = clamp(begin, 0, size);
    end = clamp(end, 0, size);
    return begin < end ? (end - begin - 1) / step + 1 : 0;
  }
  begin = clamp(begin, -1, size - 1);
  end = clamp(end, -1, size - 1);
  return begin > end ? (begin - end - 1) / -step + 1 : 0;
}

void slice(InferView& v) {
  const Shape* x = v.shape(0);
  if (!x) return unknown_rank(v);
  const auto starts = v.integers(1, "starts"), ends = v.integers(2, "ends");
  auto axes = v.integers(3, "axes"), steps = v.integers(4, "steps");
  if ((v.has(3) && !axes) || (!axes && !starts)) return v.set(0, v.dtype(0), unknown_shape(x->size()));
  if (!axes) {
    axes.emplace();
    for (std::size_t i = 0; i < starts->size(); ++i) axes->push_back(static_cast<std::int64_t>(i));
  }
  Shape out = *x;
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const auto axis = axis_of((*axes)[i], x->size());
    if (!axis) return v.fail("an axis is outside the rank");
    Dimension& dim = out[static_cast<std::size_t>(*axis)];
    const bool known =
        starts && ends && i < starts->size() && i < ends->size() && (steps ? i < steps->size() : !v.has(4));
    dim = known ? dimension(sliced(extent(dim), (*starts)[i], (*ends)[i], steps ? (*steps)[i] : 1)) : Dimension{};
  }
  v.set(0, v.dtype(0), std::move(out));
}

void gather(InferView& v) {
  const Shape *x = v.shape(0), *indices = v.shape(1);
  if (!x || !indices) return unknown_rank(v);
  const auto axis = axis_of(v.node().integer("axis", 0), x->size());
  if (!axis) return v.fail("the axis is outside the rank");
  Shape out(x->begin(), x->begin() + *axis);
  out.insert(out.end(), indices->begin(), indices->end());
  out.insert(out.end(), x->begin() + *axis + 1, x->end());
  v.set(0, v.dtype(0), std::move(out));
}

void gather_elements(InferView& v) {
  const Shape* indices = v.shape(1);
  v.set(0, v.dtype(0), indices ? std::optional(*indices) : std::nullopt);
}

void gather_nd(InferView& v) {
  const Shape *x = v.shape(0), *indices = v.shape(1);
  if (!x || !indices || indices->empty() || extent(indices->back()) < 0) return unknown_rank(v);
  const std::int64_t batch = v.node().integer("batch_dims", 0), depth = extent(indices->back());
  const auto rank = static_cast<std::int64_t>(x->size());
  if (batch < 0 || batch > rank || depth > rank - batch) return v.fail("the indices are longer than the rank of x");
  Shape out(indices->begin(), indices->end() - 1);
  out.insert(out.end(), x->begin() + batch + depth, x->end());
  v.set(0, v.dtype(0), std::move(out));
}

void like_first(InferView& v) {
  if (v.has(0)) v.set(0, *v.type(0));
}

void expand(InferView& v) {
  const Shape* x = v.shape(0);
  const Known* known = v.known(1);
  const auto all = v.integers(1);
  if (!x || (!known && !all)) {
    const Shape* length = v.shape(1);
    const std::int64_t rank = length && length->size() == 1 ? extent((*length)[0]) : -1;
    if (!x || rank < 0 || rank > 64) return unknown_rank(v);
    return v.set(0, v.dtype(0), broadcast(*x, unknown_shape(static_cast<std::size_t>(rank))));
  }
  Shape wanted;
  if (all) {
    for (const std::int64_t n : *all) wanted.push_back(dimension(n));
  } else {
    for (const auto& n : *known) wanted.push_back(dimension(n.value_or(-1)));
  }
  std::optional<Shape> out = broadcast(*x, wanted);
  if (!out) return v.fail("x does not broadcast to the shape");
  v.set(0, v.dtype(0), std::move(out));
}

void tile(InferView& v) {
  const Shape* x = v.shape(0);
  const auto repeats = v.integers(1);
  if (!x) return unknown_rank(v);
  if (!repeats || repeats->size() != x->size()) return v.set(0, v.dtype(0), unknown_shape(x->size()));
  Shape out;
  for (std::size_t i = 0; i < x->size(); ++i) {
    const Shape both{(*x)[i], dimension((*repeats)[i])};
    out.push_back(dimension(product(both.begin(), both.end())));
  }
  v.set(0, v.dtype(0), std::move(out));
}

void pad(InferView& v) {
  const Shape* x = v.shape(0);
  const auto pads = v.integers(1, v.node().attribute("pads") ? "pads" : "paddings");
  if (!x) return unknown_rank(v);
  auto axes = v.has(3) ? v.integers(3) : std::nullopt;
  if (!axes && !v.has(3)) {
    axes.emplace();
    for (std::size_t i = 0; i < x->size(); ++i) axes->push_back(static_cast<std::int64_t>(i));
  }
  if (!pads || !axes || pads->size() != axes->size() * 2) return v.set(0, v.dtype(0), unknown_shape(x->size()));
  Shape out = *x;
  for (std::size_t i = 0; i < axes->size(); ++i) {
    const auto axis = axis_of((*axes)[i], x->size());
    if (!axis) return v.fail("an axis is outside the rank");
    Dimension& dim = out[static_cast<std::size_t>(*axis)];
    const std::int64_t before = (*pads)[i], after = (*pads)[i + axes->size()], size = extent(dim);
    const auto sane = [](std::int64_t n) { return n > -kMostExtent && n < kMostExtent; };
    if (before == 0 && after == 0) continue;
    dim = size < 0 || !sane(size) || !sane(before) || !sane(after) ? Dimension{} : dimension(size + before + after);
  }
  v.set(0, v.dtype(0), std::move(out));
}

/// Blocks between channels and space; multiplied or divided.
void space(InferView& v) {
  const Shape* x = v.shape(0);
  if (!x || x->size() != 4) return v.set(0, v.dtype(0), unknown_shape(4));
  const std::int64_t b = v.node().integer("blocksize", 1);
  if (b < 1 || b > (1 << 20)) return v.fail("the blocksize is out of range");
  const bool to_space = v.node().op_type == "DepthToSpace";
  const auto times = [&](const Dimension& d, std::int64_t n) {
    const std::int64_t size = extent(d);
    return size < 0 || size > kMostExtent / n ? Dimension{} : known_extent(size * n);
  };
  const auto divided = [&](const Dimension& d, std::int64_t n) {
    return extent(d) < 0 ? Dimension{} : known_extent(extent(d) / n);
  };
  v.set(0, v.dtype(0),
        to_space ? Shape{(*x)[0], divided((*x)[1], b * b), times((*x)[2], b), times((*x)[3], b)}
                 : Shape{(*x)[0], times((*x)[1], b * b), divided((*x)[2], b), divided((*x)[3], b)});
}

constexpr InferRow kRows[] = {
    {"CenterCropPad",
     [](InferView& v) {
       v.set(0, v.dtype(0), v.shape(0) ? std::optional(unknown_shape(v.shape(0)->size())) : std::nullopt);
     }},
    {"Concat", concat},
    {"DepthToSpace", space},
    {"Expand", expand},
    {"Flatten", flatten},
    {"Gather", gather},
    {"GatherElements", gather_elements},
    {"GatherND", gather_nd},
    {"Pad", pad},
    {"Reshape", reshape},
    {"ReverseSequence", like_first},
    {"Scatter", like_first},
    {"ScatterElements", like_first},
    {"ScatterND", like_first},
    {"Slice", slice},
    {"SpaceToDepth", space},
    {"Split", split},
    {"Squeeze", squeeze},
    {"Tile", tile},
    {"Transpose", transpose},
    {"Unsqueeze", unsqueeze},
};

}  // namespace

std::span<const InferRow> movement_rows() { return kRows; }

}  // namespace anemone::onnx

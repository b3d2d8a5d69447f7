// Operations that change the shape and leave the elements in place, and the one that tells it.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

// Elements stay in row-major order.
Result<void> eval_same_elements(EvalView& v) {
  v.out().data = v.in("x").data;
  return {};
}

// reshape. Up to CoreML6 a 0 copies the extent at the same index; from CoreML7 indices are aligned from the right.
constexpr Param kReshape15[] = {input("x", kNumbersBool), input("shape", kInt32, 0)};
constexpr Param kReshape17[] = {input("x", kAny17), input("shape", kIndices17, 0)};

Types infer_reshape(const InferView& v) {
  const Type &x = v.type("x"), &operand = v.type("shape");
  TRY_VOID(check_rank(v, "shape", 1, 1));  // (C1)
  const auto shape = v.known_ints("shape");
  if (!shape) {
    if (!operand.ranked || operand.dims[0] == kUnknown) return one(Type::unranked(x.dtype));
    return one(x.dtype, Dims(static_cast<std::size_t>(operand.dims[0]), kUnknown));
  }
  Dims out = *shape;
  const std::size_t rank = x.dims.size();
  std::size_t free = out.size();
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] == -1) {
      if (free != out.size()) return v.wrong("shape", fmt::format("{} has two extents of -1", brief(*shape)));  // (C2)
      free = i;
    } else if (out[i] == 0 && x.ranked) {
      if (v.opset() >= Target::ios17) {
        const std::size_t from_right = out.size() - i;
        out[i] = from_right <= rank ? x.dims[rank - from_right] : 1;
      } else if (out.size() != rank) {  // (C3) 0 needs equal ranks
        return v.wrong("shape", fmt::format("{} has a 0, which needs the rank of x, {}", brief(*shape), rank));
      } else {
        out[i] = x.dims[i];
      }
    } else if (out[i] < -1) {
      return v.wrong("shape", fmt::format("{} has a negative extent", brief(*shape)));  // (C4)
    } else if (out[i] == 0) {
      out[i] = kUnknown;
    }
  }
  if (!x.ranked) return one(x.dtype, std::move(out));
  const std::int64_t volume = product(x.dims);
  Dims others = out;
  if (free != out.size()) others.erase(others.begin() + static_cast<std::ptrdiff_t>(free));
  const std::int64_t rest = product(others);
  if (volume == kUnknown || rest == kUnknown) return one(x.dtype, std::move(out));
  if (free != out.size() ? rest == 0 || volume % rest != 0 : volume != rest) {  // (C5) the same number of elements
    return v.wrong("shape",
                   fmt::format("{} does not hold the {} elements of {}", brief(*shape), volume, brief(x.dims)));
  }
  if (free != out.size()) out[free] = volume / rest;
  return one(x.dtype, std::move(out));
}
constexpr Form kReshapeForms[] = {{Target::ios15, kReshape15, infer_reshape},
                                  {Target::ios17, kReshape17, infer_reshape}};

// reshape_like: the new shape is glued from pieces [begin, end) of the shapes of other tensors.
constexpr Param kReshapeLike16[] = {input("x", kNumbersBool), several("ref_tensors", kNumbersBool, 0),
                                    several("begins", kInt32, 0), several("ends", kInt32, 0),
                                    several("end_masks", kBool, 0)};
constexpr Param kReshapeLike17[] = {input("x", kAny17), several("ref_tensors", kAny17, 0), several("begins", kInt32, 0),
                                    several("ends", kInt32, 0), several("end_masks", kBool, 0)};
Types infer_reshape_like(const InferView& v) {
  const Type& x = v.type("x");
  const auto references = v.types("ref_tensors");
  const auto constants = [&](std::string_view param) {
    std::vector<std::int64_t> out;
    for (const Given& given : v.all(param)) {
      out.push_back(given.constant ? static_cast<std::int64_t>(scalar(*given.constant)) : 0);
    }
    return out;
  };
  for (const char* param : {"begins", "ends", "end_masks"}) {
    for (const Type* type : v.types(param)) {  // (C3) lists of scalars, where others take a vector
      if (type->ranked && type->rank() != 0) return v.wrong(param, fmt::format("{} is no scalar", brief(*type)));
    }
  }
  const auto begins = constants("begins"), ends = constants("ends"), masks = constants("end_masks");
  if (begins.size() != references.size() || ends.size() != references.size() || masks.size() != references.size()) {
    return v.wrong("begins", fmt::format("{} begins, {} ends and {} masks for {} tensors", begins.size(), ends.size(),
                                         masks.size(), references.size()));  // (C1)
  }
  Dims out;
  for (std::size_t i = 0; i < references.size(); ++i) {
    if (!references[i]->ranked) return one(Type::unranked(x.dtype));
    const Dims& dims = references[i]->dims;
    const auto rank = static_cast<std::int64_t>(dims.size());
    const auto wrapped = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
    const std::int64_t begin = wrapped(begins[i]), end = masks[i] ? rank : wrapped(ends[i]);
    for (std::int64_t d = begin; d < end; ++d) out.push_back(dims[static_cast<std::size_t>(d)]);
  }
  if (x.ranked && !may_equal(product(x.dims), product(out))) {  // (C2) the same number of elements
    return v.wrong("ref_tensors", fmt::format("make the shape {}, which does not hold {}", brief(out), brief(x.dims)));
  }
  return one(x.dtype, std::move(out));
}
constexpr Form kReshapeLikeForms[] = {{Target::ios16, kReshapeLike16, infer_reshape_like},
                                      {Target::ios17, kReshapeLike17, infer_reshape_like}};

// expand_dims, squeeze
constexpr Param kExpand15[] = {input("x", kNumbersBool), fixed("axes", kInt32)};
constexpr Param kExpand17[] = {input("x", kAny17), fixed("axes", kInt32)};
constexpr Param kSqueeze15[] = {input("x", kNumbersBool), option("axes", kInt32, 0, derived("all of extent 1"))};
constexpr Param kSqueeze17[] = {input("x", kAny17), option("axes", kInt32, 0, derived("all of extent 1"))};

Types infer_expand(const InferView& v) {
  const Type& x = v.type("x");
  if (!x.ranked) return one(x);
  const Dims given = v.ints("axes");
  const std::int64_t rank = x.rank() + static_cast<std::int64_t>(given.size());
  TRY(Dims axes, axes_in(v, "axes", given, rank));  // (C1) axes of the result, once each
  std::sort(axes.begin(), axes.end());
  Dims out = x.dims;
  for (std::int64_t axis : axes) out.insert(out.begin() + axis, 1);
  return one(x.dtype, std::move(out));
}
Types infer_squeeze(const InferView& v) {
  const Type& x = v.type("x");
  if (!x.ranked) return one(x);
  TRY(const Dims axes, axes_in(v, "axes", v.ints("axes"), x.rank()));  // (C1) axes exist, once each
  const bool all = !v.has("axes");
  Dims out;
  for (std::size_t d = 0; d < x.dims.size(); ++d) {
    const bool listed = all || std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end();
    if (!listed || (x.dims[d] != 1 && !(x.dims[d] == kUnknown && !all))) out.push_back(x.dims[d]);
  }
  return one(x.dtype, std::move(out));
}
constexpr Form kExpandForms[] = {{Target::ios15, kExpand15, infer_expand}, {Target::ios17, kExpand17, infer_expand}};
constexpr Form kSqueezeForms[] = {{Target::ios15, kSqueeze15, infer_squeeze},
                                  {Target::ios17, kSqueeze17, infer_squeeze}};

// flatten2d
constexpr Param kFlatten[] = {input("x", kNumbersBool), option("axis", kInt32, 0, 1)};
Types infer_flatten(const InferView& v) {
  const Type& x = v.type("x");
  if (!x.ranked) return one(x.dtype, {kUnknown, kUnknown});
  const std::int64_t axis = v.integer("axis"), wrapped = axis < 0 ? axis + x.rank() : axis;
  if (wrapped < 0 || wrapped > x.rank()) {  // (C1)
    return v.wrong("axis", fmt::format("axis {} is outside of a tensor of rank {}", axis, x.rank()));
  }
  const auto split = static_cast<std::size_t>(wrapped);
  return one(x.dtype, {product(std::span(x.dims).first(split)), product(std::span(x.dims).subspan(split))});
}
constexpr Form kFlattenForms[] = {{Target::ios15, kFlatten, infer_flatten}};

// transpose
constexpr Param kTranspose15[] = {input("x", kNumbersBool), fixed("perm", kInt32)};
constexpr Param kTranspose17[] = {input("x", kAny17), fixed("perm", kInt32)};
Types infer_transpose(const InferView& v) {
  const Type& x = v.type("x");
  if (!x.ranked) return one(x);
  TRY(const Dims perm, axes_in(v, "perm", v.ints("perm"), x.rank()));  // (C1) axes exist, once each
  if (perm.size() != x.dims.size()) {                                  // (C2) all of them
    return v.wrong("perm", fmt::format("{} has not the rank of x, {}", brief(perm), x.rank()));
  }
  Dims out;
  for (std::int64_t axis : perm) out.push_back(x.dims[static_cast<std::size_t>(axis)]);
  return one(x.dtype, std::move(out));
}
constexpr Form kTransposeForms[] = {{Target::ios15, kTranspose15, infer_transpose},
                                    {Target::ios17, kTranspose17, infer_transpose}};
Result<void> eval_transpose(EvalView& v) {
  const Array& x = v.in("x");
  Array& y = v.out();
  const Dims own = row_major_strides(x.dims);
  Dims strides;
  for (std::int64_t axis : v.ints("perm")) strides.push_back(own[wrap_axis(axis, x.rank())]);
  for_each_index(y.dims, [&](const Dims& index, std::size_t flat) { y.data[flat] = x.data[offset(index, strides)]; });
  return {};
}

// shape
constexpr Param kShape15[] = {input("x", kNumbersBool)};
constexpr Param kShape17[] = {input("x", kAny17)};
Types infer_shape(const InferView& v) {
  const Type& x = v.type("x");
  return one(DType::int32, {x.ranked ? x.rank() : kUnknown});
}
constexpr Form kShapeForms[] = {{Target::ios15, kShape15, infer_shape}, {Target::ios17, kShape17, infer_shape}};
Result<void> eval_shape(EvalView& v) {
  const Dims& dims = v.in("x").dims;
  v.out().data.assign(dims.begin(), dims.end());
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "reshape",
     .summary = "x in another shape; -1 = what is left, 0 = as in x",
     .forms = kReshapeForms,
     .eval = eval_same_elements,
     .traits = kMovement | kView},
    {.name = "reshape_like",
     .summary = "x in a shape glued from pieces of other shapes",
     .forms = kReshapeLikeForms,
     .eval = eval_same_elements,
     .traits = kMovement | kView},
    {.name = "expand_dims",
     .summary = "x with extents of 1 inserted",
     .forms = kExpandForms,
     .eval = eval_same_elements,
     .traits = kMovement | kView},
    {.name = "squeeze",
     .summary = "x with extents of 1 removed",
     .forms = kSqueezeForms,
     .eval = eval_same_elements,
     .traits = kMovement | kView},
    {.name = "flatten2d",
     .summary = "x as a matrix, split before axis",
     .forms = kFlattenForms,
     .eval = eval_same_elements,
     .traits = kMovement | kView},
    {.name = "transpose",
     .summary = "x with its axes in the order perm",
     .forms = kTransposeForms,
     .eval = eval_transpose,
     .traits = kMovement},
    {.name = "shape", .summary = "the extents of x", .forms = kShapeForms, .eval = eval_shape},
};

}  // namespace

std::span<const OpDef> shape() { return kOps; }

}  // namespace anemone::ops

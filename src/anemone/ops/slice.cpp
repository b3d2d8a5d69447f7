// slice_by_index, slice_by_size, slice_update.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr Param kByIndex15[] = {input("x", kNumbersBool),
                                input("begin", kInt32, 0),
                                input("end", kInt32, 0),
                                option("stride", kInt32, 0, each(1)),
                                option("begin_mask", kBool, 0, each(false)),
                                option("end_mask", kBool, 0, each(false)),
                                option("squeeze_mask", kBool, 0, each(false))};
constexpr Param kByIndex17[] = {input("x", kAny17),
                                input("begin", kIndices17, 'I'),
                                input("end", kIndices17, 'I'),
                                option("stride", kIndices17, 0, each(1)),
                                option("begin_mask", kBool, 0, each(false)),
                                option("end_mask", kBool, 0, each(false)),
                                option("squeeze_mask", kBool, 0, each(false))};
constexpr Param kUpdate18[] = {input("x", kAny17),
                               input("update", kAny17),
                               input("begin", kIndices17, 'I'),
                               input("end", kIndices17, 'I'),
                               option("stride", kIndices17, 0, each(1)),
                               option("begin_mask", kBool, 0, each(false)),
                               option("end_mask", kBool, 0, each(false)),
                               option("squeeze_mask", kBool, 0, each(false))};

// What a slice takes of one dimension, as numpy counts.
struct Cut {
  std::int64_t start = 0, stride = 1, count = kUnknown;
  bool squeezed = false;  // one index; the dimension goes away
};

struct Masks {
  std::vector<bool> begin, end, squeeze;
  Dims stride;
  Masks(const ConstantView& v, std::size_t rank)
      : begin(v.flags("begin_mask", rank)),
        end(v.flags("end_mask", rank)),
        squeeze(v.flags("squeeze_mask", rank)),
        stride(v.ints("stride", rank)) {}
};

// `begin` and `end` are null when they come at run time.
Cut cut_of(const Masks& masks, std::size_t d, std::int64_t extent, const Dims* begin, const Dims* end) {
  Cut cut;
  cut.stride = masks.stride[d];
  cut.squeezed = masks.squeeze[d];
  if (cut.squeezed) cut.count = cut.stride = 1;
  if (extent == kUnknown || (!begin && !masks.begin[d]) || (!end && !masks.end[d] && !cut.squeezed)) return cut;
  const bool forward = cut.stride > 0;
  const std::int64_t lowest = forward ? 0 : -1, highest = forward ? extent : extent - 1;
  const auto wrapped = [&](std::int64_t at) { return std::clamp(at < 0 ? at + extent : at, lowest, highest); };
  cut.start = masks.begin[d] ? (forward ? 0 : extent - 1) : wrapped((*begin)[d]);
  if (cut.squeezed) return cut;
  const std::int64_t stop = masks.end[d] ? (forward ? extent : -1) : wrapped((*end)[d]);
  const std::int64_t length = forward ? stop - cut.start : cut.start - stop, step = std::abs(cut.stride);
  cut.count = length <= 0 ? 0 : (length + step - 1) / step;
  return cut;
}

Result<std::vector<Cut>> cuts_of(const InferView& v, const Type& x) {
  const std::size_t rank = x.dims.size();
  for (const char* param : {"begin", "end", "stride", "begin_mask", "end_mask", "squeeze_mask"}) {
    TRY_VOID(check_length(v, param, x.rank()));  // (C1) one number a dimension
  }
  TRY_VOID(check_numbers(v, "stride", rank, -kHuge));
  const Masks masks(v, rank);
  const auto begin = v.known_ints("begin"), end = v.known_ints("end");
  std::vector<Cut> cuts;
  for (std::size_t d = 0; d < rank; ++d) {
    if (masks.stride[d] == 0) return v.wrong("stride", fmt::format("is 0 in dimension {}", d));  // (C2)
    if (begin && end && !masks.squeeze[d] && !masks.begin[d] && !masks.end[d] && masks.stride[d] > 0 &&
        (*begin)[d] >= 0 && (*end)[d] >= 0 && (*begin)[d] > (*end)[d]) {  // (C3) not backwards
      return v.wrong("begin", fmt::format("{} is behind end = {} in dimension {}", (*begin)[d], (*end)[d], d));
    }
    if (begin && masks.squeeze[d] && !masks.begin[d] && x.dims[d] != kUnknown &&
        ((*begin)[d] >= x.dims[d] || (*begin)[d] < -x.dims[d])) {  // (C4) a single index exists
      return v.wrong("begin", fmt::format("{} is outside of dimension {} of {}", (*begin)[d], d, brief(x.dims)));
    }
    cuts.push_back(cut_of(masks, d, x.dims[d], begin ? &*begin : nullptr, end ? &*end : nullptr));
  }
  return cuts;
}

Dims kept_extents(const std::vector<Cut>& cuts) {
  Dims out;
  for (const Cut& cut : cuts) {
    if (!cut.squeezed) out.push_back(cut.count);
  }
  return out;
}

Types infer_by_index(const InferView& v) {
  const Type& x = v.type("x");
  if (!x.ranked) return one(x);
  TRY(const std::vector<Cut> cuts, cuts_of(v, x));
  return one(x.dtype, kept_extents(cuts));
}

// Offsets into x of the elements of a slice, in their order.
Result<std::vector<std::size_t>> slice_offsets(EvalView& v) {
  const Array& x = v.in("x");
  const Dims begin = v.ints_of("begin"), end = v.ints_of("end"), strides = row_major_strides(x.dims);
  const Masks masks(v, x.dims.size());
  std::int64_t base = 0;
  Dims counts, steps;
  for (std::size_t d = 0; d < x.dims.size(); ++d) {
    const Cut cut = cut_of(masks, d, x.dims[d], &begin, &end);
    if (cut.count > 0 && (cut.start < 0 || cut.start >= x.dims[d])) {
      return v.wrong("begin", fmt::format("{} is outside of dimension {} of {}", begin[d], d, brief(x.dims)));
    }
    base += cut.start * strides[d];
    counts.push_back(cut.count);
    steps.push_back(cut.stride * strides[d]);
  }
  std::vector<std::size_t> offsets(static_cast<std::size_t>(product(counts)));
  for_each_index(counts, [&](const Dims& index, std::size_t flat) {
    std::int64_t at = base;
    for (std::size_t d = 0; d < steps.size(); ++d) at += index[d] * steps[d];
    offsets[flat] = static_cast<std::size_t>(at);
  });
  return offsets;
}

Result<void> eval_by_index(EvalView& v) {
  TRY(const std::vector<std::size_t> offsets, slice_offsets(v));
  const Array& x = v.in("x");
  for (std::size_t i = 0; i < offsets.size(); ++i) v.out().data[i] = x.data[offsets[i]];
  return {};
}

// slice_update: x with a slice replaced.
Types infer_update(const InferView& v) {
  const Type &x = v.type("x"), &update = v.type("update");
  if (!x.ranked) return one(x);
  TRY(const std::vector<Cut> cuts, cuts_of(v, x));
  const Dims kept = kept_extents(cuts);
  if (update.ranked && !may_equal(update.dims, kept)) {  // (C5) update has the shape of the slice
    return v.wrong("update", fmt::format("is {}, the slice is {}", brief(update.dims), brief(kept)));
  }
  return one(x);
}
Result<void> eval_update(EvalView& v) {
  TRY(const std::vector<std::size_t> offsets, slice_offsets(v));
  const Array& update = v.in("update");
  if (update.data.size() != offsets.size()) {
    return v.wrong("update", fmt::format("has {} elements, the slice {}", update.data.size(), offsets.size()));
  }
  v.out().data = v.in("x").data;
  for (std::size_t i = 0; i < offsets.size(); ++i) v.out().data[offsets[i]] = update.data[i];
  return {};
}

constexpr Form kByIndexForms[] = {{Target::ios15, kByIndex15, infer_by_index},
                                  {Target::ios17, kByIndex17, infer_by_index}};
constexpr Form kUpdateForms[] = {{Target::ios18, kUpdate18, infer_update}};

// slice_by_size
constexpr Param kBySize15[] = {input("x", kNumbersBool), input("begin", kInt32, 0), input("size", kInt32, 0)};
constexpr Param kBySize17[] = {input("x", kAny17), input("begin", kIndices17, 'I'), input("size", kIndices17, 'I')};
Types infer_by_size(const InferView& v) {
  const Type& x = v.type("x");
  if (!x.ranked) return one(x);
  TRY_VOID(check_length(v, "begin", x.rank()));  // (C1) one number a dimension
  TRY_VOID(check_length(v, "size", x.rank()));
  const auto begin = v.known_ints("begin"), size = v.known_ints("size");
  Dims out(x.dims.size(), kUnknown);
  for (std::size_t d = 0; d < out.size() && size; ++d) {
    const std::int64_t extent = x.dims[d], wanted = (*size)[d];
    const std::int64_t start = begin ? (*begin)[d] + ((*begin)[d] < 0 && extent != kUnknown ? extent : 0) : kUnknown;
    if (wanted != -1) out[d] = wanted;
    if (wanted == -1 && begin && extent != kUnknown) out[d] = extent - start;
    const bool outside =
        extent != kUnknown &&
        ((begin && (start < 0 || start + std::max<std::int64_t>(wanted, 0) > extent)) || wanted > extent);
    if (wanted < -1 || outside) {  // (C2) inside of x
      return v.wrong("size", fmt::format("{} does not fit into dimension {} of {}{}", wanted, d, brief(x.dims),
                                         begin ? fmt::format(" from {}", (*begin)[d]) : ""));
    }
  }
  return one(x.dtype, std::move(out));
}
constexpr Form kBySizeForms[] = {{Target::ios15, kBySize15, infer_by_size}, {Target::ios17, kBySize17, infer_by_size}};
Result<void> eval_by_size(EvalView& v) {
  const Array& x = v.in("x");
  Array& y = v.out();
  const Dims begin = v.ints_of("begin"), strides = row_major_strides(x.dims);
  std::int64_t base = 0;
  for (std::size_t d = 0; d < x.dims.size(); ++d) {
    const std::int64_t start = begin[d] < 0 ? begin[d] + x.dims[d] : begin[d];
    if (start < 0 || start + y.dims[d] > x.dims[d]) {
      return v.wrong("begin", fmt::format("{} with size {} is outside of {}", begin[d], y.dims[d], brief(x.dims)));
    }
    base += start * strides[d];
  }
  for_each_index(y.dims, [&](const Dims& index, std::size_t flat) {
    y.data[flat] = x.data[static_cast<std::size_t>(base) + offset(index, strides)];
  });
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "slice_by_index",
     .summary = "x[begin:end:stride] as numpy slices",
     .forms = kByIndexForms,
     .eval = eval_by_index,
     .traits = kMovement},
    {.name = "slice_by_size",
     .summary = "size elements of x from begin on; -1 = the rest",
     .forms = kBySizeForms,
     .eval = eval_by_size,
     .traits = kMovement},
    {.name = "slice_update",
     .summary = "x with x[begin:end:stride] replaced by update",
     .forms = kUpdateForms,
     .eval = eval_update,
     .traits = kMovement},
};

}  // namespace

std::span<const OpDef> slice() { return kOps; }

}  // namespace anemone::ops

// identity, cast, and the compressed constants (constexpr_*). Up to CoreML7 a compressed constant has one scale a
// channel and packed bytes with a separate shape; from CoreML8 it has blocks and sub-byte tensors.
#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr DTypeSet kInt8s = dtype_bit(DType::int8) | dtype_bit(DType::uint8);
constexpr DTypeSet kUInt8 = dtype_bit(DType::uint8);
constexpr DTypeSet kUInt1 = dtype_bit(DType::uint1);
constexpr DTypeSet kInt4s = dtype_bit(DType::int4) | dtype_bit(DType::uint4);
constexpr DTypeSet kShape = dtype_bit(DType::uint32);
constexpr DTypeSet kIndexBits = kUInt1 | dtype_bit(DType::uint2) | dtype_bit(DType::uint3) | dtype_bit(DType::uint4) |
                                dtype_bit(DType::uint6) | kUInt8;
constexpr DTypeSet kLutValues = kInt8s | kFloats;
constexpr DTypeSet kBlockValues = kInt4s | kInt8s | kFloats;

// identity
constexpr Param kIdentity[] = {{"x", kAnything}};
constexpr Form kIdentityForms[] = {{Target::ios15, kIdentity, same_as_x}};
Result<void> eval_identity(EvalView& v) {
  v.out().data = v.in("x").data;
  return {};
}

// cast
constexpr Param kCast15[] = {input("x", kNumbersBool), fixed("dtype", kString)};
constexpr Param kCast17[] = {input("x", kAny17), fixed("dtype", kString)};

Types infer_cast(const InferView& v) {
  const auto dtype = dtype_from(v.text("dtype"));
  const DTypeSet allowed = v.opset() >= Target::ios17 ? kAny17 : kNumbersBool;
  if (!dtype || !(allowed & dtype_bit(*dtype))) {  // (C1) a dtype of the opset
    return v.wrong("dtype",
                   fmt::format("\"{}\" cannot be cast to in opset {}", v.text("dtype"), opset_name(v.opset())));
  }
  Type type = v.type("x");
  type.dtype = *dtype;
  return one(std::move(type));
}
constexpr Form kCastForms[] = {{Target::ios15, kCast15, infer_cast}, {Target::ios17, kCast17, infer_cast}};
Result<void> eval_cast(EvalView& v) {  // rounding to the output's dtype is what every result gets
  v.out().data = v.in("x").data;
  return {};
}

// constexpr_affine_dequantize
constexpr Param kAffine[] = {fixed("quantized_data", kInt8s), fixed("zero_point", kInt8s | dtype_bit(DType::fp32)),
                             fixed("scale", kFloats), fixed("axis", kInt32)};

Types infer_affine(const InferView& v) {
  const Type& data = v.type("quantized_data");
  const std::int64_t axis = v.integer("axis");
  TRY(const std::int64_t wrapped, axis_in(v, "axis", axis, data.rank()));  // (C1) the axis exists
  for (const char* param : {"scale", "zero_point"}) {                      // (C2) a scalar, or one a slice of the axis
    if (v.type(param).rank() > 0) TRY_VOID(check_length(v, param, data.dims[static_cast<std::size_t>(wrapped)]));
  }
  return one(v.type("scale").dtype, data.dims);
}
constexpr Form kAffineForms[] = {{Target::ios16, kAffine, infer_affine}};

Result<void> eval_affine(EvalView& v) {
  const Array &data = v.in("quantized_data"), &scale = v.in("scale"), &zero = v.in("zero_point");
  const AxisView view(data.dims, wrap_axis(v.integer("axis"), data.rank()));
  Array& y = v.out();
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    const std::size_t slice = i / static_cast<std::size_t>(view.inner) % static_cast<std::size_t>(view.extent);
    y.data[i] = scale.data[scale.rank() ? slice : 0] * (data.data[i] - zero.data[zero.rank() ? slice : 0]);
  }
  return {};
}

// Table lookup. (C1) 2^n entries, n the width of an index; (C2) packed bytes that fit the shape; (C3) groups that
// divide.
constexpr Param kLut16[] = {fixed("indices", kUInt8), fixed("lut", kLutValues), fixed("shape", kShape)};
constexpr Param kLut18[] = {fixed("indices", kIndexBits), fixed("lut", kLutValues), option("vector_axis", kInt32)};

int index_bits(std::int64_t entries) {
  for (int n : {1, 2, 3, 4, 6, 8}) {
    if (entries == std::int64_t{1} << n) return n;
  }
  return 0;
}

Types infer_lut16(const InferView& v) {
  const std::int64_t entries = v.type("lut").rank() == 1 ? v.type("lut").dims[0] : 0;
  const int width = index_bits(entries);
  if (width == 0 || width == 3)
    return v.wrong("lut", fmt::format("{} entries, not 2, 4, 16, 64 or 256", entries));  // (C1)
  Dims shape = v.ints("shape");
  TRY_VOID(check_length(v, "indices", plus(times(product(shape), width), 7) / 8));  // (C2)
  return one(v.type("lut").dtype, std::move(shape));
}

// The lookup table of a tensor of `indices`: [groups of each dimension…, 2^n, vector]. Returns the vector length.
Result<std::int64_t> check_lut18(const InferView& v, const Dims& indices, DType index_type, Dims& dense) {
  const Type& lut = v.type("lut");
  const std::size_t rank = indices.size();
  if (lut.dims.size() != rank + 2) {
    return v.wrong("lut",
                   fmt::format("rank {} is needed for indices of rank {}, {} is given", rank + 2, rank, lut.rank()));
  }
  if (lut.dims[rank] != std::int64_t{1} << bits(index_type)) {  // (C1)
    return v.wrong("lut", fmt::format("{} entries for indices of {} bits", lut.dims[rank], bits(index_type)));
  }
  for (std::size_t d = 0; d < rank; ++d) {  // (C3)
    if (lut.dims[d] < 1 || indices[d] % lut.dims[d] != 0) {
      return v.wrong("lut", fmt::format("{} groups do not divide {} along dimension {}", lut.dims[d], indices[d], d));
    }
  }
  dense = indices;
  const std::int64_t vector = lut.dims[rank + 1];
  if (vector == 1 && !v.has("vector_axis")) return vector;
  if (!v.has("vector_axis")) return v.wrong("vector_axis", fmt::format("is needed for vectors of {}", vector));  // (C4)
  TRY(const std::int64_t axis, axis_in(v, "vector_axis", v.integer("vector_axis"), static_cast<std::int64_t>(rank)));
  dense[static_cast<std::size_t>(axis)] = times(dense[static_cast<std::size_t>(axis)], vector);
  return vector;
}

Types infer_lut18(const InferView& v) {
  const Type& indices = v.type("indices");
  Dims dense;
  TRY_VOID(check_lut18(v, indices.dims, indices.dtype, dense));
  return one(v.type("lut").dtype, std::move(dense));
}
constexpr Form kLutForms[] = {{Target::ios16, kLut16, infer_lut16}, {Target::ios18, kLut18, infer_lut18}};

// Where the element `index` of the dense tensor finds its index and its place in the table.
struct LutPlace {
  std::size_t at;     // into the indices
  std::size_t group;  // first entry of its group, counted in entries
  std::size_t lane;   // within the vector
};
struct LutGeometry {
  Dims indices, lut;
  std::int64_t vector = 1;
  std::size_t axis = 0;
  LutGeometry(const EvalView& v, Dims index_dims, const Array& table)
      : indices(std::move(index_dims)),
        lut(table.dims),
        vector(table.dims.back()),
        axis(wrap_axis(v.integer("vector_axis"), static_cast<std::int64_t>(indices.size()))) {}
  LutPlace place(const Dims& dense) const {
    std::size_t at = 0, group = 0, lane = 0;
    for (std::size_t d = 0; d < dense.size(); ++d) {
      std::int64_t i = dense[d];
      if (vector > 1 && d == axis) {
        lane = static_cast<std::size_t>(i % vector);
        i /= vector;
      }
      at = at * static_cast<std::size_t>(indices[d]) + static_cast<std::size_t>(i);
      group = group * static_cast<std::size_t>(lut[d]) + static_cast<std::size_t>(i / (indices[d] / lut[d]));
    }
    return {at, group * static_cast<std::size_t>(lut[dense.size()]), lane};
  }
};

Result<void> eval_lut(EvalView& v) {
  const Array &indices = v.in("indices"), &lut = v.in("lut");
  Array& y = v.out();
  if (v.has("shape")) {
    const int width = index_bits(lut.dims[0]);
    for (std::size_t i = 0; i < y.data.size(); ++i) {
      unsigned index = 0;
      for (int b = 0; b < width; ++b) {
        const std::size_t bit = i * static_cast<std::size_t>(width) + static_cast<std::size_t>(b);
        index |= (static_cast<unsigned>(indices.data[bit / 8]) >> (bit % 8) & 1u) << b;
      }
      y.data[i] = lut.data[index];
    }
    return {};
  }
  const LutGeometry geometry(v, indices.dims, lut);
  for_each_index(y.dims, [&](const Dims& index, std::size_t flat) {
    const LutPlace p = geometry.place(index);
    const std::size_t entry = p.group + static_cast<std::size_t>(indices.data[p.at]);
    y.data[flat] = lut.data[entry * static_cast<std::size_t>(geometry.vector) + p.lane];
  });
  return {};
}

// constexpr_sparse_to_dense
constexpr Param kSparse16[] = {fixed("nonzero_data", kLutValues), fixed("mask", kUInt8), fixed("shape", kShape)};
constexpr Param kSparse18[] = {fixed("nonzero_data", kBlockValues), fixed("mask", kUInt1)};

Types infer_sparse16(const InferView& v) {
  Dims shape = v.ints("shape");
  TRY_VOID(check_length(v, "mask", plus(product(shape), 7) / 8));  // (C1) one bit an element
  return one(v.type("nonzero_data").dtype, std::move(shape));
}
Types infer_sparse18(const InferView& v) { return one(v.type("nonzero_data").dtype, v.type("mask").dims); }
constexpr Form kSparseForms[] = {{Target::ios16, kSparse16, infer_sparse16},
                                 {Target::ios18, kSparse18, infer_sparse18}};

Result<void> eval_sparse(EvalView& v) {
  const Array &data = v.in("nonzero_data"), &mask = v.in("mask");
  Array& y = v.out();
  const bool packed = v.has("shape");
  std::size_t next = 0;
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    const bool set = packed ? static_cast<unsigned>(mask.data[i / 8]) >> (i % 8) & 1u : mask.data[i] != 0;
    if (!set) continue;
    if (next < data.data.size()) y.data[i] = data.data[next];
    ++next;
  }
  if (next != data.data.size()) {  // (C2) as many values as bits
    return v.wrong("nonzero_data", fmt::format("{} values for {} bits of the mask", data.data.size(), next));
  }
  return {};
}

// constexpr_cast
constexpr Param kConstexprCast[] = {fixed("source_val", dtype_bit(DType::fp16)), fixed("output_dtype", kString)};
Types infer_constexpr_cast(const InferView& v) {
  TRY_VOID(check_word(v, "output_dtype", {"fp32"}));  // (C1)
  return one(DType::fp32, v.type("source_val").dims);
}
constexpr Form kConstexprCastForms[] = {{Target::ios16, kConstexprCast, infer_constexpr_cast}};
Result<void> eval_constexpr_cast(EvalView& v) {
  v.out().data = v.in("source_val").data;
  return {};
}

// Blockwise scales. (C1) scale has the rank of the data, (C2) each extent divides, (C3) offset has the shape of scale.
constexpr Param kBlock[] = {fixed("data", kBlockValues), fixed("scale", kFloats), option("offset", kBlockValues)};
constexpr Param kSparseBlock[] = {fixed("data_mask", kUInt1), fixed("nonzero_data", kBlockValues),
                                  fixed("scale", kFloats), option("offset", kBlockValues)};

Result<void> check_blocks(const InferView& v, const Dims& data) {
  const Type& scale = v.type("scale");
  if (scale.dims.size() != data.size()) {  // (C1)
    return v.wrong("scale", fmt::format("rank {} is needed, {} is given", data.size(), scale.rank()));
  }
  for (std::size_t d = 0; d < data.size(); ++d) {  // (C2)
    if (scale.dims[d] < 1 || data[d] % scale.dims[d] != 0) {
      return v.wrong("scale", fmt::format("{} blocks do not divide {} along dimension {}", scale.dims[d], data[d], d));
    }
  }
  return check_dims(v, "offset", scale.dims);  // (C3)
}
Types infer_block(const InferView& v) {
  TRY_VOID(check_blocks(v, v.type("data").dims));
  return one(v.type("scale").dtype, v.type("data").dims);
}
Types infer_sparse_block(const InferView& v) {
  TRY_VOID(check_blocks(v, v.type("data_mask").dims));
  return std::vector<Type>{v.type("data_mask"), Type::tensor(v.type("scale").dtype, v.type("nonzero_data").dims)};
}
constexpr Form kBlockForms[] = {{Target::ios18, kBlock, infer_block}};
constexpr Form kSparseBlockForms[] = {{Target::ios18, kSparseBlock, infer_sparse_block}};

std::size_t block_of(const Dims& index, const Dims& dims, const Dims& blocks) {
  std::int64_t at = 0;
  for (std::size_t d = 0; d < dims.size(); ++d) at = at * blocks[d] + index[d] / (dims[d] / blocks[d]);
  return static_cast<std::size_t>(at);
}

Result<void> eval_block(EvalView& v) {
  const Array &data = v.in("data"), &scale = v.in("scale");
  const Array* shift = v.maybe("offset");
  Array& y = v.out();
  for_each_index(y.dims, [&](const Dims& index, std::size_t flat) {
    const std::size_t block = block_of(index, y.dims, scale.dims);
    y.data[flat] = scale.data[block] * (data.data[flat] - (shift ? shift->data[block] : 0));
  });
  return {};
}

Result<void> eval_sparse_block(EvalView& v) {
  const Array &mask = v.in("data_mask"), &data = v.in("nonzero_data"), &scale = v.in("scale");
  const Array* shift = v.maybe("offset");
  v.out(0).data = mask.data;
  std::size_t next = 0;
  for_each_index(mask.dims, [&](const Dims& index, std::size_t flat) {
    if (mask.data[flat] == 0 || next >= data.data.size()) return;
    const std::size_t block = block_of(index, mask.dims, scale.dims);
    v.out(1).data[next] = scale.data[block] * (data.data[next] - (shift ? shift->data[block] : 0));
    ++next;
  });
  return {};
}

// constexpr_lut_to_sparse
constexpr Param kLutSparse[] = {fixed("indices_mask", kUInt1), fixed("indices_nonzero_data", kIndexBits),
                                fixed("lut", kLutValues), option("vector_axis", kInt32)};
Types infer_lut_sparse(const InferView& v) {
  Dims dense;
  const Type& data = v.type("indices_nonzero_data");
  TRY(const std::int64_t vector, check_lut18(v, v.type("indices_mask").dims, data.dtype, dense));
  return std::vector<Type>{Type::tensor(DType::uint1, std::move(dense)),
                           Type::tensor(v.type("lut").dtype, {times(product(data.dims), vector)})};
}
constexpr Form kLutSparseForms[] = {{Target::ios18, kLutSparse, infer_lut_sparse}};

Result<void> eval_lut_sparse(EvalView& v) {
  const Array &mask = v.in("indices_mask"), &data = v.in("indices_nonzero_data"), &lut = v.in("lut");
  const LutGeometry geometry(v, mask.dims, lut);
  std::vector<std::size_t> rank_among_set(mask.data.size(), 0);
  std::size_t seen = 0;
  for (std::size_t i = 0; i < mask.data.size(); ++i) {
    rank_among_set[i] = seen;
    seen += mask.data[i] != 0;
  }
  if (seen != data.data.size()) {
    return v.wrong("indices_nonzero_data", fmt::format("{} values for {} bits of the mask", data.data.size(), seen));
  }
  std::size_t next = 0;
  for_each_index(v.out(0).dims, [&](const Dims& index, std::size_t flat) {
    const LutPlace p = geometry.place(index);
    v.out(0).data[flat] = mask.data[p.at];
    if (mask.data[p.at] == 0) return;
    const std::size_t entry = p.group + static_cast<std::size_t>(data.data[rank_among_set[p.at]]);
    v.out(1).data[next++] = lut.data[entry * static_cast<std::size_t>(geometry.vector) + p.lane];
  });
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "identity", .summary = "x", .forms = kIdentityForms, .eval = eval_identity, .traits = kMovement | kView},
    {.name = "cast",
     .summary = "x in another dtype; floats truncate toward zero, bool is x ≠ 0",
     .forms = kCastForms,
     .eval = eval_cast,
     .traits = kElementwise},
    {.name = "constexpr_affine_dequantize",
     .summary = "scale · (quantized_data − zero_point)",
     .forms = kAffineForms,
     .eval = eval_affine,
     .traits = kConstexpr},
    {.name = "constexpr_lut_to_dense",
     .summary = "lut[indices]",
     .forms = kLutForms,
     .eval = eval_lut,
     .traits = kConstexpr},
    {.name = "constexpr_sparse_to_dense",
     .summary = "nonzero_data where mask is set, else 0",
     .forms = kSparseForms,
     .eval = eval_sparse,
     .traits = kConstexpr},
    {.name = "constexpr_cast",
     .summary = "source_val in fp32",
     .forms = kConstexprCastForms,
     .eval = eval_constexpr_cast,
     .traits = kConstexpr},
    {.name = "constexpr_blockwise_shift_scale",
     .summary = "scale[block] · (data − offset[block])",
     .forms = kBlockForms,
     .eval = eval_block,
     .traits = kConstexpr},
    {.name = "constexpr_lut_to_sparse",
     .summary = "mask, and lut[indices] where it is set",
     .forms = kLutSparseForms,
     .eval = eval_lut_sparse,
     .traits = kConstexpr},
    {.name = "constexpr_sparse_blockwise_shift_scale",
     .summary = "mask, and scale[block] · (data − offset[block]) where it is set",
     .forms = kSparseBlockForms,
     .eval = eval_sparse_block,
     .traits = kConstexpr},
};

}  // namespace

std::span<const OpDef> constant() { return kOps; }

}  // namespace anemone::ops

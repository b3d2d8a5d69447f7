#pragma once
// A few operations with rough type rules: enough to test text and graph without the real table, which is a layer above.
#include <algorithm>

#include "anemone/ir/op_def.h"

namespace anemone::test {

using Types = Result<std::vector<Type>>;

inline Types like_x(const InferView& v) { return std::vector<Type>{v.type("x")}; }
inline Types infer_conv(const InferView& v) {
  Dims dims = v.type("x").dims;
  if (dims.size() != 4) return v.wrong("x", "must have rank 4");
  if (v.type("weight").dims.empty()) return v.wrong("weight", "must have dimensions");
  dims[1] = v.type("weight").dims.at(0);
  return std::vector<Type>{Type::tensor(v.type("x").dtype, std::move(dims))};
}
inline Types infer_concat(const InferView& v) {
  const auto types = v.types("values");
  Type out = *types.at(0);
  const auto axis = static_cast<std::size_t>(v.integer("axis"));
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (axis >= types[i]->dims.size()) return v.wrong("axis", "is out of range");
    if (i)
      out.dims[axis] = std::min(out.dims[axis], types[i]->dims[axis]) < 0 || out.dims[axis] > 1 << 20
                           ? kUnknown
                           : out.dims[axis] + types[i]->dims[axis];
  }
  return std::vector<Type>{out};
}
inline Types infer_split(const InferView& v) {
  const auto count = v.has("num_splits") ? v.integer("num_splits") : 1;
  Type part = v.type("x");
  const auto axis = static_cast<std::size_t>(v.integer("axis"));
  if (count < 1 || count > 64 || axis >= part.dims.size()) return v.wrong("axis", "is out of range");
  if (part.dims[axis] != kUnknown) part.dims[axis] /= count;
  return std::vector<Type>(static_cast<std::size_t>(count), part);
}
inline Types infer_blocks(const InferView& v) {
  std::vector<Type> out;
  if (v.node().blocks.empty()) return v.wrong("blocks", "are required");
  for (const Value* value : v.node().blocks.back()->outputs()) out.push_back(value->type);
  return out;
}
inline Types infer_less(const InferView&) { return std::vector<Type>{Type::tensor(DType::boolean, {})}; }
inline Types infer_read(const InferView& v) { return std::vector<Type>{v.type("input").tensor_part()}; }
inline Types infer_nothing(const InferView&) { return std::vector<Type>{}; }
inline Types infer_lut(const InferView& v) {
  for (std::int64_t extent : v.ints("shape")) {
    if (extent > 1 << 20) return v.wrong("shape", "is too big");
  }
  return std::vector<Type>{Type::tensor(v.type("lut").dtype, v.ints("shape"))};
}

inline constexpr Param kUnary[] = {{.name = "x", .types = kNumbers, .group = 'T'}};
inline constexpr Param kBinary[] = {{.name = "x", .types = kNumbers, .group = 'T'},
                                    {.name = "y", .types = kNumbers, .group = 'T'}};
inline constexpr Param kConv[] = {
    {.name = "x", .group = 'T'},
    {.name = "weight", .group = 'T', .constant = true},
    {.name = "strides", .types = kInt32, .constant = true, .required = false},
    {.name = "pad_type", .types = kString, .constant = true, .required = false},
    {.name = "epsilon", .group = 'T', .constant = true, .required = false},
};
inline constexpr Param kConcat[] = {{.name = "values", .types = kNumbers, .group = 'T', .list = true},
                                    {.name = "axis", .types = kInt32, .constant = true},
                                    {.name = "interleave", .types = kBool, .constant = true, .required = false}};
inline constexpr Param kSplit[] = {{.name = "x", .group = 'T'},
                                   {.name = "num_splits", .types = kInt32, .constant = true},
                                   {.name = "axis", .types = kInt32, .constant = true}};
inline constexpr Param kCond[] = {{.name = "pred", .types = kBool}};
inline constexpr Param kLoop[] = {{.name = "loop_vars", .types = kAnything, .list = true}};
inline constexpr Param kState[] = {{.name = "input", .types = kAnything}};
inline constexpr Param kWrite[] = {{.name = "input", .types = kAnything}, {.name = "data"}};
inline constexpr Param kLut[] = {{.name = "indices", .types = kAnything, .constant = true},
                                 {.name = "lut", .constant = true},
                                 {.name = "shape", .types = dtype_bit(DType::uint32), .constant = true}};

inline constexpr Form kUnaryForms[] = {{Target::ios15, kUnary, like_x}};
inline constexpr Form kBinaryForms[] = {{Target::ios15, kBinary, like_x}};
inline constexpr Form kLessForms[] = {{Target::ios15, kBinary, infer_less}};
inline constexpr Form kConvForms[] = {{Target::ios15, kConv, infer_conv}};
inline constexpr Form kConcatForms[] = {{Target::ios15, kConcat, infer_concat}};
inline constexpr Form kSplitForms[] = {{Target::ios15, kSplit, infer_split}};
inline constexpr Form kCondForms[] = {{Target::ios15, kCond, infer_blocks}};
inline constexpr Form kLoopForms[] = {{Target::ios15, kLoop, infer_blocks}};
inline constexpr Form kReadForms[] = {{Target::ios18, kState, infer_read}};
inline constexpr Form kWriteForms[] = {{Target::ios18, kWrite, infer_nothing}};
inline constexpr Form kLutForms[] = {{Target::ios16, kLut, infer_lut}};

inline constexpr OpDef kOps[] = {
    {.name = "relu", .forms = kUnaryForms},
    {.name = "sigmoid", .forms = kUnaryForms},
    {.name = "add", .forms = kBinaryForms},
    {.name = "less", .forms = kLessForms},
    {.name = "conv", .forms = kConvForms},
    {.name = "concat", .forms = kConcatForms},
    {.name = "split", .forms = kSplitForms},
    {.name = "cond", .forms = kCondForms},
    {.name = "while_loop", .forms = kLoopForms},
    {.name = "read_state", .forms = kReadForms},
    {.name = "write_state", .forms = kWriteForms, .traits = kEffect},
    {.name = "constexpr_lut_to_dense", .forms = kLutForms, .traits = kConstexpr},
};

inline const OpTable& ops() {
  const std::span<const OpDef> families[] = {kOps};
  static const OpTable table(families);
  return table;
}

}  // namespace anemone::test

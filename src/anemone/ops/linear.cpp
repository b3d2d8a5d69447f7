// linear, matmul, einsum.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

std::int64_t known_or_zero(std::int64_t count) { return count == kUnknown ? 0 : count; }

// linear
constexpr Param kLinear15[] = {input("x", kNumbers), fixed("weight", kNumbers, 'T'),
                               option("bias", kNumbers, 'T', each(0))};
constexpr Param kLinear17[] = {input("x", kNumbers), fixed("weight", kNumbers, 'U'),
                               option("bias", kNumbers, 'U', each(0))};

Types infer_linear(const InferView& v) {
  const Type &x = v.type("x"), &w = v.type("weight");
  TRY_VOID(check_rank(v, "x", 1, 5));       // (C1)
  TRY_VOID(check_rank(v, "weight", 2, 2));  // (C2) [Dout, Din]
  if (!x.ranked) return one(x);
  if (!may_equal(x.dims.back(), w.dims[1])) {  // (C3) Din of both
    return v.wrong("weight", fmt::format("{} takes {} numbers, x has {}", brief(w.dims), w.dims[1], x.dims.back()));
  }
  TRY_VOID(check_length(v, "bias", w.dims[0]));  // (C4)
  Dims out = x.dims;
  out.back() = w.dims[0];
  return one(x.dtype, std::move(out));
}
constexpr Form kLinearForms[] = {{Target::ios15, kLinear15, infer_linear}, {Target::ios17, kLinear17, infer_linear}};

Result<void> eval_linear(EvalView& v) {
  const Array &x = v.in("x"), &weight = v.in("weight");
  const Array* bias = v.maybe("bias");
  Array& y = v.out();
  const auto inputs = static_cast<std::size_t>(weight.dims[1]), outputs = static_cast<std::size_t>(weight.dims[0]);
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    const std::size_t row = i / outputs, o = i % outputs;
    double sum = bias ? bias->data[o] : 0;
    for (std::size_t k = 0; k < inputs; ++k) sum += x.data[row * inputs + k] * weight.data[o * inputs + k];
    y.data[i] = sum;
  }
  return {};
}
std::int64_t macs_linear(const Node& node) {
  const Dims& w = node.input("weight")->type.dims;
  return w.size() == 2 ? known_or_zero(times(product(node.output()->type.dims), w[1])) : 0;
}

// matmul. A vector on the left is a row, on the right a column; the added dimension goes away again.
constexpr Param kMatmul15[] = {input("x", kNumbers), input("y", kNumbers), option("transpose_x", kBool, 0, false),
                               option("transpose_y", kBool, 0, false)};
constexpr Param kMatmul17[] = {input("x", kNumbers), input("y", kNumbers, 'U'), option("transpose_x", kBool, 0, false),
                               option("transpose_y", kBool, 0, false)};

struct Product {
  Dims x, y;  // with at least two dimensions
  Dims batch;
  std::int64_t rows = 0, inner = 0, columns = 0;
  bool left_vector = false, right_vector = false;
  Dims out() const {
    Dims dims = batch;
    if (!left_vector) dims.push_back(rows);
    if (!right_vector) dims.push_back(columns);
    return dims;
  }
};

Product product_of(Dims x, Dims y, bool transpose_x, bool transpose_y) {
  Product p;
  p.left_vector = x.size() == 1;
  p.right_vector = y.size() == 1;
  if (p.left_vector) x.insert(x.begin(), 1);
  if (p.right_vector) y.push_back(1);
  p.rows = x[x.size() - (transpose_x ? 1 : 2)];
  p.inner = x[x.size() - (transpose_x ? 2 : 1)];
  p.columns = y[y.size() - (transpose_y ? 2 : 1)];
  p.batch = broadcast(std::span(x).first(x.size() - 2), std::span(y).first(y.size() - 2)).value_or(Dims{});
  p.x = std::move(x);
  p.y = std::move(y);
  return p;
}

Types infer_matmul(const InferView& v) {
  const Type &x = v.type("x"), &y = v.type("y");
  if (!x.ranked || !y.ranked) return one(Type::unranked(x.dtype));
  if (x.dtype != y.dtype && v.comes_at_run_time("x") &&
      v.comes_at_run_time("y")) {  // (C1) dtypes may differ only from iOS17 and with a constant
    return v.wrong("y", fmt::format("is {}, x is {}, and neither is constant", name(y.dtype), name(x.dtype)));
  }
  const bool tx = v.flag("transpose_x"), ty = v.flag("transpose_y");
  if (x.rank() < 1 || (x.rank() == 1 && tx)) return v.wrong("x", "a vector cannot be transposed");  // (C2)
  if (y.rank() < 1 || (y.rank() == 1 && ty)) return v.wrong("y", "a vector cannot be transposed");
  const Product p = product_of(x.dims, y.dims, tx, ty);
  const std::int64_t inner_y = p.y[p.y.size() - (ty ? 1 : 2)];
  if (!may_equal(p.inner, inner_y)) {  // (C3) inner extents
    return v.wrong("y", fmt::format("has {} rows where x has {} columns ({} times {})", inner_y, p.inner, brief(x.dims),
                                    brief(y.dims)));
  }
  if (!broadcast(std::span(p.x).first(p.x.size() - 2), std::span(p.y).first(p.y.size() - 2))) {  // (C4) batch extents
    return v.wrong("y",
                   fmt::format("the batch of {} does not broadcast with that of {}", brief(y.dims), brief(x.dims)));
  }
  return one(x.dtype, p.out());
}
constexpr Form kMatmulForms[] = {{Target::ios15, kMatmul15, infer_matmul}, {Target::ios17, kMatmul17, infer_matmul}};

Result<void> eval_matmul(EvalView& v) {
  const Array &x = v.in("x"), &y = v.in("y");
  const bool tx = v.flag("transpose_x"), ty = v.flag("transpose_y");
  const Product p = product_of(x.dims, y.dims, tx, ty);
  Array& out = v.out();
  const std::size_t batch_rank = p.batch.size();
  const auto strides_of = [&](const Dims& dims) {  // of the matrices, over the batch
    Dims strides = broadcast_strides(std::span(dims).first(dims.size() - 2), p.batch);
    for (std::int64_t& stride : strides) stride *= dims[dims.size() - 2] * dims[dims.size() - 1];
    return strides;
  };
  const Dims sx = strides_of(p.x), sy = strides_of(p.y);
  Dims walk = p.batch;
  walk.push_back(p.rows);
  walk.push_back(p.columns);
  for_each_index(walk, [&](const Dims& index, std::size_t flat) {
    const std::size_t at_x = offset(index, sx), at_y = offset(index, sy);
    const std::int64_t row = index[batch_rank], column = index[batch_rank + 1];
    double sum = 0;
    for (std::int64_t k = 0; k < p.inner; ++k) {
      sum += x.data[at_x + static_cast<std::size_t>(tx ? k * p.rows + row : row * p.inner + k)] *
             y.data[at_y + static_cast<std::size_t>(ty ? column * p.inner + k : k * p.columns + column)];
    }
    out.data[flat] = sum;
  });
  return {};
}
std::int64_t macs_matmul(const Node& node) {
  const Dims& x = node.input("x")->type.dims;
  if (x.empty()) return 0;
  const Constant* flag = node.constant("transpose_x");
  const std::int64_t inner = flag && scalar(*flag) != 0 && x.size() > 1 ? x[x.size() - 2] : x.back();
  return known_or_zero(times(product(node.output()->type.dims), inner));
}

// einsum: Core ML knows two equations, whatever the letters: nchw,nwhu->nchu and chw,whr->chr.
constexpr Param kEinsum[] = {several("values", kFloats), fixed("equation", kString)};

// The equation in letters numbered by their first appearance, which takes the names out.
std::string canonical(std::string_view equation) {
  std::string out, seen;
  for (char c : equation) {
    if (c == ' ') continue;
    if (c == ',' || c == '-' || c == '>') {
      out += c;
      continue;
    }
    std::size_t at = seen.find(c);
    if (at == std::string::npos) {
      at = seen.size();
      seen += c;
    }
    out += static_cast<char>('a' + at);
  }
  return out;
}

Types infer_einsum(const InferView& v) {
  const auto types = v.types("values");
  if (types.size() != 2) return v.wrong("values", fmt::format("2 are needed, {} are given", types.size()));  // (C1)
  const std::string equation = canonical(v.text("equation"));
  const bool batch = equation == "abcd,adce->abce";
  if (!batch && equation != "abc,cbd->abd") {  // (C2)
    return v.wrong("equation", fmt::format("\"{}\" is not nchw,nwhu->nchu or chw,whr->chr", v.text("equation")),
                   "write it as transpose and matmul");
  }
  const Type &x = *types[0], &y = *types[1];
  if (!x.ranked || !y.ranked) return one(Type::unranked(x.dtype));
  const std::size_t rank = batch ? 4 : 3, n = batch ? 1 : 0;
  if (x.dims.size() != rank || y.dims.size() != rank) {  // (C3) ranks of the equation
    return v.wrong("values", fmt::format("ranks {} and {} do not fit the equation", x.rank(), y.rank()));
  }
  const std::int64_t c = x.dims[n], h = x.dims[n + 1], w = x.dims[n + 2];
  const auto rows = broadcast(Dims{h}, Dims{y.dims[n + 1]});
  const auto samples = broadcast(std::span(x.dims).first(n), std::span(y.dims).first(n));
  if (!rows || !samples || !may_equal(w, y.dims[n])) {  // (C4) extents of equal letters
    return v.wrong("values", fmt::format("{} and {} do not fit the equation", brief(x.dims), brief(y.dims)));
  }
  Dims out = *samples;
  out.insert(out.end(), {c, (*rows)[0], y.dims[n + 2]});
  return one(x.dtype, std::move(out));
}
constexpr Form kEinsumForms[] = {{Target::ios15, kEinsum, infer_einsum}};

Result<void> eval_einsum(EvalView& v) {
  const auto values = v.ins("values");
  Array& out = v.out();
  const auto lifted = [](Dims dims) {  // rank 4
    if (dims.size() == 3) dims.insert(dims.begin(), 1);
    return dims;
  };
  const Dims x = lifted(values[0]->dims), y = lifted(values[1]->dims);
  const Dims sx = row_major_strides(x), sy = row_major_strides(y);
  for_each_index(lifted(out.dims), [&](const Dims& index, std::size_t flat) {  // n, c, h, u
    const std::int64_t at_x = (x[0] > 1 ? index[0] : 0) * sx[0] + index[1] * sx[1] + (x[2] > 1 ? index[2] : 0) * sx[2];
    const std::int64_t at_y = (y[0] > 1 ? index[0] : 0) * sy[0] + (y[2] > 1 ? index[2] : 0) * sy[2] + index[3];
    double sum = 0;
    for (std::int64_t w = 0; w < x[3]; ++w) {
      sum += values[0]->data[static_cast<std::size_t>(at_x + w)] *
             values[1]->data[static_cast<std::size_t>(at_y + w * sy[1])];
    }
    out.data[flat] = sum;
  });
  return {};
}
std::int64_t macs_einsum(const Node& node) {
  const Operand* values = node.operand("values");
  if (!values || values->values.empty() || values->values[0]->type.dims.empty()) return 0;
  return known_or_zero(times(product(node.output()->type.dims), values->values[0]->type.dims.back()));
}

constexpr OpDef kOps[] = {
    {.name = "linear",
     .summary = "x · weightᵀ + bias",
     .forms = kLinearForms,
     .eval = eval_linear,
     .macs = macs_linear,
     .traits = kProduct},
    {.name = "matmul",
     .summary = "the matrix product of the last two dimensions",
     .forms = kMatmulForms,
     .eval = eval_matmul,
     .macs = macs_matmul,
     .traits = kProduct},
    {.name = "einsum",
     .summary = "Σ over w of values[0][n,c,h,w] · values[1][n,w,h,u]",
     .forms = kEinsumForms,
     .eval = eval_einsum,
     .macs = macs_einsum,
     .traits = kProduct},
};

}  // namespace

std::span<const OpDef> linear() { return kOps; }

}  // namespace anemone::ops

// linear, matmul and einsum.
#include <memory>

#include "anemone/ops/infer_util.h"
#include "anemone/runtime/cpu/gemm.h"
#include "anemone/runtime/cpu/half_sums.h"
#include "anemone/runtime/cpu/move.h"
#include "anemone/runtime/kernel_table.h"

namespace anemone::runtime {

using namespace cpu;
namespace {

struct LinearPlan {
  PackedMatrix matrix;
  std::vector<float> half_matrix;  ///< instead of `matrix`, as it was, for sums in half precision
  MatmulShape shape;
  std::vector<float> bias;  ///< may be empty
  Epilogue epilogue;
  /// `values` is [k, n], or [n, k] when shape.transpose_b.
  void pack(std::vector<float> values, bool half_sums) {
    if (half_sums) {
      half_matrix = std::move(values);
    } else {
      matrix = pack_matrix(values.data(), shape.k, shape.n, shape.transpose_b);
    }
  }
  void run(Frame& f, const Ref& from, const Ref& add, const Ref& to) const {
    const float* known_bias = bias.empty() ? nullptr : bias.data();
    if (!half_matrix.empty()) {
      MatmulShape all = shape;
      all.m = to.count / shape.n;
      matmul_half_sums(all, 1, f.read(from), 0, half_matrix.data(), 0, known_bias, f.write(to), *f.pool);
      return;
    }
    Epilogue complete = epilogue;
    if (add.space != Ref::Space::none) complete.add = f.read(add);
    linear(f.read(from), to.count / shape.n, matrix, known_bias, f.write(to), *f.pool, complete);
  }
};

/// The step of out [m, n] = x [m, k] * matrix + bias, with what follows it.
Result<bool> add_linear(const Node& node, const Value& x, std::shared_ptr<LinearPlan> plan, Lowering& l) {
  const Tail tail = absorb_tail(*node.output(), l);
  plan->epilogue = tail.epilogue;
  l.count_constant_bytes((plan->matrix.data.size() + plan->half_matrix.size() + plan->bias.size()) * sizeof(float));
  TRY(const Ref from, l.read(x));
  Ref add;
  if (tail.add) {
    TRY(add, l.read(*tail.add));
  }
  const Ref to = tail.add ? l.define_over(*tail.out, {tail.add}, false) : l.define(*tail.out);
  std::vector<Ref> reads{from};
  if (tail.add) reads.push_back(add);
  l.add(
      node.type + tail.types, *tail.out, to, std::move(reads), Rounding::exact,
      [plan, from, add, to](Frame& f) { plan->run(f, from, add, to); }, node.def->macs ? node.def->macs(node) : 0);
  return true;
}

Result<bool> lower_linear(const Node& node, Lowering& l) {
  const Dims& w = node.input("weight")->type.dims;
  auto plan = std::make_shared<LinearPlan>();
  plan->shape.k = w[1];
  plan->shape.n = w[0];
  plan->shape.transpose_b = true;
  TRY(std::vector<float> weight, l.known_floats(node.input("weight")));
  plan->pack(std::move(weight), l.half_sums(*node.output()));
  TRY(plan->bias, l.known_floats(node.input("bias")));
  return add_linear(node, *node.input("x"), std::move(plan), l);
}

/// The matrices of one operand: [batch, rows, columns].
struct Matrices {
  Dims batch;
  std::int64_t rows = 1, columns = 1;
  std::int64_t count() const { return count_of(batch); }
};
Matrices matrices_of(Dims dims, bool is_left) {
  if (dims.size() == 1) dims.insert(is_left ? dims.begin() : dims.end(), 1);
  Matrices m;
  m.columns = dims.back();
  m.rows = dims[dims.size() - 2];
  m.batch.assign(dims.begin(), dims.end() - 2);
  return m;
}

void multiply(bool half_sums, const MatmulShape& shape, std::int64_t batch, const float* a, std::int64_t a_stride,
              const float* b, std::int64_t b_stride, float* out, ThreadPool& pool) {
  if (half_sums) {
    matmul_half_sums(shape, batch, a, a_stride, b, b_stride, nullptr, out, pool);
  } else {
    matmul_batched(shape, batch, a, a_stride, b, b_stride, out, pool);
  }
}

constexpr std::int64_t kWorthPacking = 8;  // columns; below, most of a panel would be zeros

Result<bool> lower_matmul(const Node& node, Lowering& l) {
  const ConstantView v(node);
  const Value &x = *node.input("x"), &y = *node.input("y");
  const Matrices a = matrices_of(x.type.dims, true), b = matrices_of(y.type.dims, false);
  MatmulShape shape;
  shape.transpose_a = v.flag("transpose_x", false);
  shape.transpose_b = v.flag("transpose_y", false);
  shape.m = shape.transpose_a ? a.columns : a.rows;
  shape.k = shape.transpose_a ? a.rows : a.columns;
  shape.n = shape.transpose_b ? b.rows : b.columns;
  if (b.count() == 1 && !shape.transpose_a && l.is_known(&y) && shape.n >= kWorthPacking) {
    auto plan = std::make_shared<LinearPlan>();
    TRY(std::vector<float> matrix, l.known_floats(&y));
    plan->shape = shape;
    plan->pack(std::move(matrix), l.half_sums(*node.output()));
    return add_linear(node, x, std::move(plan), l);
  }
  std::int64_t batch = 1, a_stride = 0, b_stride = 0;
  if (b.count() == 1 && !shape.transpose_a) {
    shape.m *= a.count();  // one tall matrix
  } else {
    if (a.batch != b.batch && a.count() != 1 && b.count() != 1) return false;
    batch = std::max(a.count(), b.count());
    if (a.count() > 1) a_stride = a.rows * a.columns;
    if (b.count() > 1) b_stride = b.rows * b.columns;
  }
  TRY(const Ref left, l.read(x));
  TRY(const Ref right, l.read(y));
  const Ref to = l.define(*node.output());
  const bool half_sums = l.half_sums(*node.output());
  l.add(
      "matmul", *node.output(), to, {left, right}, Rounding::needed,
      [=](Frame& f) {
        multiply(half_sums, shape, batch, f.read(left), a_stride, f.read(right), b_stride, f.write(to), *f.pool);
      },
      node.def->macs(node));
  return true;
}

/// out[n,c,h,u] = Σ over w of x[n,c,h,w] · y[n,w,h,u], or without n: the type rule knows no other equations. A product
/// for every n and h; where there is one h, the matrices lie there already.
Result<bool> lower_einsum(const Node& node, Lowering& l) {
  const Value &x = *node.operand("values")->values[0], &y = *node.operand("values")->values[1];
  const auto lifted = [](Dims dims) {  // rank 4
    if (dims.size() == 3) dims.insert(dims.begin(), 1);
    return dims;
  };
  const Dims a = lifted(x.type.dims), b = lifted(y.type.dims), out = lifted(node.output()->type.dims);
  if (a[0] != b[0] || a[2] != b[2]) return false;  // broadcasts
  const std::int64_t batch = a[0] * a[2];
  MatmulShape shape;
  shape.m = a[1];
  shape.k = a[3];
  shape.n = b[3];
  const bool direct = a[2] == 1;
  TRY(const Ref left, l.read(x));
  TRY(const Ref right, l.read(y));
  const Ref to = l.define(*node.output());
  const Ref left_turned = direct ? left : l.scratch(left.count), right_turned = direct ? right : l.scratch(right.count);
  const Ref product = direct ? to : l.scratch(to.count);
  const bool half_sums = l.half_sums(*node.output());
  const Dims swap{0, 2, 1, 3}, product_dims{out[0], out[2], out[1], out[3]};
  l.add(
      "einsum", *node.output(), to, {left, right, left_turned, right_turned, product}, Rounding::needed,
      [=](Frame& f) {
        if (!direct) {
          transpose(f.read(left), a, swap, f.write(left_turned), *f.pool);
          transpose(f.read(right), b, swap, f.write(right_turned), *f.pool);
        }
        multiply(half_sums, shape, batch, f.read(left_turned), shape.m * shape.k, f.read(right_turned),
                 shape.k * shape.n, f.write(product), *f.pool);
        if (!direct) transpose(f.read(product), product_dims, swap, f.write(to), *f.pool);
      },
      node.def->macs(node));
  return true;
}

constexpr KernelRow kRows[] = {{"linear", lower_linear}, {"matmul", lower_matmul}, {"einsum", lower_einsum}};

}  // namespace

std::span<const KernelRow> matrix_kernels() { return kRows; }

}  // namespace anemone::runtime

// linear, matmul and einsum.
#include "anemone/runtime/cpu/half_sums.h"
#include "anemone/runtime/epilogue.h"
#include "anemone/runtime/kernel_util.h"

namespace anemone::runtime {
namespace {

// Operands of all kernels here, in this order.
enum MatmulOperand : std::size_t { kX, kY, kBias, kAdd, kOut };

/// y is a packed matrix that was known at compile time.
const Kernel kLinear{"linear", [](const Bound& b) {
                       const auto& p = get<MatmulParameters>(b);
                       cpu::Epilogue epilogue = p.epilogue;
                       epilogue.add = b.in(kAdd);
                       cpu::linear(b.in(kX), p.shape.m, p.shape.k, p.shape.n, b.in(kY), b.in(kBias), b.out(kOut),
                                   b.pool, epilogue);
                     }};

const Kernel kMatmul{"matmul", [](const Bound& b) {
                       const auto& p = get<MatmulParameters>(b);
                       cpu::matmul_batched(p.shape, p.batch, b.in(kX), p.x_stride, b.in(kY), p.y_stride, b.out(kOut),
                                           b.pool);
                     }};

const Kernel kMatmulHalfSums{"matmul", [](const Bound& b) {
                               const auto& p = get<MatmulParameters>(b);
                               cpu::matmul_half_sums(p.shape, p.batch, b.in(kX), p.x_stride, b.in(kY), p.y_stride,
                                                     b.in(kBias), b.out(kOut), b.pool);
                             }};

std::int64_t macs_of(const Node& node) { return node.def->macs ? node.def->macs(node) : 0; }

/// out [m, n] = x [m, k] * known + bias, with what follows it. `known` is [k, n], or [n, k] when shape.transpose_b.
Result<void> add_linear(const Group& g, Planner& p, MatmulParameters parameters, const std::vector<float>& known,
                        const std::vector<float>& bias) {
  const Value& out = g.out();
  TRY(const Ref x, p.read(g.in()));
  TRY(const Ref add, p.read_maybe(g.summand()));
  cpu::MatmulShape& shape = parameters.shape;
  shape.m = count_of(out.type.dims) / shape.n;
  parameters.epilogue = epilogue_of(g, p.graph());
  Call call;
  Ref y;
  if (p.graph().half_sums(out)) {
    call.kernel = &kMatmulHalfSums;
    call.algorithm = "half sums";
    y = p.constant(known);
  } else {
    call.kernel = &kLinear;
    call.algorithm = "gemm";
    y = p.constant(std::move(cpu::pack_matrix(known.data(), shape.k, shape.n, shape.transpose_b).data));
  }
  call.parameters = parameters;
  call.operands = {read("x", x), read("y", y), read("bias", bias.empty() ? Ref{} : p.constant(bias)), read("add", add),
                   write("out", p.define(out))};
  call.macs = macs_of(*g.node);
  if (g.add) call.overwrites = {kAdd};
  p.add(out, Rounding::exact, std::move(call));
  return {};
}

Result<void> plan_linear(const Group& g, Planner& p) {
  const Dims& w = g.node->input("weight")->type.dims;
  TRY(const std::vector<float> weight, p.known_floats(g.node->input("weight")));
  TRY(const std::vector<float> bias, p.known_floats(g.node->input("bias")));
  return add_linear(g, p, {.shape = {.k = w[1], .n = w[0], .transpose_b = true}}, weight, bias);
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

struct Product {
  Matrices x, y;
  cpu::MatmulShape shape;
};
Product product_of(const Node& node) {
  const ConstantView v(node);
  Product product{matrices_of(node.input("x")->type.dims, true), matrices_of(node.input("y")->type.dims, false), {}};
  cpu::MatmulShape& shape = product.shape;
  shape.transpose_a = v.flag("transpose_x");
  shape.transpose_b = v.flag("transpose_y");
  shape.m = shape.transpose_a ? product.x.columns : product.x.rows;
  shape.k = shape.transpose_a ? product.x.rows : product.x.columns;
  shape.n = shape.transpose_b ? product.y.rows : product.y.columns;
  return product;
}

constexpr std::int64_t kWorthPacking = 8;  // columns; below, most of a panel would be zeros

/// A product with one known matrix.
bool is_linear(const Node& node, const GraphView&) {
  const Product product = product_of(node);
  return product.y.count() == 1 && !product.shape.transpose_a && is_static(node.input("y")) &&
         product.shape.n >= kWorthPacking;
}

bool covers_matmul(const Node& node, const GraphView&) {
  const Product p = product_of(node);
  if (p.y.count() == 1 && !p.shape.transpose_a) return true;
  return p.x.batch == p.y.batch || p.x.count() == 1 || p.y.count() == 1;
}

Result<void> plan_matmul(const Group& g, Planner& p) {
  const Product product = product_of(*g.node);
  MatmulParameters parameters{.shape = product.shape};
  if (is_linear(*g.node, p.graph())) {
    TRY(const std::vector<float> matrix, p.known_floats(g.node->input("y")));
    return add_linear(g, p, parameters, matrix, {});
  }
  if (product.y.count() == 1 && !product.shape.transpose_a) {
    parameters.shape.m *= product.x.count();  // one tall matrix
  } else {
    parameters.batch = std::max(product.x.count(), product.y.count());
    if (product.x.count() > 1) parameters.x_stride = product.x.rows * product.x.columns;
    if (product.y.count() > 1) parameters.y_stride = product.y.rows * product.y.columns;
  }
  TRY(const Ref x, p.read(*g.node->input("x")));
  TRY(const Ref y, p.read(*g.node->input("y")));
  const bool half_sums = p.graph().half_sums(g.out());
  p.add(g.out(), Rounding::needed,
        {.kernel = half_sums ? &kMatmulHalfSums : &kMatmul,
         .algorithm = half_sums ? "half sums" : "gemm",
         .parameters = parameters,
         .operands = {read("x", x), read("y", y), read("bias", {}), read("add", {}), write("out", p.define(g.out()))},
         .macs = macs_of(*g.node)});
  return {};
}

/// Rank 4, with an n of 1 in front.
Dims lifted(Dims dims) {
  if (dims.size() == 3) dims.insert(dims.begin(), 1);
  return dims;
}
bool covers_einsum(const Node& node, const GraphView&) {
  const std::vector<Value*>& values = node.operand("values")->values;
  const Dims x = lifted(values[0]->type.dims), y = lifted(values[1]->type.dims);
  return x[0] == y[0] && x[2] == y[2];  // the others broadcast
}

/// out[n,c,h,u] = Σ over w of x[n,c,h,w] · y[n,w,h,u], or without n: the type rule knows no other equations. A product
/// for every n and h; where there is one h, the matrices lie there already.
Result<void> plan_einsum(const Group& g, Planner& p) {
  const std::vector<Value*>& values = g.node->operand("values")->values;
  const Dims x = lifted(values[0]->type.dims), y = lifted(values[1]->type.dims), out = lifted(g.out().type.dims);
  const cpu::MatmulShape shape{.m = x[1], .k = x[3], .n = y[3]};
  const auto turned = [&](const Ref& from, const Dims& dims, const Ref& to) {
    CopyParameters copy{{{.shape = {dims[0], dims[2], dims[1], dims[3]}, .to = {}}}};
    const Dims strides = row_major_strides(dims);
    copy.parts[0].from = {strides[0], strides[2], strides[1], strides[3]};
    copy.parts[0].to = row_major_strides(copy.parts[0].shape);
    return Call{.kernel = &kCopyKernel, .parameters = copy, .operands = {read("x", from), write("out", to)}};
  };
  TRY(Ref left, p.read(*values[0]));
  TRY(Ref right, p.read(*values[1]));
  const Ref to = p.define(g.out());
  const bool direct = x[2] == 1, half_sums = p.graph().half_sums(g.out());
  if (!direct) {
    const Ref left_turned = p.scratch(left.count), right_turned = p.scratch(right.count);
    p.add_part(g.out(), turned(left, x, left_turned));
    p.add_part(g.out(), turned(right, y, right_turned));
    left = left_turned;
    right = right_turned;
  }
  const Ref product = direct ? to : p.scratch(to.count);
  Call call{.kernel = half_sums ? &kMatmulHalfSums : &kMatmul,
            .algorithm = half_sums ? "half sums" : "gemm",
            .parameters =
                MatmulParameters{
                    .shape = shape, .batch = x[0] * x[2], .x_stride = shape.m * shape.k, .y_stride = shape.k * shape.n},
            .operands = {read("x", left), read("y", right), read("bias", {}), read("add", {}), write("out", product)},
            .macs = macs_of(*g.node)};
  if (direct) {
    p.add(g.out(), Rounding::needed, std::move(call));
    return {};
  }
  p.add_part(g.out(), std::move(call));
  p.add(g.out(), Rounding::needed, turned(product, {out[0], out[2], out[1], out[3]}, to));
  return {};
}

constexpr KernelRow kRows[] = {
    {.type = "linear", .plan = plan_linear, .fuses = Fuses::tail},
    {.type = "matmul", .plan = plan_matmul, .covers = covers_matmul, .fuses = Fuses::tail, .has_tail = is_linear},
    {.type = "einsum", .plan = plan_einsum, .covers = covers_einsum}};

}  // namespace

std::span<const KernelRow> matrix_kernels() { return kRows; }

}  // namespace anemone::runtime

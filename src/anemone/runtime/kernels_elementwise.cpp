// Functions of two operands with broadcasting, and select.
#include "anemone/ops/infer_util.h"
#include "anemone/runtime/kernel_util.h"

namespace anemone::runtime {
namespace {

using cpu::Binary;

const Kernel kSelect{"select", [](const Bound& b) {
                       const auto& p = get<SelectParameters>(b);
                       cpu::select(b.in(0), p.cond, b.in(1), p.a, b.in(2), p.b, b.out(3), p.out, b.pool);
                     }};

template <Binary Function, Rounding How = Rounding::needed>
Result<void> plan_binary(const Group& g, Planner& p) {
  const Value &x = *g.node->input("x"), &y = *g.node->input("y"), &out = g.out();
  TRY(const Ref a, p.read(x));
  TRY(const Ref b, p.read(y));
  p.add(out, How,
        {.kernel = &kBinaryKernel,
         .parameters = BinaryParameters{Function, x.type.dims, y.type.dims},
         .operands = {read("x", a), read("y", b), write("out", p.define(out))},
         .layout = x.type.dims == y.type.dims ? Layout::any : Layout::row_major,
         .overwrites = {0, 1},
         .elementwise = true});
  return {};
}

Result<void> plan_select(const Group& g, Planner& p) {
  const Node& node = *g.node;
  const Value &cond = *node.input("cond"), &a = *node.input("a"), &b = *node.input("b"), &out = g.out();
  TRY(const Ref c_ref, p.read(cond));
  TRY(const Ref a_ref, p.read(a));
  TRY(const Ref b_ref, p.read(b));
  p.add(out, Rounding::exact,
        {.kernel = &kSelect,
         .parameters = SelectParameters{cond.type.dims, a.type.dims, b.type.dims, out.type.dims},
         .operands = {read("cond", c_ref), read("a", a_ref), read("b", b_ref), write("out", p.define(out))}});
  return {};
}

/// A quantize and what turns its integers back: scale · clamp(round(x / scale), lowest − zero, highest − zero), where only
/// the last product rounds. Alone it makes integers, which no kernel does.
Result<void> plan_quantize(const Group& g, Planner& p) {
  const Node& node = *g.node;
  const Value& x = *node.input("input");
  const Dims& shape = x.type.dims;
  TRY(std::vector<float> scale, p.known_floats(node.input("scale")));
  TRY(std::vector<float> high, p.known_floats(node.input("zero_point")));
  high.resize(scale.size(), 0.0f);
  const bool is_signed = node.output()->type.dtype == DType::int8;
  std::vector<float> low = high;
  for (float& each : low) each = (is_signed ? -128.0f : 0.0f) - each;
  for (float& each : high) each = (is_signed ? 127.0f : 255.0f) - each;
  Dims slices;  // of the constants, as they broadcast
  if (node.input("scale")->type.rank() > 0) {
    const std::size_t axis = ops::wrap_axis(ConstantView(node).integer("axis"), x.type.rank());
    slices.assign(shape.size() - axis, 1);
    slices[0] = static_cast<std::int64_t>(scale.size());
  }
  TRY(const Ref from, p.read(x));
  const Ref steps = p.scratch(from.count), by = p.constant(scale);
  const auto part = [&](Binary function, const Ref& in, const Ref& with) {
    p.add_part(g.out(), {.kernel = &kBinaryKernel,
                         .parameters = BinaryParameters{function, shape, slices},
                         .operands = {read("x", in), read("y", with), write("out", steps)}});
  };
  part(Binary::real_div, from, by);
  p.add_part(g.out(), {.kernel = &kUnaryKernel,
                       .parameters = UnaryParameters{cpu::Unary::round},
                       .operands = {read("x", steps), write("out", steps)}});
  part(Binary::maximum, steps, p.constant(low));
  part(Binary::minimum, steps, p.constant(high));
  p.add(g.out(), Rounding::needed,
        {.kernel = &kBinaryKernel,
         .parameters = BinaryParameters{Binary::mul, shape, slices},
         .operands = {read("x", steps), read("y", by), write("out", p.define(g.out()))},
         .overwrites = {0},
         .elementwise = true});
  return {};
}

constexpr Rounding kExact = Rounding::exact;
constexpr KernelRow kRows[] = {
    {"add", plan_binary<Binary::add>},
    {"sub", plan_binary<Binary::sub>},
    {"mul", plan_binary<Binary::mul>},
    {"real_div", plan_binary<Binary::real_div>},
    {"floor_div", plan_binary<Binary::floor_div>},
    {"mod", plan_binary<Binary::mod>},
    {"pow", plan_binary<Binary::pow>},
    {"maximum", plan_binary<Binary::maximum, kExact>},
    {"minimum", plan_binary<Binary::minimum, kExact>},
    {"greater", plan_binary<Binary::greater, kExact>},
    {"greater_equal", plan_binary<Binary::greater_equal, kExact>},
    {"less", plan_binary<Binary::less, kExact>},
    {"less_equal", plan_binary<Binary::less_equal, kExact>},
    {"equal", plan_binary<Binary::equal, kExact>},
    {"not_equal", plan_binary<Binary::not_equal, kExact>},
    {"logical_and", plan_binary<Binary::logical_and, kExact>},
    {"logical_or", plan_binary<Binary::logical_or, kExact>},
    {"logical_xor", plan_binary<Binary::logical_xor, kExact>},
    {"select", plan_select},
    {"quantize", plan_quantize},
};

}  // namespace

const Kernel kBinaryKernel{"binary", [](const Bound& b) {
                             const auto& p = get<BinaryParameters>(b);
                             cpu::binary(p.function, b.in(0), p.x, b.in(1), p.y, b.out(2), b.pool);
                           }};

std::span<const KernelRow> elementwise_kernels() { return kRows; }

}  // namespace anemone::runtime

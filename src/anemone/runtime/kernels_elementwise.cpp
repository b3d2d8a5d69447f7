// Functions of two operands with broadcasting, and select.
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
};

}  // namespace

const Kernel kBinaryKernel{"binary", [](const Bound& b) {
                             const auto& p = get<BinaryParameters>(b);
                             cpu::binary(p.function, b.in(0), p.x, b.in(1), p.y, b.out(2), b.pool);
                           }};

std::span<const KernelRow> elementwise_kernels() { return kRows; }

}  // namespace anemone::runtime

// Functions of two operands with broadcasting, and select.
#include "anemone/runtime/cpu/elementwise.h"

#include "anemone/runtime/kernel_table.h"

namespace anemone::runtime {

using namespace cpu;
namespace {

template <Binary Op, Rounding How = Rounding::needed>
Result<bool> lower_binary(const Node& node, Lowering& l) {
  const Value &x = *node.input("x"), &y = *node.input("y"), &out = *node.output();
  TRY(const Ref a, l.read(x));
  TRY(const Ref b, l.read(y));
  const Ref to = l.define_over(out, {&x, &y}, true);
  l.add(node.type, out, to, {a, b}, How, [=, x_dims = x.type.dims, y_dims = y.type.dims](Frame& f) {
    binary(Op, f.read(a), x_dims, f.read(b), y_dims, f.write(to), *f.pool);
  });
  return true;
}

Result<bool> lower_select(const Node& node, Lowering& l) {
  const Value &cond = *node.input("cond"), &a = *node.input("a"), &b = *node.input("b"), &out = *node.output();
  TRY(const Ref c_ref, l.read(cond));
  TRY(const Ref a_ref, l.read(a));
  TRY(const Ref b_ref, l.read(b));
  const Ref to = l.define(out);
  l.add(node.type, out, to, {c_ref, a_ref, b_ref}, Rounding::exact,
        [=, c = cond.type.dims, ad = a.type.dims, bd = b.type.dims, od = out.type.dims](Frame& f) {
          select(f.read(c_ref), c, f.read(a_ref), ad, f.read(b_ref), bd, f.write(to), od, *f.pool);
        });
  return true;
}

constexpr Rounding kExact = Rounding::exact;
constexpr KernelRow kRows[] = {
    {"add", lower_binary<Binary::add>},
    {"sub", lower_binary<Binary::sub>},
    {"mul", lower_binary<Binary::mul>},
    {"real_div", lower_binary<Binary::real_div>},
    {"floor_div", lower_binary<Binary::floor_div>},
    {"mod", lower_binary<Binary::mod>},
    {"pow", lower_binary<Binary::pow>},
    {"maximum", lower_binary<Binary::maximum, kExact>},
    {"minimum", lower_binary<Binary::minimum, kExact>},
    {"greater", lower_binary<Binary::greater, kExact>},
    {"greater_equal", lower_binary<Binary::greater_equal, kExact>},
    {"less", lower_binary<Binary::less, kExact>},
    {"less_equal", lower_binary<Binary::less_equal, kExact>},
    {"equal", lower_binary<Binary::equal, kExact>},
    {"not_equal", lower_binary<Binary::not_equal, kExact>},
    {"logical_and", lower_binary<Binary::logical_and, kExact>},
    {"logical_or", lower_binary<Binary::logical_or, kExact>},
    {"logical_xor", lower_binary<Binary::logical_xor, kExact>},
    {"select", lower_select},
};

}  // namespace

std::span<const KernelRow> elementwise_kernels() { return kRows; }

}  // namespace anemone::runtime

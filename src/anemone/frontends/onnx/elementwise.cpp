// Arithmetic, comparisons and logic, element by element.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {
namespace {

// Up to opset 6 the second operand is stretched only where `broadcast` says so, from `axis` on.
MilValue* second(Call& c, std::size_t input = 1) {
  MilValue* y = c.in(input);
  if (c.opset() >= 7 || !c.has_attribute("axis")) return y;
  const Dims &a = c.dims(0), &b = c.dims(input);
  const std::size_t axis = Call::axis(c.integer("axis", 0), a.size());
  Dims dims = b;
  if (axis + b.size() > a.size()) Call::refuse("axis leaves no room for the second operand");
  dims.resize(a.size() - axis, 1);
  return c.emit().reshape(y, dims);
}

MilValue* binary(Call& c, std::string_view op, MilValue* x, MilValue* y) {
  return c.emit().add(op, {{"x", x}, {"y", y}});
}
MilValue* unary(Call& c, std::string_view op, MilValue* x) { return c.emit().add(op, {{"x", x}}); }

void give_wrapped(Call& c, MilValue* value) { c.give(wrap(c.emit(), value, c.dtype(0))); }

void lower_add(Call& c) { give_wrapped(c, c.emit().add2(c.in(0), second(c))); }
void lower_sub(Call& c) { give_wrapped(c, c.emit().sub(c.in(0), second(c))); }
void lower_mul(Call& c) { give_wrapped(c, c.emit().mul(c.in(0), second(c))); }

// Integers are divided toward zero; MIL divides downward.
MilValue* divided(Call& c, MilValue* x, MilValue* y) {
  if (is_float(x->type.dtype)) return binary(c, "real_div", x, y);
  MilValue* size = binary(c, "floor_div", unary(c, "abs", x), unary(c, "abs", y));
  return c.emit().mul(size, c.emit().mul(unary(c, "sign", x), unary(c, "sign", y)));
}
void lower_div(Call& c) { c.give(divided(c, c.in(0), second(c))); }

void lower_mod(Call& c) {
  MilValue* x = c.in(0);
  MilValue* y = c.in(1);
  if (!c.flag("fmod", false)) return c.give(binary(c, "mod", x, y));  // both take the divisor's sign
  MilValue* size = binary(c, "mod", unary(c, "abs", x), unary(c, "abs", y));
  c.give(c.emit().mul(size, unary(c, "sign", x)));
}

void lower_pow(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.in(0);
  MilValue* y = second(c);
  const DType dtype = x->type.dtype;
  const ConstantPtr exponent = emit.known(y);
  if (exponent && exponent->count() == 1 && scalar(*exponent) == 2 && exponent->type.dims.size() <= x->type.dims.size())
    return give_wrapped(c, unary(c, "square", x));
  if (y->type.dtype == dtype) return give_wrapped(c, binary(c, "pow", x, y));
  MilValue* power = binary(c, "pow", c.real(0), emit.cast(y, c.real(0)->type.dtype));
  give_wrapped(c, emit.cast(power, dtype));
}

// Several operands, one after the other.
MilValue* chain(Call& c, std::string_view op) {
  MilValue* value = c.in(0);
  for (std::size_t i = 1; i < c.inputs(); ++i) value = binary(c, op, value, c.in(i));
  return value;
}
void lower_max(Call& c) { c.give(chain(c, "maximum")); }
void lower_min(Call& c) { c.give(chain(c, "minimum")); }
void lower_sum(Call& c) { c.give(chain(c, "add")); }
void lower_mean(Call& c) { c.give(c.emit().mul(chain(c, "add"), 1.0 / static_cast<double>(c.inputs()))); }

MilValue* as_number(Call& c, MilValue* x) {
  return x->type.dtype == DType::boolean ? c.emit().cast(x, DType::int32) : x;
}
void compare(Call& c, std::string_view op) { c.give(binary(c, op, as_number(c, c.in(0)), as_number(c, second(c)))); }
void lower_equal(Call& c) { compare(c, "equal"); }
void lower_less(Call& c) { compare(c, "less"); }
void lower_less_or_equal(Call& c) { compare(c, "less_equal"); }
void lower_greater(Call& c) { compare(c, "greater"); }
void lower_greater_or_equal(Call& c) { compare(c, "greater_equal"); }

void lower_and(Call& c) { c.give(binary(c, "logical_and", c.in(0), second(c))); }
void lower_or(Call& c) { c.give(binary(c, "logical_or", c.in(0), second(c))); }
void lower_xor(Call& c) { c.give(binary(c, "logical_xor", c.in(0), second(c))); }
void lower_not(Call& c) { c.give(unary(c, "logical_not", c.in(0))); }

void lower_where(Call& c) {
  Emit& emit = c.emit();
  const Dims both = broadcast_dims(c.dims(1), c.dims(2)), all = broadcast_dims(c.dims(0), both);
  MilValue* a = c.in(1);
  c.give(emit.add("select", {{"cond", c.in(0)}, {"a", both == all ? a : emit.broadcast(a, all)}, {"b", c.in(2)}}));
}

// 2^y times x, or x divided by it; unsigned.
void lower_bit_shift(Call& c) {
  Emit& emit = c.emit();
  MilValue* power = binary(c, "pow", emit.constant(make_scalar(DType::int32, 2)), c.in(1));
  if (c.text("direction", "") == "RIGHT") return c.give(binary(c, "floor_div", c.in(0), power));
  give_wrapped(c, emit.mul(c.in(0), power));
}

// Of integers too: what rounds does not change them.
void rounding(Call& c, std::string_view op) {
  MilValue* x = c.in(0);
  c.give(is_float(x->type.dtype) ? unary(c, op, x) : x);
}
void lower_floor(Call& c) { rounding(c, "floor"); }
void lower_ceil(Call& c) { rounding(c, "ceil"); }
void lower_round(Call& c) { rounding(c, "round"); }

constexpr std::string_view kReal[] = {"exp",  "erf",  "sqrt", "sin",   "cos",  "tan",
                                      "asin", "acos", "atan", "atanh", "sinh", "cosh"};
template <int kIndex>
void lower_real(Call& c) {
  c.give(unary(c, kReal[kIndex], c.real(0)));
}

void lower_abs(Call& c) { give_wrapped(c, unary(c, "abs", c.in(0))); }
void lower_sign(Call& c) { c.give(unary(c, "sign", c.in(0))); }
void lower_neg(Call& c) { give_wrapped(c, c.emit().mul(c.in(0), -1)); }
void lower_log(Call& c) {
  MilValue* x = c.real(0);
  c.give(c.emit().add("log", {{"x", x}, {"epsilon", c.emit().number(x, 0)}}));
}
void lower_reciprocal(Call& c) {
  MilValue* x = c.real(0);
  c.give(c.emit().add("real_div", {{"x", c.emit().number(x, 1)}, {"y", x}}));
}
MilValue* log_of_sum(Call& c, MilValue* x, double shift) {  // log(x + √(x² + shift))
  Emit& emit = c.emit();
  MilValue* root = unary(c, "sqrt", emit.add2(unary(c, "square", x), shift));
  return emit.add("log", {{"x", emit.add2(x, root)}, {"epsilon", emit.number(x, 0)}});
}
void lower_asinh(Call& c) {  // odd: of |x|, where nothing cancels
  MilValue* x = c.real(0);
  c.give(c.emit().mul(unary(c, "sign", x), log_of_sum(c, unary(c, "abs", x), 1)));
}
void lower_acosh(Call& c) { c.give(log_of_sum(c, c.real(0), -1)); }
void lower_is_nan(Call& c) { c.give(binary(c, "not_equal", c.real(0), c.real(0))); }
void lower_is_inf(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.real(0);
  const bool negative = c.flag("detect_negative", true), positive = c.flag("detect_positive", true);
  const double infinity = std::numeric_limits<double>::infinity();
  if (!negative && !positive)
    return c.give(binary(c, "less", emit.add("abs", {{"x", x}}), emit.constant(emit.number(x, -1))));
  MilValue* folded = negative && positive ? unary(c, "abs", x) : x;
  c.give(binary(c, "equal", folded, emit.constant(emit.number(x, positive ? infinity : -infinity))));
}

// Floats to integers: toward zero. To bool: is it 0?
void cast_to(Call& c, DataType dtype) {
  Emit& emit = c.emit();
  const bool from_float = is_float(c.in(0)->type.dtype);
  MilValue* y = emit.cast(c.in(0), mil_dtype(dtype));
  if (dtype == DataType::bfloat16 && c.dtype(0) != DataType::bfloat16)
    Call::refuse("rounding to bfloat16", "leave the tensors in float or float16");
  if (!from_float || is_integer_type(dtype)) y = wrap(emit, y, dtype);
  c.give(0, Lowered{dtype, {y}, false});
}
void lower_cast(Call& c) { cast_to(c, static_cast<DataType>(c.integer("to", 0))); }
void lower_cast_like(Call& c) { cast_to(c, c.dtype(1)); }

constexpr Row kRows[] = {
    {"Add", 1, lower_add},
    {"Sub", 1, lower_sub},
    {"Mul", 1, lower_mul},
    {"Div", 1, lower_div},
    {"Mod", 10, lower_mod},
    {"Pow", 1, lower_pow},
    {"Max", 1, lower_max},
    {"Min", 1, lower_min},
    {"Sum", 1, lower_sum},
    {"Mean", 1, lower_mean},
    {"Equal", 1, lower_equal},
    {"Less", 1, lower_less},
    {"LessOrEqual", 12, lower_less_or_equal},
    {"Greater", 1, lower_greater},
    {"GreaterOrEqual", 12, lower_greater_or_equal},
    {"And", 1, lower_and},
    {"Or", 1, lower_or},
    {"Xor", 1, lower_xor},
    {"Not", 1, lower_not},
    {"Where", 9, lower_where},
    {"BitShift", 11, lower_bit_shift},
    {"Floor", 1, lower_floor},
    {"Ceil", 1, lower_ceil},
    {"Round", 11, lower_round},
    {"Exp", 1, lower_real<0>},
    {"Erf", 9, lower_real<1>},
    {"Sqrt", 1, lower_real<2>},
    {"Sin", 7, lower_real<3>},
    {"Cos", 7, lower_real<4>},
    {"Tan", 7, lower_real<5>},
    {"Asin", 7, lower_real<6>},
    {"Acos", 7, lower_real<7>},
    {"Atan", 7, lower_real<8>},
    {"Atanh", 9, lower_real<9>},
    {"Sinh", 9, lower_real<10>},
    {"Cosh", 9, lower_real<11>},
    {"Asinh", 9, lower_asinh},
    {"Acosh", 9, lower_acosh},
    {"Abs", 1, lower_abs},
    {"Sign", 9, lower_sign},
    {"Neg", 1, lower_neg},
    {"Log", 1, lower_log},
    {"Reciprocal", 1, lower_reciprocal},
    {"IsNaN", 9, lower_is_nan},
    {"IsInf", 10, lower_is_inf},
    {"Cast", 6, lower_cast, "rounding to bfloat16; strings"},
    {"CastLike", 15, lower_cast_like, "rounding to bfloat16; strings"},
};

}  // namespace

std::span<const Row> elementwise_lowerings() { return kRows; }

}  // namespace anemone::onnx

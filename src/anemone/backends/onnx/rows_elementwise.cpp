// Functions of one and of two operands, comparisons, logic, select.
#include <array>

#include "anemone/backends/onnx/rows.h"

namespace anemone::onnx::exporting {
namespace {

constexpr char kAbs[] = "Abs", kExp[] = "Exp", kErf[] = "Erf", kSqrt[] = "Sqrt", kFloor[] = "Floor", kCeil[] = "Ceil",
               kRound[] = "Round", kSin[] = "Sin", kCos[] = "Cos", kTan[] = "Tan", kAsin[] = "Asin", kAcos[] = "Acos",
               kAtan[] = "Atan", kAtanh[] = "Atanh", kSinh[] = "Sinh", kCosh[] = "Cosh", kSign[] = "Sign",
               kNot[] = "Not", kAdd[] = "Add", kSub[] = "Sub", kMul[] = "Mul", kPow[] = "Pow", kMax[] = "Max",
               kMin[] = "Min", kGreater[] = "Greater", kGreaterOrEqual[] = "GreaterOrEqual", kLess[] = "Less",
               kLessOrEqual[] = "LessOrEqual", kEqual[] = "Equal", kAnd[] = "And", kOr[] = "Or", kXor[] = "Xor";

template <const char* Op>
Result<void> unary(Emit& e) {
  return e.give(Op, {e.in("x")});
}

/// The second operand in the dtype of the first.
Value* second(Emit& e) { return e.in_as("y", e.dtype("x")); }

template <const char* Op>
Result<void> binary(Emit& e) {
  return e.give(Op, {e.in("x"), second(e)});
}

Result<void> square(Emit& e) { return e.give("Mul", {e.in("x"), e.in("x")}); }

Result<void> exp2(Emit& e) { return e.give("Pow", {e.literal(2), e.in("x")}); }

/// x + epsilon, as the operation has it; x alone where that is nothing in the dtype.
Value* with_epsilon(Emit& e) {
  const double given = e.number("epsilon");
  const double epsilon = e.dtype() == DataType::float16 ? scalar(*make_scalar(DType::fp16, given)) : given;
  return epsilon == 0 ? e.in("x") : e.make("Add", {e.in("x"), e.literal(epsilon)});
}

Result<void> log(Emit& e) { return e.give("Log", {with_epsilon(e)}); }

// Not Reciprocal: where Core ML runs the graph again, that would add an epsilon of its own.
Result<void> inverse(Emit& e) { return e.give("Div", {e.literal(1), with_epsilon(e)}); }

Result<void> rsqrt(Emit& e) { return e.give("Div", {e.literal(1), e.make("Sqrt", {with_epsilon(e)})}); }

Result<void> clip(Emit& e) {
  return e.give("Clip", {e.in("x"), e.literal(e.number("alpha")), e.literal(e.number("beta"))});
}

Result<void> threshold(Emit& e) { return e.give("Clip", {e.in("x"), e.literal(e.number("alpha"))}); }

Result<void> real_div(Emit& e) { return e.give("Div", {e.in("x"), second(e)}); }

// Mod has the sign of the divisor for integers, and that of the dividend for numbers.
Result<void> floor_div(Emit& e) {
  Value *x = e.in("x"), *y = second(e);
  if (is_float(e.type("x").dtype)) return e.give("Floor", {e.make("Div", {x, y})});
  return e.give("Div", {e.make("Sub", {x, e.make("Mod", {x, y})}), y});
}

Result<void> mod(Emit& e) {
  Value *x = e.in("x"), *y = second(e);
  if (!is_float(e.type("x").dtype)) return e.give("Mod", {x, y});
  return e.give("Sub", {x, e.make("Mul", {y, e.make("Floor", {e.make("Div", {x, y})})})});
}

Result<void> not_equal(Emit& e) { return e.give("Not", {e.make("Equal", {e.in("x"), second(e)})}); }

Result<void> select(Emit& e) { return e.give("Where", {e.in("cond"), e.in("a"), e.in_as("b", e.dtype("a"))}); }

Result<void> identity(Emit& e) { return e.give_value(e.in("x")); }

Result<void> cast(Emit& e) {
  if (e.dtype("x") == e.dtype()) return e.give_value(e.in("x"));
  return e.give("Cast", {e.in("x")}, {attr("to", static_cast<std::int64_t>(e.dtype()))});
}

constexpr std::array kRows = {
    RaiseRow{"identity", identity, "nothing"},
    RaiseRow{"cast", cast, "Cast"},
    RaiseRow{"abs", unary<kAbs>, "Abs"},
    RaiseRow{"square", square, "Mul"},
    RaiseRow{"sign", unary<kSign>, "Sign"},
    RaiseRow{"exp", unary<kExp>, "Exp"},
    RaiseRow{"exp2", exp2, "Pow"},
    RaiseRow{"erf", unary<kErf>, "Erf"},
    RaiseRow{"sqrt", unary<kSqrt>, "Sqrt"},
    RaiseRow{"floor", unary<kFloor>, "Floor"},
    RaiseRow{"ceil", unary<kCeil>, "Ceil"},
    RaiseRow{"round", unary<kRound>, "Round"},
    RaiseRow{"sin", unary<kSin>, "Sin"},
    RaiseRow{"cos", unary<kCos>, "Cos"},
    RaiseRow{"tan", unary<kTan>, "Tan"},
    RaiseRow{"asin", unary<kAsin>, "Asin"},
    RaiseRow{"acos", unary<kAcos>, "Acos"},
    RaiseRow{"atan", unary<kAtan>, "Atan"},
    RaiseRow{"atanh", unary<kAtanh>, "Atanh"},
    RaiseRow{"sinh", unary<kSinh>, "Sinh"},
    RaiseRow{"cosh", unary<kCosh>, "Cosh"},
    RaiseRow{"log", log, "Add, Log"},
    RaiseRow{"rsqrt", rsqrt, "Add, Sqrt, Div"},
    RaiseRow{"inverse", inverse, "Add, Div"},
    RaiseRow{"clip", clip, "Clip"},
    RaiseRow{"threshold", threshold, "Clip"},
    RaiseRow{"logical_not", unary<kNot>, "Not"},
    RaiseRow{"add", binary<kAdd>, "Add"},
    RaiseRow{"sub", binary<kSub>, "Sub"},
    RaiseRow{"mul", binary<kMul>, "Mul"},
    RaiseRow{"real_div", real_div, "Div"},
    RaiseRow{"floor_div", floor_div, "Div, Floor; of integers Mod, Sub, Div"},
    RaiseRow{"mod", mod, "Mod; of numbers Div, Floor, Mul, Sub"},
    RaiseRow{"pow", binary<kPow>, "Pow"},
    RaiseRow{"maximum", binary<kMax>, "Max"},
    RaiseRow{"minimum", binary<kMin>, "Min"},
    RaiseRow{"greater", binary<kGreater>, "Greater"},
    RaiseRow{"greater_equal", binary<kGreaterOrEqual>, "GreaterOrEqual"},
    RaiseRow{"less", binary<kLess>, "Less"},
    RaiseRow{"less_equal", binary<kLessOrEqual>, "LessOrEqual"},
    RaiseRow{"equal", binary<kEqual>, "Equal"},
    RaiseRow{"not_equal", not_equal, "Equal, Not"},
    RaiseRow{"logical_and", binary<kAnd>, "And"},
    RaiseRow{"logical_or", binary<kOr>, "Or"},
    RaiseRow{"logical_xor", binary<kXor>, "Xor"},
    RaiseRow{"select", select, "Where"},
};

}  // namespace

std::span<const RaiseRow> raise_elementwise() { return kRows; }

}  // namespace anemone::onnx::exporting

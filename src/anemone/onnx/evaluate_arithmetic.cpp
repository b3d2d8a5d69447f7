// Values of element by element operations, reductions, ranges and casts.
#include <algorithm>
#include <cmath>
#include <limits>

#include "anemone/formats/wire/strided.h"
#include "anemone/onnx/evaluate.h"
#include "anemone/onnx/infer.h"

namespace anemone::onnx {
namespace {

using Dims = std::vector<std::int64_t>;

std::optional<Dims> broadcast_dims(const Dims& a, const Dims& b) {
  Shape x, y;
  for (const std::int64_t n : a) x.push_back(known_extent(n));
  for (const std::int64_t n : b) y.push_back(known_extent(n));
  const auto shape = broadcast(x, y);
  if (!shape) return std::nullopt;
  Dims out;
  for (const Dimension& n : *shape) out.push_back(extent(n));
  return bounded_count(out) ? std::optional(out) : std::nullopt;
}

/// The element of `from` that stands at each place of `dims`.
std::vector<std::size_t> spread(const Dims& from, const Dims& dims) {
  const Dims strides = formats::contiguous_strides(from);
  const std::size_t ahead = dims.size() - from.size();
  std::vector<Dims> offsets;
  for (std::size_t axis = 0; axis < dims.size(); ++axis) {
    Dims& along = offsets.emplace_back(static_cast<std::size_t>(dims[axis]), 0);
    if (axis < ahead || from[axis - ahead] == 1) continue;
    for (std::size_t i = 0; i < along.size(); ++i) along[i] = static_cast<std::int64_t>(i) * strides[axis - ahead];
  }
  return places_of(dims, offsets);
}

std::int64_t wrapped(std::int64_t a, std::int64_t b, char op) {  // two's complement, as C++ types do not promise
  const auto x = static_cast<std::uint64_t>(a), y = static_cast<std::uint64_t>(b);
  return static_cast<std::int64_t>(op == '+' ? x + y : op == '-' ? x - y : x * y);
}

// The operations are chosen once a node, not once an element. Null: there is none for such numbers.

using Whole = std::int64_t (*)(std::int64_t, std::int64_t);
Whole whole_of(std::string_view op) {
  if (op == "Add") return [](std::int64_t a, std::int64_t b) { return wrapped(a, b, '+'); };
  if (op == "Sub") return [](std::int64_t a, std::int64_t b) { return wrapped(a, b, '-'); };
  if (op == "Mul") return [](std::int64_t a, std::int64_t b) { return wrapped(a, b, '*'); };
  if (op == "Min") return [](std::int64_t a, std::int64_t b) { return std::min(a, b); };
  if (op == "Max") return [](std::int64_t a, std::int64_t b) { return std::max(a, b); };
  if (op == "And") return [](std::int64_t a, std::int64_t b) { return std::int64_t{a != 0 && b != 0}; };
  if (op == "Or") return [](std::int64_t a, std::int64_t b) { return std::int64_t{a != 0 || b != 0}; };
  if (op == "Xor") return [](std::int64_t a, std::int64_t b) { return std::int64_t{(a != 0) != (b != 0)}; };
  if (op == "Div") return [](std::int64_t a, std::int64_t b) { return a / b; };
  if (op == "Mod")
    return [](std::int64_t a, std::int64_t b) { return a % b + (a % b != 0 && (a % b < 0) != (b < 0) ? b : 0); };
  return nullptr;
}

/// Whether a / b is a number.
bool divides(std::int64_t a, std::int64_t b) {
  return b != 0 && !(a == std::numeric_limits<std::int64_t>::min() && b == -1);
}

/// Squares are exact in double where the operand is a float, and most powers are squares.
double power(double a, double b) { return b == 2 ? a * a : std::pow(a, b); }
std::int64_t whole_power(double a, double b) {
  const double value = power(a, b);
  return std::isnan(value) ? 0 : static_cast<std::int64_t>(std::clamp(value, -9e18, 9e18));
}

std::vector<double> as_doubles(const Array& array) {
  return array.is_real() ? array.real : std::vector<double>(array.whole.begin(), array.whole.end());
}

using Real = double (*)(double, double);
Real real_of(std::string_view op) {
  if (op == "Add") return [](double a, double b) { return a + b; };
  if (op == "Sub") return [](double a, double b) { return a - b; };
  if (op == "Mul") return [](double a, double b) { return a * b; };
  if (op == "Div") return [](double a, double b) { return a / b; };
  if (op == "Min") return [](double a, double b) { return std::min(a, b); };
  if (op == "Max") return [](double a, double b) { return std::max(a, b); };
  if (op == "Mod") return [](double a, double b) { return std::fmod(a, b); };
  return nullptr;
}

template <class T>
using Comparison = bool (*)(T, T);
template <class T>
Comparison<T> comparison_of(std::string_view op) {
  if (op == "Equal") return [](T a, T b) { return a == b; };
  if (op == "Less") return [](T a, T b) { return a < b; };
  if (op == "Greater") return [](T a, T b) { return a > b; };
  if (op == "LessOrEqual") return [](T a, T b) { return a <= b; };
  if (op == "GreaterOrEqual") return [](T a, T b) { return a >= b; };
  return nullptr;
}

std::optional<Array> two(std::string_view op, const Array& a, const Array& b) {
  const auto dims = broadcast_dims(a.dims, b.dims);
  if (!dims) return std::nullopt;
  const bool real = a.is_real();
  if (real != b.is_real() && op != "Pow") return std::nullopt;
  const bool compares = comparison_of<double>(op) != nullptr;
  Array out{compares ? DataType::boolean : a.dtype, *dims, {}, {}};
  const auto at_a = spread(a.dims, *dims), at_b = spread(b.dims, *dims);
  const auto fill = [&](auto& results, const auto& x, const auto& y, const auto& apply) {
    results.resize(at_a.size());
    for (std::size_t i = 0; i < at_a.size(); ++i) results[i] = apply(x[at_a[i]], y[at_b[i]]);
    return std::optional(std::move(out));
  };
  if (compares) {
    return real ? fill(out.whole, a.real, b.real, comparison_of<double>(op))
                : fill(out.whole, a.whole, b.whole, comparison_of<std::int64_t>(op));
  }
  if (op == "Pow") {
    const auto base = as_doubles(a), exponent = as_doubles(b);
    return real ? fill(out.real, base, exponent, power) : fill(out.whole, base, exponent, whole_power);
  }
  if (real) {
    const Real apply = real_of(op);
    return apply ? fill(out.real, a.real, b.real, apply) : std::nullopt;
  }
  const Whole apply = whole_of(op);
  if (!apply) return std::nullopt;
  for (std::size_t i = 0; (op == "Div" || op == "Mod") && i < at_a.size(); ++i) {
    if (!divides(a.whole[at_a[i]], b.whole[at_b[i]])) return std::nullopt;
  }
  return fill(out.whole, a.whole, b.whole, apply);
}

std::optional<Array> binary(const EvaluateView& v) {
  if (v.inputs() == 0 || !v.input(0)) return std::nullopt;
  std::optional<Array> all = *v.input(0);
  for (std::size_t i = 1; i < v.inputs() && all; ++i) {
    if (!v.input(i)) return std::nullopt;
    all = two(v.node().op_type, *all, *v.input(i));
  }
  return all;
}

using Unary = double (*)(double);
Unary unary_of(std::string_view op) {
  if (op == "Abs") return [](double x) { return std::abs(x); };
  if (op == "Neg") return [](double x) { return -x; };
  if (op == "Floor") return [](double x) { return std::floor(x); };
  if (op == "Ceil") return [](double x) { return std::ceil(x); };
  if (op == "Round") return [](double x) { return std::nearbyint(x); };
  if (op == "Sqrt") return [](double x) { return std::sqrt(x); };
  if (op == "Exp") return [](double x) { return std::exp(x); };
  if (op == "Log") return [](double x) { return std::log(x); };
  if (op == "Reciprocal") return [](double x) { return 1 / x; };
  if (op == "Relu") return [](double x) { return std::max(x, 0.0); };
  if (op == "Sigmoid") return [](double x) { return 1 / (1 + std::exp(-x)); };
  if (op == "Tanh") return [](double x) { return std::tanh(x); };
  return nullptr;
}

std::optional<Array> unary(const EvaluateView& v) {
  if (!v.input(0)) return std::nullopt;
  Array out = *v.input(0);
  const std::string_view op = v.node().op_type;
  const Unary apply = unary_of(op);
  if (!apply && !out.real.empty()) return std::nullopt;
  for (double& x : out.real) x = apply(x);
  for (std::int64_t& x : out.whole) {
    if (op == "Not") {
      x = x == 0;
    } else if (op == "Neg") {
      x = wrapped(0, x, '-');
    } else if (op == "Abs") {
      x = x < 0 ? wrapped(0, x, '-') : x;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<Array> cast(const EvaluateView& v) {
  if (!v.input(0)) return std::nullopt;
  const Array& x = *v.input(0);
  Array out{static_cast<DataType>(v.node().integer("to", 0)), x.dims, {}, {}};
  const bool known = out.is_real() || out.dtype == DataType::int64 || out.dtype == DataType::int32 ||
                     out.dtype == DataType::boolean || out.dtype == DataType::uint8;
  if (!known) return std::nullopt;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double value = x.is_real() ? x.real[i] : static_cast<double>(x.whole[i]);
    if (out.is_real()) {
      out.real.push_back(value);
    } else if (out.dtype == DataType::boolean) {
      out.whole.push_back(value != 0);
    } else {
      if (x.is_real() && !(std::abs(value) < 9e18)) return std::nullopt;
      const std::int64_t whole = x.is_real() ? static_cast<std::int64_t>(value) : x.whole[i];
      out.whole.push_back(out.dtype == DataType::int32 ? static_cast<std::int32_t>(whole) : whole);
    }
  }
  return out;
}

std::optional<Array> where(const EvaluateView& v) {
  if (!v.input(0) || !v.input(1) || !v.input(2)) return std::nullopt;
  const Array &c = *v.input(0), &a = *v.input(1), &b = *v.input(2);
  auto dims = broadcast_dims(a.dims, b.dims);
  if (dims) dims = broadcast_dims(*dims, c.dims);
  if (!dims || a.dtype != b.dtype || c.is_real()) return std::nullopt;
  const auto at_c = spread(c.dims, *dims);
  const Array yes = taken(a, *dims, spread(a.dims, *dims)), no = taken(b, *dims, spread(b.dims, *dims));
  Array out = yes;
  for (std::size_t i = 0; i < at_c.size(); ++i) {
    if (c.whole[at_c[i]] != 0) continue;
    if (out.is_real()) {
      out.real[i] = no.real[i];
    } else {
      out.whole[i] = no.whole[i];
    }
  }
  return out;
}

std::optional<Array> range(const EvaluateView& v) {
  std::vector<double> ends;
  for (std::size_t i = 0; i < 3; ++i) {
    const Array* end = v.input(i);
    if (!end || end->size() != 1) return std::nullopt;
    ends.push_back(end->is_real() ? end->real[0] : static_cast<double>(end->whole[0]));
  }
  const double count = ends[2] == 0 ? -1 : std::ceil((ends[1] - ends[0]) / ends[2]);
  if (!(count >= 0)) return Array{v.input(0)->dtype, {0}, {}, {}};
  if (!(count < 1e9) || !bounded_count({static_cast<std::int64_t>(count)})) return std::nullopt;
  Array out{v.input(0)->dtype, {static_cast<std::int64_t>(count)}, {}, {}};
  for (std::int64_t i = 0; i < out.dims[0]; ++i) {
    const double value = ends[0] + static_cast<double>(i) * ends[2];
    out.is_real() ? out.real.push_back(value) : out.whole.push_back(static_cast<std::int64_t>(value));
  }
  return out;
}

std::optional<Array> reduce(const EvaluateView& v) {
  if (!v.input(0)) return std::nullopt;
  const Array& x = *v.input(0);
  const std::string_view op = v.node().op_type;
  const auto given = v.integers(1, "axes");
  std::vector<bool> gone(x.dims.size(), !given || given->empty());
  for (const std::int64_t axis : given.value_or(Dims{})) {
    const auto at = axis_of(axis, x.dims.size());
    if (!at) return std::nullopt;
    gone[static_cast<std::size_t>(*at)] = true;
  }
  Dims kept, shown;
  for (std::size_t i = 0; i < x.dims.size(); ++i) {
    kept.push_back(gone[i] ? 1 : x.dims[i]);
    if (!gone[i] || v.node().integer("keepdims", 1) != 0) shown.push_back(kept.back());
  }
  if (x.size() == 0) return std::nullopt;
  const auto places = spread(kept, x.dims);
  const auto count = static_cast<std::size_t>(*bounded_count(kept));
  std::vector<double> sums(count);
  std::vector<bool> begun(count);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const double value = x.is_real() ? x.real[i] : static_cast<double>(x.whole[i]);
    double& sum = sums[places[i]];
    sum = !begun[places[i]]    ? value
          : op == "ReduceMax"  ? std::max(sum, value)
          : op == "ReduceMin"  ? std::min(sum, value)
          : op == "ReduceProd" ? sum * value
                               : sum + value;
    begun[places[i]] = true;
  }
  Array out{x.dtype, shown, {}, {}};
  for (double value : sums) {
    if (op == "ReduceMean") value /= static_cast<double>(x.size() / count);
    out.is_real() ? out.real.push_back(value) : out.whole.push_back(static_cast<std::int64_t>(value));
  }
  return out;
}

constexpr EvaluateRow kRows[] = {
    {"Abs", unary},
    {"Add", binary},
    {"And", binary},
    {"Cast", cast},
    {"Ceil", unary},
    {"Div", binary},
    {"Equal", binary},
    {"Exp", unary},
    {"Floor", unary},
    {"Greater", binary},
    {"GreaterOrEqual", binary},
    {"Less", binary},
    {"LessOrEqual", binary},
    {"Log", unary},
    {"Max", binary},
    {"Min", binary},
    {"Mod", binary},
    {"Mul", binary},
    {"Neg", unary},
    {"Not", unary},
    {"Or", binary},
    {"Pow", binary},
    {"Range", range},
    {"Reciprocal", unary},
    {"ReduceMax", reduce},
    {"ReduceMean", reduce},
    {"ReduceMin", reduce},
    {"ReduceProd", reduce},
    {"ReduceSum", reduce},
    {"Relu", unary},
    {"Round", unary},
    {"Sigmoid", unary},
    {"Sqrt", unary},
    {"Sub", binary},
    {"Tanh", unary},
    {"Where", where},
    {"Xor", binary},
};

}  // namespace

std::span<const EvaluateRow> evaluate_arithmetic_rows() { return kRows; }

}  // namespace anemone::onnx

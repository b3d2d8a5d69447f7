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

std::optional<std::int64_t> whole_of(std::string_view op, std::int64_t a, std::int64_t b) {
  if (op == "Add") return wrapped(a, b, '+');
  if (op == "Sub") return wrapped(a, b, '-');
  if (op == "Mul") return wrapped(a, b, '*');
  if (op == "Min") return std::min(a, b);
  if (op == "Max") return std::max(a, b);
  if (op == "And") return a != 0 && b != 0;
  if (op == "Or") return a != 0 || b != 0;
  if (op == "Xor") return (a != 0) != (b != 0);
  if (b == 0 || (a == std::numeric_limits<std::int64_t>::min() && b == -1)) return std::nullopt;
  if (op == "Div") return a / b;
  if (op == "Mod") return a % b + (a % b != 0 && (a % b < 0) != (b < 0) ? b : 0);
  return std::nullopt;
}

std::optional<double> real_of(std::string_view op, double a, double b) {
  if (op == "Add") return a + b;
  if (op == "Sub") return a - b;
  if (op == "Mul") return a * b;
  if (op == "Div") return a / b;
  if (op == "Min") return std::min(a, b);
  if (op == "Max") return std::max(a, b);
  if (op == "Pow") return std::pow(a, b);
  if (op == "Mod") return std::fmod(a, b);
  return std::nullopt;
}

template <class T>
std::optional<bool> compared(std::string_view op, T a, T b) {
  if (op == "Equal") return a == b;
  if (op == "Less") return a < b;
  if (op == "Greater") return a > b;
  if (op == "LessOrEqual") return a <= b;
  if (op == "GreaterOrEqual") return a >= b;
  return std::nullopt;
}

std::optional<Array> two(std::string_view op, const Array& a, const Array& b) {
  const auto dims = broadcast_dims(a.dims, b.dims);
  if (!dims) return std::nullopt;
  const auto at_a = spread(a.dims, *dims), at_b = spread(b.dims, *dims);
  const bool real = a.is_real();
  const bool truth = compared<int>(op, 0, 0).has_value();
  Array out{truth ? DataType::boolean : a.dtype, *dims, {}, {}};
  if (real != b.is_real() && op != "Pow") return std::nullopt;
  for (std::size_t i = 0; i < at_a.size(); ++i) {
    const double x = real ? a.real[at_a[i]] : static_cast<double>(a.whole[at_a[i]]);
    const double y = b.is_real() ? b.real[at_b[i]] : static_cast<double>(b.whole[at_b[i]]);
    if (truth) {
      const auto answer = real ? compared(op, x, y) : compared(op, a.whole[at_a[i]], b.whole[at_b[i]]);
      out.whole.push_back(*answer);
    } else if (op == "Pow" && !real) {
      out.whole.push_back(static_cast<std::int64_t>(std::clamp(std::pow(x, y), -9e18, 9e18)));
    } else if (real) {
      const auto value = real_of(op, x, y);
      if (!value) return std::nullopt;
      out.real.push_back(*value);
    } else {
      const auto value = whole_of(op, a.whole[at_a[i]], b.whole[at_b[i]]);
      if (!value) return std::nullopt;
      out.whole.push_back(*value);
    }
  }
  return out;
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

std::optional<double> unary_of(std::string_view op, double x) {
  if (op == "Abs") return std::abs(x);
  if (op == "Neg") return -x;
  if (op == "Floor") return std::floor(x);
  if (op == "Ceil") return std::ceil(x);
  if (op == "Round") return std::nearbyint(x);
  if (op == "Sqrt") return std::sqrt(x);
  if (op == "Exp") return std::exp(x);
  if (op == "Log") return std::log(x);
  if (op == "Reciprocal") return 1 / x;
  if (op == "Relu") return std::max(x, 0.0);
  if (op == "Sigmoid") return 1 / (1 + std::exp(-x));
  if (op == "Tanh") return std::tanh(x);
  return std::nullopt;
}

std::optional<Array> unary(const EvaluateView& v) {
  if (!v.input(0)) return std::nullopt;
  Array out = *v.input(0);
  const std::string_view op = v.node().op_type;
  for (double& x : out.real) {
    const auto value = unary_of(op, x);
    if (!value) return std::nullopt;
    x = *value;
  }
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
  if (!dims || a.dtype != b.dtype) return std::nullopt;
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
  const auto places = spread(kept, x.dims);
  const auto count = static_cast<std::size_t>(*bounded_count(kept));
  if (x.size() == 0 || count == 0) return std::nullopt;
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

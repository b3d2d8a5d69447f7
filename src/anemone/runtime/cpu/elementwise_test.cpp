// Elementwise kernels against the C library in double, on every instruction set.
#include "anemone/runtime/cpu/elementwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "anemone/runtime/cpu/kernel_test_util.h"
#include "anemone/runtime/cpu/loop_nest.h"

namespace anemone::cpu {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const float kNaN = std::nanf("");

// Everything from the smallest to the largest, both signs, zeros, infinities, NaN; an odd number of them.
std::vector<float> hard_inputs() {
  std::vector<float> x = {0.0f,  -0.0f, kInfinity, -kInfinity, kNaN,   0.5f,    1.5f,  2.5f,
                          -0.5f, -1.5f, 1.0f,      -1.0f,      1e-45f, -1e-45f, 7e-42f};
  for (float v = 1e-38f; v < 2.4e38f; v *= 1.37f) {
    x.push_back(v);
    x.push_back(-v);
  }
  TestRandom random(4);
  for (int i = 0; i < 4000; ++i) x.push_back(random.uniform(-6, 6));
  for (int i = 0; i < 2000; ++i) x.push_back(random.uniform(-110, 95));
  if (x.size() % 2 == 0) x.push_back(3);
  return x;
}

struct UnaryCase {
  Unary op;
  float alpha, beta;
  double ulps;  // allowed, of the result; plus `absolute`
  double absolute;
  std::function<double(double)> exact;
};

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

std::vector<UnaryCase> unary_cases() {
  const double tiny = std::numeric_limits<float>::denorm_min();
  return {
      {Unary::identity, 0, 0, 0, 0, [](double x) { return x; }},
      {Unary::relu, 0, 0, 0, 0, [](double x) { return x < 0 ? 0 : x; }},
      {Unary::leaky_relu, 0.25f, 0, 0, tiny, [](double x) { return x < 0 ? 0.25 * x : x; }},
      {Unary::clip, -1.5f, 2.0f, 0, 0, [](double x) { return x < -1.5 ? -1.5
                                                             : x > 2  ? 2
                                                                      : x; }},
      {Unary::linear, 2.0f, 1.0f, 1, 2e-7, [](double x) { return 2 * x + 1; }},
      {Unary::sigmoid, 0, 0, 4, 2e-38, logistic},
      {Unary::tanh, 0, 0, 4, tiny, [](double x) { return std::tanh(x); }},
      {Unary::exp, 0, 0, 2, tiny, [](double x) { return std::exp(x); }},
      {Unary::silu, 0, 0, 4, 2e-36, [](double x) { return x == -INFINITY ? NAN : x * logistic(x); }},
      {Unary::gelu_tanh, 0, 0, 4, 4e-7,
       [](double x) {
         return x == -INFINITY ? NAN : 0.5 * x * (1 + std::tanh(0.79788456080286541 * (x + 0.044715 * x * x * x)));
       }},
      // The rounding of 1.702 x grows with x, and exp makes it relative.
      {Unary::gelu_sigmoid, 0, 0, 80, 2e-36, [](double x) { return x == -INFINITY ? NAN : x * logistic(1.702 * x); }},
      {Unary::abs, 0, 0, 0, 0, [](double x) { return std::fabs(x); }},
      {Unary::square, 0, 0, 1, tiny, [](double x) { return x * x; }},
      {Unary::sqrt, 0, 0, 1, 0, [](double x) { return std::sqrt(x); }},
      {Unary::rsqrt, 0.125f, 0, 3, 0, [](double x) { return 1 / std::sqrt(static_cast<float>(x) + 0.125f); }},
      {Unary::inverse, 0.125f, 0, 2, tiny, [](double x) { return 1.0 / (static_cast<float>(x) + 0.125f); }},
      {Unary::sign, 0, 0, 0, 0, [](double x) { return x > 0   ? 1
                                                      : x < 0 ? -1
                                                              : x; }},
      {Unary::floor, 0, 0, 0, 0, [](double x) { return std::floor(x); }},
      {Unary::ceil, 0, 0, 0, 0, [](double x) { return std::ceil(x); }},
      {Unary::round, 0, 0, 0, 0, [](double x) { return std::nearbyint(x); }},
      {Unary::threshold, 0.5f, 0, 0, 0, [](double x) { return x < 0.5 ? 0.5 : x; }},
      {Unary::thresholded_relu, 0.5f, 0, 0, 0, [](double x) { return x < 0.5 ? 0 : x; }},
      {Unary::clamped_relu, 0.25f, 6.0f, 0, tiny, [](double x) { return x < 0   ? 0.25 * x
                                                                        : x > 6 ? 6
                                                                                : x; }},
      {Unary::sigmoid_hard, 0.25f, 0.5f, 1, 1e-7,
       [](double x) { return std::isnan(x) ? x : std::clamp(0.25 * x + 0.5, 0.0, 1.0); }},
      {Unary::softsign, 0, 0, 2, tiny, [](double x) { return std::isinf(x) ? NAN : x / (1 + std::fabs(x)); }},
      {Unary::elu, 0.75f, 0, 4, tiny, [](double x) { return x > 0 ? x : 0.75 * std::expm1(x); }},
      {Unary::scaled_tanh, 1.5f, 0.5f, 5, tiny, [](double x) { return 1.5 * std::tanh(0.5 * x); }},
      {Unary::logical_not, 0, 0, 0, 0, [](double x) { return x == 0 ? 1 : 0; }},
      {Unary::gelu, 0, 0, 6, 2e-7,
       [](double x) { return x == -INFINITY ? NAN : 0.5 * x * std::erfc(-x / std::sqrt(2.0)); }},
      {Unary::erf, 0, 0, 3, tiny, [](double x) { return std::erf(x); }},
      {Unary::log, 1e-3f, 0, 3, 0, [](double x) { return std::log(static_cast<float>(x) + 1e-3f); }},
      {Unary::exp2, 0, 0, 3, tiny, [](double x) { return std::exp2(x); }},
      {Unary::softplus, 0, 0, 4, tiny, [](double x) { return std::log1p(std::exp(-std::fabs(x))) + (x < 0 ? 0 : x); }},
      {Unary::sin, 0, 0, 3, tiny, [](double x) { return std::sin(x); }},
      {Unary::cos, 0, 0, 3, tiny, [](double x) { return std::cos(x); }},
      {Unary::tan, 0, 0, 3, tiny, [](double x) { return std::tan(x); }},
      {Unary::asin, 0, 0, 3, tiny, [](double x) { return std::asin(x); }},
      {Unary::acos, 0, 0, 3, tiny, [](double x) { return std::acos(x); }},
      {Unary::atan, 0, 0, 3, tiny, [](double x) { return std::atan(x); }},
      {Unary::sinh, 0, 0, 3, tiny, [](double x) { return std::sinh(x); }},
      {Unary::cosh, 0, 0, 3, tiny, [](double x) { return std::cosh(x); }},
      {Unary::atanh, 0, 0, 3, tiny, [](double x) { return std::atanh(x); }},
  };
}

void expect_close(float got, double exact, double ulps, double absolute, const std::string& where) {
  if (std::isnan(exact)) {
    ASSERT_TRUE(std::isnan(got)) << where << " gave " << got;
    return;
  }
  const auto nearest = static_cast<float>(exact);  // infinite where the exact value is too large
  if (got == nearest) return;
  const double ulp = std::fabs(static_cast<double>(std::nextafter(nearest, kInfinity)) - nearest);
  ASSERT_FALSE(std::isnan(got)) << where;
  ASSERT_LE(std::fabs(got - exact), ulps * ulp + absolute) << where << " gave " << got << " for " << exact;
}

TEST(Unary, AgainstTheCLibraryOnEveryTarget) {
  runtime::ThreadPool pool(2);
  const std::vector<float> in = hard_inputs();
  for_each_target([&] {
    for (const UnaryCase& c : unary_cases()) {
      std::vector<float> out(in.size());
      unary(c.op, in.data(), out.data(), static_cast<std::int64_t>(in.size()), pool, c.alpha, c.beta);
      for (std::size_t i = 0; i < in.size(); ++i) {
        expect_close(out[i], c.exact(in[i]), c.ulps, c.absolute,
                     "op " + std::to_string(static_cast<int>(c.op)) + " of " + std::to_string(in[i]));
      }
    }
  });
}

TEST(Unary, InPlaceAndEveryLength) {
  runtime::ThreadPool pool(2);
  for_each_target([&] {
    for (std::int64_t n = 0; n < 70; ++n) {
      std::vector<float> x = TestRandom(static_cast<std::uint64_t>(n)).floats(n), y = x;
      unary(Unary::relu, x.data(), x.data(), n, pool);
      for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(x[i], std::max(0.0f, y[i]));
    }
  });
}

double exact_binary(Binary op, double a, double b) {
  switch (op) {
    case Binary::add:
      return a + b;
    case Binary::sub:
      return a - b;
    case Binary::mul:
      return a * b;
    case Binary::real_div:
      return a / b;
    case Binary::maximum:
      return std::isnan(a) || a > b ? a : b;
    case Binary::minimum:
      return std::isnan(a) || a < b ? a : b;
    case Binary::greater:
      return a > b;
    case Binary::greater_equal:
      return a >= b;
    case Binary::less:
      return a < b;
    case Binary::less_equal:
      return a <= b;
    case Binary::equal:
      return a == b;
    case Binary::not_equal:
      return a != b;
    case Binary::logical_and:
      return a != 0 && b != 0;
    case Binary::logical_or:
      return a != 0 || b != 0;
    case Binary::logical_xor:
      return (a != 0) != (b != 0);
    case Binary::pow:
      return std::pow(a, b);
    case Binary::mod:
      return a - b * std::floor(a / b);
    case Binary::floor_div:
      return std::floor(a / b);
  }
  return 0;
}

constexpr Binary kBinaries[] = {Binary::add,         Binary::sub,        Binary::mul,         Binary::real_div,
                                Binary::maximum,     Binary::minimum,    Binary::greater,     Binary::greater_equal,
                                Binary::less,        Binary::less_equal, Binary::equal,       Binary::not_equal,
                                Binary::logical_and, Binary::logical_or, Binary::logical_xor, Binary::pow,
                                Binary::mod,         Binary::floor_div};

using Shape = std::vector<std::int64_t>;

// The element of a tensor of `shape`, broadcast to `full`, at position `flat` of the full tensor: by the definition.
std::size_t broadcast_index(const Shape& shape, const Shape& full, std::int64_t flat) {
  std::int64_t index = 0, step = 1;
  for (std::size_t k = full.size(); k-- > 0; flat /= full[k]) {
    const std::int64_t at = flat % full[k];
    if (k + shape.size() < full.size()) continue;
    const std::int64_t extent = shape[k + shape.size() - full.size()];
    index += (extent == 1 ? 0 : at) * step;
    step *= extent;
  }
  return static_cast<std::size_t>(index);
}

struct BroadcastCase {
  Shape a, b;
};
const std::vector<BroadcastCase>& broadcast_cases() {
  static const std::vector<BroadcastCase> kCases = {{{2, 3, 4, 5}, {2, 3, 4, 5}},
                                                    {{2, 3, 4, 5}, {}},
                                                    {{}, {2, 3, 37}},
                                                    {{2, 3, 4, 5}, {1, 3, 1, 1}},
                                                    {{3, 1, 1}, {2, 3, 5, 7}},
                                                    {{2, 3, 4, 5}, {5}},
                                                    {{2, 3, 4, 5}, {4, 1}},
                                                    {{2, 1, 4, 1}, {1, 3, 1, 5}},
                                                    {{1, 40}, {33, 1}},
                                                    {{1}, {1}},
                                                    {{}, {}},
                                                    {{2, 0, 3}, {1, 1, 3}},
                                                    {{7, 1, 1, 1}, {1, 1, 1, 9}},
                                                    {{1, 1, 100}, {100}},
                                                    {{3, 20000}, {3, 1}},
                                                    {{1, 2, 1, 3, 1}, {2, 1, 5, 1, 4}},
                                                    {{70000}, {70000}}};
  return kCases;
}

TEST(Binary, BroadcastsLikeNumpyOnEveryTarget) {
  runtime::ThreadPool pool(3);
  for_each_target([&] {
    for (const BroadcastCase& c : broadcast_cases()) {
      const Shape full = broadcast_shape(c.a, c.b);
      TestRandom random(8);
      std::vector<float> a = random.floats(elements_in(c.a), -4, 4), b = random.floats(elements_in(c.b), -4, 4);
      for (std::size_t i = 0; i < a.size(); i += 5) a[i] = 0;  // so that equal and the logic see both answers
      for (std::size_t i = 0; i < b.size(); i += 3) b[i] = i % 2 ? 0.0f : 1.0f;
      for (std::size_t i = 7; i < a.size(); i += 97) a[i] = kNaN;
      for (std::size_t i = 9; i < b.size(); i += 101) b[i] = kNaN;
      for (const Binary op : kBinaries) {
        std::vector<float> out(static_cast<std::size_t>(elements_in(full)));
        binary(op, a.data(), c.a, b.data(), c.b, out.data(), pool);
        for (std::size_t i = 0; i < out.size(); ++i) {
          const double x = a[broadcast_index(c.a, full, static_cast<std::int64_t>(i))];
          const double y = b[broadcast_index(c.b, full, static_cast<std::int64_t>(i))];
          expect_close(out[i], static_cast<float>(exact_binary(op, x, y)), 0, 0,
                       "op " + std::to_string(static_cast<int>(op)) + " at " + std::to_string(i));
        }
      }
    }
  });
}

TEST(Binary, InPlace) {
  runtime::ThreadPool pool(2);
  std::vector<float> x = TestRandom(1).floats(6 * 50), bias = TestRandom(2).floats(6), expected = x;
  for (std::size_t i = 0; i < x.size(); ++i) expected[i] += bias[i / 50];
  const Shape shape = {1, 6, 50}, channel = {6, 1};
  binary(Binary::add, x.data(), shape, bias.data(), channel, x.data(), pool);
  EXPECT_EQ(x, expected);
}

TEST(Select, BroadcastsItsThreeOperands) {
  runtime::ThreadPool pool(2);
  const Shape shape = {3, 4, 5};
  for (const Shape& condition : {Shape{}, Shape{4, 1}, Shape{3, 4, 5}}) {
    for (const Shape& a_shape : {Shape{}, Shape{3, 1, 5}}) {
      const Shape b_shape = {3, 4, 5};
      std::vector<float> c(static_cast<std::size_t>(elements_in(condition)));
      for (std::size_t i = 0; i < c.size(); ++i) c[i] = static_cast<float>((i * 7 + 1) % 3);
      const auto a = TestRandom(1).floats(elements_in(a_shape)), b = TestRandom(2).floats(60);
      std::vector<float> out(60);
      select(c.data(), condition, a.data(), a_shape, b.data(), b_shape, out.data(), shape, pool);
      for (std::int64_t i = 0; i < 60; ++i) {
        const bool first = c[broadcast_index(condition, shape, i)] != 0;
        ASSERT_EQ(out[static_cast<std::size_t>(i)],
                  first ? a[broadcast_index(a_shape, shape, i)] : b[static_cast<std::size_t>(i)]);
      }
    }
  }
}

TEST(Channels, AffineAndPreluOnEveryTarget) {
  runtime::ThreadPool pool(2);
  for_each_target([&] {
    for (std::int64_t spatial : {1, 3, 16, 35, 9000}) {
      const std::int64_t batch = 2, channels = 5;
      const auto in = TestRandom(1).floats(batch * channels * spatial);
      const auto scale = TestRandom(2).floats(channels), shift = TestRandom(3).floats(channels);
      std::vector<float> plain(in.size()), rectified(in.size()), leaky = in;
      channel_affine(in.data(), plain.data(), batch, channels, spatial, scale.data(), shift.data(), false, pool);
      channel_affine(in.data(), rectified.data(), batch, channels, spatial, scale.data(), shift.data(), true, pool);
      prelu(leaky.data(), leaky.data(), batch, channels, spatial, scale.data(), pool);
      for (std::size_t i = 0; i < in.size(); ++i) {
        const std::size_t c = i / static_cast<std::size_t>(spatial) % 5;
        ASSERT_NEAR(plain[i], static_cast<double>(in[i]) * scale[c] + shift[c], 1.3e-7);
        ASSERT_EQ(rectified[i], plain[i] < 0 ? 0 : plain[i]);
        ASSERT_EQ(leaky[i], in[i] < 0 ? scale[c] * in[i] : in[i]);
      }
    }
  });
}

}  // namespace
}  // namespace anemone::cpu

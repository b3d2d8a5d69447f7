// Reductions against a plain walk over all elements in double.
#include "anemone/runtime/cpu/reduce.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "anemone/runtime/cpu/kernel_test_util.h"
#include "anemone/runtime/cpu/loop_nest.h"
#include "anemone/support/half.h"

namespace anemone::cpu {

using anemone::round_to_half;  // of one number; of many: this folder

namespace {

using Shape = std::vector<std::int64_t>;

struct Case {
  Shape shape, axes;
};

bool reduced(const Case& c, std::size_t axis) {
  return c.axes.empty() || std::find(c.axes.begin(), c.axes.end(), static_cast<std::int64_t>(axis)) != c.axes.end();
}

// The elements that go into each output, in order.
std::vector<std::vector<double>> groups(const Case& c, const std::vector<float>& in) {
  Shape kept;
  for (std::size_t k = 0; k < c.shape.size(); ++k) kept.push_back(reduced(c, k) ? 1 : c.shape[k]);
  const Strides strides = row_major(kept);
  std::vector<std::vector<double>> out(static_cast<std::size_t>(elements_in(kept)));
  for (std::size_t i = 0; i < in.size(); ++i) {
    std::int64_t rest = static_cast<std::int64_t>(i), to = 0;
    for (std::size_t k = c.shape.size(); k-- > 0; rest /= c.shape[k]) {
      if (!reduced(c, k)) to += rest % c.shape[k] * strides[k];
    }
    out[static_cast<std::size_t>(to)].push_back(in[i]);
  }
  return out;
}

double exact(Reduction op, const std::vector<double>& x) {
  double sum = 0, magnitude = 0, squares = 0, product = 1, exponentials = 0;
  double low = std::numeric_limits<double>::infinity(), top = -low;
  for (const double v : x) {
    sum += v, magnitude += std::fabs(v), squares += v * v, product *= v, exponentials += std::exp(v);
    low = std::min(low, v), top = std::max(top, v);
  }
  switch (op) {
    case Reduction::sum:
      return sum;
    case Reduction::mean:
      return sum / static_cast<double>(x.size());
    case Reduction::max:
      return top;
    case Reduction::min:
      return low;
    case Reduction::prod:
      return product;
    case Reduction::l1_norm:
      return magnitude;
    case Reduction::l2_norm:
      return std::sqrt(squares);
    case Reduction::sum_square:
      return squares;
    case Reduction::log_sum:
      return std::log(sum);
    case Reduction::log_sum_exp:
      return std::log(exponentials);
  }
  return 0;
}

TEST(Reduce, EveryOpOverEverySetOfAxes) {
  runtime::ThreadPool pool(3);
  const Case cases[] = {{{2, 3, 4, 5}, {2, 3}},
                        {{2, 3, 4, 5}, {0, 1}},
                        {{2, 3, 4, 5}, {1}},
                        {{2, 3, 4, 5}, {3}},
                        {{2, 3, 4, 5}, {0, 2}},
                        {{2, 3, 4, 5}, {1, 3}},
                        {{2, 3, 4, 5}, {0, 3}},
                        {{2, 3, 4, 5}, {}},
                        {{1, 7, 1}, {1}},
                        {{1, 7, 1}, {0}},
                        {{1}, {0}},
                        {{300, 500}, {0}},
                        {{300, 500}, {1}},
                        {{98, 64, 64}, {1, 2}},
                        {{3, 1, 4, 1, 5}, {0, 4}}};
  for (const Case& c : cases) {
    const auto in = TestRandom(2).floats(elements_in(c.shape), 0.5f, 1.5f);
    const auto expected = groups(c, in);
    for (const Reduction op :
         {Reduction::sum, Reduction::mean, Reduction::max, Reduction::min, Reduction::prod, Reduction::l1_norm,
          Reduction::l2_norm, Reduction::sum_square, Reduction::log_sum, Reduction::log_sum_exp}) {
      std::vector<float> out(expected.size(), -1.0f);
      reduce(op, in.data(), c.shape, c.axes, out.data(), pool);
      const double loss = op == Reduction::log_sum_exp ? 4e-7 : 6.1e-8;  // one rounding, but for the float exp
      for (std::size_t i = 0; i < out.size(); ++i) {
        const double y = exact(op, expected[i]);
        ASSERT_NEAR(out[i], y, std::fabs(y) * loss + 1e-37)
            << "op " << static_cast<int>(op) << " rank " << c.shape.size();
      }
    }
  }
}

TEST(Reduce, HalfSumsRoundAfterEveryTermInOrder) {
  runtime::ThreadPool pool(3);
  for (const Case& c : {Case{{2, 3, 14, 25}, {2, 3}}, Case{{5, 60, 7}, {1}}, Case{{4, 9, 30}, {0, 2}}}) {
    auto in = TestRandom(5).floats(elements_in(c.shape), 0.5f, 1.5f);
    for (float& x : in) x = round_to_half(x);
    const auto terms = groups(c, in);
    std::vector<float> out(terms.size());
    for (const bool squares : {false, true}) {
      reduce(squares ? Reduction::l2_norm : Reduction::mean, in.data(), c.shape, c.axes, out.data(), pool, true);
      for (std::size_t i = 0; i < out.size(); ++i) {
        float sum = 0;
        for (const double x : terms[i]) sum = round_to_half(static_cast<float>(sum + (squares ? x * x : x)));
        const double whole = squares ? std::sqrt(sum) : sum / static_cast<double>(terms[i].size());
        ASSERT_EQ(out[i], static_cast<float>(whole)) << "output " << i;
      }
    }
  }
}

TEST(Reduce, NegativesAndCancellation) {
  runtime::ThreadPool pool(2);
  const Shape shape = {4, 1000};
  std::vector<float> in = TestRandom(3).floats(4000, -1, 1);
  in[10] = 1e8f, in[20] = -1e8f;  // float sums would lose six digits here
  const Shape axes = {1};
  std::vector<float> out(4);
  reduce(Reduction::sum, in.data(), shape, axes, out.data(), pool);
  const auto expected = groups({shape, axes}, in);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(out[i], exact(Reduction::sum, expected[i]), 1e-5);
}

TEST(Reduce, NaNAndInfinity) {
  runtime::ThreadPool pool(1);
  const Shape axes = {1};
  for (const Shape& shape : {Shape{2, 20}, Shape{2, 3}}) {
    const std::int64_t n = shape[1];
    std::vector<float> in(static_cast<std::size_t>(2 * n), 1.0f), out(2);
    in[1] = std::nanf("");
    for (const Reduction op : {Reduction::max, Reduction::min, Reduction::sum, Reduction::log_sum_exp}) {
      reduce(op, in.data(), shape, axes, out.data(), pool);
      EXPECT_TRUE(std::isnan(out[0]));
      EXPECT_FALSE(std::isnan(out[1]));
    }
    std::fill(in.begin(), in.end(), -INFINITY);
    in.back() = INFINITY;
    reduce(Reduction::log_sum_exp, in.data(), shape, axes, out.data(), pool);
    EXPECT_EQ(out[0], -INFINITY);
    EXPECT_EQ(out[1], INFINITY);
  }
}

}  // namespace
}  // namespace anemone::cpu

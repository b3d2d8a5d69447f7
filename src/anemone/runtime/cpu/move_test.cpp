// Data movement against index arithmetic.
#include "anemone/runtime/cpu/move.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "anemone/runtime/cpu/kernel_test_util.h"
#include "anemone/runtime/cpu/loop_nest.h"

namespace anemone::cpu {
namespace {

using Shape = std::vector<std::int64_t>;

std::vector<float> counting(std::int64_t n) {
  std::vector<float> values(static_cast<std::size_t>(n));
  std::iota(values.begin(), values.end(), 1.0f);
  return values;
}

Shape index_of(std::int64_t flat, const Shape& shape) {
  Shape index(shape.size());
  for (std::size_t k = shape.size(); k-- > 0; flat /= shape[k]) index[k] = flat % shape[k];
  return index;
}

std::size_t flat_of(const Shape& index, const Shape& shape) {
  std::int64_t flat = 0;
  for (std::size_t k = 0; k < shape.size(); ++k) flat = flat * shape[k] + index[k];
  return static_cast<std::size_t>(flat);
}

// The result's extent k is the input's extent perm[k].
void transpose(const std::vector<float>& in, const Shape& shape, const Shape& perm, std::vector<float>& out,
               runtime::ThreadPool& pool) {
  const Strides own = row_major(shape);
  Shape extents, from;
  for (const std::int64_t p : perm) {
    extents.push_back(shape[static_cast<std::size_t>(p)]);
    from.push_back(own[static_cast<std::size_t>(p)]);
  }
  strided_copy(in.data(), from, out.data(), row_major(extents), extents, pool);
}

TEST(Move, EveryTranspose) {
  runtime::ThreadPool pool(2);
  for (const Shape& shape : {Shape{2, 3, 4, 5}, Shape{1, 40, 3, 37}, Shape{33, 50}, Shape{6}, Shape{}, Shape{1, 1},
                             Shape{3, 1, 17, 1, 4}, Shape{2, 0, 3}}) {
    Shape perm(shape.size());
    std::iota(perm.begin(), perm.end(), 0);
    const auto in = counting(elements_in(shape));
    do {
      Shape out_shape;
      for (const std::int64_t p : perm) out_shape.push_back(shape[static_cast<std::size_t>(p)]);
      std::vector<float> out(in.size());
      transpose(in, shape, perm, out, pool);
      for (std::size_t i = 0; i < out.size(); ++i) {
        const Shape to = index_of(static_cast<std::int64_t>(i), out_shape);
        Shape from(shape.size());
        for (std::size_t k = 0; k < perm.size(); ++k) from[static_cast<std::size_t>(perm[k])] = to[k];
        ASSERT_EQ(out[i], in[flat_of(from, shape)]);
      }
    } while (std::next_permutation(perm.begin(), perm.end()));
  }
}

TEST(Move, LargeTransposesInParallel) {
  runtime::ThreadPool pool(3);
  const Shape shape = {3, 200, 301}, perm = {0, 2, 1}, out_shape = {3, 301, 200};
  const auto in = counting(elements_in(shape));
  std::vector<float> out(in.size());
  transpose(in, shape, perm, out, pool);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Shape to = index_of(static_cast<std::int64_t>(i), out_shape);
    ASSERT_EQ(out[i], in[flat_of({to[0], to[2], to[1]}, shape)]);
  }
}

TEST(Move, SlicesWithStridesOfBothSigns) {
  runtime::ThreadPool pool(2);
  const Shape shape = {4, 7, 30};
  const auto in = counting(elements_in(shape));
  struct Case {
    Shape begin, stride, out;
  };
  for (const Case& c : {Case{{1, 2, 3}, {1, 1, 1}, {2, 5, 20}}, Case{{0, 0, 1}, {2, 3, 4}, {2, 3, 8}},
                        Case{{3, 6, 29}, {-1, -2, -3}, {4, 4, 10}}, Case{{0, 1, 0}, {1, 1, 1}, {4, 0, 30}},
                        Case{{2, 0, 0}, {1, 1, 1}, {1, 7, 30}}}) {
    std::vector<float> out(static_cast<std::size_t>(elements_in(c.out)));
    Strides from = row_major(shape);
    std::int64_t first = 0;
    for (std::size_t k = 0; k < 3; ++k) first += c.begin[k] * from[k], from[k] *= c.stride[k];
    strided_copy(in.data() + first, from, out.data(), row_major(c.out), c.out, pool);
    for (std::size_t i = 0; i < out.size(); ++i) {
      Shape at = index_of(static_cast<std::int64_t>(i), c.out);
      for (std::size_t k = 0; k < 3; ++k) at[k] = c.begin[k] + at[k] * c.stride[k];
      ASSERT_EQ(out[i], in[flat_of(at, shape)]);
    }
  }
}

TEST(Move, ConcatAlongEveryAxis) {
  runtime::ThreadPool pool(2);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    Shape first = {2, 3, 5}, second = {2, 3, 5};
    second[axis] = 4;
    Shape shape = first;
    shape[axis] += 4;
    const auto a = counting(elements_in(first)), b = counting(elements_in(second));
    std::vector<float> out(static_cast<std::size_t>(elements_in(shape)));
    const Strides to = row_major(shape);
    strided_copy(a.data(), row_major(first), out.data(), to, first, pool);
    strided_copy(b.data(), row_major(second), out.data() + first[axis] * to[axis], to, second, pool);
    for (std::size_t i = 0; i < out.size(); ++i) {
      Shape at = index_of(static_cast<std::int64_t>(i), shape);
      if (at[axis] < first[axis]) {
        ASSERT_EQ(out[i], a[flat_of(at, first)]);
      } else {
        at[axis] -= first[axis];
        ASSERT_EQ(out[i], b[flat_of(at, second)]);
      }
    }
  }
}

TEST(Move, TilesRepeat) {
  runtime::ThreadPool pool(2);
  const Shape shape = {2, 1, 5}, out_shape = {4, 3, 15};
  const auto in = counting(elements_in(shape));
  std::vector<float> out(static_cast<std::size_t>(elements_in(out_shape)));
  tile(in.data(), shape, out.data(), out_shape, pool);
  for (std::size_t i = 0; i < out.size(); ++i) {
    Shape at = index_of(static_cast<std::int64_t>(i), out_shape);
    for (std::size_t k = 0; k < 3; ++k) at[k] %= shape[k];
    ASSERT_EQ(out[i], in[flat_of(at, shape)]);
  }
}

TEST(Move, PadsInEveryMode) {
  runtime::ThreadPool pool(2);
  for (const auto& [shape, before, after] :
       {std::tuple{Shape{2, 3, 4}, Shape{0, 2, 3}, Shape{1, 1, 2}}, std::tuple{Shape{5}, Shape{4}, Shape{4}},
        std::tuple{Shape{1, 6}, Shape{0, 0}, Shape{0, 5}}}) {
    Shape out_shape = shape;
    for (std::size_t k = 0; k < shape.size(); ++k) out_shape[k] += before[k] + after[k];
    const auto in = counting(elements_in(shape));
    for (const PadMode mode : {PadMode::constant, PadMode::reflect, PadMode::replicate}) {
      std::vector<float> out(static_cast<std::size_t>(elements_in(out_shape)), -5.0f);
      pad(in.data(), shape, before, mode, -9.0f, out.data(), out_shape, pool);
      for (std::size_t i = 0; i < out.size(); ++i) {
        Shape at = index_of(static_cast<std::int64_t>(i), out_shape);
        bool inside = true;
        for (std::size_t k = 0; k < shape.size(); ++k) {
          at[k] -= before[k];
          inside = inside && at[k] >= 0 && at[k] < shape[k];
          if (mode == PadMode::reflect && at[k] < 0) at[k] = -at[k];
          if (mode == PadMode::reflect && at[k] >= shape[k]) at[k] = 2 * shape[k] - 2 - at[k];
          at[k] = std::clamp<std::int64_t>(at[k], 0, shape[k] - 1);
        }
        const float expected = mode == PadMode::constant && !inside ? -9.0f : in[flat_of(at, shape)];
        ASSERT_EQ(out[i], expected) << static_cast<int>(mode) << " at " << i;
      }
    }
  }
}

}  // namespace
}  // namespace anemone::cpu

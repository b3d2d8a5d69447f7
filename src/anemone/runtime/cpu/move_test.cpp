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

template <class T>
std::vector<T> counting(std::int64_t n) {
  std::vector<T> values(static_cast<std::size_t>(n));
  std::uint32_t next = 0;
  for (T& value : values) value = static_cast<T>(next = next * 5 + 1);
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

template <class T>
void check_transposes() {
  runtime::ThreadPool pool(2);
  for (const Shape& shape : {Shape{2, 3, 4, 5}, Shape{1, 40, 3, 37}, Shape{33, 50}, Shape{6}, Shape{}, Shape{1, 1},
                             Shape{3, 1, 17, 1, 4}, Shape{2, 0, 3}}) {
    Shape perm(shape.size());
    std::iota(perm.begin(), perm.end(), 0);
    const auto in = counting<T>(elements_in(shape));
    do {
      Shape out_shape;
      for (const std::int64_t p : perm) out_shape.push_back(shape[static_cast<std::size_t>(p)]);
      std::vector<T> out(in.size());
      transpose(in.data(), shape, perm, out.data(), pool);
      for (std::size_t i = 0; i < out.size(); ++i) {
        const Shape to = index_of(static_cast<std::int64_t>(i), out_shape);
        Shape from(shape.size());
        for (std::size_t k = 0; k < perm.size(); ++k) from[static_cast<std::size_t>(perm[k])] = to[k];
        ASSERT_EQ(out[i], in[flat_of(from, shape)]);
      }
    } while (std::next_permutation(perm.begin(), perm.end()));
  }
}

TEST(Move, EveryTransposeOfEveryType) {
  check_transposes<float>();
  check_transposes<std::int32_t>();
  check_transposes<std::uint16_t>();
  check_transposes<std::uint8_t>();
}

TEST(Move, LargeTransposesInParallel) {
  runtime::ThreadPool pool(3);
  const Shape shape = {3, 200, 301}, perm = {0, 2, 1}, out_shape = {3, 301, 200};
  const auto in = counting<float>(elements_in(shape));
  std::vector<float> out(in.size());
  transpose(in.data(), shape, perm, out.data(), pool);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Shape to = index_of(static_cast<std::int64_t>(i), out_shape);
    ASSERT_EQ(out[i], in[flat_of({to[0], to[2], to[1]}, shape)]);
  }
}

TEST(Move, SlicesWithStridesOfBothSigns) {
  runtime::ThreadPool pool(2);
  const Shape shape = {4, 7, 30};
  const auto in = counting<float>(elements_in(shape));
  struct Case {
    Shape begin, stride, out;
  };
  for (const Case& c : {Case{{1, 2, 3}, {1, 1, 1}, {2, 5, 20}}, Case{{0, 0, 1}, {2, 3, 4}, {2, 3, 8}},
                        Case{{3, 6, 29}, {-1, -2, -3}, {4, 4, 10}}, Case{{0, 1, 0}, {1, 1, 1}, {4, 0, 30}},
                        Case{{2, 0, 0}, {1, 1, 1}, {1, 7, 30}}}) {
    std::vector<float> out(static_cast<std::size_t>(elements_in(c.out)));
    slice(in.data(), shape, c.begin, c.stride, out.data(), c.out, pool);
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
    const auto a = counting<std::int32_t>(elements_in(first)), b = counting<std::int32_t>(elements_in(second));
    std::vector<std::int32_t> out(static_cast<std::size_t>(elements_in(shape)));
    concat_part(a.data(), first, static_cast<std::int64_t>(axis), 0, out.data(), shape, pool);
    concat_part(b.data(), second, static_cast<std::int64_t>(axis), first[axis], out.data(), shape, pool);
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
  const auto in = counting<float>(elements_in(shape));
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
    const auto in = counting<float>(elements_in(shape));
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

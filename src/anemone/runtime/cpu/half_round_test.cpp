// Vectorised half rounding against the definition in support/half.h, bit for bit, on every instruction set.
#include "anemone/runtime/cpu/half_round.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>

#include "anemone/runtime/cpu/kernel_test_util.h"
#include "anemone/support/half.h"

namespace anemone::cpu {

// Of one number: support/half.h; of many: this folder.
using anemone::float_from_half;
using anemone::half_from_float;
using anemone::round_to_half;

namespace {

// A prime number of floats apart; ANEMONE_EXHAUSTIVE=1 takes all 2^32 (some minutes).
std::uint64_t step() {
  const char* wanted = std::getenv("ANEMONE_EXHAUSTIVE");
  return wanted && *wanted == '1' ? 1 : 1021;
}

// In bulk first: one assertion per float would take an hour for all of them.
void expect_definition(const std::vector<float>& in, runtime::ThreadPool& pool) {
  std::vector<float> out(in.size()), expected(in.size());
  std::vector<std::uint16_t> halves(in.size()), expected_halves(in.size());
  round_to_half(in.data(), out.data(), in.size(), pool);
  half_from_float(in.data(), halves.data(), in.size(), pool);
  half_from_float(std::span(in), expected_halves.data());
  float_from_half(std::span<const std::uint16_t>(expected_halves), expected.data());
  if (halves == expected_halves && same_bits(out, expected)) return;
  for (std::size_t i = 0; i < in.size(); ++i) {
    ASSERT_EQ(halves[i], half_from_float(in[i])) << std::hex << std::bit_cast<std::uint32_t>(in[i]);
    ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(round_to_half(in[i])))
        << std::hex << std::bit_cast<std::uint32_t>(in[i]);
  }
}

TEST(HalfRound, FloatsOfAllExponents) {
  runtime::ThreadPool pool(2);
  const std::uint64_t stride = step();
  std::vector<float> in;
  for (std::uint64_t first = 0; first < (std::uint64_t{1} << 32);) {
    in.clear();
    for (; in.size() < (1 << 18) + 3 && first < (std::uint64_t{1} << 32); first += stride) {
      in.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(first)));
    }
    for_each_target([&] { expect_definition(in, pool); });
    if (HasFailure()) return;
  }
}

// The steps above miss most neighbours of a rounding boundary: take them all.
TEST(HalfRound, EveryBoundaryAndItsNeighbours) {
  runtime::ThreadPool pool(2);
  std::vector<float> in;
  for (std::uint32_t top = 0; top < (1u << 20); ++top) {
    const std::uint32_t middle = top << 12;  // sign, exponent, the half's mantissa and its first bit beyond
    for (const std::uint32_t bits : {middle - 1, middle, middle + 1}) in.push_back(std::bit_cast<float>(bits));
  }
  for_each_target([&] { expect_definition(in, pool); });
}

TEST(HalfRound, EveryHalfWidens) {
  runtime::ThreadPool pool(2);
  std::vector<std::uint16_t> in(65536);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::uint16_t>(i);
  for_each_target([&] {
    for (const std::size_t n : {std::size_t{65536}, std::size_t{64999}}) {
      std::vector<float> out(n);
      float_from_half(in.data(), out.data(), n, pool);
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(float_from_half(in[i]))) << i;
      }
    }
  });
}

}  // namespace
}  // namespace anemone::cpu

#pragma once
// What the kernel tests share: seeded inputs, and running a check on every instruction set of the machine.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "anemone/runtime/cpu/targets.h"

namespace anemone::cpu {

/// A small generator whose numbers are the same everywhere (the standard distributions' are not).
class TestRandom {
 public:
  explicit TestRandom(std::uint64_t seed) : state_(seed * 2654435769u + 1) {}
  std::uint32_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state_ >> 32);
  }
  /// In [low, high), never on a coarse grid.
  float uniform(float low, float high) { return low + (high - low) * (static_cast<float>(next() >> 8) / 16777216.0f); }
  std::vector<float> floats(std::int64_t n, float low = -1, float high = 1) {
    std::vector<float> values(static_cast<std::size_t>(n));
    for (float& value : values) value = uniform(low, high);
    return values;
  }

 private:
  std::uint64_t state_;
};

/// Runs `check` once per target that is built in and supported, with that target chosen.
template <class Check>
void for_each_target(Check check) {
  const std::vector<CpuTarget> targets = available_targets();
  ASSERT_FALSE(targets.empty());
  for (const CpuTarget& target : targets) {
    SCOPED_TRACE(target.name);
    use_target(target.id);
    ASSERT_EQ(chosen_target().name, target.name);
    check();
    if (::testing::Test::HasFatalFailure()) break;
  }
  use_target(0);
}

/// Bit for bit, so that -0 and NaN count.
inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

}  // namespace anemone::cpu

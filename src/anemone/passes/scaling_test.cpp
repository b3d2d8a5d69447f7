// Passes take time in proportion to the graph: sixteen times the work, at most eighteen times the time.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

#include "anemone/ir/builder.h"
#include "anemone/ops/ops.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

// `count` operations with a constant each. Of the constants, `kinds` are different.
std::unique_ptr<Program> chain(int count, int kinds) {
  auto program = std::make_unique<Program>(ops::table());
  Function& main = program->add_function("main", Target::ios17);
  Value* y = main.body.add_input("x", Type::tensor(DType::fp32, {4}));
  for (int i = 0; i < count; ++i) {
    Builder builder(main.body);  // one each, so that equal constants are not shared at birth
    y = builder.add("add", {{"x", y}, {"y", make_scalar(DType::fp32, i % kinds)}});
    EXPECT_TRUE(builder.finish());
  }
  main.body.set_outputs({y});
  return program;
}

// Seconds of processor time: other programs on the machine do not count.
double seconds(std::string_view pass, int count, int kinds, bool dead) {
  const auto program = chain(count, kinds);
  if (dead) program->main().body.set_outputs({program->main().body.inputs[0].get()});
  const std::clock_t start = std::clock();
  const auto reports = run_passes(*program, {.passes = {pass}});
  const std::clock_t end = std::clock();
  EXPECT_TRUE(reports && reports->front().changed);
  return static_cast<double>(end - start) / CLOCKS_PER_SEC;
}

// The least of several runs of each size: what disturbs a measurement only ever adds to it. A quadratic pass is at 256;
// 16 is linear, and caches that others fill have made it 31. The bench of passes holds the figure itself to 18.
constexpr double kClearlyNotQuadratic = 64;

double growth(std::string_view pass, int kinds, bool dead) {
  constexpr int kSmall = 1000, kRuns = 3, kTries = 3;
  double best = 1e9;
  for (int attempt = 0; attempt < kTries && best > kClearlyNotQuadratic; ++attempt) {
    double small = 1e9, large = 1e9;
    for (int run = 0; run < kRuns; ++run) {
      small = std::min(small, seconds(pass, kSmall, kinds, dead));
      large = std::min(large, seconds(pass, 16 * kSmall, kinds, dead));
    }
    best = std::min(best, large / std::max(small, 1e-6));
  }
  return best;
}

TEST(Scaling, ManyConstantsOfOneContent) { EXPECT_LE(growth("const_deduplication", 1, false), kClearlyNotQuadratic); }
TEST(Scaling, ManyDifferentConstants) { EXPECT_LE(growth("const_deduplication", 100, false), kClearlyNotQuadratic); }
TEST(Scaling, ManyDeadOperationsAndConstants) {
  EXPECT_LE(growth("dead_code_elimination", 1000, true), kClearlyNotQuadratic);
}

}  // namespace
}  // namespace anemone::passes

// Gates in arithmetic, for every finite half there is, and for floats around the number that decides.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "anemone/ir/text/parse.h"
#include "anemone/ops/execute.h"
#include "anemone/ops/ops.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

std::vector<double> finite_halves() {
  std::vector<std::byte> bits;
  for (unsigned i = 0; i < (1U << 16); ++i) {
    bits.push_back(static_cast<std::byte>(i & 0xff));
    bits.push_back(static_cast<std::byte>(i >> 8));
  }
  std::vector<double> all =
      to_doubles(*make_constant(Type::tensor(DType::fp16, {1 << 16}), Bytes::owned(std::move(bits))));
  std::erase_if(all, [](double v) { return !std::isfinite(v); });
  return all;
}

std::vector<double> floats_around(double c) {
  using Limits = std::numeric_limits<float>;
  const auto middle = static_cast<float>(c);
  std::vector<double> all{0, -middle, 1, -1, Limits::max(), Limits::lowest(), Limits::denorm_min()};
  float above = middle, below = middle;
  for (int i = 0; i < 100; ++i) {
    all.insert(all.end(), {above, below});
    above = std::nextafter(above, std::numeric_limits<float>::infinity());
    below = std::nextafter(below, -std::numeric_limits<float>::infinity());
  }
  return all;
}

bool compare(std::string_view op, double x, double y) {
  return op == "greater" ? x > y : op == "less" ? x < y : op == "greater_equal" ? x >= y : x <= y;
}

// Runs `numbers` through a gate that was written in arithmetic, which must take the branches that comparing takes.
void check_gate(std::string_view dtype, std::string_view op, double c, bool number_first,
                const std::vector<double>& numbers) {
  const std::string literal = fmt::format("{}({})", dtype, c), x = number_first ? literal : "x",
                    y = number_first ? "x" : literal;
  const std::string text = fmt::format(
      "func main<ios17>(tensor<{0}, [{1}]> x) {{ m = {2}(x = {3}, y = {4}); y = select(cond = m, a = x, b = {0}(3)); }} -> (y);",
      dtype, numbers.size(), op, x, y);
  auto program = parse(text, ops::table());
  ASSERT_TRUE(program) << text << render(program.error());
  const auto reports = run_passes(**program, {.passes = {"write_gates_in_arithmetic", "dead_code_elimination"}});
  ASSERT_TRUE(reports) << render(reports.error());
  ASSERT_TRUE((*reports)[0].changed) << text << (*reports)[0].remarks.at(0);
  for (const Node& node : (*program)->main().body.nodes)
    EXPECT_NE(node.output()->type.dtype, DType::boolean) << node.type;
  const DType type = *dtype_from(dtype);
  const std::vector<Array> inputs{{type, {static_cast<std::int64_t>(numbers.size())}, numbers}};
  const auto results = ops::evaluate((*program)->main(), inputs);
  ASSERT_TRUE(results) << render(results.error());
  const double number = scalar(*make_scalar(type, c));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const bool taken = number_first ? compare(op, number, numbers[i]) : compare(op, numbers[i], number);
    ASSERT_EQ((*results)[0].data[i], taken ? numbers[i] : 3) << text << " at " << numbers[i];
  }
}

constexpr const char* kComparisons[] = {"greater", "less", "greater_equal", "less_equal"};

TEST(GatesInArithmetic, AreEqualForEveryHalf) {
  const std::vector<double> halves = finite_halves();
  EXPECT_EQ(halves.size(), 63488u);
  for (const double c : {0.05, 0.5, 1.0, -1.0, 0.00013, -0.3, 1000.0, -4096.0, 65472.0}) {
    for (const char* op : kComparisons) {
      check_gate("fp16", op, c, false, halves);
      check_gate("fp16", op, c, true, halves);
    }
  }
}

TEST(GatesInArithmetic, AreEqualForFloatsAroundTheNumber) {
  for (const double c : {0.05, 1.0, -2.0, 1e-30, 3e38, -1e-37}) {
    for (const char* op : kComparisons) {
      check_gate("fp32", op, c, false, floats_around(c));
      check_gate("fp32", op, c, true, floats_around(c));
    }
  }
}

}  // namespace
}  // namespace anemone::passes

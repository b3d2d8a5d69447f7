// Every row of the kernel table against the meaning of its operation: both float types, one and three threads.
#include "anemone/runtime/kernel_table.h"

#include <iterator>
#include <set>
#include <sstream>

#include "anemone/runtime/kernel_cases.h"

namespace anemone::runtime {
namespace {

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  add_conv_cases(cases);
  add_matrix_cases(cases);
  add_norm_cases(cases);
  add_unary_cases(cases);
  add_elementwise_cases(cases);
  add_pool_cases(cases);
  add_resize_cases(cases);
  add_reduce_cases(cases);
  add_shape_cases(cases);
  add_move_cases(cases);
  add_space_cases(cases);
  add_attention_cases(cases);
  add_recurrent_cases(cases);
  return cases;
}

TEST(KernelTable, RowsNameOperationsOnce) {
  std::set<std::string_view> seen;
  for (const KernelRow& row : kernel_rows()) {
    EXPECT_NE(ops::table().find(row.type), nullptr) << row.type;
    EXPECT_TRUE(seen.insert(row.type).second) << row.type << " is listed twice";
  }
}

/// Parameters of an operation, whatever its form, that come at run time and hold no floats or bools.
std::set<std::string> whole_numbers(const OpDef& def) {
  std::set<std::string> names;
  for (const Form& form : def.forms) {
    for (const Param& param : form.params) {
      const bool floats = (param.types & (kFloats | kBool)) != 0;
      if (!param.constant && param.role == Role::data && !floats) names.emplace(param.name);
    }
  }
  return names;
}

TEST(KernelTable, NoOperandIsOverlooked) {
  // An operand that kernels cannot take at run time is named in the row; or the operation would silently be slow.
  for (const KernelRow& row : kernel_rows()) {
    std::istringstream said{std::string(row.constants)};
    const std::set<std::string> declared{std::istream_iterator<std::string>(said), {}};
    for (const std::string& param : whole_numbers(*ops::table().find(row.type))) {
      EXPECT_TRUE(declared.contains(param)) << row.type << " takes '" << param << "' at run time";
    }
  }
}

TEST(KernelTable, EveryRowHasACase) {
  std::set<std::string> covered;
  for (const Case& c : all_cases()) {
    if (!c.by_reference) covered.insert(c.op);
  }
  for (const KernelRow& row : kernel_rows()) EXPECT_TRUE(covered.contains(std::string(row.type))) << row.type;
}

void compare(const Case& c, DType dtype, unsigned seed, ThreadPool& one, ThreadPool& three) {
  TestGraph g(dtype, seed, c.opset);
  ASSERT_TRUE(g.finish(c.build(g)));
  const auto want = ops::evaluate(g.function(), g.inputs());
  ASSERT_TRUE(want) << render(want.error());
  auto engine = Engine::compile(g.function(), three);
  ASSERT_TRUE(engine) << render(engine.error());
  EXPECT_EQ(engine->fallbacks().empty(), !c.by_reference);
  const auto got = engine->run(g.inputs());
  ASSERT_TRUE(got) << render(got.error());
  ASSERT_EQ(got->size(), want->size());
  for (std::size_t i = 0; i < want->size(); ++i) {
    const std::string which = fmt::format("output {}", i);
    // Sums whose terms cancel are as exact as their largest terms: convolutions, some by fast algorithms; attention,
    // whose results are means of values, off by 2^-24 (3 + sqrt(keys) + 2 |score|) of the largest value, 3e-6 here.
    const bool cancels = c.op.starts_with("conv") || c.op == "scaled_dot_product_attention";
    if (cancels && dtype == DType::fp32) {
      expect_within((*got)[i], (*want)[i], 5e-6, which);
    } else {
      expect_close((*got)[i], (*want)[i], which);
    }
  }
  // Again, and with another number of threads: the same bits.
  const auto again = engine->run(g.inputs());
  const auto alone = run_fast(g.function(), g.inputs(), one);
  ASSERT_TRUE(again);
  ASSERT_TRUE(alone);
  for (std::size_t i = 0; i < want->size(); ++i) {
    EXPECT_EQ((*again)[i].data, (*got)[i].data);
    EXPECT_EQ((*alone)[i].data, (*got)[i].data);
  }
}

TEST(Kernels, AgreeWithReferenceExecution) {
  ThreadPool one(1), three(3);
  unsigned seed = 1;
  for (const Case& c : all_cases()) {
    for (DType dtype : {DType::fp32, DType::fp16}) {
      SCOPED_TRACE(fmt::format("{} {} {}", c.op, c.form, name(dtype)));
      compare(c, dtype, seed++, one, three);
    }
  }
}

}  // namespace
}  // namespace anemone::runtime

// Where values are rounded: what the types say, and the options that say otherwise.
#include "anemone/runtime/engine_test_networks.h"

#include "anemone/ir/declared_test_util.h"

namespace anemone::runtime {
namespace {

TEST(EnginePrecision, HalvesAreRoundedWhereTheTypesSay) {
  ThreadPool pool(3);
  TestGraph g(DType::fp16);
  build_network(g);
  const auto want = ops::evaluate(g.function(), g.inputs());
  ASSERT_TRUE(want);
  const auto got = run(g, g.function(), pool), unfused = run(g, g.function(), pool, {.fuse = false});
  ASSERT_EQ(got.size(), want->size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    expect_within(got[i], (*want)[i], 2e-3, fmt::format("output {}", i));
    EXPECT_EQ(got[i].data, unfused[i].data) << "fusion moved a rounding";
    for (double x : got[i].data) ASSERT_EQ(x, round_to_half(static_cast<float>(x)));
  }
}

TEST(EnginePrecision, PrecisionOverridesTheTypes) {
  ThreadPool pool(2);
  TestGraph half(DType::fp16, 5), single(DType::fp32, 5);
  build_network(half);
  build_network(single);
  const auto exact = ops::evaluate(single.function(), single.inputs());
  const auto halved = run(half, half.function(), pool);
  const auto wide = run(half, half.function(), pool, {.precision = Precision::fp32});
  const auto narrow = run(single, single.function(), pool, {.precision = Precision::fp16});
  ASSERT_EQ(wide.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    // The same halves as weights, nothing rounded after them: near the exact numbers, and not halves.
    expect_within(wide[i], (*exact)[i], 5e-3, "fp32");
    EXPECT_NE(wide[i].data, halved[i].data);
    // fp32 rounded everywhere is what fp16 says itself; only epsilon and slope keep their own precision.
    expect_within(narrow[i], halved[i], 2e-3, "fp16");
    for (double x : narrow[i].data) ASSERT_EQ(x, round_to_half(static_cast<float>(x)));
  }
}

TEST(EnginePrecision, Fp32NeverRoundsInReferenceExecutionEither) {
  ThreadPool pool(1);
  TestGraph g(DType::fp16);
  Value* x = g.input({2, 5}, 0.1, 1);
  ASSERT_TRUE(g.finish({g.add("cumsum", {{"x", g.add("square", {{"x", x}})}, {"axis", 1}})}));
  const auto got = run(g, g.function(), pool, {.precision = Precision::fp32});
  ASSERT_EQ(got.size(), 1u);
  double sum = 0;
  for (std::size_t i = 0; i < 5; ++i) sum += g.inputs()[0].data[i] * g.inputs()[0].data[i];
  EXPECT_NEAR(got[0].data[4], sum, 1e-6);
  EXPECT_NE(got[0].data[4], round_to_half(static_cast<float>(sum)));
}

TEST(EnginePrecision, DeclaredFloatsWinOverTheTypeRule) {
  // As in packages by others: a wider operand under a result that is declared as half, and the other way round.
  ThreadPool pool(1);
  for (const char* op : {"relu", "identity", "sigmoid", "concat", "maximum"}) {
    for (DType declared : {DType::fp16, DType::fp32}) {
      SCOPED_TRACE(fmt::format("{} {}", op, name(declared)));
      TestGraph g(declared == DType::fp16 ? DType::fp32 : DType::fp16);
      Value *x = g.input({3, 5}), *y = g.input({3, 5});
      std::vector<Operand> operands{{"x", {x}}};
      if (std::string_view(op) == "maximum") operands.push_back({"y", {y}});
      if (std::string_view(op) == "concat") {
        operands = {{"values", {x}}, {"axis", {g.builder().constant(make_scalar(DType::int32, 0))}}};
      }
      Node& node =
          test::insert_declared(g.function().body, op, std::move(operands), {{"out", Type::tensor(declared, {3, 5})}});
      ASSERT_TRUE(g.finish({node.output(), relu(g, node.output())}));
      const auto want = ops::evaluate(g.function(), g.inputs());
      ASSERT_TRUE(want) << render(want.error());
      const auto got = run(g, g.function(), pool);
      ASSERT_EQ(got.size(), 2u);
      for (std::size_t i = 0; i < 2; ++i) expect_close(got[i], (*want)[i], fmt::format("output {}", i));
      EXPECT_TRUE(Engine::compile(g.function(), pool)->fallbacks().empty());
    }
  }
}

TEST(EnginePrecision, HalfSumsAreRoundedAfterEveryTerm) {
  // 1 + 1 + … in half precision stops at 2048: the next half is 2050. What is fp32 sums in fp32 in any case.
  ThreadPool pool(2);
  const std::int64_t terms = 3000;
  const std::vector<double> ones(static_cast<std::size_t>(terms), 1.0);
  for (DType dtype : {DType::fp16, DType::fp32}) {
    TestGraph g(dtype);
    Value* x = g.input_of({dtype, {1, terms}, ones});
    const auto weights = [&](Dims dims) {
      return make_constant(dtype, std::move(dims), std::span<const double>(ones));
    };
    Value* pixels = g.add("reshape", {{"x", x}, {"shape", {1, terms, 1, 1}}});
    Value* y = g.input_of({dtype, {terms, 1}, ones});
    const auto reduced = [&](const char* op, std::int64_t axis) {
      return g.add(op, {{"x", axis == 0 ? y : x}, {"axes", {axis}}, {"keep_dims", true}});
    };
    const std::vector<Value*> products{g.add("conv", {{"x", pixels}, {"weight", weights({1, terms, 1, 1})}}),
                                       g.add("conv_transpose", {{"x", pixels}, {"weight", weights({terms, 1, 1, 1})}}),
                                       g.add("linear", {{"x", x}, {"weight", weights({1, terms})}}),
                                       g.add("matmul", {{"x", x}, {"y", y}})};
    std::vector<Value*> all = products;
    for (const char* op : {"reduce_sum", "reduce_sum_square", "reduce_l1_norm"}) {
      for (std::int64_t axis : {0, 1}) all.push_back(reduced(op, axis));
    }
    ASSERT_TRUE(g.finish(all));
    for (HalfSums half_sums : {HalfSums::none, HalfSums::reductions, HalfSums::all}) {
      const auto got = run(g, g.function(), pool, {.half_sums = half_sums});
      ASSERT_EQ(got.size(), all.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        const bool halved = half_sums == HalfSums::all || (half_sums == HalfSums::reductions && i >= products.size());
        EXPECT_EQ(got[i].data[0], halved && dtype == DType::fp16 ? 2048 : 3000) << "output " << i;
      }
    }
  }
}

TEST(EnginePrecision, HalfSumsComputeTheSameNetwork) {
  ThreadPool pool(2), one(1);
  TestGraph g(DType::fp16);
  build_network(g);
  const auto want = run(g, g.function(), pool), got = run(g, g.function(), pool, {.half_sums = HalfSums::all});
  const auto alone = run(g, g.function(), one, {.half_sums = HalfSums::all});
  for (std::size_t i = 0; i < got.size(); ++i) {
    expect_within(got[i], want[i], 2e-2, fmt::format("output {}", i));
    EXPECT_NE(got[i].data, want[i].data);
    EXPECT_EQ(got[i].data, alone[i].data);
  }
}

}  // namespace
}  // namespace anemone::runtime

// Whole graphs: fusion, reuse of memory, and what the engine keeps.
#include "anemone/runtime/engine_test_networks.h"

#include "anemone/ir/declared_test_util.h"

namespace anemone::runtime {
namespace {

TEST(Engine, SmallNetworkMatchesReference) {
  ThreadPool pool(2);
  TestGraph g(DType::fp32);
  build_network(g);
  const auto want = ops::evaluate(g.function(), g.inputs());
  ASSERT_TRUE(want);
  for (bool fuse : {true, false}) {
    const auto got = run(g, g.function(), pool, {.fuse = fuse});
    ASSERT_EQ(got.size(), want->size());
    for (std::size_t i = 0; i < got.size(); ++i) expect_within(got[i], (*want)[i], 1e-5, fmt::format("output {}", i));
  }
}

TEST(Engine, FusesWhatTheKernelsCanDo) {
  ThreadPool pool(1);
  TestGraph g(DType::fp32);
  ASSERT_TRUE(g.finish({residual(g, relu(g, batch_norm(g, conv(g, g.input({1, 3, 8, 8}), 12, 3))))}));
  EXPECT_EQ(step_types(g.function(), pool),
            (std::vector<std::string>{"conv+batch_norm+relu", "batch_norm+relu+conv+batch_norm+relu", "conv+add"}));
  // Where values are rounded between operations, only what does not change their place.
  EXPECT_EQ(
      step_types(g.function(), pool, {.precision = Precision::fp16}),
      (std::vector<std::string>{"conv", "batch_norm+relu", "batch_norm+relu", "conv", "batch_norm+relu", "conv+add"}));
}

TEST(Engine, KeepsValuesThatAreAskedFor) {
  // The same chain, but an intermediate value is an output: no fusion over it.
  ThreadPool pool(1);
  TestGraph g(DType::fp32);
  Value* x = g.input({1, 3, 8, 8});
  Value* a = conv(g, x, 4, 3);
  Value* b = batch_norm(g, a);
  Value* c = relu(g, b);
  Value* d = sum(g, c, c);
  ASSERT_TRUE(g.finish({x, a, b, c, d, b}));
  const auto want = ops::evaluate(g.function(), g.inputs());
  const auto got = run(g, g.function(), pool);
  ASSERT_EQ(got.size(), 6u);
  for (std::size_t i = 0; i < got.size(); ++i) expect_close(got[i], (*want)[i], fmt::format("output {}", i));
}

/// Random graphs of operations that reuse, view and overwrite memory.
void build_random(TestGraph& g, unsigned seed, int length) {
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  std::vector<Value*> values{g.input({1, 4, 5, 6}), g.input({1, 4, 5, 6})};
  for (int i = 0; i < length; ++i) {
    Value* x = values[below(values.size())];
    // Mostly recent values, so that the old ones die.
    Value* y = values[values.size() - 1 - below(std::min<std::size_t>(3, values.size()))];
    switch (below(13)) {
      case 0:
        values.push_back(relu(g, y));
        break;
      case 1:
        values.push_back(g.add("tanh", {{"x", y}}));
        break;
      case 2:
        values.push_back(sum(g, x, y));
        break;
      case 3:
        values.push_back(g.add("maximum", {{"x", y}, {"y", x}}));
        break;
      case 4:
        values.push_back(conv(g, y, 4, 3));
        break;
      case 5:
        values.push_back(conv(g, y, 4, 1));
        break;
      case 6:
        values.push_back(batch_norm(g, y));
        break;
      case 7:
        values.push_back(conv(g, relu(g, batch_norm(g, y)), 4, 1));
        break;
      case 8: {  // views, joined in another order
        Node* parts = g.add_node("split", {{"x", y}, {"split_sizes", {1, 3}}, {"axis", 1}});
        if (parts) {
          Value* a = relu(g, parts->output(0));
          values.push_back(g.add("concat", {{"values", std::vector<Value*>{parts->output(1), a}}, {"axis", 1}}));
        }
        break;
      }
      case 9: {  // another name for it, changed
        Value* flat = g.add("reshape", {{"x", y}, {"shape", {4, 30}}});
        Value* less = g.add("mul", {{"x", flat}, {"y", g.scalar(0.5)}});
        values.push_back(g.add("reshape", {{"x", less}, {"shape", {1, 4, 5, 6}}}));
        break;
      }
      case 10: {  // a view that broadcasts over what it is a view of
        Value* one = g.add("slice_by_size", {{"x", y}, {"begin", {0, 1, 0, 0}}, {"size", {1, 1, 5, 6}}});
        values.push_back(g.add("sub", {{"x", y}, {"y", one}}));
        break;
      }
      case 11:
        values.push_back(sum(g, conv(g, y, 4, 1, false), x));
        break;
      default: {
        Value* turned = g.add("transpose", {{"x", y}, {"perm", {0, 1, 3, 2}}});
        values.push_back(g.add("transpose", {{"x", g.add("square", {{"x", turned}})}, {"perm", {0, 1, 3, 2}}}));
        values.push_back(g.add("sigmoid", {{"x", values.back()}}));
      }
    }
  }
  std::vector<Value*> outputs{values.back(), values[below(values.size())], values[below(values.size())]};
  ASSERT_TRUE(g.finish(outputs));
}

TEST(Engine, RandomGraphsMatchReferenceAndFusionKeepsHalves) {
  ThreadPool one(1), two(2);
  for (unsigned seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    TestGraph g(DType::fp32, seed), half(DType::fp16, seed);
    build_random(g, seed, 4 + static_cast<int>(seed % 24));
    build_random(half, seed, 4 + static_cast<int>(seed % 24));
    const auto want = ops::evaluate(g.function(), g.inputs());
    ASSERT_TRUE(want) << render(want.error());
    const auto got = run(g, g.function(), two);
    const auto fused = run(half, half.function(), two), unfused = run(half, half.function(), one, {.fuse = false});
    ASSERT_EQ(got.size(), want->size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      expect_close(got[i], (*want)[i], fmt::format("output {}", i), 1e-3);
      ASSERT_EQ(fused[i].data, unfused[i].data) << "output " << i;
    }
  }
}

TEST(Engine, NeedsNothingOfTheProgramAfterCompile) {
  ThreadPool pool(1);
  auto g = std::make_unique<TestGraph>(DType::fp32);
  Value* x = g->add("add", {{"x", g->input({3, 4})}, {"y", g->constant({3, 4})}});
  ASSERT_TRUE(g->finish({g->add("cumsum", {{"x", x}, {"axis", 1}})}));
  const auto want = ops::evaluate(g->function(), g->inputs());
  const auto inputs = g->inputs();
  auto engine = Engine::compile(g->function(), pool);
  ASSERT_TRUE(engine);
  g.reset();
  const auto got = engine->run(inputs);
  ASSERT_TRUE(got);
  expect_close((*got)[0], (*want)[0], "after the program is gone");
  ASSERT_EQ(engine->fallbacks().size(), 1u);
  EXPECT_EQ(engine->fallbacks()[0].type, "cumsum");
}

TEST(Engine, ConstantsAreHeldOnceAndPackedOnesNotAtAll) {
  ThreadPool pool(1);
  TestGraph g(DType::fp32);
  Value* x = conv(g, g.input({1, 64, 4, 4}), 64, 3);
  ASSERT_TRUE(g.finish({g.add("mul", {{"x", x}, {"y", g.constant({1, 64, 4, 4})}})}));
  auto engine = Engine::compile(g.function(), pool);
  ASSERT_TRUE(engine);
  const std::size_t weights = (64 * 64 * 9 + 64 + 64 * 16) * sizeof(float);
  EXPECT_EQ(engine->memory().constant_bytes, weights);
  for (const auto& constant : g.function().body.constants) {
    const bool packed = constant->type.rank() == 4 && constant->type.dims[2] == 3;
    if (packed) {
      EXPECT_EQ(constant->constant.use_count(), 1) << "the engine keeps what it packed";
    }
  }
}

TEST(Engine, MemoryIsReused) {
  ThreadPool pool(1);
  TestGraph g(DType::fp32);
  Value* x = g.input({1, 16, 32, 32});
  for (int i = 0; i < 10; ++i) x = conv(g, x, 16, 3);
  ASSERT_TRUE(g.finish({x}));
  auto engine = Engine::compile(g.function(), pool);
  ASSERT_TRUE(engine);
  EXPECT_EQ(engine->memory().arena_bytes, 2u * 16 * 32 * 32 * sizeof(float));
}

TEST(Engine, UnneededNodesDoNotRun) {
  ThreadPool pool(1);
  TestGraph g(DType::fp32);
  Value* x = g.input({1, 3, 8, 8});
  conv(g, x, 4, 3);
  test::insert_declared(g.function().body, "mystery", {{"x", {x}}}, {{"unneeded", Type::tensor(DType::fp32, {1})}});
  ASSERT_TRUE(g.finish({relu(g, x)}));
  EXPECT_EQ(step_types(g.function(), pool), std::vector<std::string>{"relu"});
}

TEST(Engine, ConstantsAndInputsMayBeOutputs) {
  ThreadPool pool(1);
  TestGraph g(DType::fp16);
  Value* x = g.input({2, 3});
  Value* whole = g.input_of({DType::int32, {2}, {4, -5}});
  Value* known = g.builder().constant(make_constant(DType::fp16, {2}, std::vector<double>{0.1, 0.2}));
  ASSERT_TRUE(g.finish({x, known, whole, g.add("identity", {{"x", whole}}), relu(g, x)}));
  const auto want = ops::evaluate(g.function(), g.inputs());
  const auto got = run(g, g.function(), pool);
  ASSERT_EQ(got.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) expect_close(got[i], (*want)[i], fmt::format("output {}", i));
}

TEST(Engine, CompressedWeightsAreUnpackedAtCompileTime) {
  ThreadPool pool(1);
  TestGraph g(DType::fp16);
  Value* weight =
      g.add("constexpr_affine_dequantize",
            {{"quantized_data", make_constant(DType::int8, {3, 2, 1, 1}, std::vector<double>{1, -2, 3, 100, 5, -128})},
             {"zero_point", make_scalar(DType::int8, 3)},
             {"scale", make_constant(DType::fp16, {3}, std::vector<double>{0.1, 0.2, 0.03})},
             {"axis", 0}});
  ASSERT_TRUE(g.finish({g.add("conv", {{"x", g.input({1, 2, 5, 5})}, {"weight", weight}}), weight}));
  const auto want = ops::evaluate(g.function(), g.inputs());
  ASSERT_TRUE(want) << render(want.error());
  const auto got = run(g, g.function(), pool);
  ASSERT_EQ(got.size(), 2u);
  expect_close(got[0], (*want)[0], "conv");
  expect_close(got[1], (*want)[1], "weight");
  EXPECT_EQ(step_types(g.function(), pool), std::vector<std::string>{"conv"});
}

TEST(Engine, EmptyTensors) {
  ThreadPool pool(1);
  TestGraph g(DType::fp32);
  Value* none = g.input({0, 3});
  Value* some = g.input({2, 3});
  ASSERT_TRUE(g.finish({relu(g, none), g.add("concat", {{"values", std::vector<Value*>{none, some}}, {"axis", 0}}),
                        g.add("reduce_sum", {{"x", none}, {"axes", {0}}})}));
  const auto want = ops::evaluate(g.function(), g.inputs());
  ASSERT_TRUE(want) << render(want.error());
  const auto got = run(g, g.function(), pool);
  ASSERT_EQ(got.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) expect_close(got[i], (*want)[i], fmt::format("output {}", i));
}

TEST(Engine, FloatPathAgreesWithArrays) {
  ThreadPool pool(2);
  TestGraph g(DType::fp16);
  build_network(g);
  auto engine = Engine::compile(g.function(), pool);
  ASSERT_TRUE(engine);
  const auto want = engine->run(g.inputs());
  ASSERT_TRUE(want);
  // Numbers that are no halves yet are rounded as the input's type says.
  std::vector<float> input(g.inputs()[0].data.begin(), g.inputs()[0].data.end());
  for (float& x : input) x *= 1.00001f;
  const std::span<const float> view(input);
  ASSERT_TRUE(engine->run_floats(std::span(&view, 1)));
  for (std::size_t i = 0; i < want->size(); ++i) {
    const auto got = engine->output_floats(i);
    EXPECT_EQ(std::vector<double>(got.begin(), got.end()), (*want)[i].data);
  }
  EXPECT_EQ(engine->inputs()[0].dims, (Dims{1, 3, 17, 19}));
  EXPECT_EQ(engine->outputs()[1].dtype, DType::fp16);
}

}  // namespace
}  // namespace anemone::runtime

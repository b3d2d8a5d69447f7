// Whole graphs: fusion, reuse of memory, the three precisions, and what is refused.
#include <fmt/format.h>

#include "anemone/runtime/engine_test_util.h"

namespace anemone {
namespace {

Value* conv(TestGraph& g, Value* x, std::int64_t out, std::int64_t kernel, bool bias = true) {
  const std::int64_t in = x->type.dims[1], pad = kernel / 2;
  const double bound = 1 / std::sqrt(static_cast<double>(in * kernel * kernel));
  const ConstantPtr weight = g.constant({out, in, kernel, kernel}, -bound, bound);
  if (!bias)
    return g.add("conv", {{"x", x}, {"weight", weight}, {"pad_type", "custom"}, {"pad", {pad, pad, pad, pad}}});
  return g.add("conv", {{"x", x},
                        {"weight", weight},
                        {"bias", g.constant({out}, -0.1, 0.1)},
                        {"pad_type", "custom"},
                        {"pad", {pad, pad, pad, pad}}});
}

Value* batch_norm(TestGraph& g, Value* x) {
  const std::int64_t c = x->type.dims[1];
  return g.add("batch_norm", {{"x", x},
                              {"mean", g.constant({c}, -0.2, 0.2)},
                              {"variance", g.constant({c}, 0.5, 1.5)},
                              {"gamma", g.constant({c}, 0.5, 1.5)},
                              {"beta", g.constant({c}, -0.3, 0.3)},
                              {"epsilon", g.scalar(1e-3)}});
}

Value* relu(TestGraph& g, Value* x) { return g.add("relu", {{"x", x}}); }
Value* sum(TestGraph& g, Value* x, Value* y) { return g.add("add", {{"x", x}, {"y", y}}); }

/// Norm, relu, convolution, norm, relu, convolution and the sum with what came in: all fusions at once.
Value* residual(TestGraph& g, Value* x) {
  Value* y = conv(g, relu(g, batch_norm(g, x)), 8, 1);
  y = conv(g, relu(g, batch_norm(g, y)), x->type.dims[1], 3, false);
  return sum(g, y, x);
}

void build_network(TestGraph& g) {
  Value* x = relu(g, batch_norm(g, conv(g, g.input({1, 3, 17, 19}), 12, 3)));
  x = residual(g, residual(g, x));
  Value* low = g.add("max_pool", {{"x", x}, {"kernel_sizes", {2, 2}}, {"strides", {2, 2}}, {"pad_type", "valid"}});
  low = residual(g, low);
  Value* up = g.add("resize_nearest_neighbor", {{"x", low}, {"target_size_height", 17}, {"target_size_width", 19}});
  x = g.add("leaky_relu", {{"x", sum(g, conv(g, up, 12, 1), x)}, {"alpha", g.scalar(0.1)}});
  Value* both = g.add("concat", {{"values", std::vector<Value*>{x, up}}, {"axis", 1}});
  Value* heat = relu(g, g.add("instance_norm", {{"x", conv(g, both, 5, 1)}, {"epsilon", g.scalar(1e-3)}}));
  Value* flat = g.add("reshape", {{"x", heat}, {"shape", {1, 5, -1}}});
  Value* logits =
      g.add("linear", {{"x", flat}, {"weight", g.constant({7, 323}, -0.1, 0.1)}, {"bias", g.constant({7})}});
  ASSERT_TRUE(g.finish({g.add("softmax", {{"x", logits}, {"axis", -1}}), heat, x}));
}

std::vector<Array> run(const TestGraph& g, const Function& f, ThreadPool& pool, const EngineOptions& options = {}) {
  auto results = run_fast(f, g.inputs(), pool, options);
  EXPECT_TRUE(results) << (results ? "" : render(results.error()));
  return results ? *std::move(results) : std::vector<Array>{};
}

std::vector<std::string> step_types(const Function& f, ThreadPool& pool, const EngineOptions& options = {}) {
  std::vector<std::string> out;
  auto engine = Engine::compile(f, pool, options);
  EXPECT_TRUE(engine) << (engine ? "" : render(engine.error()));
  if (engine) {
    for (const StepTiming& step : engine->timings()) out.push_back(step.type);
  }
  return out;
}

TEST(Engine, SmallNetworkMatchesReference) {
  ThreadPool pool(2);
  TestGraph g(DType::fp32);
  build_network(g);
  const auto want = ops::evaluate(g.function(), g.inputs());
  ASSERT_TRUE(want);
  for (bool fuse : {true, false}) {
    const auto got = run(g, g.function(), pool, {.fuse = fuse});
    ASSERT_EQ(got.size(), want->size());
    for (std::size_t i = 0; i < got.size(); ++i) expect_close(got[i], (*want)[i], fmt::format("output {}", i), 2e-5);
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

TEST(Engine, HalvesAreRoundedWhereTheTypesSay) {
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

TEST(Engine, PrecisionOverridesTheTypes) {
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

TEST(Engine, Fp32NeverRoundsInReferenceExecutionEither) {
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
  insert_declared(g.function().body, "mystery", {{"x", {x}}}, {{"unneeded", Type::tensor(DType::fp32, {1})}});
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
}  // namespace anemone

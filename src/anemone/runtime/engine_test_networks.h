#pragma once
// A small network with everything that the engine merges, and short ways to run graphs.
#include <fmt/format.h>

#include "anemone/runtime/engine_test_util.h"

namespace anemone::runtime {

inline Value* conv(TestGraph& g, Value* x, std::int64_t out, std::int64_t kernel, bool bias = true) {
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

inline Value* batch_norm(TestGraph& g, Value* x) {
  const std::int64_t c = x->type.dims[1];
  return g.add("batch_norm", {{"x", x},
                              {"mean", g.constant({c}, -0.2, 0.2)},
                              {"variance", g.constant({c}, 0.5, 1.5)},
                              {"gamma", g.constant({c}, 0.5, 1.5)},
                              {"beta", g.constant({c}, -0.3, 0.3)},
                              {"epsilon", g.scalar(1e-3)}});
}

inline Value* relu(TestGraph& g, Value* x) { return g.add("relu", {{"x", x}}); }
inline Value* sum(TestGraph& g, Value* x, Value* y) { return g.add("add", {{"x", x}, {"y", y}}); }

/// Norm, relu, convolution, norm, relu, convolution and the sum with what came in: all fusions at once.
inline Value* residual(TestGraph& g, Value* x) {
  Value* y = conv(g, relu(g, batch_norm(g, x)), 8, 1);
  y = conv(g, relu(g, batch_norm(g, y)), x->type.dims[1], 3, false);
  return sum(g, y, x);
}

inline void build_network(TestGraph& g) {
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

inline std::vector<Array> run(const TestGraph& g, const Function& f, ThreadPool& pool,
                              const EngineOptions& options = {}) {
  auto results = run_fast(f, g.inputs(), pool, options);
  EXPECT_TRUE(results) << (results ? "" : render(results.error()));
  return results ? *std::move(results) : std::vector<Array>{};
}

inline std::vector<std::string> step_types(const Function& f, ThreadPool& pool, const EngineOptions& options = {}) {
  std::vector<std::string> out;
  auto engine = Engine::compile(f, pool, options);
  EXPECT_TRUE(engine) << (engine ? "" : render(engine.error()));
  if (engine) {
    for (const StepTiming& step : engine->timings()) out.push_back(step.type);
  }
  return out;
}

}  // namespace anemone::runtime

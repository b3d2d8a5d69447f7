// Programs with one thing wrong each: the right rule, at the right operation, at the right cost. And the planner
// itself.
#include "anemone/plan/ane/planner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "anemone/ir/text/parse.h"
#include "anemone/ops/ops.h"
#include "anemone/plan/ane/latency.h"
#include "anemone/plan/ane/route.h"

namespace anemone::plan::ane {
namespace {

Plan plan_of(const std::string& text, const std::string& device = "m1", PlanOptions options = {}) {
  auto program = parse(text, ops::table());
  EXPECT_TRUE(program.has_value()) << (program ? "" : render(program.error()));
  if (!program) return {};
  return make_plan((*program)->main(), *find_device(device), options);
}

const PlannedOp& op_of(const Plan& plan, const std::string& output) {
  static const PlannedOp kNone;
  for (const PlannedOp& op : plan.ops) {
    if (op.output == output) return op;
  }
  ADD_FAILURE() << "no operation gives " << output;
  return kNone;
}

const Finding* finding_of(const Plan& plan, const std::string& code) {
  for (const Finding& finding : plan.findings) {
    if (finding.code == code) return &finding;
  }
  return nullptr;
}

// Enough convolutions that the engine is worth going to, before and after the part under test.
std::string between(const std::string& middle, const std::string& result) {
  return R"(program(1.3) { func main<ios17>(tensor<fp16, [1, 256, 64, 64]> x) {
    w = tensor<fp16, [256, 256, 3, 3]>(splat(0.01));
    a = conv(x = x, weight = w, strides = [1, 1], pad_type = "same", pad = [0, 0, 0, 0], dilations = [1, 1], groups = 1);
    b = conv(x = a, weight = w, strides = [1, 1], pad_type = "same", pad = [0, 0, 0, 0], dilations = [1, 1], groups = 1);
    )" + middle +
         R"(
    c = conv(x = )" +
         result +
         R"(, weight = w, strides = [1, 1], pad_type = "same", pad = [0, 0, 0, 0], dilations = [1, 1], groups = 1);
    d = conv(x = c, weight = w, strides = [1, 1], pad_type = "same", pad = [0, 0, 0, 0], dilations = [1, 1], groups = 1);
  } -> (d); })";
}

TEST(Plan, WholeOnTheEngine) {
  const Plan plan = plan_of(between("r = relu(x = b);", "r"));
  EXPECT_EQ(plan.on_ane, 5u);
  EXPECT_EQ(plan.partitions, 1u);
  EXPECT_EQ(plan.segments.size(), 1u);
  EXPECT_EQ(plan.crossing_bytes, 0);
  // 4 · 2·256·256·9·4096 FLOP at 11582 GFLOP/s, relu 0.04 ns an element, launch and output 0.125 ms each.
  const double conv = 2.0 * 256 * 256 * 9 * 4096 / 11582e6;
  EXPECT_NEAR(plan.planner_ms, 4 * conv + 256 * 4096 * 0.04e-6 + 0.25, 1e-6);
}

TEST(Plan, Fp32Island) {
  const Plan plan = plan_of(between(
      R"(f = cast(x = b, dtype = "fp32"); s = mul(x = f, y = fp32(2)); h = cast(x = s, dtype = "fp16");)", "h"));
  EXPECT_EQ(op_of(plan, "s").verdict.code, "ANE001");
  EXPECT_EQ(op_of(plan, "s").verdict.trust, Trust::documented);
  EXPECT_EQ(op_of(plan, "s").unit, Unit::cpu);
  EXPECT_EQ(plan.segments.size(), 3u);
  EXPECT_EQ(plan.crossing_bytes, 2 * 2 * 256 * 4096);
  const Finding* finding = finding_of(plan, "ANE001");
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->ops, (std::vector<std::string>{"f", "s", "h"}));
  ASSERT_TRUE(finding->cost_us.has_value());
  EXPECT_GT(*finding->cost_us, 250);  // two switches, a launch, and a slower unit
  EXPECT_EQ(plan.findings.front().code, "ANE001");
  // M4 casts on the engine.
  const Plan m4 = plan_of(
      between(R"(f = cast(x = b, dtype = "fp32"); s = mul(x = f, y = fp32(2)); h = cast(x = s, dtype = "fp16");)", "h"),
      "m4");
  EXPECT_EQ(op_of(m4, "f").verdict.support, Support::yes);
  EXPECT_EQ(op_of(m4, "s").verdict.code, "ANE001");
}

TEST(Plan, RankSix) {
  const Plan plan = plan_of(
      between("r = reshape(x = b, shape = [1, 16, 16, 64, 8, 8]); s = reshape(x = r, shape = [1, 256, 64, 64]);", "s"));
  EXPECT_EQ(op_of(plan, "r").verdict.code, "ANE004");
  EXPECT_EQ(op_of(plan, "s").verdict.code, "ANE004");
  EXPECT_NE(op_of(plan, "r").verdict.reason.find("rank 6 of at most 5"), std::string::npos);
}

TEST(Plan, TooWide) {
  const std::string text =
      "program(1.3) { func main<ios17>(tensor<fp16, [1, 4, 2, 16385]> x) { y = relu(x = x); } -> (y); }";
  const Plan plan = plan_of(text);
  EXPECT_EQ(op_of(plan, "y").verdict.code, "ANE005");
  EXPECT_NE(op_of(plan, "y").verdict.reason.find("16385 of at most 16384"), std::string::npos);
  EXPECT_EQ(op_of(plan_of(text, "m4"), "y").verdict.support, Support::yes);
}

TEST(Plan, WideHeadOnOnePosition) {
  const std::string text = R"(program(1.3) { func main<ios17>(tensor<fp16, [1, 8, 1, 1]> x) {
    w = tensor<fp16, [100000, 8, 1, 1]>(BLOBFILE(path = "w", offset = 64));
    y = conv(x = x, weight = w, strides = [1, 1], pad_type = "valid", pad = [0, 0, 0, 0], dilations = [1, 1], groups = 1);
  } -> (y); })";
  EXPECT_EQ(op_of(plan_of(text, "m4"), "y").verdict.code, "ANE005");
  EXPECT_EQ(op_of(plan_of(text, "a19pro"), "y").verdict.support, Support::yes);
}

// A state is updated in place on the engine, also at a position of run time; anything else is not.
TEST(Plan, StatesAreUpdatedInPlace) {
  const auto update = [](const std::string& x, const std::string& after) {
    return "program(1.3) { func main<ios18>(state<tensor<fp16, [1, 8, 64]>> s, tensor<fp16, [1, 8, 64]> d, tensor<int32, [3]> b) {"
           "r = read_state(input = s); y = slice_update(x = " +
           x + ", update = d, begin = b, end = [1, 8, 64]); " + after + "z = relu(x = y); } -> (z); }";
  };
  const std::string state = update("r", "write_state(input = s, data = y); "), plain = update("d", "");
  EXPECT_EQ(op_of(plan_of(state, "m4"), "y").verdict.support, Support::yes)
      << op_of(plan_of(state, "m4"), "y").verdict.reason;
  EXPECT_EQ(op_of(plan_of(state, "m1"), "y").verdict.support, Support::no);
  EXPECT_EQ(op_of(plan_of(plain, "m4"), "y").verdict.support, Support::no);
}

// One size: 0.262 GFLOP at 512, 0.113 at 384, of which an M4's planner was seen to put only the first on the engine.
TEST(Plan, LoneProductGoesToTheEngineBySize) {
  for (const auto& [n, unit] : {std::pair(512, Unit::ane), std::pair(384, Unit::cpu)}) {
    const std::string type = fmt::format("tensor<fp16, [{0}, {0}]>", n);
    const Plan plan =
        plan_of(fmt::format("func main<ios17>({0} x, {0} y) {{ z = matmul(x = x, y = y); }} -> (z);", type), "m4");
    EXPECT_EQ(op_of(plan, "z").unit, unit) << n;
  }
}

TEST(Plan, TooMuchUnknownIsAWarning) {
  const Plan known = plan_of(between("r = relu(x = b);", "r"), "m4");
  EXPECT_EQ(known.latency.warning, "");
  EXPECT_LE(known.latency.high / known.latency.low, 1.8);
  ParseOptions options;
  options.trust_types = true;
  auto program = parse(R"(program(1.3) { func main<ios17>(tensor<fp16, [1, 4, 8, 8]> x) {
    tensor<fp16, [1, 4, 8, 8]> y = fresh_operation(x = x); z = relu(x = y); } -> (z); })",
                       ops::table(), options);
  ASSERT_TRUE(program.has_value()) << render(program.error());
  EXPECT_EQ(make_plan((*program)->main(), *find_device("m1"), {}).latency.warning,
            "unknown: there is no evidence about 50 % of the operations");
}

TEST(Plan, NoCallTakesNoTime) {
  const Plan plan = plan_of("func main<ios17>(tensor<fp16, [1, 4]> x) { y = relu(x = x); } -> (y);", "m1");
  EXPECT_GT(plan.latency.low, 0);
  EXPECT_GE(plan.latency.high, 1e-3);
}

// Compressed weights stream faster; a program whose weights are the whole cost says so.
TEST(Plan, CompressedWeightsTakeLessTime) {
  const auto head = [](const std::string& weight) {
    return "func main<ios18>(tensor<fp16, [1, 8192]> x) { w = " + weight + "; a = linear(x = x, weight = w); } -> (a);";
  };
  const std::string blob = R"((BLOBFILE(path = "w", offset = 64)))";
  const double full = plan_of(head("tensor<fp16, [16384, 8192]>" + blob), "m4").latency.low;
  const double packed = plan_of(head("constexpr_lut_to_dense(indices = tensor<uint4, [16384, 8192]>" + blob +
                                     ", lut = tensor<fp16, [1, 1, 16, 1]>(splat(0.5)))"),
                                "m4")
                            .latency.low;
  EXPECT_NEAR(full / packed, 4, 1);
}

TEST(Plan, IndexChain) {
  const Plan plan = plan_of(R"(program(1.3) { func main<ios17>(tensor<fp16, [1, 64, 32]> x) {
    i = reduce_argmax(x = x, axis = 1, keep_dims = false);
    j = add(x = i, y = int32(1));
    g = gather(x = x, indices = j, axis = 1, batch_dims = 0);
  } -> (g); })");
  EXPECT_EQ(op_of(plan, "i").verdict.code, "ANE028");
  EXPECT_EQ(op_of(plan, "j").verdict.code, "ANE002");
  EXPECT_NE(op_of(plan, "g").verdict.support, Support::yes);
  EXPECT_EQ(plan.on_ane, 0u);
  EXPECT_EQ(plan.segments.size(), 1u);
}

TEST(Plan, DynamicShape) {
  const Plan plan =
      plan_of("program(1.3) { func main<ios17>(tensor<fp16, [1, 3, ?, 8]> x) { y = relu(x = x); } -> (y); }");
  EXPECT_EQ(op_of(plan, "y").verdict.code, "ANE006");
  EXPECT_EQ(op_of(plan, "y").unit, Unit::cpu);
}

TEST(Plan, WideKernel) {
  const std::string text = R"(program(1.3) { func main<ios17>(tensor<fp16, [1, 8, 64, 64]> x) {
    w = tensor<fp16, [8, 8, 1, 14]>(splat(0.01));
    y = conv(x = x, weight = w, strides = [1, 1], pad_type = "same", pad = [0, 0, 0, 0], dilations = [1, 1], groups = 1);
  } -> (y); })";
  EXPECT_EQ(op_of(plan_of(text, "m1"), "y").verdict.code, "ANE007");
  EXPECT_EQ(op_of(plan_of(text, "m2"), "y").verdict.support, Support::yes);
}

TEST(Plan, HypothesisAndUnits) {
  const std::string text = between("r = sigmoid(x = b);", "r");
  PlanOptions options;
  options.off = {"sigmoid"};
  const Plan plan = plan_of(text, "m1", options);
  EXPECT_EQ(op_of(plan, "r").verdict.code, "WHATIF");
  EXPECT_EQ(plan.segments.size(), 3u);
  options = {};
  options.units = ComputeUnits::cpu;
  EXPECT_EQ(plan_of(text, "m1", options).on_ane, 0u);
  options.units = ComputeUnits::cpu_gpu;
  EXPECT_EQ(plan_of(text, "m1", options).segments.front().unit, Unit::gpu);
}

// One report shows such a head on the GPU; no published cost explains it, and the plan says both.
TEST(Plan, RowsOnTheEngineHaveTwoReadings) {
  const std::string text = R"(program(1.3) { func main<ios17>(tensor<fp16, [1, 256, 64, 64]> x) {
    w = tensor<fp16, [1280, 256, 3, 3]>(splat(0.01));
    a = conv(x = x, weight = w, strides = [1, 1], pad_type = "same", pad = [0, 0, 0, 0], dilations = [1, 1], groups = 1);
    m = reduce_mean(x = a, axes = [2, 3], keep_dims = false);
    v = tensor<fp16, [1280, 1280]>(splat(0.01));
    p = linear(x = m, weight = v);
    q = linear(x = p, weight = v);
  } -> (q); })";
  PlanOptions options;
  EXPECT_EQ(plan_of(text, "m1", options).on_ane, 4u);
  options.units = ComputeUnits::all;
  const Plan plan = plan_of(text, "m1", options);
  EXPECT_EQ(plan.on_ane, 4u);
  EXPECT_EQ(plan.weakest_trust, Trust::guessed);
  EXPECT_TRUE(std::any_of(plan.notes.begin(), plan.notes.end(), [](const std::string& note) {
    return note.starts_with("two readings") && note.find("single row") != std::string::npos;
  }));
}

TEST(Plan, WhatIsDraggedAlongHasACodeAndAReason) {
  const Plan plan =
      plan_of(between("t = tan(x = b); m = reduce_max(x = t, axes = [2, 3], keep_dims = true); "
                      "s = sigmoid(x = m); u = tan(x = s); r = mul(x = b, y = u);",
                      "r"));
  EXPECT_EQ(op_of(plan, "s").unit, Unit::cpu);
  EXPECT_EQ(op_of(plan, "s").verdict.support, Support::yes);
  EXPECT_EQ(op_of(plan, "s").verdict.code, "ANE022");
  EXPECT_NE(op_of(plan, "s").verdict.reason.find("going there costs 0.375 ms"), std::string::npos)
      << op_of(plan, "s").verdict.reason;
}

// A branch that stays on the CPU in the middle of the program costs switches that an order at the end would not.
TEST(Plan, SideBranch) {
  const std::string conv =
      R"( = conv(x = %, weight = w, strides = [1, 1], pad_type = "same", pad = [0, 0, 0, 0], dilations = [1, 1], groups = 1);)";
  std::string body;
  std::string previous = "x", outputs;
  for (int i = 0; i < 6; ++i) {
    const std::string name = "c" + std::to_string(i);
    std::string line = name + conv;
    body += line.replace(line.find('%'), 1, previous);
    body += "t" + std::to_string(i) + " = tan(x = " + name + ");";
    outputs += (i ? ", t" : "t") + std::to_string(i);
    previous = name;
  }
  const Plan plan = plan_of(
      "program(1.3) { func main<ios17>(tensor<fp16, [1, 256, 64, 64]> x) { w = tensor<fp16, [256, 256, 3, "
      "3]>(splat(0.01)); " +
      body + "} -> (" + outputs + ", " + previous + "); }");
  EXPECT_GT(plan.partitions, 1u);
  const Finding* finding = finding_of(plan, "ANE023");
  ASSERT_NE(finding, nullptr);
  EXPECT_GT(finding->cost_us.value_or(0), 375);
  EXPECT_EQ(op_of(plan, "t0").verdict.code, "ANE003");
}

TEST(Plan, HazardsFromConstants) {
  const Plan plan = plan_of(R"(program(1.3) { func main<ios17>(tensor<fp16, [1, 64, 64, 64]> x) {
    w = tensor<fp16, [64, 64, 1, 1]>(splat(0.00002));
    a = conv(x = x, weight = w, strides = [1, 1], pad_type = "valid", pad = [0, 0, 0, 0], dilations = [1, 1], groups = 1);
    n = instance_norm(x = a, epsilon = fp16(0.00001));
    s = sigmoid(x = n);
    v = tensor<fp16, [64, 64, 1, 1]>(splat(600));
    b = conv(x = s, weight = v, strides = [1, 1], pad_type = "valid", pad = [0, 0, 0, 0], dilations = [1, 1], groups = 1);
    t = reduce_sum(x = b, axes = [2, 3], keep_dims = true);
    r = real_div(x = b, y = t);
    i = add(x = r, y = fp16(-inf));
  } -> (i); })");
  for (const char* code : {"ANE013", "ANE014", "ANE015", "ANE017", "ANE020", "ANE031"})
    EXPECT_NE(finding_of(plan, code), nullptr) << code;
  ASSERT_NE(finding_of(plan, "ANE014"), nullptr);
  EXPECT_EQ(finding_of(plan, "ANE014")->ops, std::vector<std::string>{"b"});
  EXPECT_TRUE(finding_of(plan, "ANE014")->checked);
  ASSERT_NE(finding_of(plan, "ANE017"), nullptr);
  EXPECT_FALSE(finding_of(plan, "ANE017")->checked);
}

TEST(Plan, UnknownTypeIsUnknown) {
  const std::string text = R"(program(1.3) { func main<ios17>(tensor<fp16, [1, 4, 8, 8]> x) {
    tensor<fp16, [1, 4, 8, 8]> y = fresh_operation(x = x); } -> (y); })";
  ParseOptions options;
  options.trust_types = true;
  auto program = parse(text, ops::table(), options);
  ASSERT_TRUE(program.has_value()) << render(program.error());
  const Plan plan = make_plan((*program)->main(), *find_device("m1"), {});
  EXPECT_EQ(op_of(plan, "y").verdict.support, Support::unknown);
  EXPECT_EQ(op_of(plan, "y").verdict.trust, Trust::guessed);
  EXPECT_EQ(op_of(plan, "y").unit, Unit::cpu);
}

// The smallest cost over all assignments of units, by trying every one.
double by_hand(const std::vector<Step>& steps, const PlannerCost& k) {
  double best = 1e9;
  for (std::size_t mask = 0; mask < (std::size_t{1} << steps.size()); ++mask) {
    double ms = 0;
    bool legal = true, output = false;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const bool ane = (mask >> i) & 1, before = i > 0 && ((mask >> (i - 1)) & 1);
      legal = legal && (!ane || steps[i].ane);
      ms += ane ? steps[i].cost.ane_ms : steps[i].cost.cpu_ms();
      if (i > 0 && ane != before) ms += k.switch_ms;
      if (ane && (i == 0 || !before)) ms += k.launch_ms;
      output = output || (ane && steps[i].gives_output);
    }
    if (legal) best = std::min(best, ms + (output ? k.output_ms : 0));
  }
  return best;
}

TEST(Route, IsTheCheapestOfAll) {
  std::uint64_t state = 1;
  const auto random = [&] {
    return static_cast<double>((state = state * 6364136223846793005u + 1442695040888963407u) >> 40) / 16777216.0;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<Step> steps(1 + static_cast<std::size_t>(random() * 11));
    for (Step& step : steps) {
      step.cost.ane_ms = 0.2 * random();
      step.cost.bnns_ms = step.cost.classic_ms = 0.6 * random();
      step.ane = random() < 0.7;
      step.gives_output = random() < 0.2;
    }
    EXPECT_NEAR(cheapest_route(steps, {}).ms, by_hand(steps, {}), 1e-9);
  }
}

std::string long_program(int layers) {
  std::string text = "program(1.3) { func main<ios17>(tensor<fp16, [1, 16, 8, 8]> x0) {\n";
  for (int i = 0; i < layers; ++i)
    text += "x" + std::to_string(i + 1) +
            (i % 7 == 3 ? " = tan(x = x"
             : i % 3    ? " = relu(x = x"
                        : " = sigmoid(x = x") +
            std::to_string(i) + ");\n";
  return text + "} -> (x" + std::to_string(layers) + "); }";
}

// 1250 to 20,000 operations: the time of the largest stays below a second, and growth is linear.
TEST(Plan, GrowsLinearly) {
  double ms[5];
  for (int k = 0; k < 5; ++k) {
    auto program = parse(long_program(1250 << k), ops::table());
    ASSERT_TRUE(program.has_value());
    ms[k] = 1e9;
    for (int round = 0; round < 5; ++round) {   // the best of some: other programs run on this machine
      const std::clock_t begun = std::clock();  // the processor's time
      const Plan plan = make_plan((*program)->main(), *find_device("m1"), {});
      ms[k] = std::min(ms[k], 1e3 * static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC);
      EXPECT_EQ(plan.ops.size(), static_cast<std::size_t>(1250 << k));
    }
  }
  std::printf("ms for 1x 2x 4x 8x 16x 1250 operations: %.1f %.1f %.1f %.1f %.1f\n", ms[0], ms[1], ms[2], ms[3], ms[4]);
#ifdef NDEBUG
  EXPECT_LT(ms[4], 1000);
  EXPECT_LT(ms[4], 16 * 4 * ms[0] + 20);
#endif
}

}  // namespace
}  // namespace anemone::plan::ane

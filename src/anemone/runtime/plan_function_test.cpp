// Plans of small graphs, looked at without running them: what goes together, in which layout, by which algorithm, where.
#include "anemone/runtime/plan_function.h"

#include <tuple>

#include "anemone/runtime/engine_test_networks.h"

namespace anemone::runtime {
namespace {

Plan plan(TestGraph& g, std::vector<Value*> outputs, const EngineOptions& options = {}) {
  EXPECT_TRUE(g.finish(std::move(outputs)));
  auto made = plan_function(g.function(), options);
  EXPECT_TRUE(made) << (made ? "" : render(made.error()));
  return made ? *std::move(made) : Plan{};
}

std::vector<std::string> ops(const Plan& plan) {
  std::vector<std::string> out;
  for (const Call& call : plan.calls) out.push_back(call.ops);
  return out;
}

/// "conv2d/gemm", "unary"
std::vector<std::string> kernels(const Plan& plan) {
  std::vector<std::string> out;
  for (const Call& call : plan.calls) {
    out.push_back(std::string(call.kernel->name) + (call.algorithm.empty() ? "" : "/" + std::string(call.algorithm)));
  }
  return out;
}

const Access& operand(const Call& call, std::string_view role) {
  for (const Access& access : call.operands) {
    if (access.role == role) return access;
  }
  ADD_FAILURE() << call.ops << " has no operand " << role;
  return call.operands.front();
}

using Words = std::vector<std::string>;

Value* grouped(TestGraph& g, Value* x, std::int64_t groups) {
  const std::int64_t c = x->type.dims[1];
  return g.add("conv", {{"x", x}, {"weight", g.constant({c, c / groups, 3, 3})}, {"groups", groups}});
}

TEST(PlanFunction, FusesWhatOneKernelDoes) {
  TestGraph g(DType::fp32);
  Value* x = g.input({1, 3, 8, 8});
  Value* y = g.add("clip", {{"x", sum(g, conv(g, x, 3, 1), x)}, {"alpha", g.scalar(0)}, {"beta", g.scalar(6)}});
  const Plan p = plan(g, {relu(g, batch_norm(g, conv(g, y, 4, 3)))});
  EXPECT_EQ(ops(p), (Words{"conv+add+clip", "conv+batch_norm+relu"}));
  const auto& first = std::get<ConvParameters>(p.calls[0].parameters);
  EXPECT_EQ(first.epilogue.activation, cpu::Activation::clip);
  EXPECT_EQ(first.epilogue.beta, 6);
  EXPECT_EQ(to_text(p.calls[0].parameters), "1x1 3->3 at 8x8, clip 0 to 6");
}

TEST(PlanFunction, ANormInFrontOfAConvolutionIsAPattern) {
  TestGraph g(DType::fp32);
  Value* x = g.input({1, 3, 8, 8});
  Plan p = plan(g, {conv(g, relu(g, batch_norm(g, x)), 4, 3)});
  EXPECT_EQ(ops(p), Words{"batch_norm+relu+conv"});
  EXPECT_TRUE(std::get<ConvParameters>(p.calls[0].parameters).relu_before);
  EXPECT_EQ(operand(p.calls[0], "scale").ref.count, 3);

  // Two convolutions read it: it is done once.
  TestGraph twice(DType::fp32);
  Value* norm = relu(twice, batch_norm(twice, twice.input({1, 3, 8, 8})));
  p = plan(twice, {conv(twice, norm, 4, 3), conv(twice, norm, 5, 1)});
  EXPECT_EQ(ops(p), (Words{"batch_norm+relu", "conv", "conv"}));
  // Where results are rounded to half, a norm of its own rounds.
  TestGraph half(DType::fp16);
  p = plan(half, {conv(half, relu(half, batch_norm(half, half.input({1, 3, 8, 8}))), 4, 3)});
  EXPECT_EQ(ops(p), (Words{"batch_norm+relu", "conv"}));
}

TEST(PlanFunction, NothingIsFusedWhenAskedNotTo) {
  TestGraph g(DType::fp32);
  const Plan p = plan(g, {relu(g, batch_norm(g, conv(g, g.input({1, 3, 8, 8}), 4, 3)))}, {.fuse = false});
  EXPECT_EQ(ops(p), (Words{"conv", "batch_norm", "relu"}));
}

TEST(PlanFunction, AnAdditionWaitsForItsLaterSummand) {
  TestGraph g(DType::fp32);
  Value* x = g.input({1, 3, 8, 8});
  Value *a = conv(g, x, 4, 3), *b = conv(g, x, 4, 1);
  EXPECT_EQ(ops(plan(g, {sum(g, a, b)})), (Words{"conv", "conv+add"}));
}

TEST(PlanFunction, ChoosesTheAlgorithm) {
  TestGraph g(DType::fp32);
  Value* x = g.input({1, 8, 8, 8});
  EXPECT_EQ(kernels(plan(g, {grouped(g, x, 8), grouped(g, x, 2), grouped(g, x, 1)})),
            (Words{"conv2d/depthwise", "conv2d/gemm", "conv2d/gemm"}));
  // Winograd's for large maps of many channels, where nothing is rounded to half.
  const Words winograd{"transform_weights/winograd", "conv2d/winograd"}, gemm{"conv2d/gemm"};
  for (const auto& [dtype, side, want] :
       {std::tuple{DType::fp32, 32, winograd}, std::tuple{DType::fp32, 12, gemm}, std::tuple{DType::fp16, 32, gemm}}) {
    TestGraph large(dtype);
    EXPECT_EQ(kernels(plan(large, {conv(large, large.input({1, 32, side, side}), 32, 3)})), want);
  }
  TestGraph half(DType::fp16);
  EXPECT_EQ(kernels(plan(half, {grouped(half, half.input({1, 8, 8, 8}), 8)}, {.half_sums = HalfSums::all})),
            Words{"conv2d/half sums"});
  TestGraph m(DType::fp32);
  Value* rows = m.input({4, 5});
  EXPECT_EQ(kernels(plan(m, {m.add("matmul", {{"x", rows}, {"y", m.constant({5, 9})}}),
                             m.add("matmul", {{"x", rows}, {"y", m.constant({5, 3})}}),
                             m.add("linear", {{"x", rows}, {"weight", m.constant({3, 5})}})})),
            (Words{"linear/gemm", "matmul/gemm", "linear/gemm"}));
}

TEST(PlanFunction, WeightsComputedFromConstantsAreConstants) {
  TestGraph g(DType::fp32);
  Value* x = g.input({1, 3, 9});
  Value* wide = g.add("squeeze", {{"x", g.constant({4, 3, 1, 3})}, {"axes", {2}}});
  Value* y = g.add("conv", {{"x", x}, {"weight", wide}, {"dilations", {2}}});
  Value* turned = g.add("transpose", {{"x", g.constant({5, 6})}, {"perm", {1, 0}}});
  EXPECT_EQ(kernels(plan(g, {g.add("linear", {{"x", y}, {"weight", g.add("mul", {{"x", turned}, {"y", turned}})}})})),
            (Words{"conv2d/gemm", "linear/gemm"}));
  // By definition too: five dimensions have no kernel, and a dilated convolution insists on a known weight.
  TestGraph deep(DType::fp32);
  Value* weight = deep.add("expand_dims", {{"x", deep.constant({1, 1, 2, 2})}, {"axes", {2}}});
  Value* out = deep.add("conv", {{"x", deep.input({1, 1, 3, 4, 4})}, {"weight", weight}, {"dilations", {1, 2, 2}}});
  EXPECT_EQ(kernels(plan(deep, {out})), Words{"definition"});
  const auto want = ops::evaluate(deep.function(), deep.inputs());
  ThreadPool pool(1);
  expect_close(run(deep, deep.function(), pool)[0], want->front(), "five dimensions");
}

TEST(PlanFunction, SaysWhichLayoutACallNeeds) {
  TestGraph g(DType::fp32);
  Value* x = conv(g, g.input({1, 3, 8, 8}), 4, 1);
  Value* y = g.add("mul", {{"x", g.add("tanh", {{"x", x}})}, {"y", g.constant({4, 1, 1})}});
  const Plan p = plan(g, {g.add("add", {{"x", y}, {"y", y}})});
  ASSERT_EQ(p.calls.size(), 4u);
  const Layout want[] = {Layout::row_major, Layout::any, Layout::row_major, Layout::any};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(p.calls[i].layout, want[i]) << p.calls[i].ops;
}

TEST(PlanFunction, ViewsAreNoCalls) {
  TestGraph g(DType::fp32);
  Value* x = g.input({2, 6, 4});
  Value* rows = g.add("slice_by_size", {{"x", x}, {"begin", {1, 2, 0}}, {"size", {1, 3, 4}}});
  const Plan p = plan(g, {g.add("exp", {{"x", g.add("reshape", {{"x", rows}, {"shape", {12}}})}})});
  EXPECT_EQ(ops(p), Words{"exp"});
  const Ref& from = operand(p.calls[0], "x").ref;
  EXPECT_EQ(from.index, p.inputs[0].ref.index);
  EXPECT_EQ(from.offset, 32);
  EXPECT_EQ(from.count, 12);
}

TEST(PlanFunction, ResultsTakeThePlaceOfOperandsThatNobodyNeeds) {
  TestGraph g(DType::fp32);
  Value* x = g.input({1, 4, 8, 8});
  Value* a = g.add("tanh", {{"x", conv(g, x, 4, 1)}});
  const Plan p = plan(g, {g.add("sigmoid", {{"x", a}}), sum(g, a, x)});
  ASSERT_EQ(ops(p), (Words{"conv", "tanh", "sigmoid", "add"}));
  const auto in = [&](std::size_t i) { return operand(p.calls[i], "x").ref; };
  const auto out = [&](std::size_t i) { return operand(p.calls[i], "out").ref; };
  EXPECT_EQ(in(1), out(1));
  EXPECT_NE(in(2).index, out(2).index) << "the addition still needs it";
  EXPECT_EQ(in(3), out(3));
  // The input, the convolution's result and the sigmoid's.
  EXPECT_EQ(p.arena_bytes, 3u * 4 * 64 * sizeof(float));
}

TEST(PlanFunction, OperationsWithoutAKernelAreCalledByDefinition) {
  TestGraph g(DType::fp32);
  Value* x = g.input({3, 4});
  const Plan p = plan(g, {g.add("cumsum", {{"x", relu(g, x)}, {"axis", 1}})});
  EXPECT_EQ(kernels(p), (Words{"unary", "definition"}));
  ASSERT_EQ(p.references.size(), 1u);
  EXPECT_EQ(p.references[0].node->type, "cumsum");
}

TEST(PlanFunction, IsListedInWords) {
  TestGraph g(DType::fp32);
  const PlanListing rows = list(plan(g, {relu(g, conv(g, g.input({1, 3, 8, 8}), 4, 3))}));
  ASSERT_EQ(rows.calls.size(), 1u);
  const ListedCall& call = rows.calls[0];
  EXPECT_EQ(call.ops, "conv+relu");
  EXPECT_EQ(call.kernel, "conv2d");
  EXPECT_EQ(call.algorithm, "gemm");
  EXPECT_EQ(call.layout, "row major");
  EXPECT_EQ(call.parameters, "3x3 3->4 at 8x8, relu");
  EXPECT_EQ(call.macs, 3 * 4 * 9 * 64);
  ASSERT_EQ(call.operands.size(), 4u);  // neither scale, shift nor add
  EXPECT_EQ(call.operands[0].role, "x");
  EXPECT_EQ(call.operands[0].place, "buffer 0");
  EXPECT_EQ(call.operands[1].bytes, 3u * 4 * 9 * sizeof(float));
  EXPECT_TRUE(call.operands[3].is_result);
  EXPECT_EQ(call.bytes, (3 * 64 + 3 * 4 * 9 + 4 + 4 * 64) * sizeof(float));
}

}  // namespace
}  // namespace anemone::runtime

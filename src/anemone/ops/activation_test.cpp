// Activations.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

const double kNan = std::nan("");

void check(std::string_view op, std::vector<double> x, std::vector<double> y) {
  SCOPED_TRACE(op);
  Case c;
  const auto n = static_cast<std::int64_t>(x.size());
  expect(c.run(op, {{"x", c.in({n}, std::move(x))}}), {n}, y);
}
void check_alpha(std::string_view op, double alpha, std::vector<double> x, std::vector<double> y) {
  SCOPED_TRACE(op);
  Case c;
  const auto n = static_cast<std::int64_t>(x.size());
  expect(c.run(op, {{"x", c.in({n}, std::move(x))}, {"alpha", c.number(alpha)}}), {n}, y);
}
void check_alpha_beta(std::string_view op, double alpha, double beta, std::vector<double> x, std::vector<double> y) {
  SCOPED_TRACE(op);
  Case c;
  const auto n = static_cast<std::int64_t>(x.size());
  expect(c.run(op, {{"x", c.in({n}, std::move(x))}, {"alpha", c.number(alpha)}, {"beta", c.number(beta)}}), {n}, y);
}

TEST(Activation, WithoutParameters) {
  check("relu", {-1, 0, 2, kNan}, {0, 0, 2, kNan});
  check("relu6", {-1, 3, 7}, {0, 3, 6});
  check("sigmoid", {0, 2, -800}, {0.5, 0.880797078, 0});
  check("tanh", {0, 1}, {0, 0.761594156});
  check("softsign", {-1, 3}, {-0.5, 0.75});
  check("softplus", {0, 100, -100}, {0.693147181, 100, 0});
  check("silu", {0, 1}, {0, 0.731058579});
}

TEST(Activation, WithOneParameter) {
  check_alpha("leaky_relu", 0.25, {-4, 0, 2}, {-1, 0, 2});
  check_alpha("thresholded_relu", 1, {0.5, 1, 2}, {0, 1, 2});
  check_alpha("elu", 2, {-1, 0, 1}, {-1.264241118, 0, 1});
}

TEST(Activation, WithTwoParameters) {
  check_alpha_beta("clamped_relu", 0.5, 3, {-4, 2, 9}, {-2, 2, 3});
  check_alpha_beta("sigmoid_hard", 0.2, 0.5, {-9, 1, 9}, {0, 0.7, 1});
  check_alpha_beta("scaled_tanh", 2, 0.5, {2}, {1.523188312});
  check_alpha_beta("linear_activation", 2, 1, {3}, {7});
}

TEST(Activation, ParametersAreConstants) {
  Case c;
  expect_refused(c.infer("leaky_relu", {{"x", c.typed({2})}, {"alpha", c.typed(Dims{})}}), "known at compile time");
}

TEST(Activation, Prelu) {
  Case c;
  expect(c.run("prelu", {{"x", c.in({1, 2, 1, 2}, {-1, 1, -2, 2})}, {"alpha", c.fixed({2}, {0.5, 0.25})}}),
         {1, 2, 1, 2}, {-0.5, 1, -0.5, 2});
}

TEST(Activation, PreluC1Rank) {
  Case c;
  expect_refused(c.infer("prelu", {{"x", c.typed({1, 2})}, {"alpha", c.fixed({2}, {0.5, 0.25})}}), "rank 3 to 5");
}
TEST(Activation, PreluC2OneSlopeAChannel) {
  Case c;
  expect_refused(c.infer("prelu", {{"x", c.typed({1, 3, 4, 4})}, {"alpha", c.fixed({2}, {0.5, 0.25})}}),
                 "[3] is needed");
  Case d;
  expect_refused(d.infer("prelu", {{"x", d.typed({1, 3, 4, 4})}, {"alpha", d.number(0.5)}}), "[3] is needed");
}
TEST(Activation, PreluC3OtherRanksShareOneSlope) {
  Case c;
  expect_refused(c.infer("prelu", {{"x", c.typed({1, 2, 4})}, {"alpha", c.fixed({2}, {0.5, 0.25})}}),
                 "differs between channels");
  Case d;
  EXPECT_TRUE(d.infer("prelu", {{"x", d.typed({1, 2, 4})}, {"alpha", d.fixed({2}, {0.5, 0.5})}}));
}

TEST(Activation, SoftplusParametric) {
  Case c;
  expect(c.run("softplus_parametric",
               {{"x", c.in({1, 2, 1}, {0, 1})}, {"alpha", c.fixed({2}, {1, 2})}, {"beta", c.fixed({2}, {1, 3})}}),
         {1, 2, 1}, {0.693147181, 6.097174703});
}

TEST(Activation, Gelu) {
  for (const auto& [mode, y] : std::vector<std::pair<const char*, double>>{
           {"EXACT", 0.841344746}, {"TANH_APPROXIMATION", 0.841191990}, {"SIGMOID_APPROXIMATION", 0.845795780}}) {
    Case c;
    expect(c.run("gelu", {{"x", c.in({1}, {1})}, {"mode", mode}}), {1}, {y});
  }
}
TEST(Activation, GeluC1Mode) {
  Case c;
  expect_refused(c.infer("gelu", {{"x", c.typed({1})}, {"mode", "exact"}}), "\"exact\" is not one of EXACT");
}

TEST(Activation, Softmax) {
  Case c;
  expect(c.run("softmax", {{"x", c.in({2, 2}, {1000, 1000, 0, std::log(3)})}}), {2, 2}, {0.5, 0.5, 0.25, 0.75});
  Case d;
  expect(d.run("softmax", {{"x", d.in({2, 2}, {0, 0, 0, std::log(3)})}, {"axis", 0}}), {2, 2}, {0.5, 0.25, 0.5, 0.75});
}
TEST(Activation, SoftmaxC1Axis) {
  Case c;
  expect_refused(c.infer("softmax", {{"x", c.typed({2, 2})}, {"axis", 2}}), "axis 2 is outside");
}

}  // namespace
}  // namespace anemone::ops

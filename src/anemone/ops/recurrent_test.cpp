// lstm, gru, rnn with numbers small enough to follow.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST(Rnn, WalksForwardAndReverse) {
  Case c;  // h = x + h / 2
  auto result = c.run("rnn", {{"x", c.in({3, 1, 1}, {1, 2, 4})},
                              {"initial_h", c.in({1, 1}, {2})},
                              {"weight_ih", c.fixed({1, 1}, {1})},
                              {"weight_hh", c.fixed({1, 1}, {0.5})},
                              {"activation", "linear"},
                              {"output_sequence", true}});
  expect(result, {3, 1, 1}, {2, 3, 5.5});
  expect_array((*result)[1], {1, 1}, {5.5});
  Case d;  // a reversed sequence comes out in the order of the walk
  result = d.run("rnn", {{"x", d.in({3, 1, 1}, {1, 2, 4})},
                         {"initial_h", d.in({1, 1}, {2})},
                         {"weight_ih", d.fixed({1, 1}, {1})},
                         {"weight_hh", d.fixed({1, 1}, {0.5})},
                         {"activation", "linear"},
                         {"output_sequence", true},
                         {"direction", "reverse"}});
  expect(result, {3, 1, 1}, {5, 4.5, 3.25});
}

TEST(Lstm, GatesAreInputForgetOutputCell) {
  const double i = sigmoid(1), f = sigmoid(2), o = sigmoid(3), z = std::tanh(4), c1 = f * 0.5 + i * z;
  Case c;
  const auto result = c.run("lstm", {{"x", c.in({1, 1, 1}, {1})},
                                     {"initial_h", c.in({1, 1}, {0})},
                                     {"initial_c", c.in({1, 1}, {0.5})},
                                     {"weight_ih", c.fixed({4, 1}, {1, 2, 3, 4})},
                                     {"weight_hh", c.fixed({4, 1}, {0, 0, 0, 0})}});
  expect(result, {1, 1, 1}, {o * std::tanh(c1)});
  expect_array((*result)[2], {1, 1}, {c1});
}
TEST(Lstm, ClipHoldsTheCell) {
  Case c;
  const auto result = c.run("lstm", {{"x", c.in({1, 1, 1}, {1})},
                                     {"initial_h", c.in({1, 1}, {0})},
                                     {"initial_c", c.in({1, 1}, {0.5})},
                                     {"weight_ih", c.fixed({4, 1}, {9, 9, 9, 9})},
                                     {"weight_hh", c.fixed({4, 1}, {0, 0, 0, 0})},
                                     {"clip", c.number(0.25)}});
  ASSERT_TRUE(result);
  expect_array((*result)[2], {1, 1}, {0.25});
}
TEST(Lstm, BothDirectionsStandSideBySide) {
  Case c;
  Value* zeros = c.fixed({4, 1}, {0, 0, 0, 0});
  Value* cell = c.fixed({4, 1}, {0, 0, 0, 1});
  const auto result = c.run("lstm", {{"x", c.in({2, 1, 1}, {1, 2})},
                                     {"initial_h", c.in({1, 2}, {0, 0})},
                                     {"initial_c", c.in({1, 2}, {0, 0})},
                                     {"weight_ih", cell},
                                     {"weight_hh", zeros},
                                     {"weight_ih_back", cell},
                                     {"weight_hh_back", zeros},
                                     {"direction", "bidirectional"},
                                     {"output_sequence", true},
                                     {"cell_activation", "linear"},
                                     {"activation", "linear"}});
  expect(result, {2, 1, 2}, {0.25, 0.5, 0.625, 0.5});  // c = c/2 + x/2, h = c/2
  expect_array((*result)[1], {1, 2}, {0.625, 0.5});
}

TEST(Gru, GatesAreResetCandidateUpdate) {
  const double r = sigmoid(1), z = sigmoid(3), h = 0.5;
  Case c;  // the state goes through r before its weight …
  expect(c.run("gru", {{"x", c.in({1, 1, 1}, {1})},
                       {"initial_h", c.in({1, 1}, {h})},
                       {"weight_ih", c.fixed({3, 1}, {1, 2, 3})},
                       {"weight_hh", c.fixed({3, 1}, {0, 4, 0})},
                       {"bias", c.fixed({3}, {0, 0.1, 0})}}),
         {1, 1, 1}, {(1 - z) * std::tanh(2 + 4 * r * h + 0.1) + z * h});
  Case d(Target::ios18);  // … or behind it, with its bias
  expect(d.run("gru", {{"x", d.in({1, 1, 1}, {1})},
                       {"initial_h", d.in({1, 1}, {h})},
                       {"weight_ih", d.fixed({3, 1}, {1, 2, 3})},
                       {"weight_hh", d.fixed({3, 1}, {0, 4, 0})},
                       {"bias", d.fixed({3}, {0, 0.1, 0})},
                       {"input_bias", d.fixed({3}, {0, 0.2, 0})},
                       {"reset_after", true}}),
         {1, 1, 1}, {(1 - z) * std::tanh(2 + 0.2 + r * (4 * h + 0.1)) + z * h});
}

TEST(Recurrent, BadCases) {
  Case c;
  Value* x = c.typed({2, 1, 3});
  Value* h = c.typed({1, 1});
  const auto weight = [&](Dims dims) {
    return c.fixed(dims, std::vector<double>(static_cast<std::size_t>(*element_count(dims))));
  };
  expect_refused(
      c.infer("rnn",
              {{"x", c.typed({2, 3})}, {"initial_h", h}, {"weight_ih", weight({1, 3})}, {"weight_hh", weight({1, 1})}}),
      "rank 3 is needed");  // C1
  expect_refused(c.infer("gru", {{"x", x},
                                 {"initial_h", h},
                                 {"weight_ih", weight({3, 3})},
                                 {"weight_hh", weight({3, 1})},
                                 {"direction", "bidirectional"}}),  // C2
                 "\"bidirectional\" is not one of");
  expect_refused(
      c.infer("gru", {{"x", x}, {"initial_h", h}, {"weight_ih", weight({2, 3})}, {"weight_hh", weight({3, 1})}}),
      "are not 3 gates of 1");  // C3
  expect_refused(
      c.infer("rnn", {{"x", x}, {"initial_h", h}, {"weight_ih", weight({1, 2})}, {"weight_hh", weight({1, 1})}}),
      "takes 2 numbers, x has 3");
  expect_refused(
      c.infer("rnn",
              {{"x", x}, {"initial_h", c.typed({1, 2})}, {"weight_ih", weight({1, 3})}, {"weight_hh", weight({1, 1})}}),
      "[1,1] is needed");  // C4
  expect_refused(c.infer("rnn", {{"x", x},
                                 {"initial_h", h},
                                 {"weight_ih", weight({1, 3})},
                                 {"weight_hh", weight({1, 1})},
                                 {"activation", "gelu"}}),  // C5
                 "\"gelu\" is not one of");
  expect_refused(c.infer("lstm", {{"x", x},
                                  {"initial_h", h},
                                  {"initial_c", h},
                                  {"weight_ih", weight({4, 3})},
                                  {"weight_hh", weight({4, 1})},  // C6
                                  {"peephole", weight({4})}}),
                 "peephole: [3] is needed");
  expect_refused(c.infer("lstm", {{"x", x},
                                  {"initial_h", c.typed({1, 2})},
                                  {"initial_c", c.typed({1, 2})},
                                  {"weight_ih", weight({4, 3})},
                                  {"weight_hh", weight({4, 1})},
                                  {"direction", "bidirectional"}}),
                 "weight_ih_back: is needed");
  Case old(Target::ios16);
  expect_refused(old.infer("rnn", {{"x", old.typed(Type::tensor(DType::fp16, {2, 1, 3}))},
                                   {"initial_h", old.typed({1, 1})},
                                   {"weight_ih", old.fixed({1, 3}, {0, 0, 0})},
                                   {"weight_hh", old.fixed({1, 1}, {0})}}),
                 "fp16 is not accepted");
}

}  // namespace
}  // namespace anemone::ops

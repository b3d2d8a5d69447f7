// Cases of attention and of recurrent operations.
#include "anemone/runtime/kernel_cases.h"

namespace anemone::runtime {

void add_attention_cases(std::vector<Case>& cases) {
  const auto attention = [&](const char* form, Dims batch, Dims mask, bool selects, std::int64_t queries = 5,
                             std::int64_t keys = 7) {
    cases.push_back(
        {.op = "scaled_dot_product_attention",
         .form = form,
         .build = [=](TestGraph& g) -> Values {
           const auto shape = [&](std::int64_t rows, std::int64_t columns) {
             Dims dims = batch;
             dims.insert(dims.end(), {rows, columns});
             return dims;
           };
           Value *q = g.input(shape(queries, 6)), *k = g.input(shape(keys, 6)), *v = g.input(shape(keys, 9));
           if (mask.empty()) return {g.add("scaled_dot_product_attention", {{"query", q}, {"key", k}, {"value", v}})};
           Value* m = selects ? g.bool_input(mask) : g.input(mask);
           return {g.add("scaled_dot_product_attention", {{"query", q}, {"key", k}, {"value", v}, {"attn_mask", m}})};
         },
         .opset = Target::ios18});
  };
  attention("", {3}, {}, false);
  attention("two batch dimensions", {2, 3}, {}, false);
  attention("more than fits at once", {1}, {}, false, 1000, 600);
  attention("mask of what does not fit at once", {1}, {1000, 1}, false, 1000, 600);
  attention("mask of all batches", {2, 3}, {5, 7}, false);
  attention("mask of a row", {2, 3}, {7}, false);
  attention("mask of its own for each batch", {2, 3}, {2, 3, 5, 7}, false);
  attention("mask stretched over one batch dimension", {2, 3}, {2, 1, 5, 7}, false);
  attention("mask stretched over queries", {2, 3}, {2, 3, 1, 7}, false);
}

namespace {

/// Two samples of five numbers, six hidden ones; small weights, so that nothing saturates.
struct Sizes {
  static constexpr std::int64_t kBatch = 2, kInputs = 5, kHidden = 6;
};
Value* sequence(TestGraph& g, std::int64_t steps) { return g.input({steps, Sizes::kBatch, Sizes::kInputs}); }
Value* state(TestGraph& g, std::int64_t directions = 1) {
  return g.input({Sizes::kBatch, directions * Sizes::kHidden});
}
ConstantPtr of_input(TestGraph& g, std::int64_t gates) {
  return g.constant({gates * Sizes::kHidden, Sizes::kInputs}, -0.5, 0.5);
}
ConstantPtr of_state(TestGraph& g, std::int64_t gates) {
  return g.constant({gates * Sizes::kHidden, Sizes::kHidden}, -0.5, 0.5);
}
ConstantPtr bias(TestGraph& g, std::int64_t gates) { return g.constant({gates * Sizes::kHidden}, -0.5, 0.5); }

Values outputs(TestGraph& g, const char* op, Arguments arguments) {
  Values outs;
  if (Node* node = g.add_node(op, arguments)) {
    for (std::size_t i = 0; i < node->outputs.size(); ++i) outs.push_back(node->output(i));
  }
  return outs;
}

Values lstm(TestGraph& g) {
  return outputs(g, "lstm",
                 {{"x", sequence(g, 3)},
                  {"initial_h", state(g)},
                  {"initial_c", state(g)},
                  {"weight_ih", of_input(g, 4)},
                  {"weight_hh", of_state(g, 4)},
                  {"bias", bias(g, 4)}});
}
Values lstm_backward(TestGraph& g) {
  return outputs(g, "lstm",
                 {{"x", sequence(g, 4)},
                  {"initial_h", state(g)},
                  {"initial_c", state(g)},
                  {"weight_ih", of_input(g, 4)},
                  {"weight_hh", of_state(g, 4)},
                  {"direction", "reverse"},
                  {"output_sequence", true},
                  {"recurrent_activation", "hard_sigmoid"},
                  {"cell_activation", "relu"},
                  {"activation", "linear"}});
}
Values lstm_both(TestGraph& g) {
  return outputs(g, "lstm",
                 {{"x", sequence(g, 3)},
                  {"initial_h", state(g, 2)},
                  {"initial_c", state(g, 2)},
                  {"weight_ih", of_input(g, 4)},
                  {"weight_hh", of_state(g, 4)},
                  {"bias", bias(g, 4)},
                  {"peephole", bias(g, 3)},
                  {"weight_ih_back", of_input(g, 4)},
                  {"weight_hh_back", of_state(g, 4)},
                  {"bias_back", bias(g, 4)},
                  {"peephole_back", bias(g, 3)},
                  {"direction", "bidirectional"},
                  {"output_sequence", true},
                  {"clip", g.scalar(0.5)}});
}
Values gru(TestGraph& g) {
  return outputs(g, "gru",
                 {{"x", sequence(g, 3)},
                  {"initial_h", state(g)},
                  {"weight_ih", of_input(g, 3)},
                  {"weight_hh", of_state(g, 3)},
                  {"bias", bias(g, 3)}});
}
Values gru_reset_after(TestGraph& g) {
  return outputs(g, "gru",
                 {{"x", sequence(g, 3)},
                  {"initial_h", state(g)},
                  {"weight_ih", of_input(g, 3)},
                  {"weight_hh", of_state(g, 3)},
                  {"bias", bias(g, 3)},
                  {"input_bias", bias(g, 3)},
                  {"direction", "reverse"},
                  {"output_sequence", true},
                  {"reset_after", true}});
}
Values gru_input_bias(TestGraph& g) {
  return outputs(g, "gru",
                 {{"x", sequence(g, 2)},
                  {"initial_h", state(g)},
                  {"weight_ih", of_input(g, 3)},
                  {"weight_hh", of_state(g, 3)},
                  {"input_bias", bias(g, 3)}});
}
Values rnn(TestGraph& g) {
  return outputs(
      g, "rnn",
      {{"x", sequence(g, 3)}, {"initial_h", state(g)}, {"weight_ih", of_input(g, 1)}, {"weight_hh", of_state(g, 1)}});
}
Values rnn_relu(TestGraph& g) {
  return outputs(g, "rnn",
                 {{"x", sequence(g, 4)},
                  {"initial_h", state(g)},
                  {"weight_ih", of_input(g, 1)},
                  {"weight_hh", of_state(g, 1)},
                  {"bias", bias(g, 1)},
                  {"direction", "reverse"},
                  {"output_sequence", true},
                  {"activation", "relu"}});
}

}  // namespace

void add_recurrent_cases(std::vector<Case>& cases) {
  const auto add = [&](const char* op, const char* form, Values (*build)(TestGraph&)) {
    cases.push_back({.op = op, .form = form, .build = build, .opset = Target::ios18});
  };
  add("lstm", "", lstm);
  add("lstm", "sequence, backward, other functions, no bias", lstm_backward);
  add("lstm", "both directions, peephole, clip", lstm_both);
  add("gru", "", gru);
  add("gru", "sequence, backward, reset after", gru_reset_after);
  add("gru", "input bias", gru_input_bias);
  add("rnn", "", rnn);
  add("rnn", "sequence, backward, relu", rnn_relu);
}

}  // namespace anemone::runtime

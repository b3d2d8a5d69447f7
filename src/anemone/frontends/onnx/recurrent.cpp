// LSTM, GRU and RNN. MIL's operations take known weights and the usual activations; every other form is unrolled.
#include "anemone/frontends/onnx/recurrent.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace anemone::onnx {
namespace {

// What the three operations share. Inputs: X, W, R, B, sequence_lens, initial_h (and initial_c, P).
Recurrence read(const Call& c, std::int64_t gates, std::vector<std::string> usual) {
  Recurrence r;
  Emit& emit = c.emit();
  if (c.rank(0) != 3 || c.rank(1) != 3) Call::refuse("operands of another rank than 3");
  r.batch_first = c.integer("layout", 0) == 1;
  r.x = c.in(0);
  if (r.batch_first) r.x = emit.transpose(r.x, {1, 0, 2});
  r.steps = r.x->type.dims[0];
  r.batch = r.x->type.dims[1];
  r.gates = gates;
  r.hidden = c.dims(1)[1] / gates;
  r.direction = c.text("direction", "forward");
  r.directions = r.direction == "bidirectional" ? 2 : 1;
  if (c.dims(1)[0] != r.directions) Call::refuse(fmt::format("weights {} for {}", brief(c.dims(1)), r.direction));
  r.activations = c.words("activations");
  const std::size_t each = usual.size();
  r.is_usual = true;
  for (std::size_t i = 0; i < r.activations.size(); ++i) r.is_usual &= r.activations[i] == usual[i % each];
  if (r.activations.empty()) r.activations = usual;
  if (r.activations.size() < each) Call::refuse(fmt::format("{} activations", r.activations.size()));
  while (r.activations.size() < each * static_cast<std::size_t>(r.directions))
    r.activations.push_back(r.activations[r.activations.size() - each]);
  r.alphas = c.floats("activation_alpha");
  r.betas = c.floats("activation_beta");
  r.is_usual &= r.alphas.empty() && r.betas.empty();
  r.clip = c.number("clip", 0);
  r.is_usual &= r.clip == 0;
  if (c.has(4)) {
    const ConstantPtr lengths = c.known(4);
    const std::vector<double> values = lengths ? to_doubles(*lengths) : std::vector<double>();
    const bool whole = lengths && std::all_of(values.begin(), values.end(),
                                              [&](double n) { return n == static_cast<double>(r.steps); });
    if (!whole) r.lengths = c.in(4);
    r.is_usual &= whole;
  }
  r.is_usual &= c.known(1) && c.known(2) && (!c.has(3) || c.known(3));
  return r;
}

// One direction's part of an operand [directions, …], without that dimension.
MilValue* part(Emit& emit, MilValue* operand, std::int64_t direction) {
  if (operand->type.dims.empty()) Call::refuse("a number where a tensor for each direction is wanted");
  MilValue* slice = emit.slice(operand, 0, direction, direction + 1);
  return emit.reshape(slice, Dims(operand->type.dims.begin() + 1, operand->type.dims.end()));
}

// Blocks of rows in another order.
MilValue* reordered(Emit& emit, MilValue* x, const std::vector<std::int64_t>& order) {
  std::vector<MilValue*> blocks;
  const std::int64_t size = x->type.dims.at(0) / static_cast<std::int64_t>(order.size());
  for (const std::int64_t block : order) blocks.push_back(emit.slice(x, 0, block * size, (block + 1) * size));
  return emit.concat(blocks, 0);
}

// A constant, forced: recurrent operations take nothing else.
ConstantPtr fixed(Emit& emit, MilValue* x) {
  ConstantPtr known = emit.known(x);
  if (!known) Call::refuse("weights that are computed from the network's input");
  return known;
}

// The initial state [directions, batch, hidden] (layout 1: batch first); zeros where it is left out.
MilValue* initial(const Call& c, const Recurrence& r, std::size_t input) {
  Emit& emit = c.emit();
  const Dims dims{r.directions, r.batch, r.hidden};
  if (!c.has(input)) return emit.fill(r.x->type.dtype, dims, 0);
  return r.batch_first ? emit.transpose(c.in(input), {1, 0, 2}) : c.in(input);
}

// Y [steps, directions, batch, hidden] and the last states [directions, batch, hidden], in the layout wanted.
void give_all(Call& c, const Recurrence& r, MilValue* y, std::initializer_list<MilValue*> states) {
  Emit& emit = c.emit();
  if (c.wants(0)) c.give(0, r.batch_first ? emit.transpose(y, {2, 0, 1, 3}) : y);
  std::size_t output = 1;
  for (MilValue* state : states) {
    if (c.wants(output)) c.give(output, r.batch_first ? emit.transpose(state, {1, 0, 2}) : state);
    ++output;
  }
}

// [batch, directions·hidden] and back.
MilValue* flat_state(Emit& emit, const Recurrence& r, MilValue* state) {
  return emit.reshape(emit.transpose(state, {1, 0, 2}), {r.batch, r.directions * r.hidden});
}
MilValue* split_state(Emit& emit, const Recurrence& r, MilValue* state) {
  return emit.transpose(emit.reshape(state, {r.batch, r.directions, r.hidden}), {1, 0, 2});
}

// MIL gives a reversed sequence in the order in which it was walked, ONNX in that of the input.
MilValue* in_order(Emit& emit, MilValue* y, bool reverse) {
  return reverse ? emit.add("reverse", {{"x", y}, {"axes", Dims{0}}}) : y;
}

MilValue* summed_bias(Emit& emit, const Recurrence& r, MilValue* bias, std::int64_t direction) {
  MilValue* both = part(emit, bias, direction);
  const std::int64_t size = r.gates * r.hidden;
  return emit.add2(emit.slice(both, 0, 0, size), emit.slice(both, 0, size, 2 * size));
}

void lower_lstm(Call& c) {
  Emit& emit = c.emit();
  const Recurrence r = read(c, 4, {"Sigmoid", "Tanh", "Tanh"});
  MilValue* h0 = initial(c, r, 5);
  MilValue* c0 = initial(c, r, 6);
  MilValue* peepholes = c.has(7) ? c.in(7) : nullptr;
  if (!r.is_usual || c.flag("input_forget", false) || peepholes ||
      (c.target() < Target::ios17 && r.x->type.dtype != DType::fp32)) {
    const Unrolled u = unroll_lstm(c, r, h0, c0, peepholes);
    return give_all(c, r, u.y, {u.h, u.c});
  }
  const std::vector<std::int64_t> order{0, 2, 1, 3};  // i o f c -> i f o z
  const auto weight = [&](std::size_t input, std::int64_t direction) -> ConstantPtr {
    if (direction >= r.directions) return nullptr;
    return fixed(emit, reordered(emit, part(emit, c.in(input), direction), order));
  };
  const auto bias = [&](std::int64_t direction) -> ConstantPtr {
    if (direction >= r.directions || !c.has(3)) return nullptr;
    return fixed(emit, reordered(emit, summed_bias(emit, r, c.in(3), direction), order));
  };
  const std::vector<MilValue*> out = emit.add_all("lstm", {{"x", r.x},
                                                           {"initial_h", flat_state(emit, r, h0)},
                                                           {"initial_c", flat_state(emit, r, c0)},
                                                           {"weight_ih", weight(1, 0)},
                                                           {"weight_hh", weight(2, 0)},
                                                           {"bias", bias(0)},
                                                           {"weight_ih_back", weight(1, 1)},
                                                           {"weight_hh_back", weight(2, 1)},
                                                           {"bias_back", bias(1)},
                                                           {"direction", r.direction.c_str()},
                                                           {"output_sequence", true}});
  MilValue* sequence = in_order(emit, out[0], r.direction == "reverse");  // of both directions, MIL turns the second
  MilValue* y = emit.transpose(emit.reshape(sequence, {r.steps, r.batch, r.directions, r.hidden}), {0, 2, 1, 3});
  give_all(c, r, y, {split_state(emit, r, out[1]), split_state(emit, r, out[2])});
}

// GRU and RNN: MIL takes one direction at a time.
using OneDirection = std::vector<MilValue*> (*)(Call& c, const Recurrence& r, std::int64_t direction, MilValue* h0,
                                                const char* word);
void give_by_direction(Call& c, const Recurrence& r, MilValue* h0, OneDirection run) {
  Emit& emit = c.emit();
  std::vector<MilValue*> ys, hs;
  for (std::int64_t d = 0; d < r.directions; ++d) {
    const bool reverse = d == 1 || r.direction == "reverse";
    const std::vector<MilValue*> out = run(c, r, d, part(emit, h0, d), reverse ? "reverse" : "forward");
    ys.push_back(emit.reshape(in_order(emit, out[0], reverse), {r.steps, 1, r.batch, r.hidden}));
    hs.push_back(emit.reshape(out[1], {1, r.batch, r.hidden}));
  }
  give_all(c, r, emit.concat(ys, 1), {emit.concat(hs, 0)});
}

std::vector<MilValue*> run_gru(Call& c, const Recurrence& r, std::int64_t d, MilValue* h0, const char* word) {
  Emit& emit = c.emit();
  const std::vector<std::int64_t> order{1, 2, 0};  // z r h -> r h z, the candidate before the update gate
  const auto weight = [&](std::size_t input) {
    return fixed(emit, reordered(emit, part(emit, c.in(input), d), order));
  };
  const std::int64_t size = 3 * r.hidden;
  const auto half = [&](std::int64_t begin) -> ConstantPtr {
    if (!c.has(3)) return nullptr;
    return fixed(emit, reordered(emit, emit.slice(part(emit, c.in(3), d), 0, begin, begin + size), order));
  };
  if (c.flag("linear_before_reset", false)) {
    return emit.add_all("gru", {{"x", r.x},
                                {"initial_h", h0},
                                {"weight_ih", weight(1)},
                                {"weight_hh", weight(2)},
                                {"bias", half(size)},
                                {"input_bias", half(0)},
                                {"reset_after", true},
                                {"direction", word},
                                {"output_sequence", true}});
  }
  const ConstantPtr bias = c.has(3) ? fixed(emit, reordered(emit, summed_bias(emit, r, c.in(3), d), order)) : nullptr;
  return emit.add_all("gru", {{"x", r.x},
                              {"initial_h", h0},
                              {"weight_ih", weight(1)},
                              {"weight_hh", weight(2)},
                              {"bias", bias},
                              {"direction", word},
                              {"output_sequence", true}});
}
void lower_gru(Call& c) {
  const Recurrence r = read(c, 3, {"Sigmoid", "Tanh"});
  MilValue* h0 = initial(c, r, 5);
  const bool after = c.flag("linear_before_reset", false);
  const bool expressible = r.is_usual && (!after || c.target() >= Target::ios18);
  if (expressible) return give_by_direction(c, r, h0, run_gru);
  const Unrolled u = unroll_gru(c, r, h0, after);
  give_all(c, r, u.y, {u.h});
}

std::vector<MilValue*> run_rnn(Call& c, const Recurrence& r, std::int64_t d, MilValue* h0, const char* word) {
  Emit& emit = c.emit();
  const ConstantPtr bias = c.has(3) ? fixed(emit, summed_bias(emit, r, c.in(3), d)) : nullptr;
  return emit.add_all("rnn", {{"x", r.x},
                              {"initial_h", h0},
                              {"weight_ih", fixed(emit, part(emit, c.in(1), d))},
                              {"weight_hh", fixed(emit, part(emit, c.in(2), d))},
                              {"bias", bias},
                              {"direction", word},
                              {"output_sequence", true}});
}
void lower_rnn(Call& c) {
  const Recurrence r = read(c, 1, {"Tanh"});
  MilValue* h0 = initial(c, r, 5);
  if (r.is_usual) return give_by_direction(c, r, h0, run_rnn);
  const Unrolled u = unroll_rnn(c, r, h0);
  give_all(c, r, u.y, {u.h});
}

constexpr Row kRows[] = {
    {"LSTM", 1, lower_lstm, "more than 256 steps where MIL's operation does not fit"},
    {"GRU", 1, lower_gru, "more than 256 steps where MIL's operation does not fit"},
    {"RNN", 1, lower_rnn, "more than 256 steps where MIL's operation does not fit"},
};

}  // namespace

std::span<const Row> recurrent_lowerings() { return kRows; }

}  // namespace anemone::onnx

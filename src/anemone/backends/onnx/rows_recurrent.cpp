// lstm, gru, rnn. ONNX orders gates otherwise, keeps directions in a dimension of their own, and leaves a reversed
// sequence in the order of time.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "anemone/backends/onnx/rows.h"

namespace anemone::onnx::exporting {
namespace {

constexpr std::int64_t kLast = 2147483647;

/// What the three have in common.
struct Sequence {
  std::int64_t hidden = 0, directions = 1;
  bool reverse = false;
  Attrs attributes;
};

Result<Sequence> sequence_of(Emit& e, std::initializer_list<const char*> activation_params) {
  Sequence s;
  s.hidden = e.dims("weight_hh").at(1);
  s.directions = e.text("direction") == "bidirectional" ? 2 : 1;
  s.reverse = e.text("direction") == "reverse";
  std::vector<std::string> names;
  for (std::int64_t d = 0; d < s.directions; ++d) {
    for (const char* param : activation_params) {
      const std::string name = e.text(param);
      if (name == "sigmoid") names.push_back("Sigmoid");
      if (name == "tanh" || name == "scaled_tanh") names.push_back("Tanh");  // both scales are 1
      if (name == "relu") names.push_back("Relu");
      if (name == "hard_sigmoid" || name == "sigmoid_hard") names.push_back("HardSigmoid");  // 0.2 and 0.5 by default
      if (name == "linear") return e.refuse("activation \"linear\"", "use tanh, sigmoid, relu or hard_sigmoid");
    }
  }
  Attribute activations;
  activations.name = "activations";
  activations.kind = Attribute::Kind::strings;
  activations.value = std::move(names);
  s.attributes = {attr("hidden_size", s.hidden), std::move(activations),
                  attr("direction", std::string(s.directions == 2 ? "bidirectional" : "forward"))};
  return s;
}

/// Rows of a matrix (or elements of a vector) in blocks of `hidden`, in the order in which ONNX has the gates.
std::vector<double> reordered(Emit& e, const std::string& param, std::int64_t hidden, const std::vector<int>& gates) {
  const Constant* given = e.constant(param);
  std::vector<double> out;
  if (!given) return std::vector<double>(static_cast<std::size_t>(hidden) * gates.size(), 0);
  const std::vector<double> from = to_doubles(*given);
  const auto block = static_cast<std::ptrdiff_t>(from.size() / gates.size());
  for (const int gate : gates) out.insert(out.end(), from.begin() + gate * block, from.begin() + (gate + 1) * block);
  return out;
}

/// The parameter of all directions: [directions, …]. `second` stands behind `first` (the two halves of B).
Value* weights(Emit& e, const Sequence& s, const std::string& first, const std::string& second,
               const std::vector<int>& gates) {
  std::vector<double> all;
  for (std::int64_t d = 0; d < s.directions; ++d) {
    for (const std::string& param : {first, second}) {
      if (param.empty()) continue;
      const std::vector<double> part = reordered(e, d == 0 ? param : param + "_back", s.hidden, gates);
      all.insert(all.end(), part.begin(), part.end());
    }
  }
  Dims dims{s.directions};
  if (const Constant* given = e.constant(first); given && given->type.rank() == 2) {
    dims.insert(dims.end(), given->type.dims.begin(), given->type.dims.end());
  } else {
    dims.push_back(static_cast<std::int64_t>(all.size()) / s.directions);
  }
  const MilValue* named = e.node().input(first);
  return e.raising().initializer(named ? named->name : first,
                                 make_constant(e.out_type().dtype, std::move(dims), std::span<const double>(all)));
}

/// [batch, directions · hidden] -> [directions, batch, hidden].
Value* state(Emit& e, const Sequence& s, std::string_view param) {
  if (s.directions == 1) return e.unsqueeze(e.in(param), {0});
  return e.transpose(e.reshape(e.in(param), {-1, 2, s.hidden}), {1, 0, 2});
}

/// And back.
Value* joined(Emit& e, const Sequence& s, Value* value) {
  if (s.directions == 1) return e.make("Squeeze", {value, e.int64s({0})});
  return e.reshape(e.transpose(value, {1, 0, 2}), {-1, 2 * s.hidden});
}

Value* sequence_input(Emit& e, const Sequence& s) {
  return s.reverse ? e.slice(e.in("x"), {-1}, {-kLast}, {0}, {-1}) : e.in("x");
}

Result<void> finish(Emit& e, const Sequence& s, const Inputs& made) {
  Value* final_state = joined(e, s, made[1]);
  Value* sequence = nullptr;
  if (!e.flag("output_sequence")) {
    sequence = e.unsqueeze(final_state, {0});
  } else if (s.directions == 1) {
    sequence = e.make("Squeeze", {made[0], e.int64s({1})});
  } else {  // [steps, directions, batch, hidden]
    sequence = e.make("Reshape", {e.transpose(made[0], {0, 2, 1, 3}), e.int64s({0, 0, 2 * s.hidden})});
  }
  TRY_VOID(e.give_value(sequence, 0));
  TRY_VOID(e.give_value(final_state, 1));
  return made.size() < 3 ? Result<void>() : e.give_value(joined(e, s, made[2]), 2);
}

// MIL: i, f, o, z; ONNX: i, o, f, c. The peephole has i, f, o here and i, o, f there.
Result<void> lstm(Emit& e) {
  if (e.has("clip")) return e.refuse("clip of the cell's state; ONNX clips what goes into the activations");
  TRY(Sequence s, sequence_of(e, {"recurrent_activation", "cell_activation", "activation"}));
  const std::vector<int> gates{0, 2, 1, 3};
  Inputs inputs{sequence_input(e, s),
                weights(e, s, "weight_ih", "", gates),
                weights(e, s, "weight_hh", "", gates),
                nullptr,
                nullptr,
                state(e, s, "initial_h"),
                state(e, s, "initial_c")};
  if (e.has("bias") || e.has("bias_back")) inputs[3] = weights(e, s, "bias", "no_bias", gates);
  if (e.has("peephole") || e.has("peephole_back")) inputs.push_back(weights(e, s, "peephole", "", {0, 2, 1}));
  return finish(e, s, e.make_several({"LSTM", std::move(inputs), s.attributes}, 3));
}

// MIL: r, o, z; ONNX: z, r, h.
Result<void> gru(Emit& e) {
  TRY(Sequence s, sequence_of(e, {"recurrent_activation", "activation"}));
  const std::vector<int> gates{2, 0, 1};
  if (e.has("reset_after") && e.flag("reset_after"))
    s.attributes.push_back(attr("linear_before_reset", std::int64_t{1}));
  Inputs inputs{sequence_input(e, s),
                weights(e, s, "weight_ih", "", gates),
                weights(e, s, "weight_hh", "", gates),
                nullptr,
                nullptr,
                state(e, s, "initial_h")};
  if (e.has("bias") || e.has("input_bias")) inputs[3] = weights(e, s, "input_bias", "bias", gates);
  return finish(e, s, e.make_several({"GRU", std::move(inputs), s.attributes}, 2));
}

Result<void> rnn(Emit& e) {
  TRY(Sequence s, sequence_of(e, {"activation"}));
  Inputs inputs{sequence_input(e, s),
                weights(e, s, "weight_ih", "", {0}),
                weights(e, s, "weight_hh", "", {0}),
                nullptr,
                nullptr,
                state(e, s, "initial_h")};
  if (e.has("bias")) inputs[3] = weights(e, s, "bias", "no_bias", {0});
  return finish(e, s, e.make_several({"RNN", std::move(inputs), s.attributes}, 2));
}

constexpr std::array kRows = {
    RaiseRow{"lstm", lstm, "LSTM, with Reshape and Transpose around it"},
    RaiseRow{"gru", gru, "GRU, with Reshape and Transpose around it"},
    RaiseRow{"rnn", rnn, "RNN, with Reshape and Transpose around it"},
};

}  // namespace

std::span<const RaiseRow> raise_recurrent() { return kRows; }

}  // namespace anemone::onnx::exporting

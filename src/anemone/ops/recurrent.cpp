// lstm, gru, rnn over a sequence [steps, batch, inputs].
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

// iOS15 takes fp32 alone.
template <DTypeSet F>
struct Params {
  static constexpr Param kLstm[] = {input("x", F),
                                    input("initial_h", F),
                                    input("initial_c", F),
                                    fixed("weight_ih", F, 'T'),
                                    fixed("weight_hh", F, 'T'),
                                    option("bias", F, 'T', each(0)),
                                    option("peephole", F, 'T'),
                                    option("weight_ih_back", F, 'T'),
                                    option("weight_hh_back", F, 'T'),
                                    option("bias_back", F, 'T', each(0)),
                                    option("peephole_back", F, 'T'),
                                    option("direction", kString, 0, "forward"),
                                    option("output_sequence", kBool, 0, false),
                                    option("recurrent_activation", kString, 0, "sigmoid"),
                                    option("cell_activation", kString, 0, "tanh"),
                                    option("activation", kString, 0, "tanh"),
                                    option("clip", F, 'T')};
  static constexpr Param kGru[] = {input("x", F),
                                   input("initial_h", F),
                                   fixed("weight_ih", F, 'T'),
                                   fixed("weight_hh", F, 'T'),
                                   option("bias", F, 'T', each(0)),
                                   option("direction", kString, 0, "forward"),
                                   option("output_sequence", kBool, 0, false),
                                   option("recurrent_activation", kString, 0, "sigmoid"),
                                   option("activation", kString, 0, "tanh")};
  static constexpr auto kGru18 =
      with(kGru, {option("reset_after", kBool, 0, false), option("input_bias", F, 'T', each(0))});
  static constexpr Param kRnn[] = {input("x", F),
                                   input("initial_h", F),
                                   fixed("weight_ih", F, 'T'),
                                   fixed("weight_hh", F, 'T'),
                                   option("bias", F, 'T', each(0)),
                                   option("direction", kString, 0, "forward"),
                                   option("output_sequence", kBool, 0, false),
                                   option("activation", kString, 0, "tanh")};
};
constexpr DTypeSet kSingle = dtype_bit(DType::fp32);

Result<void> check_activation(const InferView& v, std::string_view param) {
  return check_word(v, param, {"sigmoid", "tanh", "relu", "hard_sigmoid", "sigmoid_hard", "linear", "scaled_tanh"});
}
double activate(std::string_view name, double x) {
  if (name == "sigmoid") return 1 / (1 + std::exp(-x));
  if (name == "tanh" || name == "scaled_tanh")
    return std::tanh(x);  // both scales are 1: there is no parameter for them
  if (name == "relu") return std::max(x, 0.0);
  if (name == "hard_sigmoid" || name == "sigmoid_hard") return std::clamp(0.2 * x + 0.5, 0.0, 1.0);
  return x;
}

// (C1) x [steps, batch, inputs]; (C2) a direction of the operation; (C3) weights [gates·H, inputs] and [gates·H, H];
// (C4) states [batch, H]; (C5) activations by name. Gives the sequence and the final states.
Types infer_recurrent(const InferView& v, std::int64_t gates, bool bidirectional,
                      std::initializer_list<const char*> states) {
  const Type &x = v.type("x"), &input_weight = v.type("weight_ih"), &state_weight = v.type("weight_hh");
  TRY_VOID(check_rank(v, "x", 3, 3));          // (C1)
  TRY_VOID(check_rank(v, "weight_ih", 2, 2));  // (C3)
  TRY_VOID(check_rank(v, "weight_hh", 2, 2));
  TRY_VOID(bidirectional ? check_word(v, "direction", {"forward", "reverse", "bidirectional"})  // (C2)
                         : check_word(v, "direction", {"forward", "reverse"}));
  const bool both = v.text("direction") == "bidirectional";
  const std::int64_t hidden = state_weight.dims[1];
  if (state_weight.dims[0] != gates * hidden || input_weight.dims[0] != gates * hidden) {
    return v.wrong("weight_hh", fmt::format("{} and weight_ih {} are not {} gates of {}", brief(state_weight.dims),
                                            brief(input_weight.dims), gates, hidden));
  }
  if (x.ranked && !may_equal(input_weight.dims[1], x.dims[2])) {
    return v.wrong("weight_ih", fmt::format("{} takes {} numbers, x has {}", brief(input_weight.dims),
                                            input_weight.dims[1], x.dims[2]));
  }
  for (const char* param : {"bias", "bias_back", "input_bias"}) TRY_VOID(check_length(v, param, gates * hidden));
  if (both) {
    for (const char* param : {"weight_ih_back", "weight_hh_back"}) {
      if (!v.has(param)) return v.wrong(param, "is needed in both directions");
    }
    TRY_VOID(check_dims(v, "weight_ih_back", input_weight.dims));
    TRY_VOID(check_dims(v, "weight_hh_back", state_weight.dims));
  }
  const std::int64_t width = both ? 2 * hidden : hidden, batch = x.ranked ? x.dims[1] : kUnknown,
                     steps = x.ranked ? x.dims[0] : kUnknown;
  for (const char* state : states) TRY_VOID(check_dims(v, state, Dims{batch, width}));  // (C4)
  TRY_VOID(check_activation(v, "recurrent_activation"));                                // (C5)
  TRY_VOID(check_activation(v, "cell_activation"));
  TRY_VOID(check_activation(v, "activation"));
  std::vector<Type> types{Type::tensor(x.dtype, {v.flag("output_sequence") ? steps : 1, batch, width})};
  types.insert(types.end(), states.size(), Type::tensor(x.dtype, {batch, width}));
  return types;
}
Types infer_lstm(const InferView& v) {
  TRY(std::vector<Type> types, infer_recurrent(v, 4, true, {"initial_h", "initial_c"}));
  const std::int64_t hidden = v.type("weight_hh").dims[1];
  for (const char* param : {"peephole", "peephole_back"}) TRY_VOID(check_length(v, param, 3 * hidden));  // (C6)
  return types;
}
Types infer_gru(const InferView& v) { return infer_recurrent(v, 3, false, {"initial_h"}); }
Types infer_rnn(const InferView& v) { return infer_recurrent(v, 1, false, {"initial_h"}); }
constexpr Form kLstmForms[] = {{Target::ios15, Params<kSingle>::kLstm, infer_lstm},
                               {Target::ios17, Params<kFloats>::kLstm, infer_lstm}};
constexpr Form kGruForms[] = {{Target::ios15, Params<kSingle>::kGru, infer_gru},
                              {Target::ios17, Params<kFloats>::kGru, infer_gru},
                              {Target::ios18, Params<kFloats>::kGru18, infer_gru}};
constexpr Form kRnnForms[] = {{Target::ios15, Params<kSingle>::kRnn, infer_rnn},
                              {Target::ios17, Params<kFloats>::kRnn, infer_rnn}};

// matrix [rows, n] times vector
std::vector<double> times_vector(const Array& matrix, const double* vector) {
  const auto rows = static_cast<std::size_t>(matrix.dims[0]), n = static_cast<std::size_t>(matrix.dims[1]);
  std::vector<double> out(rows, 0);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t k = 0; k < n; ++k) out[r] += matrix.data[r * n + k] * vector[k];
  }
  return out;
}

// Walks the steps of one direction for one sample: step(x) updates `state`, which starts at `column` of its row of the
// outputs. A reversed sequence comes out in the order in which it was walked, unless both directions stand side by
// side.
template <class Step>
void walk(EvalView& v, bool backward, std::int64_t sample, std::size_t column, std::vector<double>& state,
          Step&& step) {
  const Array& x = v.in("x");
  Array& y = v.out();
  const bool sequence = v.flag("output_sequence"), both = v.text("direction") == "bidirectional";
  const std::int64_t steps = x.dims[0], batch = x.dims[1];
  const auto width = static_cast<std::size_t>(y.dims[2]);
  for (std::int64_t t = 0; t < steps; ++t) {
    const std::int64_t at = backward ? steps - 1 - t : t;
    step(x.data.data() + (at * batch + sample) * x.dims[2]);
    if (!sequence && t + 1 < steps) continue;
    const std::int64_t place = !sequence ? 0 : both ? at : t;
    const std::size_t row = static_cast<std::size_t>(place * batch + sample);
    std::copy(state.begin(), state.end(), y.data.begin() + static_cast<std::ptrdiff_t>(row * width + column));
  }
}

double bias_at(const Array* bias, std::size_t i) { return bias ? bias->data[i] : 0; }

// Gates in the order i, f, o, z.
void lstm_direction(EvalView& v, bool second, bool backward, std::int64_t sample) {
  const std::string suffix = second ? "_back" : "";
  const Array &input_weight = v.in("weight_ih" + suffix), &state_weight = v.in("weight_hh" + suffix);
  const Array *bias = v.maybe("bias" + suffix), *peephole = v.maybe("peephole" + suffix);
  const auto hidden = static_cast<std::size_t>(state_weight.dims[1]);
  const std::string gate = v.text("recurrent_activation"), cell = v.text("cell_activation"), out = v.text("activation");
  const double clip = number_of(v, "clip", HUGE_VAL);
  const std::size_t width = static_cast<std::size_t>(v.out().dims[2]), column = second ? hidden : 0;
  const auto begin = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(sample) * width + column);
  const auto initial = [&](const char* param) {
    const auto from = v.in(param).data.begin() + begin;
    return std::vector<double>(from, from + static_cast<std::ptrdiff_t>(hidden));
  };
  std::vector<double> h = initial("initial_h"), c = initial("initial_c");
  walk(v, backward, sample, column, h, [&](const double* x) {
    const std::vector<double> from_x = times_vector(input_weight, x), from_h = times_vector(state_weight, h.data());
    for (std::size_t k = 0; k < hidden; ++k) {
      const auto sum = [&](std::size_t g, double peep_at) {
        const std::size_t at = g * hidden + k;
        const double peep = peephole && g < 3 ? peephole->data[at] * peep_at : 0;
        return from_x[at] + from_h[at] + bias_at(bias, at) + peep;
      };
      const double i = activate(gate, sum(0, c[k])), f = activate(gate, sum(1, c[k])), z = activate(cell, sum(3, 0));
      c[k] = std::clamp(f * c[k] + i * z, -clip, clip);
      h[k] = activate(gate, sum(2, c[k])) * activate(out, c[k]);
    }
  });
  std::copy(h.begin(), h.end(), v.out(1).data.begin() + begin);
  std::copy(c.begin(), c.end(), v.out(2).data.begin() + begin);
}
Result<void> eval_lstm(EvalView& v) {
  const std::string direction = v.text("direction");
  for (std::int64_t sample = 0; sample < v.in("x").dims[1]; ++sample) {
    lstm_direction(v, false, direction == "reverse", sample);
    if (direction == "bidirectional") lstm_direction(v, true, true, sample);
  }
  return {};
}

// Gates in the order r, o, z. With reset_after, r multiplies what comes of the state; without, the state itself.
Result<void> eval_gru(EvalView& v) {
  const Array &input_weight = v.in("weight_ih"), &state_weight = v.in("weight_hh"), &initial = v.in("initial_h");
  const Array *bias = v.maybe("bias"), *input_bias = v.maybe("input_bias");
  const auto hidden = static_cast<std::size_t>(state_weight.dims[1]);
  const std::string gate = v.text("recurrent_activation"), out = v.text("activation");
  const bool reset_after = v.flag("reset_after"), backward = v.text("direction") == "reverse";
  for (std::int64_t sample = 0; sample < v.in("x").dims[1]; ++sample) {
    const auto begin = static_cast<std::ptrdiff_t>(sample) * static_cast<std::ptrdiff_t>(hidden);
    std::vector<double> h(initial.data.begin() + begin,
                          initial.data.begin() + begin + static_cast<std::ptrdiff_t>(hidden));
    walk(v, backward, sample, 0, h, [&](const double* x) {
      const std::vector<double> from_x = times_vector(input_weight, x), from_h = times_vector(state_weight, h.data());
      std::vector<double> reset(hidden), kept(hidden), gated(hidden);
      for (std::size_t k = 0; k < hidden; ++k) {
        const auto sum = [&](std::size_t g) {
          const std::size_t at = g * hidden + k;
          return from_x[at] + from_h[at] + bias_at(bias, at) + bias_at(input_bias, at);
        };
        reset[k] = activate(gate, sum(0));
        kept[k] = activate(gate, sum(2));
        gated[k] = reset[k] * h[k];
      }
      const std::vector<double> from_gated = times_vector(state_weight, gated.data());
      for (std::size_t k = 0; k < hidden; ++k) {
        const std::size_t at = hidden + k;
        const double state =
            reset_after ? reset[k] * (from_h[at] + bias_at(bias, at)) : from_gated[at] + bias_at(bias, at);
        const double candidate = activate(out, from_x[at] + bias_at(input_bias, at) + state);
        h[k] = (1 - kept[k]) * candidate + kept[k] * h[k];
      }
    });
    std::copy(h.begin(), h.end(), v.out(1).data.begin() + begin);
  }
  return {};
}

Result<void> eval_rnn(EvalView& v) {
  const Array &input_weight = v.in("weight_ih"), &state_weight = v.in("weight_hh"), &initial = v.in("initial_h");
  const Array* bias = v.maybe("bias");
  const auto hidden = static_cast<std::size_t>(state_weight.dims[1]);
  const std::string out = v.text("activation");
  for (std::int64_t sample = 0; sample < v.in("x").dims[1]; ++sample) {
    const auto begin = static_cast<std::ptrdiff_t>(sample) * static_cast<std::ptrdiff_t>(hidden);
    std::vector<double> h(initial.data.begin() + begin,
                          initial.data.begin() + begin + static_cast<std::ptrdiff_t>(hidden));
    walk(v, v.text("direction") == "reverse", sample, 0, h, [&](const double* x) {
      const std::vector<double> from_x = times_vector(input_weight, x), from_h = times_vector(state_weight, h.data());
      for (std::size_t k = 0; k < hidden; ++k) h[k] = activate(out, from_x[k] + from_h[k] + bias_at(bias, k));
    });
    std::copy(h.begin(), h.end(), v.out(1).data.begin() + begin);
  }
  return {};
}

// Every gate multiplies the inputs and the state of every step with its matrices; both directions count.
std::int64_t macs_recurrent(const Node& node) {
  const Type& x = node.input("x")->type;
  if (!x.is_fixed() || x.rank() != 3) return 0;
  std::int64_t weights = 0;
  for (const std::string_view param : {"weight_ih", "weight_hh", "weight_ih_back", "weight_hh_back"}) {
    if (const Value* weight = node.input(param)) weights += element_count(weight->type.dims).value_or(0);
  }
  const std::int64_t macs = times(times(x.dims[0], x.dims[1]), weights);
  return macs == kUnknown ? 0 : macs;
}

constexpr OpDef kOps[] = {
    {.name = "lstm",
     .summary = "long short-term memory; gates i, f, o, z",
     .forms = kLstmForms,
     .eval = eval_lstm,
     .macs = macs_recurrent,
     .traits = kRecurrent},
    {.name = "gru",
     .summary = "gated recurrent unit; gates r, o, z",
     .forms = kGruForms,
     .eval = eval_gru,
     .macs = macs_recurrent,
     .traits = kRecurrent},
    {.name = "rnn",
     .summary = "h = activation(weight_ih · x + weight_hh · h + bias)",
     .forms = kRnnForms,
     .eval = eval_rnn,
     .macs = macs_recurrent,
     .traits = kRecurrent},
};

}  // namespace

std::span<const OpDef> recurrent() { return kOps; }

}  // namespace anemone::ops

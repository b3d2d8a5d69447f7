// lstm, gru and rnn: what comes of the input in one product for all steps, then step by step what comes of the state.
#include <algorithm>
#include <limits>

#include "anemone/runtime/kernel_util.h"

namespace anemone::runtime {
namespace {

// Operands of all kernels here, in this order; each is one direction of an operation. The products are transposed and
// packed: [inputs, gates * hidden] and [hidden, gates * hidden].
enum RecurrentOperand : std::size_t {
  kX,
  kInitialH,
  kInitialC,
  kInputWeight,
  kInputBias,
  kStateWeight,
  kCandidateWeight,
  kCandidateBias,
  kPeephole,
  kFromX,
  kSums,
  kH,
  kC,
  kOut,
  kFinalH,
  kFinalC
};

void apply(const RecurrentParameters::Function& f, float* data, std::int64_t n, ThreadPool& pool) {
  cpu::unary(f.function, data, data, n, pool, f.alpha, f.beta);
}

/// Rows [batch, hidden] of one direction in and out of [batch, width].
void take_column(const RecurrentParameters& p, const float* from, float* to) {
  for (std::int64_t s = 0; s < p.batch; ++s) std::copy_n(from + s * p.width + p.column, p.hidden, to + s * p.hidden);
}
void put_column(const RecurrentParameters& p, const float* from, float* to) {
  for (std::int64_t s = 0; s < p.batch; ++s) std::copy_n(from + s * p.hidden, p.hidden, to + s * p.width + p.column);
}

/// x * weight + bias for all steps, the states at their start, then step(what came of x) for each, its state written
/// where the sequence wants it: a reversed one comes out in the order in which it was walked, unless both directions
/// stand side by side.
template <class Step>
void walk(const Bound& b, const RecurrentParameters& p, std::int64_t gates, Step step) {
  const std::int64_t width = gates * p.hidden;
  cpu::linear(b.in(kX), p.steps * p.batch, p.inputs, width, b.in(kInputWeight), b.in(kInputBias), b.out(kFromX),
              b.pool);
  take_column(p, b.in(kInitialH), b.out(kH));
  if (b.in(kInitialC)) take_column(p, b.in(kInitialC), b.out(kC));
  for (std::int64_t t = 0; t < p.steps; ++t) {
    const std::int64_t at = p.backward ? p.steps - 1 - t : t;
    step(b.in(kFromX) + at * p.batch * width);
    if (!p.sequence && t + 1 < p.steps) continue;
    const std::int64_t place = !p.sequence ? 0 : p.width > p.hidden ? at : t;
    put_column(p, b.in(kH), b.out(kOut) + place * p.batch * p.width);
  }
  put_column(p, b.in(kH), b.out(kFinalH));
  if (b.in(kInitialC)) put_column(p, b.in(kC), b.out(kFinalC));
}

/// sums [batch, columns] = state [batch, hidden] * weight + what is added.
void add_state(const Bound& b, const RecurrentParameters& p, const float* state, RecurrentOperand weight,
               std::int64_t columns, const float* bias, const float* add, float* sums) {
  cpu::Epilogue epilogue;
  epilogue.add = add;
  cpu::linear(state, p.batch, p.hidden, columns, b.in(weight), bias, sums, b.pool, epilogue);
}

/// Gates in the order i, f, o, z.
void lstm_sample(const Bound& b, const RecurrentParameters& p, float* gates, float* h, float* c) {
  const std::int64_t n = p.hidden;
  float *i = gates, *f = gates + n, *o = gates + 2 * n, *z = gates + 3 * n;
  const float* peephole = b.in(kPeephole);
  for (std::int64_t k = 0; peephole && k < n; ++k) {
    i[k] += peephole[k] * c[k];
    f[k] += peephole[n + k] * c[k];
  }
  apply(p.gate, i, 2 * n, b.pool);
  apply(p.cell, z, n, b.pool);
  for (std::int64_t k = 0; k < n; ++k) {
    c[k] = std::clamp(f[k] * c[k] + i[k] * z[k], -p.clip, p.clip);
    if (peephole) o[k] += peephole[2 * n + k] * c[k];
    z[k] = c[k];
  }
  apply(p.gate, o, n, b.pool);
  apply(p.out, z, n, b.pool);
  for (std::int64_t k = 0; k < n; ++k) h[k] = o[k] * z[k];
}

const Kernel kLstm{"lstm", [](const Bound& b) {
                     const auto& p = get<RecurrentParameters>(b);
                     const std::int64_t n = p.hidden;
                     walk(b, p, 4, [&](const float* from_x) {
                       add_state(b, p, b.in(kH), kStateWeight, 4 * n, nullptr, from_x, b.out(kSums));
                       for (std::int64_t s = 0; s < p.batch; ++s) {
                         lstm_sample(b, p, b.out(kSums) + s * 4 * n, b.out(kH) + s * n, b.out(kC) + s * n);
                       }
                     });
                   }};

/// Gates in the order r, z, and the candidate apart: with reset_after, r multiplies what comes of the state; without,
/// the state itself.
const Kernel kGru{
    "gru", [](const Bound& b) {
      const auto& p = get<RecurrentParameters>(b);
      const std::int64_t n = p.hidden, rows = p.batch * n;
      float *h = b.out(kH), *gates = b.out(kSums), *candidate = gates + 2 * rows, *gated = gates + 3 * rows;
      walk(b, p, 3, [&](const float* from_x) {
        add_state(b, p, h, kStateWeight, 2 * n, nullptr, nullptr, gates);
        for (std::int64_t s = 0; s < p.batch; ++s) {
          float* g = gates + s * 2 * n;
          for (std::int64_t k = 0; k < 2 * n; ++k) g[k] += from_x[s * 3 * n + k];
        }
        apply(p.gate, gates, 2 * rows, b.pool);
        for (std::int64_t i = 0; i < rows; ++i) gated[i] = gates[i / n * 2 * n + i % n] * h[i];
        add_state(b, p, p.reset_after ? h : gated, kCandidateWeight, n, b.in(kCandidateBias), nullptr, candidate);
        for (std::int64_t i = 0; i < rows; ++i) {
          const std::int64_t s = i / n, k = i % n;
          if (p.reset_after) candidate[i] *= gates[s * 2 * n + k];
          candidate[i] += from_x[s * 3 * n + 2 * n + k];
        }
        apply(p.out, candidate, rows, b.pool);
        for (std::int64_t i = 0; i < rows; ++i) {
          const float kept = gates[i / n * 2 * n + n + i % n];
          h[i] = (1 - kept) * candidate[i] + kept * h[i];
        }
      });
    }};

const Kernel kRnn{"rnn", [](const Bound& b) {
                    const auto& p = get<RecurrentParameters>(b);
                    const std::int64_t rows = p.batch * p.hidden;
                    walk(b, p, 1, [&](const float* from_x) {
                      add_state(b, p, b.in(kH), kStateWeight, p.hidden, nullptr, from_x, b.out(kSums));
                      apply(p.out, b.out(kSums), rows, b.pool);
                      std::copy_n(b.out(kSums), rows, b.out(kH));
                    });
                  }};

RecurrentParameters::Function function_of(const Node& node, std::string_view param) {
  const std::string word = ConstantView(node).text(param);
  if (word == "sigmoid") return {cpu::Unary::sigmoid};
  if (word == "relu") return {cpu::Unary::relu};
  if (word == "hard_sigmoid" || word == "sigmoid_hard") return {cpu::Unary::sigmoid_hard, 0.2f, 0.5f};
  if (word == "linear") return {cpu::Unary::identity};
  return {cpu::Unary::tanh};  // scaled_tanh too: both scales are 1
}

RecurrentParameters parameters_of(const Node& node) {
  const ConstantView v(node);
  const Dims &x = node.input("x")->type.dims, &out = node.output()->type.dims;
  RecurrentParameters p{.steps = x[0], .batch = x[1], .inputs = x[2], .width = out[2]};
  p.hidden = node.input("weight_hh")->type.dims[1];
  p.backward = v.text("direction") == "reverse";
  p.sequence = v.flag("output_sequence");
  p.gate = function_of(node, "recurrent_activation");
  p.cell = function_of(node, "cell_activation");
  p.out = function_of(node, "activation");
  p.clip = v.has("clip") ? static_cast<float>(v.number("clip")) : std::numeric_limits<float>::infinity();
  p.reset_after = v.flag("reset_after");
  return p;
}

/// Blocks of `size` elements in this order.
std::vector<float> blocks(const std::vector<float>& all, std::int64_t size, std::initializer_list<std::int64_t> order) {
  std::vector<float> out;
  for (const std::int64_t block : order) {
    const auto from = all.begin() + static_cast<std::ptrdiff_t>(block * size);
    out.insert(out.end(), from, from + static_cast<std::ptrdiff_t>(size));
  }
  return out;
}

/// One direction of an operation: its numbers, its states and outputs.
class Direction {
 public:
  Direction(const Group& g, Planner& p, bool second)
      : node_(*g.node), planner_(p), second_(second), parameters_(parameters_of(*g.node)) {
    parameters_.column = second ? parameters_.hidden : 0;
    parameters_.backward = parameters_.backward || second;
  }
  const RecurrentParameters& parameters() const { return parameters_; }

  /// A known operand of this direction; empty when it is not there.
  Result<std::vector<float>> known(std::string param) const {
    return planner_.known_floats(node_.input(second_ ? param + "_back" : param));
  }
  /// Gates of a weight [gates * hidden, columns], transposed and packed.
  Result<Ref> weight(const std::string& param, std::initializer_list<std::int64_t> gates) const {
    TRY(const std::vector<float> all, known(param));
    const std::int64_t columns = node_.input(param)->type.dims[1], hidden = parameters_.hidden;
    const auto rows = static_cast<std::int64_t>(gates.size()) * hidden;
    const std::vector<float> picked = blocks(all, hidden * columns, gates);
    return planner_.constant(std::move(cpu::pack_matrix(picked.data(), columns, rows, true).data));
  }
  Ref constant(const std::vector<float>& data) const { return data.empty() ? Ref{} : planner_.constant(data); }

 private:
  const Node& node_;
  Planner& planner_;
  bool second_;
  RecurrentParameters parameters_;
};

struct Numbers {
  const Kernel* kernel;
  std::int64_t gates;
  Ref input_weight, input_bias, state_weight, candidate_weight, candidate_bias, peephole;
};

Result<void> add_direction(const Group& g, Planner& p, const Direction& d, const Numbers& numbers,
                           std::span<const Ref> outs) {
  const RecurrentParameters& r = d.parameters();
  const Node& node = *g.node;
  const bool has_cell = node.input("initial_c") != nullptr;
  TRY(const Ref x, p.read(*node.input("x")));
  TRY(const Ref h, p.read(*node.input("initial_h")));
  TRY(const Ref c, p.read_maybe(node.input("initial_c")));
  const auto scratch = [&](std::string_view role, std::int64_t floats) {
    return Access{role, floats ? p.scratch(floats) : Ref{}, Access::Use::scratch};
  };
  Call call{.kernel = numbers.kernel, .parameters = r};
  call.operands = {read("x", x),
                   read("initial_h", h),
                   read("initial_c", c),
                   read("weight_ih", numbers.input_weight),
                   read("bias", numbers.input_bias),
                   read("weight_hh", numbers.state_weight),
                   read("candidate_weight", numbers.candidate_weight),
                   read("candidate_bias", numbers.candidate_bias),
                   read("peephole", numbers.peephole),
                   scratch("from_x", r.steps * r.batch * numbers.gates * r.hidden),
                   scratch("sums", 4 * r.batch * r.hidden),
                   scratch("h", r.batch * r.hidden),
                   scratch("c", has_cell ? r.batch * r.hidden : 0),
                   write("out", outs[0]),
                   write("final_h", outs[1]),
                   write("final_c", outs.size() > 2 ? outs[2] : Ref{})};
  if (r.column == 0 && node.def->macs) call.macs = node.def->macs(node);
  p.add(g.out(), Rounding::needed, std::move(call));
  return {};
}

std::vector<Ref> define_all(const Node& node, Planner& p) {
  std::vector<Ref> outs;
  for (const auto& out : node.outputs) outs.push_back(p.define(*out));
  return outs;
}

Result<void> plan_lstm(const Group& g, Planner& p) {
  const std::vector<Ref> outs = define_all(*g.node, p);
  const bool both = ConstantView(*g.node).text("direction") == "bidirectional";
  for (const bool second : {false, true}) {
    if (second && !both) break;
    const Direction d(g, p, second);
    Numbers numbers{.kernel = &kLstm, .gates = 4};
    TRY(numbers.input_weight, d.weight("weight_ih", {0, 1, 2, 3}));
    TRY(numbers.state_weight, d.weight("weight_hh", {0, 1, 2, 3}));
    TRY(const std::vector<float> bias, d.known("bias"));
    TRY(const std::vector<float> peephole, d.known("peephole"));
    numbers.input_bias = d.constant(bias);
    numbers.peephole = d.constant(peephole);
    TRY_VOID(add_direction(g, p, d, numbers, outs));
  }
  return {};
}

Result<void> plan_gru(const Group& g, Planner& p) {
  const Direction d(g, p, false);
  const std::int64_t n = d.parameters().hidden;
  Numbers numbers{.kernel = &kGru, .gates = 3};
  TRY(numbers.input_weight, d.weight("weight_ih", {0, 2, 1}));
  TRY(numbers.state_weight, d.weight("weight_hh", {0, 2}));
  TRY(numbers.candidate_weight, d.weight("weight_hh", {1}));
  TRY(std::vector<float> bias, d.known("bias"));
  TRY(std::vector<float> input_bias, d.known("input_bias"));
  bias.resize(static_cast<std::size_t>(3 * n), 0.0f);
  input_bias.resize(bias.size(), 0.0f);
  numbers.candidate_bias = d.constant(blocks(bias, n, {1}));
  for (const std::int64_t gate : {0, 2}) {  // to the candidate it is added with what comes of the state
    for (std::int64_t k = 0; k < n; ++k) {
      const auto at = static_cast<std::size_t>(gate * n + k);
      input_bias[at] += bias[at];
    }
  }
  numbers.input_bias = d.constant(blocks(input_bias, n, {0, 2, 1}));
  return add_direction(g, p, d, numbers, define_all(*g.node, p));
}

Result<void> plan_rnn(const Group& g, Planner& p) {
  const Direction d(g, p, false);
  Numbers numbers{.kernel = &kRnn, .gates = 1};
  TRY(numbers.input_weight, d.weight("weight_ih", {0}));
  TRY(numbers.state_weight, d.weight("weight_hh", {0}));
  TRY(const std::vector<float> bias, d.known("bias"));
  numbers.input_bias = d.constant(bias);
  return add_direction(g, p, d, numbers, define_all(*g.node, p));
}

constexpr KernelRow kRows[] = {{"lstm", plan_lstm}, {"gru", plan_gru}, {"rnn", plan_rnn}};

}  // namespace

std::span<const KernelRow> recurrent_kernels() { return kRows; }

}  // namespace anemone::runtime

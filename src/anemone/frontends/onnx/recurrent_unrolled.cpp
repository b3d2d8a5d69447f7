// The steps of a recurrent node, one after the other.
#include <fmt/format.h>

#include <functional>

#include "anemone/frontends/onnx/fused.h"
#include "anemone/frontends/onnx/recurrent.h"

namespace anemone::onnx {
namespace {

constexpr std::int64_t kMostSteps = 256;

// One direction: operands without the dimension of directions.
class Cell {
 public:
  Cell(Call& c, const Recurrence& r, std::int64_t direction) : c_(&c), r_(&r), direction_(direction) {
    Emit& e = c.emit();
    const std::int64_t size = r.gates * r.hidden;
    const auto part = [&](std::size_t input) {
      MilValue* slice = e.slice(c.in(input), 0, direction, direction + 1);
      return e.reshape(slice, Dims(slice->type.dims.begin() + 1, slice->type.dims.end()));
    };
    from_x_ = e.add("matmul", {{"x", r.x}, {"y", part(1)}, {"transpose_y", true}});
    weight_h = part(2);
    if (c.has(3)) {
      MilValue* bias = part(3);
      from_x_ = e.add2(from_x_, e.slice(bias, 0, 0, size));
      bias_h = e.slice(bias, 0, size, 2 * size);
    }
  }

  MilValue* weight_h = nullptr;  ///< [gates·hidden, hidden]
  MilValue* bias_h = nullptr;    ///< [gates·hidden], or null

  /// What the input of a step gives to all gates: [batch, gates·hidden].
  MilValue* input(std::int64_t step) const {
    MilValue* slice = emit().slice(from_x_, 0, step, step + 1);
    return emit().reshape(slice, {r_->batch, r_->gates * r_->hidden});
  }
  MilValue* gate(MilValue* all, std::int64_t index) const {
    return emit().slice(all, 1, index * r_->hidden, (index + 1) * r_->hidden);
  }
  /// What the state gives to all gates.
  MilValue* from_state(MilValue* h) const {
    MilValue* product = emit().add("matmul", {{"x", h}, {"y", weight_h}, {"transpose_y", true}});
    return bias_h ? emit().add2(product, bias_h) : product;
  }
  /// The activation number `index` of this direction, after clipping.
  MilValue* activate(MilValue* x, std::size_t index) const {
    if (r_->clip > 0 && index < 2) {  // what an LSTM remembers (2) is not clipped by ONNX Runtime
      x = emit().add("maximum", {{"x", x}, {"y", emit().number(x, -r_->clip)}});
      x = emit().add("minimum", {{"x", x}, {"y", emit().number(x, r_->clip)}});
    }
    const std::size_t each = r_->activations.size() / static_cast<std::size_t>(r_->directions);
    const std::size_t at = static_cast<std::size_t>(direction_) * each + index;
    std::vector<float> parameters;
    if (at < r_->alphas.size()) parameters.push_back(r_->alphas[at]);
    if (at < r_->betas.size()) parameters.push_back(r_->betas[at]);
    return activation_by_name(emit(), x, r_->activations[at], parameters);
  }
  Emit& emit() const { return c_->emit(); }
  std::int64_t direction() const { return direction_; }

 private:
  Call* c_;
  const Recurrence* r_;
  std::int64_t direction_;
  MilValue* from_x_ = nullptr;
};

struct State {
  MilValue *h = nullptr, *c = nullptr;
};
using Step = std::function<State(const Cell&, MilValue* input, const State& before)>;

// Samples whose sequence has ended keep their state and give 0.
MilValue* where_running(Emit& emit, const Recurrence& r, std::int64_t step, MilValue* now, MilValue* otherwise) {
  MilValue* runs = emit.add("greater", {{"x", r.lengths}, {"y", make_scalar(DType::int32, static_cast<double>(step))}});
  return emit.add("select", {{"cond", emit.reshape(runs, {r.batch, 1})}, {"a", now}, {"b", otherwise}});
}

Unrolled unroll(Call& c, const Recurrence& r, MilValue* h0, MilValue* c0, const Step& step) {
  Emit& emit = c.emit();
  if (r.steps > kMostSteps) {
    Call::refuse(fmt::format("a form that MIL's operation does not have, over {} steps", r.steps),
                 "'--target ios18' has GRU with linear_before_reset; shorter sequences are written out");
  }
  const Dims state_dims{r.batch, r.hidden};
  std::vector<MilValue*> ys, hs, cs;
  for (std::int64_t d = 0; d < r.directions; ++d) {
    const Cell cell(c, r, d);
    const auto state = [&](MilValue* all) {
      return all ? emit.reshape(emit.slice(all, 0, d, d + 1), state_dims) : nullptr;
    };
    State now{state(h0), state(c0)};
    const bool reverse = d == 1 || r.direction == "reverse";
    std::vector<MilValue*> outputs(static_cast<std::size_t>(r.steps));
    for (std::int64_t i = 0; i < r.steps; ++i) {
      const std::int64_t t = reverse ? r.steps - 1 - i : i;
      State next = step(cell, cell.input(t), now);
      MilValue* y = next.h;
      if (r.lengths) {
        y = where_running(emit, r, t, next.h, emit.fill(y->type.dtype, state_dims, 0));
        next.h = where_running(emit, r, t, next.h, now.h);
        if (next.c) next.c = where_running(emit, r, t, next.c, now.c);
      }
      outputs[static_cast<std::size_t>(t)] = emit.reshape(y, {1, 1, r.batch, r.hidden});
      now = next;
    }
    ys.push_back(emit.concat(outputs, 0));
    hs.push_back(emit.reshape(now.h, {1, r.batch, r.hidden}));
    if (now.c) cs.push_back(emit.reshape(now.c, {1, r.batch, r.hidden}));
  }
  return {emit.concat(ys, 1), emit.concat(hs, 0), cs.empty() ? nullptr : emit.concat(cs, 0)};
}

}  // namespace

Unrolled unroll_lstm(Call& c, const Recurrence& r, MilValue* h0, MilValue* c0, MilValue* peepholes) {
  Emit& emit = c.emit();
  const bool coupled = c.flag("input_forget", false);
  return unroll(c, r, h0, c0, [&](const Cell& cell, MilValue* x, const State& before) {
    MilValue* all = emit.add2(x, cell.from_state(before.h));
    const auto with_peephole = [&](MilValue* gate, std::int64_t block, MilValue* state) {
      if (!peepholes) return gate;
      MilValue* row = emit.slice(peepholes, 0, cell.direction(), cell.direction() + 1);  // [1, 3·hidden]: i, o, f
      return emit.add2(gate, emit.mul(emit.slice(row, 1, block * r.hidden, (block + 1) * r.hidden), state));
    };
    MilValue* i = cell.activate(with_peephole(cell.gate(all, 0), 0, before.c), 0);
    MilValue* f =
        coupled ? emit.add2(emit.mul(i, -1), 1) : cell.activate(with_peephole(cell.gate(all, 2), 2, before.c), 0);
    MilValue* g = cell.activate(cell.gate(all, 3), 1);
    MilValue* memory = emit.add2(emit.mul(f, before.c), emit.mul(i, g));
    MilValue* o = cell.activate(with_peephole(cell.gate(all, 1), 1, memory), 0);
    return State{emit.mul(o, cell.activate(memory, 2)), memory};
  });
}

Unrolled unroll_gru(Call& c, const Recurrence& r, MilValue* h0, bool reset_after) {
  Emit& emit = c.emit();
  return unroll(c, r, h0, nullptr, [&](const Cell& cell, MilValue* x, const State& before) {
    MilValue* state = cell.from_state(before.h);
    MilValue* z = cell.activate(emit.add2(cell.gate(x, 0), cell.gate(state, 0)), 0);
    MilValue* reset = cell.activate(emit.add2(cell.gate(x, 1), cell.gate(state, 1)), 0);
    MilValue* from_state =
        reset_after ? emit.mul(reset, cell.gate(state, 2)) : cell.gate(cell.from_state(emit.mul(reset, before.h)), 2);
    MilValue* candidate = cell.activate(emit.add2(cell.gate(x, 2), from_state), 1);
    MilValue* kept = emit.mul(z, emit.sub(before.h, candidate));  // (1 − z)·candidate + z·h
    return State{emit.add2(candidate, kept), nullptr};
  });
}

Unrolled unroll_rnn(Call& c, const Recurrence& r, MilValue* h0) {
  Emit& emit = c.emit();
  return unroll(c, r, h0, nullptr, [&](const Cell& cell, MilValue* x, const State& before) {
    return State{cell.activate(emit.add2(x, cell.from_state(before.h)), 0), nullptr};
  });
}

}  // namespace anemone::onnx

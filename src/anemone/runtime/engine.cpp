// Compiling is lowering, planning the arena and resolving every place; running is calling the steps.
#include "anemone/runtime/engine.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <new>

#include "anemone/runtime/cpu/half_round.h"
#include "anemone/runtime/lowering.h"
#include "anemone/runtime/memory_plan.h"
#include "anemone/support/half.h"

namespace anemone::runtime {

using namespace cpu;

struct Engine::State {
  struct Port {
    EnginePort shown;
    Ref ref;
    bool rounds = false;
  };
  std::vector<Port> inputs, outputs;
  std::vector<EnginePort> shown_inputs, shown_outputs;
  std::vector<Step> steps;
  std::vector<Lowering::Held> constants;
  std::unique_ptr<Program> references;
  FloatBuffer arena;
  Frame frame;
  EngineMemory memory;

  Result<void> run_steps();
  Result<void> fill(const Port& port, const Array& from);
  Array read(const Port& port) const;
};

namespace {

Diagnostic too_much(std::size_t bytes) {
  return bad_environment("E0712", fmt::format("running this network needs {} MB of memory at once", bytes / 1000000),
                         {}, "use a smaller input");
}

/// What the machine has; a plan above it would be granted and then get the process killed.
std::size_t physical_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || size <= 0) return std::size_t{1} << 40;
  return static_cast<std::size_t>(pages) * static_cast<std::size_t>(size);
}

Result<MemoryPlan> plan_arena(const std::vector<Lowering::Buffer>& buffers) {
  std::vector<Lifetime> lifetimes;
  lifetimes.reserve(buffers.size());
  for (const Lowering::Buffer& b : buffers) {
    lifetimes.push_back({static_cast<std::size_t>(b.count) * sizeof(float), std::max(b.first, 0), std::max(b.last, 0)});
  }
  const auto plan = plan_memory(lifetimes);
  if (!plan) return too_much(static_cast<std::size_t>(-1));
  if (plan->bytes > physical_memory()) return too_much(plan->bytes);
  return *plan;
}

EnginePort port_of(const Value& value) { return {value.name, value.type.dtype, value.type.dims}; }

Diagnostic misfit(std::string message) { return bad_input("E0705", std::move(message)); }

}  // namespace

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Result<Engine> Engine::compile(const Function& function, ThreadPool& pool, const EngineOptions& options) try {
  auto state = std::make_unique<State>();
  Lowering lowering(function, options);
  TRY_VOID(lowering.run());
  const auto add_port = [&](const Value& value, std::vector<State::Port>& ports) -> Result<void> {
    TRY(const Ref ref, lowering.place(value));
    ports.push_back({port_of(value), ref, lowering.rounds(value)});
    return {};
  };
  for (const auto& input : function.body.inputs) TRY_VOID(add_port(*input, state->inputs));
  for (const Value* output : function.body.outputs()) TRY_VOID(add_port(*output, state->outputs));
  for (const auto& port : state->inputs) state->shown_inputs.push_back(port.shown);
  for (const auto& port : state->outputs) state->shown_outputs.push_back(port.shown);

  TRY(const MemoryPlan plan, plan_arena(lowering.buffers()));
  state->arena = FloatBuffer(plan.bytes / sizeof(float));
  state->memory = {plan.bytes, lowering.constant_bytes()};
  state->frame.arena = state->arena.data();
  for (std::size_t offset : plan.offsets) state->frame.offsets.push_back(offset / sizeof(float));
  state->constants = lowering.take_constants();
  for (const Lowering::Held& held : state->constants) state->frame.constants.push_back(held.data);
  state->frame.integers = lowering.take_integers();
  state->frame.pool = &pool;
  state->steps = lowering.take_steps();
  state->references = lowering.take_references();
  return Engine(std::move(state));
} catch (const std::bad_alloc&) {
  return bad_environment("E0712", "there is not enough memory to prepare this network");
}

const std::vector<EnginePort>& Engine::inputs() const { return state_->shown_inputs; }
const std::vector<EnginePort>& Engine::outputs() const { return state_->shown_outputs; }

Result<void> Engine::State::run_steps() try {
  using Clock = std::chrono::steady_clock;
  auto before = Clock::now();
  for (Step& step : steps) {
    TRY_VOID(step.run(frame));
    const auto now = Clock::now();
    step.ms = std::chrono::duration<double, std::milli>(now - before).count();
    before = now;
  }
  return {};
} catch (const std::bad_alloc&) {
  return bad_environment("E0712", "there is not enough memory to run this network");
}

Result<void> Engine::State::fill(const Port& port, const Array& from) {
  const auto wanted = element_count(port.shown.dims).value_or(0);
  if (from.dims != port.shown.dims || from.count() != wanted) {
    return misfit(fmt::format("input '{}' takes {}{}, {} is given", port.shown.name, name(port.shown.dtype),
                              brief(port.shown.dims), brief(from.dims)));
  }
  if (port.ref.space == Ref::Space::integers) {
    Array& to = frame.integers[port.ref.index];
    to = {port.shown.dtype, from.dims, from.data};
    round_to_dtype(to);
    return {};
  }
  float* to = frame.write(port.ref);
  for (std::size_t i = 0; i < from.data.size(); ++i) {
    const double x = from.data[i];
    if (port.rounds) {
      to[i] = float_from_half(half_from_double(x));
    } else {
      to[i] = port.shown.dtype == DType::boolean ? static_cast<float>(x != 0) : static_cast<float>(x);
    }
  }
  return {};
}

Array Engine::State::read(const Port& port) const {
  if (port.ref.space == Ref::Space::integers) return frame.integers[port.ref.index];
  const float* from = frame.read(port.ref);
  return {port.shown.dtype, port.shown.dims, std::vector<double>(from, from + port.ref.count)};
}

Result<std::vector<Array>> Engine::run(std::span<const Array> inputs) {
  if (inputs.size() != state_->inputs.size()) {
    return misfit(fmt::format("{} inputs are needed, {} are given", state_->inputs.size(), inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) TRY_VOID(state_->fill(state_->inputs[i], inputs[i]));
  TRY_VOID(state_->run_steps());
  std::vector<Array> outputs;
  for (const auto& port : state_->outputs) outputs.push_back(state_->read(port));
  return outputs;
}

Result<void> Engine::run_floats(std::span<const std::span<const float>> inputs) {
  if (inputs.size() != state_->inputs.size()) {
    return misfit(fmt::format("{} inputs are needed, {} are given", state_->inputs.size(), inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const State::Port& port = state_->inputs[i];
    if (port.ref.space == Ref::Space::integers) {
      return bad_input("E0711",
                       fmt::format("input '{}' takes {}, not floats", port.shown.name, name(port.shown.dtype)));
    }
    if (static_cast<std::int64_t>(inputs[i].size()) != port.ref.count) {
      return misfit(fmt::format("input '{}' takes {} numbers ({}), {} are given", port.shown.name, port.ref.count,
                                brief(port.shown.dims), inputs[i].size()));
    }
    float* to = state_->frame.write(port.ref);
    if (port.rounds) {
      round_to_half(inputs[i].data(), to, inputs[i].size(), *state_->frame.pool);
    } else if (port.shown.dtype == DType::boolean) {
      std::transform(inputs[i].begin(), inputs[i].end(), to, [](float x) { return x != 0 ? 1.0f : 0.0f; });
    } else {
      std::copy(inputs[i].begin(), inputs[i].end(), to);
    }
  }
  return state_->run_steps();
}

std::span<const float> Engine::output_floats(std::size_t index) const {
  const Ref& ref = state_->outputs[index].ref;
  if (ref.space == Ref::Space::integers) return {};
  return {state_->frame.read(ref), static_cast<std::size_t>(ref.count)};
}

std::vector<StepTiming> Engine::timings() const {
  std::vector<StepTiming> out;
  for (const Step& step : state_->steps) {
    out.push_back({step.name, step.reference ? step.type + " (reference)" : step.type, step.ms, step.macs});
  }
  return out;
}

std::vector<Fallback> Engine::fallbacks() const {
  std::vector<Fallback> out;
  for (const Step& step : state_->steps) {
    if (step.reference) out.push_back({step.name, step.type, step.ms});
  }
  return out;
}

EngineMemory Engine::memory() const { return state_->memory; }

Result<std::vector<Array>> run_fast(const Function& function, std::span<const Array> inputs, ThreadPool& pool,
                                    const EngineOptions& options) {
  TRY(Engine engine, Engine::compile(function, pool, options));
  return engine.run(inputs);
}

}  // namespace anemone::runtime

// Compiling is planning and resolving every place; running is calling the kernels.
#include "anemone/runtime/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <new>

#include "anemone/runtime/cpu/half_round.h"
#include "anemone/runtime/cpu/targets.h"
#include "anemone/runtime/plan_function.h"
#include "anemone/runtime/reference_call.h"
#include "anemone/support/half.h"

namespace anemone::runtime {

struct Engine::State {
  State(Plan made, ThreadPool& threads)
      : plan(std::move(made)), pool(&threads), arena(plan.arena_bytes / sizeof(float)) {
    for (const Port& port : plan.inputs) shown_inputs.push_back(port.shown);
    for (const Port& port : plan.outputs) shown_outputs.push_back(port.shown);
    for (const Call& call : plan.calls) {
      std::vector<float*>& at = pointers.emplace_back();
      for (const Access& operand : call.operands) at.push_back(locate(operand.ref));
    }
    ms.resize(plan.calls.size());
  }

  /// Kernels get all operands in one list; those in constants are only read.
  float* locate(const Ref& ref) {
    if (ref.space == Ref::Space::arena) return arena.data() + plan.buffers[ref.index].offset + ref.offset;
    if (ref.space == Ref::Space::constant) return const_cast<float*>(plan.constants[ref.index].data) + ref.offset;
    return nullptr;
  }

  Result<void> run_calls();
  void round_results(const Call& call, std::span<float* const> at);
  Result<void> fill(const Port& port, const Array& from);
  Array read(const Port& port);

  Plan plan;
  ThreadPool* pool;
  FloatBuffer arena;
  std::vector<EnginePort> shown_inputs, shown_outputs;
  std::vector<std::vector<float*>> pointers;  ///< of each call's operands
  std::vector<double> ms;                     ///< of each call, in the last run
};

namespace {

Diagnostic misfit(std::string message) { return bad_input(ErrorCode::inputs_do_not_fit, std::move(message)); }

}  // namespace

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

Result<Engine> Engine::compile(const Function& function, ThreadPool& pool, const EngineOptions& options) try {
  TRY(Plan plan, plan_function(function, options));
  return Engine(std::make_unique<State>(std::move(plan), pool));
} catch (const std::bad_alloc&) {
  return bad_environment(ErrorCode::network_too_large, "there is not enough memory to prepare this network");
}

const std::vector<EnginePort>& Engine::inputs() const { return state_->shown_inputs; }
const std::vector<EnginePort>& Engine::outputs() const { return state_->shown_outputs; }

void Engine::State::round_results(const Call& call, std::span<float* const> at) {
  for (std::size_t k = 0; k < call.operands.size(); ++k) {
    const Access& operand = call.operands[k];
    if (operand.use != Access::Use::write || !at[k]) continue;
    cpu::round_to_half(at[k], static_cast<std::size_t>(operand.ref.count), *pool);
  }
}

Result<void> Engine::State::run_calls() try {
  using Clock = std::chrono::steady_clock;
  auto before = Clock::now();
  for (std::size_t i = 0; i < plan.calls.size(); ++i) {
    const Call& call = plan.calls[i];
    if (call.kernel->run) {
      call.kernel->run({call, pointers[i], *pool});
    } else {
      TRY_VOID(run_reference(call, plan, pointers[i]));
    }
    if (call.rounds) round_results(call, pointers[i]);
    const auto now = Clock::now();
    ms[i] = std::chrono::duration<double, std::milli>(now - before).count();
    before = now;
  }
  return {};
} catch (const std::bad_alloc&) {
  return bad_environment(ErrorCode::network_too_large, "there is not enough memory to run this network");
}

Result<void> Engine::State::fill(const Port& port, const Array& from) {
  const auto wanted = element_count(port.shown.dims).value_or(0);
  if (from.dims != port.shown.dims || from.count() != wanted) {
    return misfit(fmt::format("input '{}' takes {}{}, {} is given", port.shown.name, name(port.shown.dtype),
                              brief(port.shown.dims), brief(from.dims)));
  }
  if (port.ref.space == Ref::Space::integers) {
    Array& to = plan.integers[port.ref.index];
    to = {port.shown.dtype, from.dims, from.data};
    round_to_dtype(to);
    return {};
  }
  float* to = locate(port.ref);
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

Array Engine::State::read(const Port& port) {
  if (port.ref.space == Ref::Space::integers) return plan.integers[port.ref.index];
  const float* from = locate(port.ref);
  return {port.shown.dtype, port.shown.dims, std::vector<double>(from, from + port.ref.count)};
}

Result<std::vector<Array>> Engine::run(std::span<const Array> inputs) {
  if (inputs.size() != state_->plan.inputs.size()) {
    return misfit(fmt::format("{} inputs are needed, {} are given", state_->plan.inputs.size(), inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) TRY_VOID(state_->fill(state_->plan.inputs[i], inputs[i]));
  TRY_VOID(state_->run_calls());
  std::vector<Array> outputs;
  for (const auto& port : state_->plan.outputs) outputs.push_back(state_->read(port));
  return outputs;
}

Result<void> Engine::run_floats(std::span<const std::span<const float>> inputs) {
  if (inputs.size() != state_->plan.inputs.size()) {
    return misfit(fmt::format("{} inputs are needed, {} are given", state_->plan.inputs.size(), inputs.size()));
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Port& port = state_->plan.inputs[i];
    if (port.ref.space == Ref::Space::integers) {
      return bad_input(ErrorCode::not_floats,
                       fmt::format("input '{}' takes {}, not floats", port.shown.name, name(port.shown.dtype)));
    }
    if (static_cast<std::int64_t>(inputs[i].size()) != port.ref.count) {
      return misfit(fmt::format("input '{}' takes {} numbers ({}), {} are given", port.shown.name, port.ref.count,
                                brief(port.shown.dims), inputs[i].size()));
    }
    float* to = state_->locate(port.ref);
    if (port.rounds) {
      cpu::round_to_half(inputs[i].data(), to, inputs[i].size(), *state_->pool);
    } else if (port.shown.dtype == DType::boolean) {
      std::transform(inputs[i].begin(), inputs[i].end(), to, [](float x) { return x != 0 ? 1.0f : 0.0f; });
    } else {
      std::copy(inputs[i].begin(), inputs[i].end(), to);
    }
  }
  return state_->run_calls();
}

std::span<const float> Engine::output_floats(std::size_t index) const {
  const Ref& ref = state_->plan.outputs[index].ref;
  if (ref.space == Ref::Space::integers) return {};
  return {state_->locate(ref), static_cast<std::size_t>(ref.count)};
}

std::vector<StepTiming> Engine::timings() const {
  std::vector<StepTiming> out;
  for (std::size_t i = 0; i < state_->plan.calls.size(); ++i) {
    const Call& call = state_->plan.calls[i];
    out.push_back({call.name, call.kernel->run ? call.ops : call.ops + " (reference)", state_->ms[i], call.macs});
  }
  return out;
}

std::vector<Fallback> Engine::fallbacks() const {
  std::vector<Fallback> out;
  for (std::size_t i = 0; i < state_->plan.calls.size(); ++i) {
    const Call& call = state_->plan.calls[i];
    if (!call.kernel->run) out.push_back({call.name, call.ops, state_->ms[i]});
  }
  return out;
}

EngineMemory Engine::memory() const { return {state_->plan.arena_bytes, state_->plan.constant_bytes}; }
PlanListing Engine::plan() const { return list(state_->plan); }
int Engine::threads() const { return state_->pool->threads(); }

std::string instruction_set() { return cpu::chosen_target().name; }

Result<std::vector<Array>> run_fast(const Function& function, std::span<const Array> inputs, ThreadPool& pool,
                                    const EngineOptions& options) {
  TRY(Engine engine, Engine::compile(function, pool, options));
  return engine.run(inputs);
}

}  // namespace anemone::runtime

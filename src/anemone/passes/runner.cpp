// Runs passes, and in check mode holds each to its word: structure, types, honesty about changes, and numbers.
#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "anemone/ir/text/print.h"
#include "anemone/ir/verify.h"
#include "anemone/ops/execute.h"
#include "anemone/passes/pass.h"

namespace anemone {
namespace {

constexpr std::uint64_t kSeed = 1;

Result<bool> run_on_block(const Pass& pass, Block& block, PassContext& context) {
  bool changed = false;
  for (Node& node : block.nodes) {
    for (auto& inner : node.blocks) {
      TRY(bool inner_changed, run_on_block(pass, *inner, context));
      changed |= inner_changed;
    }
  }
  TRY(bool own, pass.run(block, context));
  return changed || own;
}

Result<bool> run_on_program(const Pass& pass, Program& program, PassContext& context) {
  bool changed = false;
  for (auto& function : program.functions) {
    TRY(bool own, run_on_block(pass, function->body, context));
    changed |= own;
  }
  return changed;
}

// What a pass of this class may move an output whose largest magnitude is `scale`.
double tolerance(Numerics numerics, double scale) {
  switch (numerics) {
    case Numerics::exact:
      return 0;
    case Numerics::rounding:
      return 2e-5 * std::max(scale, 1e-3);
    case Numerics::lossy:
      return 2e-2 * std::max(scale, 1e-3);
  }
  return 0;
}

using Outputs = std::vector<std::vector<Array>>;  // of each function

Result<Outputs> execute(const Program& program, const Executor& executor) {
  Outputs outputs;
  for (const auto& function : program.functions) {
    TRY(std::vector<Array> inputs, random_inputs(*function, kSeed));
    TRY(std::vector<Array> results, executor ? executor(*function, inputs) : ops::evaluate(*function, inputs));
    outputs.push_back(std::move(results));
  }
  return outputs;
}

Result<void> compare(const Pass& pass, const Program& program, const Outputs& before, const Outputs& after) {
  for (std::size_t f = 0; f < before.size(); ++f) {
    for (std::size_t o = 0; o < before[f].size(); ++o) {
      const Array &x = before[f][o], &y = after[f][o];
      const std::string& output = program.functions[f]->body.outputs()[o]->name;
      if (x.dims != y.dims) {
        return own_bug(fmt::format("pass '{}' changed output '{}' from {} to {}", pass.name, output, brief(x.dims),
                                   brief(y.dims)));
      }
      double scale = 0;
      for (double v : x.data) scale = std::isfinite(v) ? std::max(scale, std::abs(v)) : scale;
      for (std::size_t i = 0; i < x.data.size(); ++i) {
        if (x.data[i] == y.data[i] || (std::isnan(x.data[i]) && std::isnan(y.data[i]))) continue;
        if (std::abs(x.data[i] - y.data[i]) <= tolerance(pass.numerics, scale)) continue;
        return own_bug(fmt::format("pass '{}' ({}) changed output '{}' at {}: {} became {}", pass.name,
                                   name(pass.numerics), output, i, x.data[i], y.data[i]));
      }
    }
  }
  return {};
}

// One pass in check mode. `text` and `outputs` describe the program before and, on return, after.
Result<bool> run_checked(const Pass& pass, Program& program, PassContext& context, const Executor& executor,
                         std::string& text, Outputs& outputs) {
  TRY(bool changed, run_on_program(pass, program, context));
  TRY_VOID(verify(program));
  std::string now = to_text(program, {.exact = true});
  if (changed != (now != text)) {
    return own_bug(fmt::format("pass '{}' says that it {} the program, and it {}", pass.name,
                               changed ? "changed" : "did not change", changed ? "did not" : "did"));
  }
  text = std::move(now);
  if (!changed) return false;
  TRY(Outputs after, execute(program, executor));
  TRY_VOID(compare(pass, program, outputs, after));
  outputs = std::move(after);
  PassContext again;
  TRY(bool changed_again, run_on_program(pass, program, again));
  if (changed_again)
    return own_bug(fmt::format("pass '{}' changes the program again when run a second time", pass.name));
  return true;
}

}  // namespace

Result<std::vector<PassReport>> run_passes(Program& program, const PipelineOptions& options) {
  std::vector<Pass> passes;
  for (std::string_view wanted : options.passes) {
    const Pass* pass = find_pass(wanted);
    if (!pass) return bad_usage(fmt::format("there is no pass '{}'", wanted), "'anemone passes' lists them");
    passes.push_back(*pass);
  }
  return run_passes(program, passes, options);
}

Result<std::vector<PassReport>> run_passes(Program& program, std::span<const Pass> passes,
                                           const PipelineOptions& options) {
  std::vector<PassReport> reports;
  std::string text;
  Outputs outputs;
  if (options.check) {
    TRY_VOID(verify(program));
    text = to_text(program, {.exact = true});
    TRY(outputs, execute(program, options.execute));
  }
  for (const Pass& pass : passes) {
    PassContext context;
    const auto start = std::chrono::steady_clock::now();
    auto changed = options.check ? run_checked(pass, program, context, options.execute, text, outputs)
                                 : run_on_program(pass, program, context);
    if (!changed) return std::move(changed).error();
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    reports.push_back({pass.name, *changed, elapsed.count(), context.counts(), context.remarks()});
    if (*changed && options.on_change) TRY_VOID(options.on_change(reports.size(), pass.name, program));
  }
  return reports;
}

Result<std::vector<Array>> random_inputs(const Function& function, std::uint64_t seed) {
  std::vector<Array> inputs;
  std::uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1;
  const auto next = [&] {  // splitmix64
    std::uint64_t z = state += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;  // [0, 1)
  };
  for (const auto& input : function.body.inputs) {
    const Type& type = input->type;
    const auto count = type.is_fixed() ? element_count(type.dims) : std::nullopt;
    if (!count) {
      return bad_input("E0721", fmt::format("input '{}' has the type {}, for which no random values can be made",
                                            input->name, brief(type)));
    }
    const Feature* feature = function.interface.input(input->name);
    const bool image = feature && feature->kind == Feature::Kind::image;
    Array array{type.dtype, type.dims, std::vector<double>(static_cast<std::size_t>(*count))};
    for (double& v : array.data) {
      const double u = next();
      v = image                          ? std::floor(u * 256)
          : is_float(type.dtype)         ? 2 * u - 1
          : type.dtype == DType::boolean ? std::floor(u * 2)
                                         : std::floor(u * 4);
    }
    round_to_dtype(array);
    inputs.push_back(std::move(array));
  }
  return inputs;
}

}  // namespace anemone

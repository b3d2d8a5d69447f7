// Runs passes, and in check mode holds each to its word: structure, types, honesty about changes, and numbers.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <unordered_set>

#include "anemone/ir/text/print.h"
#include "anemone/ir/verify.h"
#include "anemone/ops/execute.h"
#include "anemone/ops/random_inputs.h"
#include "anemone/ops/specialize.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

constexpr std::uint64_t kSeed = 1;

// Of the exact text; payloads by their content, so that megabytes of weights are not printed twice a pass.
std::uint64_t text_hash(const Program& program) {
  const WeightSink by_content = [](const ConstantPtr& c) { return BlobPlace{"", content_hash(*c)}; };
  return std::hash<std::string>{}(to_text(program, {.exact = true, .sink = by_content}));
}

Result<bool> run_on_block(BlockPass pass, Block& block, PassContext& context) {
  bool changed = false;
  for (Node& node : block.nodes) {
    for (auto& inner : node.blocks) {
      TRY(bool inner_changed, run_on_block(pass, *inner, context));
      changed |= inner_changed;
    }
  }
  TRY(bool own, pass(block, context));
  return changed || own;
}

Result<bool> run_on_program(const Pass& pass, Program& program, PassContext& context) {
  if (const auto* whole = std::get_if<ProgramPass>(&pass.run)) return (*whole)(program, context);
  bool changed = false;
  for (auto& function : program.functions) {
    const auto* by_function = std::get_if<FunctionPass>(&pass.run);
    TRY(bool own, by_function ? (*by_function)(*function, context)
                              : run_on_block(std::get<BlockPass>(pass.run), function->body, context));
    changed |= own;
  }
  return changed;
}

// What a pass of this class may move an output whose largest magnitude is `scale`. Where values are fp16, another order
// of operations rounds each of n of them differently: the errors are independent, and add up as √n unit roundings.
double tolerance(Numerics numerics, double scale, const Function& function) {
  if (numerics == Numerics::exact) return 0;
  constexpr double kHalfUnit = 0x1p-11, kSafety = 4;
  double operations = 0;
  bool half = false;
  for_each_node(function.body, [&](const Node& node) {
    ++operations;
    for (const auto& output : node.outputs) half = half || output->type.tensor_part().dtype == DType::fp16;
  });
  const double by_rounding = half ? kSafety * std::sqrt(operations) * kHalfUnit : 0;
  return std::max(numerics == Numerics::lossy ? 2e-2 : 2e-5, by_rounding) * std::max(scale, 1e-3);
}

using Outputs = std::vector<std::vector<Array>>;  // of each function

// A classifier's label is carried and has no meaning here: its probabilities stand for it.
void leave_labels_out(Function& function) {
  Block& body = function.body;
  for (auto at = body.nodes.begin(); at != body.nodes.end();) {
    Node& node = *at++;
    const bool carried = node.def && !node.def->eval && node.blocks.empty() && !node.outputs.empty();
    Value* input = carried && !node.operands().empty() ? node.operands()[0].values[0] : nullptr;
    if (!input || !input->type.is_tensor()) continue;
    for (const auto& output : node.outputs) replace_uses(*output, *input);
    body.erase(node);
  }
}

// What can be executed of a program: a flexible one at its default sizes.
Result<std::unique_ptr<Program>> executable(const Program& program) {
  ops::Sized sized;
  if (program.functions.size() == 1) {
    TRY(sized, ops::at_default_size(program));
  }
  std::unique_ptr<Program> copy = sized.program ? std::move(sized.program) : clone(program);
  for (auto& function : copy->functions) leave_labels_out(*function);
  return copy;
}

Result<Outputs> execute(const Program& checked, const Executor& executor) {
  Outputs outputs;
  TRY(const std::unique_ptr<Program> program, executable(checked));
  for (const auto& function : program->functions) {
    TRY(std::vector<Array> inputs, ops::random_inputs(*function, kSeed));
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
      const double most = tolerance(pass.numerics, scale, *program.functions[f]);
      for (std::size_t i = 0; i < x.data.size(); ++i) {
        if (x.data[i] == y.data[i] || (std::isnan(x.data[i]) && std::isnan(y.data[i]))) continue;
        if (std::abs(x.data[i] - y.data[i]) <= most) continue;
        return own_bug(fmt::format("pass '{}' ({}) changed output '{}' at {}: {} became {}", pass.name,
                                   name(pass.numerics), output, i, x.data[i], y.data[i]));
      }
    }
  }
  return {};
}

// One pass in check mode. `text` (a hash of it) and `outputs` describe the program before and, on return,
// after.
Result<bool> run_checked(const Pass& pass, Program& program, PassContext& context, const PipelineOptions& options,
                         const VerifyOptions& checks, std::uint64_t& text, Outputs& outputs) {
  TRY(bool changed, run_on_program(pass, program, context));
  TRY_VOID(verify(program, checks));
  const std::uint64_t now = text_hash(program);
  if (changed != (now != text)) {
    return own_bug(fmt::format("pass '{}' says that it {} the program, and it {}", pass.name,
                               changed ? "changed" : "did not change", changed ? "did not" : "did"));
  }
  text = now;
  if (!changed) return false;
  TRY(Outputs after, execute(program, options.execute));
  TRY_VOID(compare(pass, program, outputs, after));
  outputs = std::move(after);
  PassContext again(pass, options.settings);
  TRY(bool changed_again, run_on_program(pass, program, again));
  if (changed_again)
    return own_bug(fmt::format("pass '{}' changes the program again when run a second time", pass.name));
  return true;
}

// Each once, in order: a pass that looks at a node again says the same again.
std::vector<std::string> distinct(const std::vector<std::string>& remarks) {
  std::vector<std::string> all;
  std::unordered_set<std::string> seen;
  for (const std::string& remark : remarks) {
    if (seen.insert(remark).second) all.push_back(remark);
  }
  return all;
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
  std::uint64_t text = 0;
  VerifyOptions checks;
  Outputs outputs;
  if (options.check) {
    // The strictest that holds before must hold after: packages by others mix dtypes, or declare less than is known.
    for (const VerifyOptions& strictness : {VerifyOptions{.types = VerifyOptions::Types::exact}, VerifyOptions{},
                                            VerifyOptions{.groups = DTypeGroups::ignored}}) {
      checks = strictness;
      if (verify(program, checks)) break;
    }
    TRY_VOID(verify(program, checks));
    text = text_hash(program);
    TRY(outputs, execute(program, options.execute));
  }
  for (const Pass& pass : passes) {
    PassContext context(pass, options.settings);
    const auto start = std::chrono::steady_clock::now();
    auto changed = options.check ? run_checked(pass, program, context, options, checks, text, outputs)
                                 : run_on_program(pass, program, context);
    if (!changed) return std::move(changed).error();
    const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
    reports.push_back({pass.name, *changed, elapsed.count(), context.counts(), distinct(context.remarks())});
    if (*changed && options.on_change) TRY_VOID(options.on_change(reports.size(), pass.name, program));
  }
  return reports;
}

}  // namespace anemone::passes

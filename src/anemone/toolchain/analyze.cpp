// The order in which a model is looked at.
#include "anemone/toolchain/analyze.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/ops/specialize.h"
#include "anemone/support/text.h"
#include "anemone/toolchain/analyze_parts.h"
#include "anemone/toolchain/onnx_model.h"
#include "anemone/toolchain/plan_model.h"

namespace anemone::toolchain {
namespace {

/// The program at its default size, or null where it is fixed already or has no default.
std::unique_ptr<Program> at_default_size(const Program& program, std::vector<std::string>& notes) {
  auto sized = ops::at_default_size(program);
  if (!sized) {
    notes.push_back("work and memory are of the program as declared; at its default size it fails: " +
                    sized.error().front().message);
    return nullptr;
  }
  if (!sized->without_default.empty()) {
    notes.push_back(
        fmt::format("'{}' has no default size: work and memory of unknown extents count as 0", sized->without_default));
  } else if (!sized->defaults.empty()) {
    notes.push_back("the program takes several sizes; work and memory are those of its default, " +
                    words(sized->defaults));
  }
  return std::move(sized->program);
}

void introduce(const Model& model, Analysis& out) {
  const Function& main = model.program->main();
  out.has_program = true;
  out.network = "unknown";
  if (model.network) {
    const models::Network& network = *model.network;
    out.network = network.name;
    out.title = fmt::format(
        "{}{} at {}x{}", network.name,
        network.landmarks ? fmt::format(", {} points, {} edges", network.landmarks->points, network.landmarks->edges)
                          : "",
        network.height, network.width);
  } else {
    const auto& user = model.program->metadata.user;
    if (const auto found = user.find(std::string(kMetaNetwork)); found != user.end()) out.network = found->second;
    out.title = fmt::format("{}, specification {}, {}", out.network == "unknown" ? "a program" : out.network,
                            model.program->specification, name(main.opset));
  }
  out.inputs = summarise_inputs(main);
  out.outputs = summarise_outputs(main);
  out.ops = count_ops(main);
  if (model.onnx) note_onnx(model, out);
  for (const Diagnostic& warning : model.warnings) out.notes.push_back(warning.message);
  if (model.program->functions.size() > 1) {
    out.notes.push_back(fmt::format("the program has {} functions; this is '{}', its default",
                                    model.program->functions.size(), main.name));
  }
}

}  // namespace

Result<Analysis> analyze(const Model& model, const AnalyzeRequest& request) {
  const Stopwatch watch;
  TRY_VOID(find_device(request.device));
  Analysis out;
  const auto finish = [&] {
    out.model = model.path.string();
    out.format = name(model.format);
    out.seconds = model.seconds + watch.seconds();
  };
  if (model.onnx && !model.program) {
    out = describe_onnx(*model.onnx, model.warnings);
    for (const Diagnostic& why : model.no_network) {
      out.needed.push_back(why.message);
      out.needed.insert(out.needed.end(), why.notes.begin(), why.notes.end());
      if (!why.help.empty()) out.needed.push_back(why.help);
    }
    finish();
    return out;
  }
  if (!model.program) {
    TRY(out, analysis::describe_state_dict(model));
    finish();
    return out;
  }
  const Function& declared = model.program->main();
  introduce(model, out);
  analysis::find_dynamic(declared, out);
  const std::unique_ptr<Program> fixed = at_default_size(*model.program, out.notes);
  const Function& function = fixed ? fixed->main() : declared;
  if (model.network) {
    analysis::describe_modules(model, out);
  } else {
    analysis::describe_constants(declared, out);
    analysis::compose(out.ops, out);
  }
  analysis::describe_work(model, function, out);
  analysis::describe_patterns(function, out);
  analysis::scan_weights(model, declared, request, out);
  analysis::ask_engine(model, function, declared.interface, request, out);
  analysis::conclude(model, request, out);
  model.talk.detail(fmt::format("analysed: {} findings, {} of {} bytes of weights read, {:.0f} ms", out.findings.size(),
                                grouped(out.weights.done ? out.weights.bytes : 0), grouped(out.weights.bytes),
                                watch.ms()));
  finish();
  return out;
}

}  // namespace anemone::toolchain

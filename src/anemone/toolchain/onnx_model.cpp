// Reads ONNX files and counts what is in them.
#include "anemone/toolchain/onnx_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/formats/onnx/spec.h"
#include "anemone/onnx/infer.h"
#include "anemone/onnx/print.h"
#include "anemone/support/file.h"

namespace anemone::toolchain {
namespace {

namespace onnxspec = formats::onnxspec;

struct Counts {
  std::int64_t nodes = 0, initializers = 0, elements = 0, external = 0;
  std::map<std::string, std::int64_t> by_type;
};

void count(const onnx::Graph& graph, Counts& counts) {
  for (const auto& value : graph.values()) {
    if (!value->is_initializer()) continue;
    ++counts.initializers;
    const onnx::Tensor& tensor = value->tensor ? *value->tensor : value->sparse->values;
    counts.elements += onnxspec::element_count(tensor.dims).value_or(0);
    counts.external += tensor.external.has_value();
  }
  for (const auto& node : graph.nodes()) {
    ++counts.nodes;
    ++counts.by_type[node->domain.empty() ? node->op_type : node->domain + "." + node->op_type];
    for (const auto& [name, body] : node->bodies) count(*body, counts);
  }
}

std::string opsets(const onnx::Model& model) {
  std::string text;
  for (const auto& [domain, version] : model.opsets)
    text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", domain, domain.empty() ? "" : " ", version);
  return text.empty() ? "none" : text;
}

std::string features(const std::vector<onnx::Value*>& values) {
  constexpr std::size_t kMost = 8;
  std::string text;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i == kMost) return text + fmt::format(", … ({} in all)", values.size());
    text += fmt::format("{}{} {}", i > 0 ? ", " : "", onnx::to_text(values[i]->type), values[i]->name());
  }
  return text;
}

/// Inputs that a caller must give: up to IR version 3 initialisers stand among the inputs too.
std::vector<onnx::Value*> true_inputs(const onnx::Model& model) {
  std::vector<onnx::Value*> inputs;
  for (onnx::Value* input : model.graph->inputs()) {
    if (!input->is_initializer()) inputs.push_back(input);
  }
  return inputs;
}

std::vector<FeatureSummary> summaries(const std::vector<onnx::Value*>& values) {
  std::vector<FeatureSummary> out;
  for (const onnx::Value* value : values) {
    FeatureSummary& s = out.emplace_back();
    s.name = value->name();
    s.kind = value->type.kind == onnx::Type::Kind::tensor ? "array" : "other";
    s.dtype = onnxspec::name_of(value->type.dtype);
    if (!value->type.shape) continue;
    for (const onnx::Dimension& dimension : *value->type.shape) s.shape.push_back(onnx::extent(dimension));
  }
  return out;
}

}  // namespace

Result<onnx::Model> load_onnx(const std::filesystem::path& path, Diagnostics& warnings) {
  TRY(const Bytes file, map_file(path));
  TRY(onnxspec::Model spec, onnxspec::read_model(file, path.string()));
  TRY(onnx::Model model, onnx::build_model(std::move(spec), path.string()));
  for (Diagnostic& problem : onnx::infer_types(model)) {
    problem.severity = Severity::warning;
    warnings.push_back(std::move(problem));
  }
  return model;
}

std::string brief(const onnx::Model& model) {
  Counts counts;
  count(*model.graph, counts);
  return fmt::format("an ONNX model (opset {}) of {} nodes and {} initialisers; inputs: {}; outputs: {}", opsets(model),
                     counts.nodes, counts.initializers, features(true_inputs(model)), features(model.graph->outputs()));
}

Analysis describe_onnx(const onnx::Model& model, const Diagnostics& warnings) {
  Counts counts;
  count(*model.graph, counts);
  Analysis out;
  out.model = model.file;
  out.network = "unknown";
  out.title = fmt::format("an ONNX graph of {} nodes, opset {}", counts.nodes, opsets(model));
  out.parameters.total = out.parameters.live = counts.elements;
  out.ops.total = counts.nodes;
  out.ops.by_type = counts.by_type;
  out.layers.total = counts.nodes;
  out.layers.by_type = std::move(counts.by_type);
  out.inputs = summaries(true_inputs(model));
  out.outputs = summaries(model.graph->outputs());
  out.notes.push_back(
      fmt::format("{} initialisers with {} elements{}", counts.initializers, counts.elements,
                  counts.external > 0 ? fmt::format(", {} of them in other files", counts.external) : ""));
  if (!model.producer_name.empty()) {
    out.notes.push_back(fmt::format("written by {}{}{}, IR version {}", model.producer_name,
                                    model.producer_version.empty() ? "" : " ", model.producer_version,
                                    model.ir_version));
  }
  if (!model.functions.empty())
    out.notes.push_back(fmt::format("{} operations are functions that the file brings", model.functions.size()));
  out.notes.push_back("'anemone plan FILE --ort all' says what ONNX Runtime's CoreML provider would take of it");
  for (const Diagnostic& warning : warnings)
    out.notes.push_back(fmt::format("{} ({})", warning.message, warning.place));
  out.needed = {"a translation of ONNX operations, which this version does not have",
                "until then: the checkpoint that the file was exported from, or a Core ML package"};
  return out;
}

}  // namespace anemone::toolchain

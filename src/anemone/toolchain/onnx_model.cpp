// Reads ONNX files, asks for their program, and counts what is in them.
#include "anemone/toolchain/onnx_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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

constexpr std::string_view kOtherPlan =
    "'anemone plan FILE --ort all' says what ONNX Runtime's CoreML provider would take of it";

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

std::string names_of(const std::vector<onnx::Value*>& values) {
  std::string names;
  for (const onnx::Value* value : values) names += (names.empty() ? "" : ", ") + value->name();
  return names;
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

Result<void> lower_onnx(Model& model, const std::filesystem::path& path, const LoadOptions& options) {
  onnx::LowerOptions lower;
  lower.target = options.target.value_or(Target::ios17);
  lower.folder = path.parent_path();
  lower.batch = options.batch;
  lower.input_shapes = options.input_shapes;
  const std::vector<onnx::Value*> inputs = true_inputs(*model.onnx);
  if (const auto only = lower.input_shapes.find(""); only != lower.input_shapes.end() && inputs.size() == 1)
    lower.input_shapes[inputs[0]->name()] = only->second;
  for (const auto& asked : options.input_shapes) {
    const std::string& name = asked.first;
    const auto is_called = [&](const onnx::Value* input) { return input->name() == name; };
    if (!options.shapes_asked || options.one_of_several || std::any_of(inputs.begin(), inputs.end(), is_called) ||
        (name.empty() && inputs.size() == 1))
      continue;
    return bad_usage(name.empty() ? fmt::format("--shapes: the graph has {} inputs", inputs.size())
                                  : fmt::format("--shapes: the graph has no input '{}'", name),
                     "name them: " + names_of(inputs));
  }
  // Copies of the same options go to files beside this one, and re-lowering repeats what was asked.
  const auto takes_batch = [&](const onnx::Value* input) {
    const auto& shape = input->type.shape;
    return !shape || shape->empty() || onnx::extent(shape->front()) < 0 ||
           onnx::extent(shape->front()) == options.batch;
  };
  if (options.batch != 1 && !options.one_of_several && std::none_of(inputs.begin(), inputs.end(), takes_batch))
    return fixed_batch(path, options.batch);
  const auto is_there = [&](const std::string& name) { return model.onnx->graph->find_here(name) != nullptr; };
  if (std::all_of(options.outputs.begin(), options.outputs.end(), is_there)) lower.outputs = options.outputs;
  if (options.height && options.width) lower.size = std::pair(*options.height, *options.width);
  TRY(onnx::LoweredModel lowered, onnx::lower(*model.onnx, lower));
  model.program = std::move(lowered.program);
  model.onnx_inputs = std::move(lowered.inputs);
  model.onnx_outputs = std::move(lowered.outputs);
  model.onnx_computed = lowered.computed;
  model.onnx_unneeded = lowered.unneeded;
  return {};
}

namespace {

const onnx::Port* find_port(const std::vector<onnx::Port>& ports, const std::string& name) {
  const auto found = std::find_if(ports.begin(), ports.end(),
                                  [&](const onnx::Port& port) { return port.name == name || port.mil_name == name; });
  return found == ports.end() ? nullptr : &*found;
}

DType npy_dtype(onnx::DataType dtype, DType stored) {
  switch (dtype) {
    case onnx::DataType::boolean:
      return DType::boolean;
    case onnx::DataType::float64:
      return DType::fp64;
    case onnx::DataType::int8:
      return DType::int8;
    case onnx::DataType::uint8:
      return DType::uint8;
    case onnx::DataType::int16:
      return DType::int16;
    case onnx::DataType::uint16:
      return DType::uint16;
    case onnx::DataType::uint32:
      return DType::uint32;
    case onnx::DataType::int64:
      return DType::int64;
    case onnx::DataType::uint64:
      return DType::uint64;
    default:
      return stored;
  }
}

}  // namespace

std::string program_name(const Model& model, const std::string& name) {
  if (!model.onnx) return name;
  for (const auto* ports : {&model.onnx_inputs, &model.onnx_outputs}) {
    if (const onnx::Port* port = find_port(*ports, name)) return port->mil_name;
  }
  return legal_identifier(name);
}

void restore_port(const Model& model, std::string& name, Array& array) {
  const onnx::Port* port = find_port(model.onnx_outputs, name);
  if (!port) return;
  name = port->name;
  array.dtype = npy_dtype(port->dtype, array.dtype);
  if (port->dims.empty() && array.count() == 1) array.dims.clear();
}

Result<void> fit_ports(const Model& model, const Function& function, std::vector<Array>& arrays) {
  if (!model.onnx) return {};
  for (std::size_t i = 0; i < arrays.size() && i < function.body.inputs.size(); ++i) {
    const anemone::Type& type = function.body.inputs[i]->type;
    Array& array = arrays[i];
    if (array.dims.empty()) array.dims = {1};
    if (array.dtype == type.dtype) continue;
    for (const double value : array.data) {
      if (is_float(type.dtype) && std::isfinite(value) && std::fabs(value) > 3.4028235e38) {
        return bad_input(
            ErrorCode::inputs_do_not_fit,
            fmt::format("the input '{}' holds {:g}, and Core ML has no float64", function.body.inputs[i]->name, value),
            model.path.string());
      }
      if (type.dtype == DType::int32 && (value < -2147483648.0 || value > 2147483647.0)) {
        return bad_input(ErrorCode::inputs_do_not_fit,
                         fmt::format("the input '{}' holds {:.0f}, and Core ML has integers of 32 bits",
                                     function.body.inputs[i]->name, value),
                         model.path.string());
      }
    }
    array.dtype = type.dtype;
    round_to_dtype(array);
  }
  return {};
}

std::string brief(const onnx::Model& model) {
  Counts counts;
  count(*model.graph, counts);
  return fmt::format("an ONNX model (opset {}) of {} nodes and {} initialisers; inputs: {}; outputs: {}", opsets(model),
                     counts.nodes, counts.initializers, features(true_inputs(model)), features(model.graph->outputs()));
}

void note_onnx(const Model& model, Analysis& out) {
  Counts counts;
  count(*model.onnx->graph, counts);
  out.title = fmt::format("an ONNX graph of {} nodes, opset {}", counts.nodes, opsets(*model.onnx));
  out.notes.push_back(
      fmt::format("{} nodes of the ONNX graph are computed once the shapes are fixed, and {} are not needed",
                  model.onnx_computed, model.onnx_unneeded));
  out.notes.emplace_back(kOtherPlan);
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
  out.notes.emplace_back(kOtherPlan);
  for (const Diagnostic& warning : warnings)
    out.notes.push_back(fmt::format("{} ({})", warning.message, warning.place));
  return out;
}

void describe_onnx(const onnx::Model& model, ConvertResult& result) {
  Counts counts;
  count(*model.graph, counts);
  result.ops.total = counts.nodes;
  result.ops.by_type = std::move(counts.by_type);
  result.inputs = summaries(true_inputs(model));
  result.outputs = summaries(model.graph->outputs());
}

}  // namespace anemone::toolchain

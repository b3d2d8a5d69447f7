// From an ONNX graph to a program: sizes, inputs, nodes, outputs.
#include "anemone/frontends/onnx/lower.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/frontends/onnx/lowering.h"
#include "anemone/ir/derive_interface.h"
#include "anemone/ir/sweep.h"
#include "anemone/ir/verify.h"
#include "anemone/onnx/print.h"

namespace anemone::onnx {
namespace {

// The extents of an input: as asked for, as declared, one for the batch.
Result<Dims> input_dims(const Value& input, const LowerOptions& options, const std::string& file) {
  const auto asked = options.input_shapes.find(input.name());
  const auto& declared = input.type.shape;
  const auto says = [&] { return fmt::format("the input '{}' is {}", input.name(), to_text(input.type)); };
  if (asked != options.input_shapes.end()) {
    if (!declared) return asked->second;
    bool fits = declared->size() == asked->second.size();
    for (std::size_t i = 0; fits && i < declared->size(); ++i)
      fits = extent((*declared)[i]) < 0 || extent((*declared)[i]) == asked->second[i];
    if (!fits) {
      return bad_input(ErrorCode::onnx_shape_refused, fmt::format("{}, and {} is given", says(), brief(asked->second)),
                       file, "give an array of that shape, or export the model with dynamic axes");
    }
    return asked->second;
  }
  Dims dims;
  bool complete = declared.has_value();
  for (std::size_t i = 0; complete && i < declared->size(); ++i) {
    std::int64_t n = extent((*declared)[i]);
    if (n < 0 && i == 0 && declared->size() > 1) n = options.batch;
    if (options.size && declared->size() == 4 && i >= 2) {
      const std::int64_t wanted = i == 2 ? options.size->first : options.size->second;
      if (n >= 0 && n != wanted) {
        return bad_input(ErrorCode::onnx_shape_refused,
                         fmt::format("{}, and {}x{} is asked for", says(), options.size->first, options.size->second),
                         file, "export the model with dynamic height and width, or leave --shapes out");
      }
      n = wanted;
    }
    complete = n >= 0;
    dims.push_back(n);
  }
  if (complete) return dims;
  return bad_input(ErrorCode::onnx_shape_open, fmt::format("{}: not all of its extents are known", says()), file,
                   declared && declared->size() == 4
                       ? "name the size: '--shapes HxW', and '--batch N' where it is not 1"
                       : "give the input ('run --input FILE.npy'), or fix its shape when the model is exported");
}

Result<void> make_inputs(const Model& model, Lowering& lowering, anemone::Function& function, LoweredModel& out) {
  for (const Value* input : model.graph->inputs()) {
    if (input->is_initializer()) continue;
    if (input->type.kind != onnxspec::Type::Kind::tensor || input->type.dtype == DataType::string ||
        input->type.dtype == DataType::undefined) {
      return bad_input(ErrorCode::onnx_not_tensors,
                       fmt::format("the input '{}' is {}, and Core ML takes tensors of numbers", input->name(),
                                   to_text(input->type)),
                       model.file);
    }
    TRY(const Dims dims, input_dims(*input, lowering.options(), model.file));
    try {
      count_of(dims);
    } catch (const Refused& why) {
      return bad_input(ErrorCode::onnx_shape_refused, fmt::format("the input '{}' has {}", input->name(), why.reason),
                       model.file);
    }
    const DType natural = mil_dtype(input->type.dtype);
    const DType at_border = natural == DType::boolean ? DType::int32 : natural;
    MilValue* value = function.body.add_input(function.unique_name(input->name()),
                                              anemone::Type::tensor(at_border, dims.empty() ? Dims{1} : dims));
    out.inputs.push_back({input->name(), value->name, input->type.dtype, dims});
    Emit& emit = lowering.emit();
    if (dims.empty()) value = emit.add("squeeze", {{"x", value}, {"axes", {0}}});
    lowering.set(*input, {input->type.dtype, {emit.cast(value, natural)}, false});
  }
  return {};
}

// The values that the program ends at.
std::vector<const Value*> ends_of(const Model& model, const LowerOptions& options) {
  if (options.outputs.empty()) return {model.graph->outputs().begin(), model.graph->outputs().end()};
  std::vector<const Value*> ends;
  for (const std::string& name : options.outputs) {
    ends.push_back(model.graph->find_here(name));
    if (!ends.back()) throw Refused{fmt::format("the graph has no value '{}' to end at", name), {}};
  }
  return ends;
}

void make_outputs(const Model& model, const std::vector<const Value*>& ends, Lowering& lowering,
                  anemone::Function& function, LoweredModel& out) {
  std::vector<MilValue*> outputs;
  Emit& emit = lowering.emit();
  emit.begin({});
  for (const Value* output : ends) {
    const Lowered* lowered = lowering.find(*output);
    if (!lowered && lowering.refusals().empty())
      throw Refused{fmt::format("no operation gives the output '{}'", output->name()), {}};
    if (!lowered) continue;  // the refusal has been noted
    if (lowered->is_sequence)
      throw Diagnostics{bad_input(
          ErrorCode::onnx_not_tensors,
          fmt::format("the output '{}' is a sequence, and Core ML gives tensors", output->name()), model.file)};
    MilValue* value = lowered->items[0];
    Port port{output->name(), {}, lowered->dtype, value->type.dims};
    if (!is_float(value->type.dtype)) value = emit.cast(value, DType::int32);
    if (value->type.dims.empty()) value = emit.add("expand_dims", {{"x", value}, {"axes", {0}}});
    // A new value where it would be an input, a constant, or another output too.
    if (!value->producer || std::find(outputs.begin(), outputs.end(), value) != outputs.end()) {
      MilNode& node =
          function.body.insert(function.body.nodes.end(), "identity", function.program->ops->find("identity"));
      node.set("x", value);
      value = node.add_output(function.unique_name("identity"), value->type);
    }
    port.mil_name = value->name;
    outputs.push_back(value);
    out.outputs.push_back(std::move(port));
  }
  function.body.set_outputs(outputs);
}

// The outputs are called as in the graph, whoever had the name before.
void name_outputs(const std::vector<std::string>& reserved, anemone::Function& function, LoweredModel& out) {
  for (std::size_t i = 0; i < out.outputs.size(); ++i) {
    MilValue& value = *function.body.outputs()[i];
    value.name = out.outputs[i].mil_name = reserved[i];
    value.producer->name = value.name;
  }
}

// MIL ends at five dimensions.
void check_ranks(const Model& model, const Block& block, Diagnostics& errors) {
  std::vector<std::string> names;
  std::int64_t rank = 0;
  const auto note = [&](const MilValue& value) {
    if (value.type.rank() <= 5) return;
    rank = value.type.rank();
    names.push_back(value.name);
  };
  for (const auto& input : block.inputs) note(*input);
  for (const MilNode& node : block.nodes) {
    for (const auto& output : node.outputs) note(*output);
  }
  if (names.empty()) return;
  std::string list;
  for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 4); ++i)
    list += fmt::format("{}'{}'", i > 0 ? ", " : "", names[i]);
  errors.push_back(bad_input(
      ErrorCode::onnx_rank,
      fmt::format("{} values have more than five dimensions, among them {} of rank {}", names.size(), list, rank),
      model.file, "Core ML ends at five; merge dimensions before the model is exported"));
}

void carry_metadata(const Model& model, Program& program) {
  program.metadata.description = model.doc;
  for (const onnxspec::Property& property : model.metadata) program.metadata.user[property.key] = property.value;
}

Result<LoweredModel> lower_inlined(const Model& model, const LowerOptions& options) {
  LoweredModel out;
  out.program = std::make_unique<Program>(ops::table());
  out.program->specification = specification_version(options.target);
  anemone::Function& function = out.program->add_function("main", options.target);
  Lowering lowering(model, options, function);
  try {
    TRY_VOID(make_inputs(model, lowering, function, out));
    const std::vector<const Value*> ends = ends_of(model, options);
    std::vector<std::string> reserved;
    for (const Value* output : ends) reserved.push_back(function.unique_name(output->name()));
    lowering.lower_main(*model.graph, ends);
    make_outputs(model, ends, lowering, function, out);
    if (Diagnostics refused = lowering.refusals(); !refused.empty()) return refused;
    name_outputs(reserved, function, out);
    out.computed = lowering.computed;
    out.unneeded = lowering.unneeded;
  } catch (const Refused& why) {
    return bad_input(ErrorCode::onnx_not_read, why.reason, model.file, why.help);
  } catch (const Diagnostics& errors) {  // also external data that cannot be read
    return errors;
  }
  sweep(function.body);
  Diagnostics errors;
  check_ranks(model, function.body, errors);
  if (!errors.empty()) return errors;
  function.interface = derive_interface(function);
  carry_metadata(model, *out.program);
  TRY_VOID(verify(*out.program, {.name = model.file}));
  return out;
}

}  // namespace

Result<LoweredModel> lower(const Model& model, const LowerOptions& options) {
  if (model.functions.empty()) return lower_inlined(model, options);
  TRY(const Model inlined, inline_functions(model));
  return lower_inlined(inlined, options);
}

}  // namespace anemone::onnx

// Reference execution inside the engine: slow, and the same numbers as ops::evaluate.
#include "anemone/runtime/reference_call.h"

#include <fmt/format.h>

#include <unordered_map>

#include "anemone/ops/execute.h"
#include "anemone/runtime/known_values.h"
#include "anemone/runtime/planner.h"
#include "anemone/support/half.h"

namespace anemone::runtime {

const Kernel kReferenceKernel{"definition", nullptr};

Result<void> run_reference(const Call& call, Plan& plan, std::span<float* const> at) {
  const ReferenceCall& reference = plan.references[std::get<ReferenceParameters>(call.parameters).index];
  std::unordered_map<const Value*, Array> arrays;
  std::unordered_map<const Value*, const Array*> found;
  for (std::size_t i = 0; i < reference.inputs.size(); ++i) {
    const Value* value = reference.inputs[i];
    const Ref& ref = call.operands[i].ref;
    if (ref.space == Ref::Space::integers) {
      found[value] = &plan.integers[ref.index];
      continue;
    }
    Array& array = arrays[value];
    array = {value->type.dtype, value->type.dims, std::vector<double>(at[i], at[i] + ref.count)};
    found[value] = &array;
  }
  TRY(std::vector<Array> results, ops::evaluate_node(*reference.node, [&](const Value& value) -> const Array* {
        if (const auto known = found.find(&value); known != found.end()) return known->second;
        if (!value.constant) return nullptr;
        return found[&value] = &(arrays[&value] = to_array(*value.constant));
      }));
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::size_t operand = reference.inputs.size() + i;
    const Ref& ref = call.operands[operand].ref;
    if (results[i].count() != ref.count) {
      return bad_input(ErrorCode::result_differs,
                       fmt::format("{} is declared with {} elements, and {} come out", describe(*reference.node),
                                   ref.count, brief(results[i].dims)),
                       reference.node->origin);
    }
    if (ref.space == Ref::Space::integers) {
      plan.integers[ref.index] = std::move(results[i]);
      continue;
    }
    float* to = at[operand];
    for (std::size_t k = 0; k < results[i].data.size(); ++k) {
      const auto x = static_cast<float>(results[i].data[k]);
      to[k] = reference.rounds[i] ? round_to_half(x) : x;
    }
  }
  return {};
}

Type Planner::reference_type(Type type) const {
  const bool widens = graph_.options().precision == Precision::fp32;
  if (type.is_tensor() && type.dtype == DType::fp16 && widens) type.dtype = DType::fp32;
  return type;
}

Result<Value*> Planner::reference_operand(const Value& value, ReferenceCall& reference, Call& call) {
  Block& block = plan_.reference_program->main().body;
  if (is_computed_from_static(&value)) {
    ConstantPtr constant = value.constant;
    const Type wanted = reference_type(value.type);
    if (!constant) {
      TRY(const Array array, known_array(value));
      constant = to_constant(array);
    }
    const bool halve = graph_.options().precision == Precision::fp16 && is_float(wanted.dtype) && wanted.rank() > 0;
    if (halve || constant->type != wanted) {
      Array array = to_array(*constant);
      array.dtype = halve ? DType::fp16 : wanted.dtype;
      round_to_dtype(array);
      array.dtype = wanted.dtype;
      constant = to_constant(array);
    }
    return block.add_constant(value.name, std::move(constant));
  }
  TRY(const Ref ref, place(value));
  Value* copy = block.add_input(value.name, reference_type(value.type));
  reference.inputs.push_back(copy);
  call.operands.push_back(runtime::read("in", ref));
  return copy;
}

Result<void> Planner::add_reference(const Node& node) {
  if (!node.def->eval)
    return bad_input(ErrorCode::not_executable, describe(node) + " cannot be executed in this form", node.origin);
  Block& block = plan_.reference_program->main().body;
  Node& copy = block.insert(block.nodes.end(), node.type, node.def);
  copy.name = !node.name.empty() || node.outputs.empty() ? node.name : node.outputs[0]->name;
  copy.origin = node.origin;
  ReferenceCall reference;
  reference.node = &copy;
  Call call;
  call.kernel = &kReferenceKernel;
  std::unordered_map<const Value*, Value*> copies;
  for (const Operand& operand : node.operands()) {
    std::vector<Value*> values;
    for (const Value* value : operand.values) {
      Value*& known = copies[value];
      if (!known) {
        TRY(known, reference_operand(*value, reference, call));
      }
      values.push_back(known);
    }
    copy.set(operand.param, std::move(values));
  }
  call.ops = node.type;
  call.name = copy.name;
  for (const auto& out : node.outputs) {
    const Type type = reference_type(out->type);
    if (node.type == "cast" && type != out->type) {  // its result is not to be rounded either
      copy.set("dtype", block.add_constant("dtype", make_text(std::string(name(type.dtype)))));
    }
    copy.add_output(out->name, type);
    call.operands.push_back(write("out", is_real(*out) ? define(*out) : place_integers(*out)));
    reference.rounds.push_back(graph_.rounds(*out));
  }
  call.macs = node.def->macs ? node.def->macs(node) : 0;
  call.parameters = ReferenceParameters{plan_.references.size()};
  plan_.references.push_back(std::move(reference));
  plan_.calls.push_back(std::move(call));
  return {};
}

}  // namespace anemone::runtime

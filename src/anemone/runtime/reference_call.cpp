// Reference execution inside the engine: slow, and the same numbers as ops::evaluate.
#include "anemone/runtime/reference_call.h"

#include <fmt/format.h>

#include <unordered_map>

#include "anemone/ops/execute.h"
#include "anemone/runtime/lowering.h"
#include "anemone/support/half.h"

namespace anemone::runtime {

Result<void> ReferenceCall::operator()(Frame& frame) const {
  std::unordered_map<const Value*, Array> arrays;
  std::unordered_map<const Value*, const Array*> found;
  for (const auto& [value, ref] : inputs) {
    if (ref.space == Ref::Space::integers) {
      found[value] = &frame.integers[ref.index];
      continue;
    }
    const float* from = frame.read(ref);
    Array& array = arrays[value];
    array = {value->type.dtype, value->type.dims, std::vector<double>(from, from + ref.count)};
    found[value] = &array;
  }
  TRY(std::vector<Array> results, ops::evaluate_node(*node, [&](const Value& value) -> const Array* {
        if (const auto at = found.find(&value); at != found.end()) return at->second;
        if (!value.constant) return nullptr;
        return found[&value] = &(arrays[&value] = to_array(*value.constant));
      }));
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto& [ref, round] = outputs[i];
    if (results[i].count() != ref.count) {
      return bad_input("E0702",
                       fmt::format("{} is declared with {} elements, and {} come out", describe(*node), ref.count,
                                   brief(results[i].dims)),
                       node->origin);
    }
    if (ref.space == Ref::Space::integers) {
      frame.integers[ref.index] = std::move(results[i]);
      continue;
    }
    float* to = frame.write(ref);
    for (std::size_t k = 0; k < results[i].data.size(); ++k) {
      const auto x = static_cast<float>(results[i].data[k]);
      to[k] = round ? round_to_half(x) : x;
    }
  }
  return {};
}

Type Lowering::reference_type(Type type) const {
  if (type.is_tensor() && type.dtype == DType::fp16 && options_.precision == Precision::fp32) type.dtype = DType::fp32;
  return type;
}

Result<Value*> Lowering::reference_operand(const Value& value, ReferenceCall& call) {
  Block& block = references_->main().body;
  if (is_known(&value)) {
    ConstantPtr constant = value.constant;
    const Type wanted = reference_type(value.type);
    if (!constant) {
      TRY(const Array array, known_array(value));
      constant = to_constant(array);
    }
    const bool halve = options_.precision == Precision::fp16 && is_float(wanted.dtype) && wanted.rank() > 0;
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
  call.inputs.emplace_back(copy, ref);
  return copy;
}

Result<void> Lowering::by_reference(const Node& node) {
  if (!node.def->eval) return bad_input("E0701", describe(node) + " cannot be executed in this form", node.origin);
  Block& block = references_->main().body;
  Node& copy = block.insert(block.nodes.end(), node.type, node.def);
  copy.name = !node.name.empty() || node.outputs.empty() ? node.name : node.outputs[0]->name;
  copy.origin = node.origin;
  ReferenceCall call;
  call.node = &copy;
  std::unordered_map<const Value*, Value*> copies;
  for (const Operand& operand : node.operands()) {
    std::vector<Value*> values;
    for (const Value* value : operand.values) {
      Value*& known = copies[value];
      if (!known) {
        TRY(known, reference_operand(*value, call));
      }
      values.push_back(known);
    }
    copy.set(operand.param, std::move(values));
  }
  Step step;
  step.type = node.type;
  step.name = copy.name;
  step.reference = true;
  for (const auto& [value, ref] : call.inputs) step.refs.push_back(ref);
  for (const auto& out : node.outputs) {
    const Type type = reference_type(out->type);
    if (node.type == "cast" && type != out->type) {  // its result is not to be rounded either
      copy.set("dtype", block.add_constant("dtype", make_text(std::string(name(type.dtype)))));
    }
    copy.add_output(out->name, type);
    Ref ref;
    if (is_real(*out)) {
      ref = define(*out);
    } else {
      ref = {Ref::Space::integers, integers_.size(), 0, element_count(out->type.dims).value_or(0)};
      integers_.push_back({out->type.dtype, out->type.dims, {}});
      places_[out.get()] = ref;
    }
    call.outputs.emplace_back(ref, rounds(*out));
    step.refs.push_back(ref);
  }
  step.macs = node.def->macs ? node.def->macs(node) : 0;
  step.run = std::move(call);
  add(std::move(step));
  return {};
}

}  // namespace anemone::runtime

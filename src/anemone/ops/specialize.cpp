// Infers in program order and folds what only depends on shapes.
#include "anemone/ops/specialize.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"
#include "anemone/ops/execute.h"

namespace anemone::ops {
namespace {

constexpr std::int64_t kMostFolded = 1024;  // elements: shapes and what is computed of them, not weights

// What is known from either side; the inferred type wins where both know.
Type merged(const Type& declared, Type inferred) {
  if (!inferred.is_tensor() || !declared.is_tensor() || declared.dtype != inferred.dtype || !declared.ranked)
    return inferred;
  if (!inferred.ranked) return declared;
  if (declared.dims.size() != inferred.dims.size()) return inferred;
  for (std::size_t d = 0; d < inferred.dims.size(); ++d) {
    if (inferred.dims[d] == kUnknown) inferred.dims[d] = declared.dims[d];
  }
  return inferred;
}

bool is_small(const Type& type) {
  const auto count = type.is_fixed() ? element_count(type.dims) : std::nullopt;
  return count && *count <= kMostFolded && type.dtype != DType::string;
}

// `shape` needs the type of x alone; anything else needs small constants throughout.
bool can_fold(const Node& node) {
  if (!node.def || !node.def->eval || node.def->is(kConstexpr | kEffect | kRandom)) return false;
  for (const auto& output : node.outputs) {
    if (!is_small(output->type)) return false;
  }
  if (node.type == "shape") return node.input("x")->type.is_fixed();
  bool any = false;
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      if (!payload(value)) return false;
      if (value->type.is_tensor() && value->type.dtype == DType::string) continue;
      if (!is_small(value->type)) return false;
      any = true;
    }
  }
  return any;
}

Result<std::vector<ConstantPtr>> fold(const Node& node) {
  if (node.type == "shape") return std::vector<ConstantPtr>{make_ints(node.input("x")->type.dims)};
  std::unordered_map<const Value*, Array> arrays;
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) arrays.emplace(value, to_array(*value->constant));
  }
  TRY(const std::vector<Array> results, evaluate_node(node, [&](const Value& value) { return &arrays.at(&value); }));
  std::vector<ConstantPtr> constants;
  for (const Array& array : results) constants.push_back(to_constant(array));
  return constants;
}

Result<void> infer_block(Block& block) {
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    if (node.def && node.def->form(block.function().opset)) {
      TRY(std::vector<Type> types, infer_types(node, block.function().opset, DTypeGroups::ignored));
      if (types.size() != node.outputs.size()) {
        return bad_input(
            ErrorCode::result_differs,
            fmt::format("{} has {} outputs where {} come out", describe(node), node.outputs.size(), types.size()),
            node.origin);
      }
      for (std::size_t i = 0; i < types.size(); ++i) {
        node.outputs[i]->type = merged(node.outputs[i]->type, std::move(types[i]));
      }
    }
    for (auto& inner : node.blocks) TRY_VOID(infer_block(*inner));
    if (!can_fold(node)) continue;
    TRY(const std::vector<ConstantPtr> constants, fold(node));
    bool named = false;  // an output of the block keeps its name, and its node
    for (const auto& output : node.outputs) named = named || output->output_uses > 0;
    if (named) continue;
    for (std::size_t i = 0; i < constants.size(); ++i) {
      Value& output = *node.outputs[i];
      if (output.uses.empty()) continue;
      Value* constant = block.add_constant(block.function().unique_name(output.name), constants[i]);
      replace_uses(output, *constant);
    }
    block.erase(node);
  }
  return {};
}

void fix_interface(Function& function) {
  for (Feature& feature : function.interface.inputs) {
    for (const auto& input : function.body.inputs) {
      if (input->name != feature.name || !input->type.is_fixed()) continue;
      if (feature.kind == Feature::Kind::image && input->type.rank() == 4) {
        feature.height = input->type.dims[2];
        feature.width = input->type.dims[3];
        feature.sizes.clear();
        feature.size_range.reset();
      }
      if (feature.kind != Feature::Kind::array) continue;
      if (!input->type.dims.empty()) feature.shape = input->type.dims;
      feature.shapes.clear();
      feature.ranges.clear();
    }
  }
  for (Feature& feature : function.interface.outputs) {
    for (const Value* output : function.body.outputs()) {
      if (feature.kind == Feature::Kind::array && output->name == feature.name && output->type.is_fixed() &&
          !output->type.dims.empty()) {
        feature.shape = output->type.dims;
        feature.shapes.clear();
        feature.ranges.clear();
      }
    }
  }
}

}  // namespace

Result<std::unique_ptr<Program>> specialize(const Program& program, const std::string& function,
                                            const std::map<std::string, Dims>& input_shapes) {
  std::unique_ptr<Program> copy = clone(program);
  Function* chosen = copy->find(function);
  if (!chosen)
    return bad_input(ErrorCode::shape_not_declared, fmt::format("there is no function '{}' in the program", function));
  std::erase_if(copy->functions, [&](const std::unique_ptr<Function>& f) { return f.get() != chosen; });
  copy->default_function = function;
  for (const auto& [name, dims] : input_shapes) {
    Value* input = nullptr;
    for (const auto& candidate : chosen->body.inputs) {
      if (candidate->name == name) input = candidate.get();
    }
    if (!input)
      return bad_input(ErrorCode::shape_not_declared, fmt::format("function '{}' has no input '{}'", function, name));
    Type fixed = input->type;
    fixed.ranked = true;
    fixed.dims = dims;
    if (!fixed.is_fixed() || !compatible(input->type, fixed)) {
      return bad_input(ErrorCode::shape_not_declared,
                       fmt::format("input '{}' is declared as {} and cannot have the shape {}", name,
                                   brief(input->type), brief(dims)));
    }
    input->type = std::move(fixed);
  }
  TRY_VOID(infer_block(chosen->body));
  fix_interface(*chosen);
  return copy;
}

bool is_fixed(const Function& function) {
  for (const auto& input : function.body.inputs) {
    if (!input->type.tensor_part().is_fixed()) return false;
  }
  bool fixed = true;
  for_each_node(function.body, [&](const Node& node) {
    for (const auto& output : node.outputs) fixed = fixed && (!output->type.is_tensor() || output->type.is_fixed());
  });
  return fixed;
}

namespace {

Dims default_shape(const Value& input, const Feature* feature) {
  Dims dims = input.type.dims;
  if (feature && feature->kind == Feature::Kind::image && dims.size() == 4) {
    dims[2] = feature->height;
    dims[3] = feature->width;
  } else if (feature && feature->shape.size() == dims.size()) {
    // A default that is none of the shapes it stands for is refused like any other.
    const std::vector<Dims>& shapes = feature->shapes;
    const bool taken = shapes.empty() || std::find(shapes.begin(), shapes.end(), feature->shape) != shapes.end();
    dims = taken ? feature->shape : shapes.front();
  }
  return dims;
}

}  // namespace

Result<Sized> at_default_size(const Program& program, const std::map<std::string, Dims>& given) {
  const Function& main = program.main();
  Sized sized;
  if (is_fixed(main)) return sized;
  std::map<std::string, Dims> shapes;
  for (const auto& input : main.body.inputs) {
    if (!input->type.is_tensor()) continue;
    const auto wanted = given.find(input->name);
    Dims dims = wanted != given.end() ? wanted->second : default_shape(*input, main.interface.input(input->name));
    if (std::find_if(dims.begin(), dims.end(), [](std::int64_t extent) { return extent < 0; }) != dims.end()) {
      return Sized{nullptr, {}, input->name};
    }
    if (wanted == given.end() && dims != input->type.dims) sized.defaults[input->name] = dims;
    shapes[input->name] = std::move(dims);
  }
  TRY(sized.program, specialize(program, main.name, shapes));
  return sized;
}

}  // namespace anemone::ops

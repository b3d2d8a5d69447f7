// Execution in program order; an array lives until its last user has run.
#include "anemone/ops/execute.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "anemone/ir/rewrite.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr int kDeepest = 32;                 // nested blocks
constexpr std::int64_t kMostTurns = 100000;  // of a loop
constexpr std::int64_t kSmall = 4096;        // integer operands up to this size may decide an extent

// A list is held as its elements side by side; how many there are may change while it runs.
Type type_of_list(const Array& array) {
  return Type::list(Type::tensor(array.dtype, Dims(array.dims.begin() + 1, array.dims.end())), kUnknown);
}

// What the type rule says about operands of exactly the shapes that arrived.
Types infer_as_given(const Node& node, const EvalView::Fetch& fetch, bool integers_as_constants) {
  TypeQuestion question = question_of(node, node.block().function().opset);
  std::deque<Type> types;
  std::deque<ConstantPtr> constants;
  for (Given& given : question.given) {
    given.is_static = is_computed_from_static(given.value);  // chains too: packages by others have them unfolded
    const Array* array = fetch(*given.value);
    if (given.constant || !array) continue;
    const bool list = given.type->kind == Type::Kind::list;
    given.type = &types.emplace_back(list ? type_of_list(*array) : Type::tensor(array->dtype, array->dims));
    if (list) continue;
    if (!integers_as_constants || is_float(array->dtype) || array->count() > kSmall) continue;
    given.constant = constants.emplace_back(to_constant(*array)).get();
    given.is_static = true;
  }
  return infer_types(question, DTypeGroups::ignored);
}

Result<std::vector<Array>> allocate_outputs(const Node& node, const EvalView::Fetch& fetch) {
  TRY(std::vector<Type> types, infer_as_given(node, fetch, false));
  const auto open = [&] {
    for (const Type& type : types) {
      if (type.is_tensor() && !type.is_fixed()) return true;
    }
    return false;
  };
  if (open()) {
    TRY(types, infer_as_given(node, fetch, true));
  }
  if (types.size() != node.outputs.size()) {
    return bad_input(
        ErrorCode::result_differs,
        fmt::format("{} has {} outputs where {} come out", describe(node), node.outputs.size(), types.size()),
        node.origin);
  }
  std::vector<Array> outputs;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const Type& declared = node.outputs[i]->type;
    Type& type = types[i];
    // Packages by others declare another float than the rule gives; the declared one is what they were computed with.
    if (is_float(declared.dtype) && is_float(type.dtype)) type.dtype = declared.dtype;
    if (!compatible(declared, type)) {
      return bad_input(
          ErrorCode::result_differs,
          fmt::format("{} is declared as {}, and {} comes out", describe(node), brief(declared), brief(type)),
          node.origin);
    }
    Array array{type.dtype, type.dims, {}};
    if (type.kind == Type::Kind::list) {
      array = {type.elements[0].dtype, type.elements[0].dims, {}};
      array.dims.insert(array.dims.begin(), type.length);
      for (std::int64_t& extent : array.dims) extent = std::max<std::int64_t>(extent, 0);
    }
    if (type.is_fixed() || type.kind == Type::Kind::list) {
      const auto count = element_count(array.dims);
      if (!count || *count > kMostElements) {
        return bad_input(
            ErrorCode::value_too_large,
            fmt::format("{} would make {}, more than {} elements", describe(node), brief(type), kMostElements),
            node.origin);
      }
      array.data.assign(static_cast<std::size_t>(*count), 0.0);
    }
    outputs.push_back(std::move(array));
  }
  return outputs;
}

}  // namespace

Result<std::vector<Array>> evaluate_node(const Node& node, const EvalView::Fetch& fetch) {
  if (!node.def || !node.def->eval) {
    return bad_input(ErrorCode::not_executable,
                     fmt::format("operation '{}' (node '{}') cannot be executed: {}", node.type, display_name(node),
                                 node.def ? "only its types are known" : "it is not known"),
                     node.origin);
  }
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      if (fetch(*value) && (!value->constant || payload(value))) continue;
      return bad_input(ErrorCode::no_value,
                       fmt::format("{}: {}: '{}' has no value", describe(node), operand.param, value->name),
                       node.origin);
    }
  }
  TRY(std::vector<Array> outputs, allocate_outputs(node, fetch));
  EvalView view(node, fetch, outputs);
  TRY_VOID(node.def->eval(view));
  for (Array& array : outputs) {
    if (array.count() != element_count(array.dims).value_or(-1)) {
      return own_bug(fmt::format("{} left {} elements for {}", describe(node), array.count(), brief(array.dims)));
    }
    round_to_dtype(array);
  }
  return outputs;
}

namespace {

// One run of a function.
class Run {
 public:
  explicit Run(const Function& function) : function_(&function) {}

  Result<void> give(std::span<const Array> inputs) {
    const auto& wanted = function_->body.inputs;
    if (inputs.size() != wanted.size()) {
      return bad_input(ErrorCode::inputs_do_not_fit, fmt::format("function '{}' takes {} inputs, {} are given",
                                                                 function_->name, wanted.size(), inputs.size()));
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Type given = Type::tensor(inputs[i].dtype, inputs[i].dims);
      const Type& type = wanted[i]->type.tensor_part();
      if (!compatible(type, given) || inputs[i].count() != element_count(inputs[i].dims).value_or(-1)) {
        return bad_input(ErrorCode::inputs_do_not_fit,
                         fmt::format("input '{}' takes {}, given are {} elements of {}", wanted[i]->name, brief(type),
                                     inputs[i].count(), brief(given)));
      }
      hold(*wanted[i], inputs[i]);
    }
    return {};
  }

  Result<void> block(const Block& block, int depth = 0) {
    if (depth > kDeepest)
      return bad_input(ErrorCode::control_flow_limits, fmt::format("blocks are nested more than {} deep", kDeepest));
    for (const Node& node : block.nodes) TRY_VOID(step(node, depth));
    return {};
  }

  Result<Array> output(const Value& value) {
    if (value.constant) {
      TRY_VOID(check_payload(value));
      return to_array(*value.constant);
    }
    const Array* array = find(value);
    if (!array) return bad_input(ErrorCode::no_value, fmt::format("the output '{}' has no value", value.name));
    return *array;
  }

 private:
  Result<void> step(const Node& node, int depth) {
    constants_.clear();
    TRY_VOID(load_constants(node));
    if (node.type == "cond" && node.def) {
      TRY_VOID(choose(node, depth));
    } else if (node.type == "while_loop" && node.def) {
      TRY_VOID(repeat(node, depth));
    } else if (node.type == "write_state" && node.def) {
      const Array* data = find(*node.input("data"));
      if (!data)
        return bad_input(ErrorCode::no_value, fmt::format("{}: data has no value", describe(node)), node.origin);
      arrays_[node.input("input")] = *data;
    } else if (node.type == "read_state" && node.def) {
      const Array* state = find(*node.input("input"));
      if (!state)
        return bad_input(ErrorCode::no_value, fmt::format("{}: the state has no value", describe(node)), node.origin);
      hold(*node.output(), Array(*state));
    } else {
      TRY(std::vector<Array> results, evaluate_node(node, [this](const Value& value) { return find(value); }));
      for (std::size_t i = 0; i < results.size(); ++i) hold(*node.outputs[i], std::move(results[i]));
    }
    for (const Operand& operand : node.operands()) {
      for (const Value* value : operand.values) {
        if (value->block == &node.block()) release(*value);  // a block may run again: what it takes from outside stays
      }
    }
    return {};
  }

  Result<std::vector<Array>> outputs_of(const Block& block) {
    std::vector<Array> arrays;
    for (const Value* value : block.outputs()) {
      TRY(Array array, output(*value));
      arrays.push_back(std::move(array));
    }
    return arrays;
  }

  Result<void> hold_outputs(const Node& node, std::vector<Array> arrays) {
    if (arrays.size() != node.outputs.size()) {
      return bad_input(
          ErrorCode::result_differs,
          fmt::format("{} has {} outputs where {} come out", describe(node), node.outputs.size(), arrays.size()),
          node.origin);
    }
    for (std::size_t i = 0; i < arrays.size(); ++i) hold(*node.outputs[i], std::move(arrays[i]));
    return {};
  }

  Result<void> choose(const Node& node, int depth) {
    const Array* pred = find(*node.input("pred"));
    if (!pred || pred->data.empty() || node.blocks.size() != 2) {
      return bad_input(ErrorCode::no_value, fmt::format("{}: pred has no value", describe(node)), node.origin);
    }
    const Block& chosen = *node.blocks[pred->data[0] != 0 ? 0 : 1];
    TRY_VOID(block(chosen, depth + 1));
    TRY(std::vector<Array> results, outputs_of(chosen));
    return hold_outputs(node, std::move(results));
  }

  Result<void> repeat(const Node& node, int depth) {
    if (node.blocks.size() != 2)
      return bad_input(ErrorCode::no_value, fmt::format("{}: has no blocks", describe(node)), node.origin);
    const Block &condition = *node.blocks[0], &body = *node.blocks[1];
    std::vector<Array> variables;
    for (const Value* value : node.operand("loop_vars")->values) {
      TRY(Array array, output(*value));
      variables.push_back(std::move(array));
    }
    for (std::int64_t turn = 0;; ++turn) {
      if (turn == kMostTurns) {
        return bad_input(ErrorCode::control_flow_limits,
                         fmt::format("{} has not ended after {} turns", describe(node), kMostTurns), node.origin);
      }
      for (const Block* inner : {&condition, &body}) {
        if (inner->inputs.size() != variables.size()) {
          return bad_input(ErrorCode::result_differs,
                           fmt::format("{}: a block takes {} values, the loop has {}", describe(node),
                                       inner->inputs.size(), variables.size()),
                           node.origin);
        }
      }
      for (std::size_t i = 0; i < variables.size(); ++i) hold(*condition.inputs[i], variables[i]);
      TRY_VOID(block(condition, depth + 1));
      TRY(const std::vector<Array> goes_on, outputs_of(condition));
      if (goes_on.size() != 1 || goes_on[0].data.size() != 1) {
        return bad_input(ErrorCode::result_differs, fmt::format("{}: the condition is not one bool", describe(node)),
                         node.origin);
      }
      if (goes_on[0].data[0] == 0) break;
      for (std::size_t i = 0; i < variables.size(); ++i) hold(*body.inputs[i], std::move(variables[i]));
      TRY_VOID(block(body, depth + 1));
      TRY(variables, outputs_of(body));
    }
    return hold_outputs(node, std::move(variables));
  }

  static Result<void> check_payload(const Value& value) {
    const Constant& c = *value.constant;
    if (!c.missing.empty()) {
      return bad_input(ErrorCode::no_value,
                       fmt::format("the constant '{}' is not there: its file {} is missing", value.name, c.missing));
    }
    if (c.type.is_tensor() && !c.is_string() &&
        byte_count(c.type.dtype, c.type.dims).value_or(-1) != static_cast<std::int64_t>(c.data.size())) {
      return bad_input(ErrorCode::no_value, fmt::format("the constant '{}' is {} and has {} bytes", value.name,
                                                        brief(c.type), c.data.size()));
    }
    return {};
  }

  // As doubles for this node alone: weights are many times smaller as they are stored.
  Result<void> load_constants(const Node& node) {
    for (const Operand& operand : node.operands()) {
      for (const Value* value : operand.values) {
        if (!value->constant || constants_.contains(value)) continue;
        TRY_VOID(check_payload(*value));
        constants_.emplace(value, to_array(*value->constant));
      }
    }
    return {};
  }

  const Array* find(const Value& value) const {
    const auto& from = value.constant ? constants_ : arrays_;
    const auto at = from.find(&value);
    return at == from.end() ? nullptr : &at->second;
  }
  void hold(const Value& value, Array array) {
    const std::size_t uses = value.uses.size() + static_cast<std::size_t>(value.output_uses);
    if (uses == 0 && value.type.kind != Type::Kind::state) return;
    uses_left_[&value] = uses;
    arrays_[&value] = std::move(array);
  }
  void release(const Value& value) {
    const auto left = uses_left_.find(&value);
    if (left == uses_left_.end() || --left->second > 0 || value.type.kind == Type::Kind::state) return;
    arrays_.erase(&value);
  }

  const Function* function_;
  std::unordered_map<const Value*, Array> arrays_, constants_;
  std::unordered_map<const Value*, std::size_t> uses_left_;
};

}  // namespace

Result<std::vector<Array>> evaluate(const Function& function, std::span<const Array> inputs,
                                    std::vector<Array>* states_after) {
  Run run(function);
  TRY_VOID(run.give(inputs));
  TRY_VOID(run.block(function.body));
  std::vector<Array> outputs;
  for (const Value* value : function.body.outputs()) {
    TRY(Array array, run.output(*value));
    outputs.push_back(std::move(array));
  }
  for (const auto& input : function.body.inputs) {
    if (!states_after || input->type.kind != Type::Kind::state) continue;
    TRY(Array array, run.output(*input));
    states_after->push_back(std::move(array));
  }
  return outputs;
}

}  // namespace anemone::ops

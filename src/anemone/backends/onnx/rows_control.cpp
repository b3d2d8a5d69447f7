// Branches, loops, classifiers; what has no equivalent.
#include <array>

#include <fmt/format.h>

#include "anemone/backends/onnx/rows.h"

namespace anemone::onnx::exporting {
namespace {

/// The outputs of a block, as values of the graph that it became.
Result<Inputs> results_of(Raising& scope, const Block& block) {
  Inputs out;
  for (const MilValue* output : block.outputs()) {
    Value* value = scope.value_of(*output);
    if (!value) return own_bug(fmt::format("'{}' was not raised", output->name));
    out.push_back(value);
  }
  return out;
}

/// Makes them the body's outputs. What was defined around it, or nobody makes, becomes a copy.
void add_outputs(Graph& body, const Inputs& values) {
  for (Value* value : values) {
    Value* own = value;
    bool is_output = false;
    for (const Value* output : body.outputs()) is_output |= output == value;
    if (&value->graph() != &body || !value->producer() || is_output) {
      own = body.add_value(body.free_name(value->name() + "_result"));
      own->type = value->type;
      body.add_node("Identity", {value}, {own}).name = own->name();
    }
    body.add_output(*own);
  }
}

Graph& add_body(Node& node, const std::string& name) {
  node.bodies.emplace_back(name, std::make_unique<Graph>(&node));
  node.bodies.back().second->name = node.name + "_" + name;
  return *node.bodies.back().second;
}

Result<void> cond(Emit& e) {
  Node& node = e.give_node({"If", {e.in("pred")}, {}});
  for (std::size_t i = 0; i < 2; ++i) {
    Graph& body = add_body(node, i == 0 ? "then_branch" : "else_branch");
    Raising scope(body, e.raising());
    TRY_VOID(scope.walk(*e.node().blocks[i]));
    TRY(const Inputs results, results_of(scope, *e.node().blocks[i]));
    add_outputs(body, results);
    scope.hand_over();
  }
  return {};
}

/// The condition for these values of the variables, in the graph of `scope`: a scalar, as Loop wants it.
Result<Value*> condition(Raising& scope, const MilNode& loop, const Inputs& variables) {
  const Block& block = *loop.blocks[0];
  for (std::size_t i = 0; i < variables.size(); ++i) scope.set(*block.inputs[i], variables[i]);
  TRY_VOID(scope.walk(block));
  TRY(const Inputs results, results_of(scope, block));
  return block.outputs()[0]->type.dims.empty() ? results[0] : Emit(scope, loop).reshape(results[0], {});
}

// ONNX asks for the condition after the body: before the loop it stands by itself, and in the body behind it.
Result<void> while_loop(Emit& e) {
  const Block& step = *e.node().blocks[1];
  Inputs variables = e.all("loop_vars");
  TRY(Value * first, condition(e.raising(), e.node(), variables));
  Inputs inputs{nullptr, first};
  inputs.insert(inputs.end(), variables.begin(), variables.end());
  Node& node = e.give_node({"Loop", std::move(inputs), {}});
  Graph& body = add_body(node, "body");
  Raising scope(body, e.raising());
  const auto add_input = [&](const std::string& name, onnx::Type type) {
    Value* value = body.add_value(body.free_name(name));
    value->type = std::move(type);
    body.make_input(*value);
    return value;
  };
  add_input(node.name + "_turn", tensor_type(MilType::tensor(DType::int64, {}), e.raising().options()));
  add_input(node.name + "_goes_on", tensor_type(MilType::tensor(DType::boolean, {}), e.raising().options()));
  for (const auto& variable : step.inputs)
    scope.set(*variable, add_input(variable->name, tensor_type(variable->type, e.raising().options())));
  TRY_VOID(scope.walk(step));
  TRY(const Inputs next, results_of(scope, step));
  Raising again(body, scope);
  TRY(Value * goes_on, condition(again, e.node(), next));
  Inputs results{goes_on};
  results.insert(results.end(), next.begin(), next.end());
  add_outputs(body, results);
  again.hand_over();
  scope.hand_over();
  return {};
}

// The label by the place of the greatest probability; the dictionary is its probabilities, in the order of the labels.
Result<void> classify(Emit& e) {
  const Constant* classes = e.constant("classes");
  if (!classes || classes->elements.empty()) return e.refuse("labels that are not known", "use a list of constants");
  Value* probabilities = e.reshape(e.in("probabilities"), {-1});
  auto labels = std::make_shared<Constant>();
  const auto count = static_cast<std::int64_t>(classes->elements.size());
  labels->type = MilType::tensor(classes->elements[0].type.dtype, {count});
  std::vector<std::int64_t> numbers;
  for (const Constant& label : classes->elements) {
    if (label.is_string()) {
      labels->strings.insert(labels->strings.end(), label.strings.begin(), label.strings.end());
    } else {
      numbers.push_back(to_ints(label).at(0));
    }
  }
  if (!numbers.empty()) {
    labels->type.dtype = DType::int64;
    labels->data = Bytes::copy_of(std::span<const std::int64_t>(numbers));
  }
  Value* place = e.make("ArgMax", {probabilities}, {attr("axis", std::int64_t{0}), attr("keepdims", std::int64_t{0})});
  Value* names = e.raising().initializer("labels", std::move(labels));
  TRY_VOID(e.give_value(e.make("Gather", {names, place}, {attr("axis", std::int64_t{0})})));
  return e.give_value(probabilities, 1);
}

constexpr char kNoLists[] = "sequences of ONNX have no element to be replaced at an index";

constexpr std::array kRows = {
    RaiseRow{"cond", cond, "If"},
    RaiseRow{"while_loop", while_loop, "Loop"},
    RaiseRow{"classify", classify, "ArgMax, Gather; the dictionary is the tensor of probabilities"},
    RaiseRow{"make_list", nullptr, kNoLists},
    RaiseRow{"list_length", nullptr, kNoLists},
    RaiseRow{"list_read", nullptr, kNoLists},
    RaiseRow{"list_write", nullptr, kNoLists},
    RaiseRow{"list_gather", nullptr, kNoLists},
    RaiseRow{"list_scatter", nullptr, kNoLists},
    RaiseRow{"non_maximum_suppression", nullptr, "ONNX's gives a list of boxes as long as it happens to be"},
    RaiseRow{"read_state", nullptr, "ONNX has no states; make them inputs and outputs"},
    RaiseRow{"write_state", nullptr, "ONNX has no states; make them inputs and outputs"},
};

}  // namespace

std::span<const RaiseRow> raise_control() { return kRows; }

}  // namespace anemone::onnx::exporting

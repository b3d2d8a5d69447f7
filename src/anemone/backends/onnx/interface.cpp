// Casts at the border.
#include "anemone/backends/onnx/interface.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/backends/onnx/emit.h"

namespace anemone::onnx::exporting {
namespace {

Type retyped(const Type& type, DataType dtype) {
  Type out = type;
  out.dtype = dtype;
  return out;
}

/// Nodes keep their names when values are renamed: a cast of the border's first round may have this one already.
std::string free_node_name(const Graph& graph, const std::string& stem) {
  const auto taken = [&](const std::string& name) {
    return std::any_of(graph.nodes().begin(), graph.nodes().end(),
                       [&](const auto& node) { return node->name == name; });
  };
  std::string name = stem;
  for (std::size_t i = 1; taken(name); ++i) name = fmt::format("{}_{}", stem, i);
  return name;
}

/// The value for the graph's inside, with the type that it had, when the border's type is another one.
class Border {
 public:
  explicit Border(Model& model) : graph_(*model.graph), shared_(graph_, options_) {
    first_ = graph_.nodes().empty() ? nullptr : graph_.nodes().front().get();
  }

  /// The input keeps its name and becomes `outside`; its readers get what is made of it.
  void set_input(Value& input, const Type& outside) {
    Value& inside = *graph_.add_value(graph_.free_name(input.name() + "_inside"));
    inside.type = input.type;
    graph_.replace_uses(input, inside);
    input.type = outside;
    convert(input, inside, first_);
  }
  /// The output keeps its name and becomes `outside`; what made it makes another value.
  void set_output(std::size_t index, const Type& outside) {
    Value& output = *graph_.outputs()[index];
    Value& inside = *graph_.add_value(graph_.free_name(output.name() + "_inside"));
    inside.type = output.type;
    graph_.move_producer(output, inside);
    graph_.replace_uses(output, inside);
    graph_.set_output(index, output);
    output.type = outside;
    convert(inside, output, nullptr);
  }

 private:
  /// Nodes that make `to` of `from`: another element type, another shape, or both.
  void convert(Value& from, Value& to, const Node* before) {
    Value* given = &from;
    if (from.type.shape != to.type.shape) {
      const bool last = from.type.dtype == to.type.dtype;
      Value* shaped = last ? &to : graph_.add_value(graph_.free_name(to.name() + "_shaped"));
      if (!last) shaped->type = retyped(to.type, from.type.dtype);
      std::vector<double> dims;
      for (const Dimension& d : *to.type.shape) dims.push_back(static_cast<double>(extent(d)));
      Value* shape = shared_.constant(DataType::int64, {static_cast<std::int64_t>(dims.size())}, dims, "shape");
      const std::string name = free_node_name(graph_, shaped->name() + "_reshape");
      graph_.add_node("Reshape", {given, shape}, {shaped}, before).name = name;
      given = shaped;
    }
    if (given == &to) return;
    const std::string name = free_node_name(graph_, to.name() + "_cast");
    Node& node = graph_.add_node("Cast", {given}, {&to}, before);
    node.name = name;
    node.attributes = {attr("to", static_cast<std::int64_t>(to.type.dtype))};
  }

  Graph& graph_;
  RaiseOptions options_;
  Raising shared_;
  const Node* first_ = nullptr;
};

/// The type that the caller knows; the value's own where there is nothing to restore.
Type outside_type(const Type& inside, const BorderValue& border) {
  Type out = inside;
  if (border.dtype != DataType::undefined) out.dtype = border.dtype;
  if (inside.shape && border.dims.empty() && inside.shape->size() == 1) out.shape->clear();
  return out;
}

const BorderValue* find(const std::vector<BorderValue>& borders, const Value& value) {
  const auto found = std::find_if(borders.begin(), borders.end(),
                                  [&](const BorderValue& border) { return border.raised == value.name(); });
  return found == borders.end() ? nullptr : &*found;
}

/// Output `index` is the value of output `first` once more.
void repeat_output(Graph& graph, std::size_t index, std::size_t first) {
  Value& copy = *graph.outputs()[index];
  graph.set_output(index, *graph.outputs()[first]);
  if (Node* node = copy.producer(); node && node->op_type == "Identity" && copy.uses().empty()) {
    graph.erase(*node);
  }
}

}  // namespace

void take_and_give_float(Model& model) {
  Border border(model);
  Graph& graph = *model.graph;
  for (Value* input : graph.inputs()) {
    if (input->type.dtype == DataType::float16) border.set_input(*input, retyped(input->type, DataType::float32));
  }
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
    const Type& type = graph.outputs()[i]->type;
    if (type.dtype == DataType::float16) border.set_output(i, retyped(type, DataType::float32));
  }
}

void restore_border(Model& model, const std::vector<BorderValue>& inputs, const std::vector<BorderValue>& outputs) {
  Border border(model);
  Graph& graph = *model.graph;
  std::vector<const BorderValue*> of_input, of_output;  // before names change
  for (const Value* input : graph.inputs()) of_input.push_back(find(inputs, *input));
  for (const Value* output : graph.outputs()) of_output.push_back(find(outputs, *output));
  for (std::size_t i = 0; i < of_input.size(); ++i) {
    if (!of_input[i]) continue;
    Value& input = *graph.inputs()[i];
    if (const Type outside = outside_type(input.type, *of_input[i]); !(outside == input.type))
      border.set_input(input, outside);
    graph.rename(input, of_input[i]->name);
  }
  for (std::size_t i = 0; i < of_output.size(); ++i) {
    if (!of_output[i]) continue;
    const auto same = [&](const BorderValue* other) { return other && other->name == of_output[i]->name; };
    const auto end = of_output.begin() + static_cast<std::ptrdiff_t>(i);
    if (const auto first = std::find_if(of_output.begin(), end, same); first != end) {
      repeat_output(graph, i, static_cast<std::size_t>(first - of_output.begin()));
      continue;
    }
    const Type& inside = graph.outputs()[i]->type;
    if (const Type outside = outside_type(inside, *of_output[i]); !(outside == inside)) border.set_output(i, outside);
    graph.rename(*graph.outputs()[i], of_output[i]->name);
  }
}

}  // namespace anemone::onnx::exporting

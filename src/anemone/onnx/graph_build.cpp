// Structs of a file -> graph: names become values, nodes stand in an order of execution.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <unordered_set>

#include "anemone/onnx/graph.h"

namespace anemone::onnx {
namespace {

/// Names of files in messages: bytes that a terminal would act on are escaped where messages are printed.
std::string describe(const onnxspec::Node& node) {
  return node.name.empty() ? fmt::format("the {} node", node.op_type)
                           : fmt::format("the {} node '{}'", node.op_type, node.name);
}

/// The graphs among a node's attributes.
template <class Visit>
void for_each_body(onnxspec::Node& node, Visit&& visit) {
  for (Attribute& attribute : node.attributes) {
    if (auto* bodies = std::get_if<std::vector<onnxspec::Graph>>(&attribute.value)) {
      for (onnxspec::Graph& body : *bodies) visit(body);
    }
  }
}

class Builder {
 public:
  explicit Builder(const std::string& file) : file_(file) {}

  Result<void> build(onnxspec::Graph spec, Graph& graph) {
    graph.name = std::move(spec.name);
    graph.doc = std::move(spec.doc);
    graph.metadata = std::move(spec.metadata);
    graph.quantization = std::move(spec.quantization);
    TRY_VOID(add_inputs(spec, graph));
    TRY_VOID(add_initializers(spec, graph));
    TRY(const std::vector<std::size_t> order, order_nodes(spec, graph));
    for (const std::size_t index : order) {
      TRY_VOID(add_node(std::move(spec.nodes[index]), graph));
    }
    for (onnxspec::ValueInfo& info : spec.value_infos) {
      Value* value = graph.find_here(info.name);  // first: moving takes the name away
      set_type(value, std::move(info));
    }
    for (onnxspec::ValueInfo& info : spec.outputs) {
      // Of a body, an output may be a value of a graph around it; it is one of this graph's uses all the same.
      Value* value = graph.find(info.name);
      if (!value)
        return bad(ErrorCode::onnx_undefined,
                   fmt::format("output '{}' of graph '{}' is defined by nothing", info.name, graph.name));
      if (&value->graph() != &graph) {
        TRY(value, captured(*value, graph));
      }
      graph.add_output(*value);
      set_type(value, std::move(info));
    }
    return {};
  }

 private:
  Diagnostic bad(ErrorCode code, std::string message) const {
    return bad_input(code, std::move(message), file_, "the file is damaged, or whatever wrote it has a fault");
  }
  Diagnostic twice(const std::string& name, const Graph& graph) const {
    return bad(ErrorCode::onnx_defined_twice, fmt::format("'{}' is defined twice in graph '{}'", name, graph.name));
  }

  static void set_type(Value* value, onnxspec::ValueInfo info) {
    if (!value) return;  // of something that an optimiser removed
    if (info.type) value->type = *std::move(info.type);
    if (!info.doc.empty()) value->doc = std::move(info.doc);
  }

  Result<void> add_inputs(onnxspec::Graph& spec, Graph& graph) {
    for (onnxspec::ValueInfo& info : spec.inputs) {
      Value* value = graph.add_value(info.name);
      if (!value) return twice(info.name, graph);
      graph.make_input(*value);
      set_type(value, std::move(info));
    }
    return {};
  }

  Result<Value*> initializer(const std::string& name, Graph& graph) {
    Value* value = graph.find_here(name);
    if (!value) return graph.add_value(name);
    if (value->is_initializer() || !value->is_input()) return twice(name, graph);
    return value;
  }

  Result<void> add_initializers(onnxspec::Graph& spec, Graph& graph) {
    for (Tensor& tensor : spec.initializers) {
      TRY(Value * value, initializer(tensor.name, graph));
      if (value->type.kind == Type::Kind::none) {
        value->type.kind = Type::Kind::tensor;
        value->type.dtype = tensor.dtype;
        auto& shape = value->type.shape.emplace();
        for (const std::int64_t n : tensor.dims) shape.push_back({n, {}, {}});
      }
      value->tensor = std::make_unique<Tensor>(std::move(tensor));
    }
    for (onnxspec::SparseTensor& sparse : spec.sparse_initializers) {
      TRY(Value * value, initializer(sparse.values.name, graph));
      value->sparse = std::make_unique<onnxspec::SparseTensor>(std::move(sparse));
    }
    return {};
  }

  /// An Identity that brings a value of a graph around into this one: outputs belong to their graph.
  Result<Value*> captured(Value& outer, Graph& graph) {
    Value* inner = graph.add_value(graph.free_name(fmt::format("{}_captured{}", outer.name(), captures_++)));
    graph.add_node("Identity", {&outer}, {inner});
    return inner;
  }

  /// What a node and the bodies in it read, but do not define themselves.
  static void collect_reads(onnxspec::Node& node, std::vector<std::string_view>& reads) {
    for (const std::string& name : node.inputs) {
      if (!name.empty()) reads.push_back(name);
    }
    for_each_body(node, [&](onnxspec::Graph& body) {
      std::vector<std::string_view> inner_reads;
      std::unordered_set<std::string_view> defined;
      for (const onnxspec::ValueInfo& input : body.inputs) defined.insert(input.name);
      for (const Tensor& tensor : body.initializers) defined.insert(tensor.name);
      for (const onnxspec::SparseTensor& sparse : body.sparse_initializers) defined.insert(sparse.values.name);
      for (onnxspec::Node& inner : body.nodes) {
        collect_reads(inner, inner_reads);
        defined.insert(inner.outputs.begin(), inner.outputs.end());
      }
      for (const onnxspec::ValueInfo& output : body.outputs) inner_reads.push_back(output.name);
      for (const std::string_view name : inner_reads) {
        if (!defined.contains(name)) reads.push_back(name);
      }
    });
  }

  /// The file's order where it is one of execution, else the nearest that is (the earliest ready node first).
  Result<std::vector<std::size_t>> order_nodes(onnxspec::Graph& spec, const Graph& graph) {
    std::unordered_map<std::string_view, std::size_t> producer;
    for (std::size_t i = 0; i < spec.nodes.size(); ++i) {
      for (const std::string& name : spec.nodes[i].outputs) {
        if (name.empty()) continue;
        if (!producer.emplace(name, i).second || graph.find_here(name)) return twice(name, graph);
      }
    }
    std::vector<std::size_t> waits(spec.nodes.size());
    std::vector<std::vector<std::size_t>> consumers(spec.nodes.size());
    bool in_order = true;
    for (std::size_t i = 0; i < spec.nodes.size(); ++i) {
      std::vector<std::string_view> reads;
      collect_reads(spec.nodes[i], reads);
      for (const std::string_view name : reads) {
        const auto found = producer.find(name);
        if (found == producer.end() || graph.find_here(name)) continue;
        in_order &= found->second < i;
        ++waits[i];
        consumers[found->second].push_back(i);
      }
    }
    std::vector<std::size_t> order;
    order.reserve(spec.nodes.size());
    if (in_order) {
      for (std::size_t i = 0; i < spec.nodes.size(); ++i) order.push_back(i);
      return order;
    }
    std::deque<std::size_t> ready;
    for (std::size_t i = 0; i < waits.size(); ++i) {
      if (waits[i] == 0) ready.push_back(i);
    }
    while (!ready.empty()) {
      const std::size_t i = ready.front();
      ready.pop_front();
      order.push_back(i);
      for (const std::size_t consumer : consumers[i]) {
        if (--waits[consumer] == 0) ready.push_back(consumer);
      }
    }
    if (order.size() == spec.nodes.size()) return order;
    const auto stuck = std::find_if(waits.begin(), waits.end(), [](std::size_t count) { return count > 0; });
    return bad(ErrorCode::onnx_circle,
               fmt::format("{} waits for itself, through the nodes before it",
                           describe(spec.nodes[static_cast<std::size_t>(stuck - waits.begin())])));
  }

  Result<void> add_node(onnxspec::Node spec, Graph& graph) {
    std::vector<Value*> inputs, outputs;
    for (const std::string& name : spec.inputs) {
      Value* value = name.empty() ? nullptr : graph.find(name);
      if (!value && !name.empty())
        return bad(ErrorCode::onnx_undefined,
                   fmt::format("{} reads '{}', which nothing defines", describe(spec), name));
      inputs.push_back(value);
    }
    for (const std::string& name : spec.outputs) outputs.push_back(name.empty() ? nullptr : graph.add_value(name));
    Node& node = graph.add_node(std::move(spec.op_type), std::move(inputs), std::move(outputs));
    node.domain = spec.domain == "ai.onnx" ? std::string() : std::move(spec.domain);
    node.name = std::move(spec.name);
    node.overload = std::move(spec.overload);
    node.doc = std::move(spec.doc);
    node.metadata = std::move(spec.metadata);
    for (Attribute& attribute : spec.attributes) {
      auto* bodies = std::get_if<std::vector<onnxspec::Graph>>(&attribute.value);
      if (!bodies) {
        node.attributes.push_back(std::move(attribute));
        continue;
      }
      for (onnxspec::Graph& body : *bodies) {
        node.bodies.emplace_back(attribute.name, std::make_unique<Graph>(&node));
        TRY_VOID(build(std::move(body), *node.bodies.back().second));
      }
    }
    return {};
  }

  const std::string& file_;
  std::size_t captures_ = 0;
};

}  // namespace

Result<Model> build_model(onnxspec::Model spec, std::string file) {
  Model model;
  model.file = std::move(file);
  model.ir_version = spec.ir_version;
  model.model_version = spec.model_version;
  model.producer_name = std::move(spec.producer_name);
  model.producer_version = std::move(spec.producer_version);
  model.domain = std::move(spec.domain);
  model.doc = std::move(spec.doc);
  model.functions = std::move(spec.functions);
  model.metadata = std::move(spec.metadata);
  for (const onnxspec::OpsetImport& import : spec.opset_imports) {
    model.opsets[import.domain] = std::max(model.opsets[import.domain], import.version);
  }
  if (spec.opset_imports.empty() && spec.ir_version < 3) model.opsets[""] = 1;  // before imports were invented
  model.graph = std::make_unique<Graph>();
  TRY_VOID(Builder(model.file).build(std::move(spec.graph), *model.graph));
  return model;
}

}  // namespace anemone::onnx

// Functions that a file brings are replaced by their nodes, before anything else is done with the graph.
#include <fmt/format.h>

#include <map>

#include "anemone/frontends/onnx/lowering.h"
#include "anemone/onnx/infer.h"
#include "anemone/onnx/opsets.h"

namespace anemone::onnx {
namespace {

using Key = std::tuple<std::string, std::string, std::string>;  // domain, name, overload
using Names = std::map<std::string, std::string>;
constexpr int kDeepest = 32;  // calls and bodies within one another

class Inliner {
 public:
  explicit Inliner(const onnxspec::Model& model) : file_opset_(opset_of(model.opset_imports)) {
    std::size_t nodes = model.graph.nodes.size();
    for (const onnxspec::Function& function : model.functions) {
      functions_[{function.domain, function.name, function.overload}] = &function;
      nodes += function.nodes.size();
    }
    most_ = (1 << 14) + 32 * nodes;  // thirty functions of two calls each would be a thousand million nodes
  }

  void expand(std::vector<onnxspec::Node>& nodes, int depth) {
    std::vector<onnxspec::Node> out;
    for (onnxspec::Node& node : nodes) {
      for (Attribute& attribute : node.attributes) {
        if (auto* graphs = std::get_if<std::vector<onnxspec::Graph>>(&attribute.value)) {
          for (onnxspec::Graph& graph : *graphs) expand(graph.nodes, depth + 1);
        }
      }
      const auto found = functions_.find({node.domain, node.op_type, node.overload});
      if (found == functions_.end() || find_lowering(node.domain, node.op_type, 1000)) {
        out.push_back(std::move(node));
        continue;
      }
      if (depth >= kDeepest)
        throw Refused{
            fmt::format("the function '{}' calls itself, or functions call each other too deep", node.op_type), {}};
      made_ += found->second->nodes.size();
      if (made_ > most_)
        throw Refused{fmt::format("functions that call each other make more than {} nodes", most_),
                      "write the file without functions first (onnx.inliner)"};
      std::vector<onnxspec::Node> body = instantiate(*found->second, node);
      expand(body, depth + 1);
      std::move(body.begin(), body.end(), std::back_inserter(out));
    }
    nodes = std::move(out);
  }

 private:
  static std::int64_t opset_of(const std::vector<onnxspec::OpsetImport>& imports) {
    for (const onnxspec::OpsetImport& import : imports) {
      if (import.domain.empty() || import.domain == "ai.onnx") return import.version;
    }
    return 0;
  }

  std::vector<onnxspec::Node> instantiate(const onnxspec::Function& function, const onnxspec::Node& call) {
    const std::int64_t opset = opset_of(function.opset_imports);
    Names names{{"", ""}};
    for (std::size_t i = 0; i < function.inputs.size(); ++i)
      names[function.inputs[i]] = i < call.inputs.size() ? call.inputs[i] : "";
    for (std::size_t i = 0; i < function.outputs.size(); ++i) {
      if (i < call.outputs.size() && !call.outputs[i].empty()) names[function.outputs[i]] = call.outputs[i];
    }
    std::map<std::string, const Attribute*> arguments;
    for (const Attribute& fallback : function.attribute_defaults) arguments[fallback.name] = &fallback;
    for (const Attribute& given : call.attributes) arguments[given.name] = &given;
    const std::string prefix = fmt::format("{}.{}/", call.name.empty() ? function.name : call.name, ++instances_);
    std::vector<onnxspec::Node> nodes = function.nodes;
    rename(nodes, names, arguments, prefix);
    if (opset != 0 && opset != file_opset_) mark(nodes, std::to_string(opset));
    return nodes;
  }

  // Nodes keep the meaning of the opset that their function imports.
  static void mark(std::vector<onnxspec::Node>& nodes, const std::string& opset) {
    for (onnxspec::Node& node : nodes) {
      if (node.domain.empty() || node.domain == "ai.onnx")
        node.metadata.push_back({std::string(kOpsetProperty), opset});
      for (Attribute& attribute : node.attributes) {
        if (auto* graphs = std::get_if<std::vector<onnxspec::Graph>>(&attribute.value)) {
          for (onnxspec::Graph& graph : *graphs) mark(graph.nodes, opset);
        }
      }
    }
  }

  static const std::string& renamed(const std::string& name, Names& names, const std::string& prefix) {
    return names.try_emplace(name, prefix + name).first->second;
  }

  static void rename(std::vector<onnxspec::Node>& nodes, Names& names,
                     const std::map<std::string, const Attribute*>& arguments, const std::string& prefix) {
    for (onnxspec::Node& node : nodes) {
      if (!node.name.empty()) node.name = prefix + node.name;
      for (std::string& input : node.inputs) input = renamed(input, names, prefix);
      for (std::string& output : node.outputs) output = renamed(output, names, prefix);
      std::vector<Attribute> attributes;
      for (Attribute& attribute : node.attributes) {
        if (!attribute.reference.empty()) {
          const auto found = arguments.find(attribute.reference);
          if (found == arguments.end()) continue;  // the operation's own default
          Attribute given = *found->second;
          given.name = attribute.name;
          attributes.push_back(std::move(given));
          continue;
        }
        if (auto* graphs = std::get_if<std::vector<onnxspec::Graph>>(&attribute.value)) {
          for (onnxspec::Graph& graph : *graphs) rename(graph, names, arguments, prefix);
        }
        attributes.push_back(std::move(attribute));
      }
      node.attributes = std::move(attributes);
    }
  }
  static void rename(onnxspec::Graph& graph, Names& names, const std::map<std::string, const Attribute*>& arguments,
                     const std::string& prefix) {
    for (auto* infos : {&graph.inputs, &graph.outputs, &graph.value_infos}) {
      for (onnxspec::ValueInfo& info : *infos) info.name = renamed(info.name, names, prefix);
    }
    for (Tensor& tensor : graph.initializers) tensor.name = renamed(tensor.name, names, prefix);
    rename(graph.nodes, names, arguments, prefix);
  }

  std::int64_t file_opset_;
  std::map<Key, const onnxspec::Function*> functions_;
  int instances_ = 0;
  std::size_t made_ = 0, most_ = 0;
};

}  // namespace

Result<Model> inline_functions(const Model& model) {
  onnxspec::Model spec = to_spec(model);
  try {
    Inliner(spec).expand(spec.graph.nodes, 0);
  } catch (const Refused& why) {
    return bad_input(ErrorCode::onnx_not_read, why.reason, model.file, why.help);
  }
  spec.functions.clear();
  TRY(Model inlined, build_model(std::move(spec), model.file));
  infer_types(inlined);  // what contradicts itself has been said when the file was read
  return inlined;
}

}  // namespace anemone::onnx

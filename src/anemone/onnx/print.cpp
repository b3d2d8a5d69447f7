// Prints models, graphs within graphs, and attributes.
#include "anemone/onnx/print.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "anemone/support/utf8.h"

namespace anemone::onnx {
namespace {

constexpr std::size_t kLongest = 400;   // of a name or text, in characters
constexpr std::size_t kMostItems = 64;  // of a list attribute

std::string name_of(std::string_view name) { return printable(name, kLongest); }
std::string in_quotes(std::string_view text) { return '"' + printable(text, kLongest) + '"'; }

std::string shown(const Dimension& dimension) {
  if (extent(dimension) >= 0) return std::to_string(extent(dimension));
  return dimension.symbol.empty() ? "?" : name_of(dimension.symbol);
}

std::string tensor_type(const Tensor& tensor) {
  return fmt::format("{}[{}]", onnxspec::name_of(tensor.dtype), fmt::join(tensor.dims, ","));
}

std::string typed(const Value& value) { return fmt::format("{} {}", to_text(value.type), name_of(value.name())); }

template <class T, class Show>
std::string list(const std::vector<T>& items, Show&& show) {
  std::string text = "[";
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i == kMostItems) return text + fmt::format(", … {} in all]", items.size());
    text += (i > 0 ? ", " : "") + show(items[i]);
  }
  return text + "]";
}

class Printer {
 public:
  std::string print(const Model& model) {
    line("<");
    line("  ir_version: {},", model.ir_version);
    if (!model.producer_name.empty()) line("  producer_name: {},", in_quotes(model.producer_name));
    if (!model.producer_version.empty()) line("  producer_version: {},", in_quotes(model.producer_version));
    std::string opsets;
    for (const auto& [domain, version] : model.opsets)
      opsets += fmt::format("{}{} : {}", opsets.empty() ? "" : ", ", in_quotes(domain), version);
    line("  opset_import: [{}]", opsets);
    line(">");
    graph(*model.graph, "");
    for (const onnxspec::Function& function : model.functions) {
      line("function {}.{} of {} nodes", name_of(function.domain), name_of(function.name), function.nodes.size());
    }
    return std::move(text_);
  }

 private:
  template <class... Arguments>
  void line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    text_.append(depth_ * 2, ' ');
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
    text_ += '\n';
  }

  void graph(const Graph& graph, const std::string& label) {
    std::string inputs, outputs;
    for (const Value* input : graph.inputs()) inputs += (inputs.empty() ? "" : ", ") + typed(*input);
    for (const Value* output : graph.outputs()) outputs += (outputs.empty() ? "" : ", ") + typed(*output);
    line("{}{} ({}) => ({})", label, graph.name.empty() ? "graph" : name_of(graph.name), inputs, outputs);
    bool any = false;
    for (const auto& value : graph.values()) {
      if (!value->is_initializer()) continue;
      if (!any) line("<");
      any = true;
      const Tensor& tensor = value->tensor ? *value->tensor : value->sparse->values;
      const std::string where =
          tensor.external ? fmt::format(" in {}", in_quotes(tensor.external->location)) : std::string();
      line("  {} {}{}{}", value->sparse ? "sparse " + tensor_type(tensor) : tensor_type(tensor), name_of(value->name()),
           value->is_input() ? " (default of the input)" : "", where);
    }
    if (any) line(">");
    line("{{");
    ++depth_;
    for (const auto& node : graph.nodes()) print_node(*node);
    --depth_;
    line("}}");
  }

  void print_node(const Node& node) {
    std::string outputs, inputs, attributes, types;
    for (std::size_t i = 0; i < node.output_count(); ++i) {
      outputs += (i > 0 ? ", " : "") + (node.output(i) ? name_of(node.output(i)->name()) : std::string("\"\""));
      const bool known = node.output(i) && node.output(i)->type.kind != Type::Kind::none;
      types += (i > 0 ? ", " : "") + (known ? to_text(node.output(i)->type) : std::string("?"));
    }
    for (std::size_t i = 0; i < node.input_count(); ++i)
      inputs += (i > 0 ? ", " : "") + (node.input(i) ? name_of(node.input(i)->name()) : std::string("\"\""));
    for (const Attribute& attribute : node.attributes)
      attributes +=
          fmt::format("{}{} = {}", attributes.empty() ? "" : ", ", name_of(attribute.name), shown_value(attribute));
    line("{} = {}{}{} ({})  # {}", outputs, node.domain.empty() ? "" : name_of(node.domain) + ".",
         name_of(node.op_type), attributes.empty() ? "" : " <" + attributes + ">", inputs, types);
    for (const auto& [name, body] : node.bodies) {
      ++depth_;
      graph(*body, name_of(name) + " = ");
      --depth_;
    }
  }

  static std::string shown_value(const Attribute& attribute) {
    if (!attribute.reference.empty()) return "@" + name_of(attribute.reference);
    const auto number = [](float f) { return fmt::format("{}", f); };
    const auto integer = [](std::int64_t i) { return std::to_string(i); };
    const auto tensor = [](const Tensor& t) { return tensor_type(t); };
    if (const auto* f = std::get_if<float>(&attribute.value)) return number(*f);
    if (const auto* i = std::get_if<std::int64_t>(&attribute.value)) return integer(*i);
    if (const auto* s = std::get_if<std::string>(&attribute.value)) return in_quotes(*s);
    if (const auto* fs = std::get_if<std::vector<float>>(&attribute.value)) return list(*fs, number);
    if (const auto* is = std::get_if<std::vector<std::int64_t>>(&attribute.value)) return list(*is, integer);
    if (const auto* ss = std::get_if<std::vector<std::string>>(&attribute.value)) return list(*ss, in_quotes);
    if (const auto* ts = std::get_if<std::vector<Tensor>>(&attribute.value)) {
      return attribute.kind == Attribute::Kind::tensor && ts->size() == 1 ? tensor(ts->front()) : list(*ts, tensor);
    }
    return "…";
  }

  std::string text_;
  std::size_t depth_ = 0;
};

}  // namespace

std::string to_text(const Model& model) { return Printer().print(model); }

std::string to_text(const Type& type) {
  switch (type.kind) {
    case Type::Kind::none:
      return "?";
    case Type::Kind::tensor:
    case Type::Kind::sparse_tensor: {
      std::string text = type.kind == Type::Kind::sparse_tensor ? "sparse " : "";
      text += type.dtype == DataType::undefined ? "?" : onnxspec::name_of(type.dtype);
      if (!type.shape) return text + "[…]";
      std::string extents;
      for (const Dimension& dimension : *type.shape) extents += (extents.empty() ? "" : ",") + shown(dimension);
      return fmt::format("{}[{}]", text, extents);
    }
    case Type::Kind::sequence:
    case Type::Kind::optional:
      return fmt::format("{}({})", type.kind == Type::Kind::sequence ? "seq" : "optional",
                         type.parts.empty() ? "?" : to_text(type.parts.front()));
    case Type::Kind::map:
      return fmt::format("map({}, {})", onnxspec::name_of(type.dtype),
                         type.parts.empty() ? "?" : to_text(type.parts.front()));
    case Type::Kind::opaque:
      return "opaque";
  }
  return "?";
}

}  // namespace anemone::onnx

// ModelProto -> structs: types, attributes, nodes, graphs, functions.
#include <fmt/format.h>

#include <cstring>

#include "anemone/formats/onnx/spec_wire.h"
#include "anemone/support/utf8.h"

namespace anemone::formats::onnxspec {

using protobuf::bytes_field;
using protobuf::field;
using protobuf::fixed32_field;
using protobuf::Message;
using protobuf::message_field;
using protobuf::read;
using protobuf::tagged;
using protobuf::varint_field;
using wire::inconsistent;
using wire::read_property;
using wire::read_sparse_tensor;
using wire::read_tensor;
using wire::read_type;

namespace {

std::string bytes_text(Message& message) {
  const auto view = message.get_view();
  return {reinterpret_cast<const char*>(view.data()), view.size()};
}

Dimension read_dimension(Message& message) {
  Dimension dimension;
  read(message, field(1, dimension.value), field(2, dimension.symbol), field(3, dimension.denotation));
  if (dimension.value) dimension.symbol.clear();
  return dimension;
}

std::vector<Dimension> read_shape(Message& message) {
  std::vector<Dimension> shape;
  read(message, field(1, shape, read_dimension));
  return shape;
}

/// Tensor, map and their like: an element type's number and, by `part`, a shape or a nested type.
Type read_kind(Message& message, Type::Kind kind) {
  Type type;
  type.kind = kind;
  const auto set_dtype = [&](Message& m) { type.dtype = wire::checked_data_type(m.get_int32()); };
  const auto set_part = [&](Message& m) { type.parts.assign(1, read_type(m)); };
  switch (kind) {
    case Type::Kind::tensor:
    case Type::Kind::sparse_tensor:
      read(message, tagged(varint_field(1), set_dtype), field(2, type.shape, read_shape));
      break;
    case Type::Kind::map:
      read(message, tagged(varint_field(1), set_dtype), message_field(2, set_part));
      break;
    case Type::Kind::sequence:
    case Type::Kind::optional:
      read(message, message_field(1, set_part));
      break;
    default:
      read(message);
  }
  return type;
}

Graph read_graph(Message& message);

Attribute read_attribute(Message& message) {
  using Kind = Attribute::Kind;
  Attribute attribute;
  std::optional<std::int32_t> declared;
  float number = 0;
  std::int64_t integer = 0;
  std::string string;
  std::vector<float> numbers;
  std::vector<std::int64_t> integers;
  std::vector<std::string> strings;
  std::vector<Tensor> tensor, tensors;
  std::vector<Graph> graph, graphs;
  std::vector<SparseTensor> sparse, sparses;
  std::vector<Type> type, types;
  Kind seen = Kind::undefined;  // files of before 2017 say no type
  const auto note = [&](Kind kind, auto&& take) {
    return [&seen, kind, take](Message& m) {
      if (!take(m)) return false;
      seen = kind;
      return true;
    };
  };
  const auto add_packed_floats = [&](Message& m) {
    if (m.field() == fixed32_field(7)) {
      numbers.push_back(m.get_float());
    } else if (m.field() == bytes_field(7)) {
      const auto view = m.get_view();
      if (view.size() % sizeof(float) != 0) inconsistent("packed numbers end inside one");
      const std::size_t before = numbers.size();
      numbers.resize(before + view.size() / sizeof(float));
      if (!view.empty()) std::memcpy(numbers.data() + before, view.data(), view.size());
    } else {
      return false;
    }
    return true;
  };
  read(message, field(1, attribute.name), note(Kind::number, field(2, number)), note(Kind::integer, field(3, integer)),
       note(Kind::string, tagged(bytes_field(4), [&](Message& m) { string = bytes_text(m); })),
       note(Kind::tensor, field(5, tensor, read_tensor)), note(Kind::graph, field(6, graph, read_graph)),
       note(Kind::numbers, add_packed_floats), note(Kind::integers, field(8, integers)),
       note(Kind::strings, tagged(bytes_field(9), [&](Message& m) { strings.push_back(bytes_text(m)); })),
       note(Kind::tensors, field(10, tensors, read_tensor)), note(Kind::graphs, field(11, graphs, read_graph)),
       field(13, attribute.doc), note(Kind::type, field(14, type, read_type)),
       note(Kind::types, field(15, types, read_type)), field(20, declared), field(21, attribute.reference),
       note(Kind::sparse_tensor, field(22, sparse, read_sparse_tensor)),
       note(Kind::sparse_tensors, field(23, sparses, read_sparse_tensor)));
  attribute.kind = declared && *declared != 0 ? static_cast<Kind>(*declared) : seen;
  const auto one = [&](auto& list) {
    if (list.empty()) inconsistent(fmt::format("attribute '{}' lacks its value", printable(attribute.name)));
    list.erase(list.begin(), list.end() - 1);  // of several, the last counts
    attribute.value = std::move(list);
  };
  if (!attribute.reference.empty()) return attribute;
  switch (attribute.kind) {
    case Kind::undefined:
      break;
    case Kind::number:
      attribute.value = number;
      break;
    case Kind::integer:
      attribute.value = integer;
      break;
    case Kind::string:
      attribute.value = std::move(string);
      break;
    case Kind::tensor:
      one(tensor);
      break;
    case Kind::graph:
      one(graph);
      break;
    case Kind::numbers:
      attribute.value = std::move(numbers);
      break;
    case Kind::integers:
      attribute.value = std::move(integers);
      break;
    case Kind::strings:
      attribute.value = std::move(strings);
      break;
    case Kind::tensors:
      attribute.value = std::move(tensors);
      break;
    case Kind::graphs:
      attribute.value = std::move(graphs);
      break;
    case Kind::sparse_tensor:
      one(sparse);
      break;
    case Kind::sparse_tensors:
      attribute.value = std::move(sparses);
      break;
    case Kind::type:
      one(type);
      break;
    case Kind::types:
      attribute.value = std::move(types);
      break;
    default:
      throw protobuf::ParseError(ErrorCode::onnx_unknown_type,
                                 fmt::format("attribute '{}' has the unknown type number {}", printable(attribute.name),
                                             static_cast<int>(attribute.kind)));
  }
  return attribute;
}

Node read_node(Message& message) {
  Node node;
  read(message, field(1, node.inputs), field(2, node.outputs), field(3, node.name), field(4, node.op_type),
       field(5, node.attributes, read_attribute), field(6, node.doc), field(7, node.domain), field(8, node.overload),
       field(9, node.metadata, read_property));
  if (node.op_type.empty()) inconsistent(fmt::format("node '{}' has no op_type", printable(node.name)));
  return node;
}

ValueInfo read_value_info(Message& message) {
  ValueInfo info;
  read(message, field(1, info.name), field(2, info.type, read_type), field(3, info.doc),
       field(4, info.metadata, read_property));
  return info;
}

QuantizationAnnotation read_quantization(Message& message) {
  QuantizationAnnotation annotation;
  read(message, field(1, annotation.tensor), field(2, annotation.parameters, read_property));
  return annotation;
}

Graph read_graph(Message& message) {
  Graph graph;
  read(message, field(1, graph.nodes, read_node), field(2, graph.name), field(5, graph.initializers, read_tensor),
       field(10, graph.doc), field(11, graph.inputs, read_value_info), field(12, graph.outputs, read_value_info),
       field(13, graph.value_infos, read_value_info), field(14, graph.quantization, read_quantization),
       field(15, graph.sparse_initializers, read_sparse_tensor), field(16, graph.metadata, read_property));
  return graph;
}

OpsetImport read_opset_import(Message& message) {
  OpsetImport import;
  read(message, field(1, import.domain), field(2, import.version));
  if (import.domain == "ai.onnx") import.domain.clear();  // the other name of the default domain
  return import;
}

Function read_function(Message& message) {
  Function function;
  read(message, field(1, function.name), field(4, function.inputs), field(5, function.outputs),
       field(6, function.attributes), field(7, function.nodes, read_node), field(8, function.doc),
       field(9, function.opset_imports, read_opset_import), field(10, function.domain),
       field(11, function.attribute_defaults, read_attribute), field(12, function.value_infos, read_value_info),
       field(13, function.overload), field(14, function.metadata, read_property));
  return function;
}

Model read_model_message(Message& message) {
  Model model;
  std::optional<Graph> graph;
  const auto skip_training = [&](Message& m) {
    model.has_training = true;
    m.skip();
  };
  read(message, field(1, model.ir_version), field(2, model.producer_name), field(3, model.producer_version),
       field(4, model.domain), field(5, model.model_version), field(6, model.doc), field(7, graph, read_graph),
       field(8, model.opset_imports, read_opset_import), field(14, model.metadata, read_property),
       tagged(bytes_field(20), skip_training), field(25, model.functions, read_function));
  if (!graph) throw protobuf::ParseError(ErrorCode::not_onnx, "this is not an ONNX model: it holds no graph");
  model.graph = *std::move(graph);
  return model;
}

}  // namespace

Property wire::read_property(Message& message) {
  Property property;
  read(message, field(1, property.key), field(2, property.value));
  return property;
}

Type wire::read_type(Message& message) {
  using Kind = Type::Kind;
  Type type;
  const auto of = [&](std::uint32_t number, Kind kind) {
    return message_field(number, [&type, kind](Message& m) {
      std::string denotation = std::move(type.denotation);
      type = read_kind(m, kind);
      type.denotation = std::move(denotation);
    });
  };
  read(message, of(1, Kind::tensor), of(4, Kind::sequence), of(5, Kind::map), field(6, type.denotation),
       of(7, Kind::opaque), of(8, Kind::sparse_tensor), of(9, Kind::optional));
  return type;
}

Result<Model> read_model(const Bytes& file, std::string_view name) {
  protobuf::Document document;
  document.file = file;
  document.broken_code = ErrorCode::onnx_broken;
  document.messages_left = 1u << 22;  // a node and its names take some hundred bytes
  return protobuf::parse(std::move(document), name, read_model_message);
}

}  // namespace anemone::formats::onnxspec

// Structs -> ModelProto, canonically.
#include <fmt/format.h>

#include <functional>
#include <iterator>
#include <new>
#include <span>
#include <utility>

#include "anemone/formats/onnx/spec_wire.h"
#include "anemone/support/file.h"
#include "anemone/support/utf8.h"

namespace anemone::formats::onnxspec {
namespace {

using protobuf::ParseError;
using Writer = protozero::pbf_writer;

/// Where the bytes of a file go, in order.
using Sink = std::function<Result<void>(std::span<const std::byte>)>;

/// An initialiser as a field, but for its numbers, which are never copied.
struct TensorFrame {
  std::string before, after;
};

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

/// Writes messages into one string; knows how deep it is. Fields are written in ascending order: that makes it
/// canonical.
class Encoder {
 public:
  Result<void> write(const Model& model, const Sink& sink) {
    const std::string head = piece([&](Writer& w) {
      integer(w, 1, model.ir_version);
      text(w, 2, model.producer_name);
      text(w, 3, model.producer_version);
      text(w, 4, model.domain);
      integer(w, 5, model.model_version);
      text(w, 6, model.doc);
    });
    const std::string tail = piece([&](Writer& w) {
      write_imports(w, 8, model.opset_imports);
      properties(w, 14, model.metadata);
      each(w, 25, model.functions, [&](Writer& f, const Function& function) { write_function(f, function); });
    });
    ++depth_;
    const std::string graph_head = piece([&](Writer& w) { write_graph_head(w, model.graph); });
    const std::string graph_tail = piece([&](Writer& w) { write_graph_tail(w, model.graph); });
    std::vector<TensorFrame> frames;
    std::uint64_t graph_size = graph_head.size() + graph_tail.size();
    for (const Tensor& tensor : model.graph.initializers) {
      TensorFrame& frame = frames.emplace_back(frame_of(tensor));
      graph_size += frame.before.size() + tensor.data.size() + frame.after.size();
    }
    const std::string graph_begin = message_head(7, graph_size);
    if (head.size() + graph_begin.size() + graph_size + tail.size() > wire::kMaxBytes)
      throw ParseError(ErrorCode::onnx_too_large, "the file would exceed 2 GiB, which protobuf cannot hold");
    for (const std::string* part : {&head, &graph_begin, &graph_head}) TRY_VOID(sink(bytes_of(*part)));
    for (std::size_t i = 0; i < frames.size(); ++i) {
      TRY_VOID(sink(bytes_of(frames[i].before)));
      TRY_VOID(sink(model.graph.initializers[i].data.view));
      TRY_VOID(sink(bytes_of(frames[i].after)));
    }
    TRY_VOID(sink(bytes_of(graph_tail)));
    return sink(bytes_of(tail));
  }

 private:
  /// Fields on their own.
  template <class Fill>
  std::string piece(Fill&& fill) {
    bytes_.clear();
    {
      Writer w(bytes_);
      fill(w);
    }
    return std::exchange(bytes_, {});
  }
  /// Tag and length of a message whose content follows.
  static std::string message_head(std::uint32_t number, std::uint64_t size) {
    std::string out;
    protozero::write_varint(std::back_inserter(out), protobuf::bytes_field(number));
    protozero::write_varint(std::back_inserter(out), size);
    return out;
  }
  TensorFrame frame_of(const Tensor& tensor) {
    ++depth_;
    TensorFrame frame;
    frame.before = piece([&](Writer& w) { write_tensor_head(w, tensor); });
    if (tensor.data.size() > 0) frame.before += message_head(9, tensor.data.size());
    frame.after = piece([&](Writer& w) { write_tensor_tail(w, tensor); });
    frame.before = message_head(5, frame.before.size() + tensor.data.size() + frame.after.size()) + frame.before;
    --depth_;
    return frame;
  }

  template <class Fill>
  void nested(Writer& parent, std::uint32_t number, Fill&& fill) {
    if (++depth_ > wire::kMaxDepth)
      throw ParseError(ErrorCode::own_bug, "the model is nested more than 100 messages deep");
    protobuf::add_message(parent, bytes_, number, fill);
    if (bytes_.size() > wire::kMaxBytes)
      throw ParseError(ErrorCode::onnx_too_large, "the file would exceed 2 GiB, which protobuf cannot hold");
    --depth_;
  }
  template <class T, class Fill>
  void each(Writer& parent, std::uint32_t number, const std::vector<T>& items, Fill&& fill) {
    for (const T& item : items) nested(parent, number, [&](Writer& w) { fill(w, item); });
  }
  static void text(Writer& w, std::uint32_t number, const std::string& value) {
    if (!value.empty()) w.add_string(number, value);
  }
  static void texts(Writer& w, std::uint32_t number, const std::vector<std::string>& values) {
    for (const std::string& value : values) w.add_string(number, value);  // an empty one has its meaning
  }
  static void integer(Writer& w, std::uint32_t number, std::int64_t value) {
    if (value != 0) w.add_int64(number, value);
  }
  void properties(Writer& parent, std::uint32_t number, const Properties& properties) {
    each(parent, number, properties, [](Writer& w, const Property& p) {
      text(w, 1, p.key);
      text(w, 2, p.value);
    });
  }
  void write_imports(Writer& parent, std::uint32_t number, const std::vector<OpsetImport>& imports) {
    each(parent, number, imports, [](Writer& w, const OpsetImport& import) {
      text(w, 1, import.domain);
      integer(w, 2, import.version);
    });
  }

  void write_tensor(Writer& w, const Tensor& tensor) {
    write_tensor_head(w, tensor);
    if (tensor.data.size() > 0) w.add_bytes(9, reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
    write_tensor_tail(w, tensor);
  }
  void write_tensor_head(Writer& w, const Tensor& tensor) {
    const std::optional<std::int64_t> count = element_count(tensor.dims);
    const std::optional<std::int64_t> size = count ? packed_size(tensor.dtype, *count) : std::nullopt;
    const bool fits = tensor.external ? tensor.data.size() == 0
                      : tensor.dtype == DataType::string
                          ? count && tensor.strings.size() == static_cast<std::uint64_t>(*count)
                          : size && tensor.data.size() == static_cast<std::uint64_t>(*size);
    if (!fits)
      throw ParseError(ErrorCode::own_bug,
                       fmt::format("the data of tensor '{}' do not fit its type", printable(tensor.name)));
    w.add_packed_int64(1, tensor.dims.begin(), tensor.dims.end());
    integer(w, 2, static_cast<std::int64_t>(tensor.dtype));
    texts(w, 6, tensor.strings);
    text(w, 8, tensor.name);
  }
  void write_tensor_tail(Writer& w, const Tensor& tensor) {
    text(w, 12, tensor.doc);
    if (tensor.external) {
      Properties entries{{"location", tensor.external->location}};
      if (tensor.external->offset != 0) entries.push_back({"offset", std::to_string(tensor.external->offset)});
      if (tensor.external->length) entries.push_back({"length", std::to_string(*tensor.external->length)});
      properties(w, 13, entries);
      w.add_int32(14, 1);
    }
    properties(w, 16, tensor.metadata);
  }

  void write_sparse(Writer& w, const SparseTensor& sparse) {
    nested(w, 1, [&](Writer& t) { write_tensor(t, sparse.values); });
    nested(w, 2, [&](Writer& t) { write_tensor(t, sparse.indices); });
    w.add_packed_int64(3, sparse.dims.begin(), sparse.dims.end());
  }

  void write_shape(Writer& w, const std::vector<Dimension>& shape) {
    each(w, 1, shape, [](Writer& d, const Dimension& dimension) {
      if (dimension.value) d.add_int64(1, *dimension.value);
      text(d, 2, dimension.symbol);
      text(d, 3, dimension.denotation);
    });
  }

  void write_type(Writer& w, const Type& type) {
    using Kind = Type::Kind;
    constexpr std::uint32_t kNumbers[] = {0, 1, 8, 4, 5, 9, 7};  // by Kind
    const auto part = [&](Writer& p, std::uint32_t number) {
      for (const Type& nested_type : type.parts) nested(p, number, [&](Writer& t) { write_type(t, nested_type); });
    };
    const auto kind = [&] {
      if (type.kind == Kind::none) return;
      nested(w, kNumbers[static_cast<std::size_t>(type.kind)], [&](Writer& k) {
        if (type.kind == Kind::sequence || type.kind == Kind::optional) return part(k, 1);
        integer(k, 1, static_cast<std::int64_t>(type.dtype));
        if (type.kind == Kind::map) return part(k, 2);
        if (type.shape) nested(k, 2, [&](Writer& s) { write_shape(s, *type.shape); });
      });
    };
    const bool before_denotation = type.kind == Kind::tensor || type.kind == Kind::sequence || type.kind == Kind::map;
    if (before_denotation) kind();
    text(w, 6, type.denotation);
    if (!before_denotation) kind();
  }

  void write_attribute(Writer& w, const Attribute& a) {
    using Kind = Attribute::Kind;
    text(w, 1, a.name);
    const auto tensor = [&](Writer& t, const Tensor& value) { write_tensor(t, value); };
    const auto graph = [&](Writer& g, const Graph& value) { write_graph(g, value); };
    if (a.kind == Kind::number) w.add_float(2, std::get<float>(a.value));
    if (a.kind == Kind::integer) w.add_int64(3, std::get<std::int64_t>(a.value));
    if (a.kind == Kind::string) w.add_bytes(4, std::get<std::string>(a.value));
    if (a.kind == Kind::tensor) each(w, 5, std::get<std::vector<Tensor>>(a.value), tensor);
    if (a.kind == Kind::graph) each(w, 6, std::get<std::vector<Graph>>(a.value), graph);
    if (a.kind == Kind::numbers) {
      const auto& numbers = std::get<std::vector<float>>(a.value);
      w.add_packed_float(7, numbers.begin(), numbers.end());
    }
    if (a.kind == Kind::integers) {
      const auto& integers = std::get<std::vector<std::int64_t>>(a.value);
      w.add_packed_int64(8, integers.begin(), integers.end());
    }
    if (a.kind == Kind::strings) texts(w, 9, std::get<std::vector<std::string>>(a.value));
    if (a.kind == Kind::tensors) each(w, 10, std::get<std::vector<Tensor>>(a.value), tensor);
    if (a.kind == Kind::graphs) each(w, 11, std::get<std::vector<Graph>>(a.value), graph);
    text(w, 13, a.doc);
    const auto type = [&](Writer& t, const Type& value) { write_type(t, value); };
    if (a.kind == Kind::type) each(w, 14, std::get<std::vector<Type>>(a.value), type);
    if (a.kind == Kind::types) each(w, 15, std::get<std::vector<Type>>(a.value), type);
    integer(w, 20, static_cast<std::int64_t>(a.kind));
    text(w, 21, a.reference);
    const auto sparse = [&](Writer& t, const SparseTensor& value) { write_sparse(t, value); };
    if (a.kind == Kind::sparse_tensor) each(w, 22, std::get<std::vector<SparseTensor>>(a.value), sparse);
    if (a.kind == Kind::sparse_tensors) each(w, 23, std::get<std::vector<SparseTensor>>(a.value), sparse);
  }
  /// A reference stands in place of the value.
  void write_attributes(Writer& w, std::uint32_t number, const std::vector<Attribute>& attributes) {
    each(w, number, attributes, [&](Writer& a, const Attribute& attribute) {
      if (attribute.reference.empty()) return write_attribute(a, attribute);
      text(a, 1, attribute.name);
      text(a, 13, attribute.doc);
      integer(a, 20, static_cast<std::int64_t>(attribute.kind));
      text(a, 21, attribute.reference);
    });
  }

  void write_nodes(Writer& parent, std::uint32_t number, const std::vector<Node>& nodes) {
    each(parent, number, nodes, [&](Writer& w, const Node& node) {
      texts(w, 1, node.inputs);
      texts(w, 2, node.outputs);
      text(w, 3, node.name);
      text(w, 4, node.op_type);
      write_attributes(w, 5, node.attributes);
      text(w, 6, node.doc);
      text(w, 7, node.domain);
      text(w, 8, node.overload);
      properties(w, 9, node.metadata);
    });
  }
  void write_infos(Writer& parent, std::uint32_t number, const std::vector<ValueInfo>& infos) {
    each(parent, number, infos, [&](Writer& w, const ValueInfo& info) {
      text(w, 1, info.name);
      if (info.type) nested(w, 2, [&](Writer& t) { write_type(t, *info.type); });
      text(w, 3, info.doc);
      properties(w, 4, info.metadata);
    });
  }

  void write_graph(Writer& w, const Graph& graph) {
    write_graph_head(w, graph);
    each(w, 5, graph.initializers, [&](Writer& t, const Tensor& tensor) { write_tensor(t, tensor); });
    write_graph_tail(w, graph);
  }
  void write_graph_head(Writer& w, const Graph& graph) {
    write_nodes(w, 1, graph.nodes);
    text(w, 2, graph.name);
  }
  void write_graph_tail(Writer& w, const Graph& graph) {
    text(w, 10, graph.doc);
    write_infos(w, 11, graph.inputs);
    write_infos(w, 12, graph.outputs);
    write_infos(w, 13, graph.value_infos);
    each(w, 14, graph.quantization, [&](Writer& q, const QuantizationAnnotation& annotation) {
      text(q, 1, annotation.tensor);
      properties(q, 2, annotation.parameters);
    });
    each(w, 15, graph.sparse_initializers, [&](Writer& t, const SparseTensor& tensor) { write_sparse(t, tensor); });
    properties(w, 16, graph.metadata);
  }

  void write_function(Writer& w, const Function& function) {
    text(w, 1, function.name);
    texts(w, 4, function.inputs);
    texts(w, 5, function.outputs);
    texts(w, 6, function.attributes);
    write_nodes(w, 7, function.nodes);
    text(w, 8, function.doc);
    write_imports(w, 9, function.opset_imports);
    text(w, 10, function.domain);
    write_attributes(w, 11, function.attribute_defaults);
    write_infos(w, 12, function.value_infos);
    text(w, 13, function.overload);
    properties(w, 14, function.metadata);
  }

  std::string bytes_;
  int depth_ = 1;  // the model itself
};

Result<void> write_to(const Model& model, const Sink& sink) {
  try {
    return Encoder().write(model, sink);
  } catch (const ParseError& error) {
    if (error.code() == ErrorCode::own_bug) return own_bug(error.what(), "writing an ONNX model");
    return bad_input(error.code(), error.what(), "writing an ONNX model", "store large weights in a file of their own");
  } catch (const std::bad_variant_access&) {
    return own_bug("an attribute holds another value than its kind says", "writing an ONNX model");
  } catch (const std::bad_alloc&) {
    return bad_environment(ErrorCode::out_of_memory, "out of memory while writing an ONNX model");
  }
}

}  // namespace

Result<std::string> write_model(const Model& model) {
  std::string bytes;
  TRY_VOID(write_to(model, [&](std::span<const std::byte> part) -> Result<void> {
    bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
    return {};
  }));
  return bytes;
}

Result<std::uint64_t> write_model_file(const Model& model, const std::filesystem::path& path) {
  TRY(FileWriter file, FileWriter::create(path));
  TRY_VOID(write_to(model, [&](std::span<const std::byte> part) { return file.append(part); }));
  const std::uint64_t size = file.size();
  TRY_VOID(file.close());
  return size;
}

}  // namespace anemone::formats::onnxspec

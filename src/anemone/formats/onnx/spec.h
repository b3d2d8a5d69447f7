#pragma once
// An ONNX file as plain structs, exactly what the file says: names follow the protobuf schema (onnx.proto), except
// that tensors come in one form whatever field their numbers were stored in.
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "anemone/support/bytes.h"
#include "anemone/support/result.h"

namespace anemone::formats::onnxspec {

/// TensorProto.DataType with its numbers in the file.
enum class DataType : std::int32_t {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  string = 8,
  boolean = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  complex64 = 14,
  complex128 = 15,
  bfloat16 = 16,
  float8_e4m3fn = 17,
  float8_e4m3fnuz = 18,
  float8_e5m2 = 19,
  float8_e5m2fnuz = 20,
  uint4 = 21,
  int4 = 22,
  float4_e2m1 = 23,
  float8_e8m0 = 24,
  uint2 = 25,
  int2 = 26,
};
/// As ONNX writes it, in lower case: "float", "int64", "float16"; "?" for numbers that are none.
std::string_view name_of(DataType dtype);
/// Bits of one element in Tensor::data: 8 for boolean; 0 for string, undefined and unknown numbers.
unsigned bits_of(DataType dtype);
/// The product of the extents. Empty: an extent is negative, or the product does not fit int64.
std::optional<std::int64_t> element_count(const std::vector<std::int64_t>& dims);
/// Bytes that `count` elements take, packed. Empty for string, undefined, and sizes beyond int64.
std::optional<std::int64_t> packed_size(DataType dtype, std::int64_t count);

/// An entry of metadata_props.
struct Property {
  std::string key, value;
  bool operator==(const Property&) const = default;
};
using Properties = std::vector<Property>;

/// Where a tensor's bytes lie when they are not in the file: `location` is relative to the model's folder.
struct ExternalData {
  std::string location;
  std::int64_t offset = 0;
  std::optional<std::int64_t> length;  ///< absent: what the type takes
  bool operator==(const ExternalData&) const = default;
};

struct Tensor {
  std::string name;
  DataType dtype = DataType::undefined;
  std::vector<std::int64_t> dims;  ///< none for scalars; none negative
  /// Row-major, little-endian, bits_of(dtype) each (two and four to a byte, the lowest bits first). A view into the
  /// mapped file where the encoding allows it: NOT aligned. Its size is packed_size(); empty while `external` is set.
  Bytes data;
  std::vector<std::string> strings;  ///< of dtype string: any bytes
  std::optional<ExternalData> external;
  std::string doc;
  Properties metadata;
  bool operator==(const Tensor&) const;  ///< compares the bytes
};

/// Values and their places: `indices` is [n] (linear) or [n, rank].
struct SparseTensor {
  Tensor values, indices;
  std::vector<std::int64_t> dims;
  bool operator==(const SparseTensor&) const = default;
};

struct Dimension {
  std::optional<std::int64_t> value;  ///< absent: not known
  std::string symbol;                 ///< a name for an extent that is not known: "batch"
  std::string denotation;
  bool operator==(const Dimension&) const = default;
};

/// TypeProto: a tree; only the members of its kind are used.
struct Type {
  enum class Kind : std::uint8_t { none, tensor, sparse_tensor, sequence, map, optional, opaque };
  Kind kind = Kind::none;
  DataType dtype = DataType::undefined;         ///< of tensors; of maps, the key's
  std::optional<std::vector<Dimension>> shape;  ///< of tensors; absent: unknown rank
  std::vector<Type> parts;                      ///< sequence, optional: the element (may lack); map: the value
  std::string denotation;
  bool operator==(const Type&) const = default;
};

struct ValueInfo {
  std::string name;
  std::optional<Type> type;
  std::string doc;
  Properties metadata;
  bool operator==(const ValueInfo&) const = default;
};

struct Graph;

struct Attribute {
  /// AttributeProto.AttributeType with its numbers.
  enum class Kind : std::int32_t {
    undefined = 0,
    number = 1,
    integer = 2,
    string = 3,
    tensor = 4,
    graph = 5,
    numbers = 6,
    integers = 7,
    strings = 8,
    tensors = 9,
    graphs = 10,
    sparse_tensor = 11,
    sparse_tensors = 12,
    type = 13,
    types = 14,
  };
  using Value = std::variant<std::monostate, float, std::int64_t, std::string, std::vector<float>,
                             std::vector<std::int64_t>, std::vector<std::string>, std::vector<Tensor>,
                             std::vector<Graph>, std::vector<SparseTensor>, std::vector<Type>>;
  std::string name;
  Kind kind = Kind::undefined;  ///< undefined with a `reference` of a function's attribute that says no type
  Value value;                  ///< tensor, graph, sparse_tensor and type: a list of one. Strings are any bytes.
  std::string reference;        ///< inside functions: the attribute of the function that stands here
  std::string doc;
  bool operator==(const Attribute&) const;
};

struct Node {
  std::vector<std::string> inputs, outputs;  ///< "" for an optional one that is left out
  std::string name, op_type, domain, overload, doc;
  std::vector<Attribute> attributes;
  Properties metadata;
  bool operator==(const Node&) const = default;
};

/// Parameters of a quantised value: {"SCALE_TENSOR", name of an initialiser} …
struct QuantizationAnnotation {
  std::string tensor;
  Properties parameters;
  bool operator==(const QuantizationAnnotation&) const = default;
};

struct Graph {
  std::string name, doc;
  std::vector<Node> nodes;
  std::vector<Tensor> initializers;
  std::vector<SparseTensor> sparse_initializers;  ///< named by `values.name`
  std::vector<ValueInfo> inputs, outputs, value_infos;
  std::vector<QuantizationAnnotation> quantization;
  Properties metadata;
  bool operator==(const Graph&) const = default;
};

struct OpsetImport {
  std::string domain;  ///< "" is ai.onnx
  std::int64_t version = 0;
  bool operator==(const OpsetImport&) const = default;
};

/// A function of the model: a node of its domain and name stands for its nodes.
struct Function {
  std::string name, domain, overload, doc;
  std::vector<std::string> inputs, outputs, attributes;
  std::vector<Attribute> attribute_defaults;
  std::vector<Node> nodes;
  std::vector<OpsetImport> opset_imports;
  std::vector<ValueInfo> value_infos;
  Properties metadata;
  bool operator==(const Function&) const = default;
};

struct Model {
  std::int64_t ir_version = 0;
  std::string producer_name, producer_version, domain, doc;
  std::int64_t model_version = 0;
  std::vector<OpsetImport> opset_imports;
  Graph graph;
  std::vector<Function> functions;
  Properties metadata;
  bool has_training = false;  ///< TrainingInfoProto is not read, nor written
  bool operator==(const Model&) const = default;
};

/// Reads a model file; tensors in the file are views that share its ownership. `name` stands in the places of errors.
/// Checked: nesting (100 messages), sizes of tensors against their types, known type numbers, UTF-8 of names.
/// Not checked: whether the graph makes sense (onnx/graph.h does). Errors E0401 to E0404.
Result<Model> read_model(const Bytes& file, std::string_view name);

/// The canonical encoding: the same struct always gives the same bytes (fields in order, defaults left out, numbers of
/// tensors as raw_data). Errors: more than 2 GiB (E0409), data that does not fit its type (a bug of ours, E0070).
Result<std::string> write_model(const Model& model);
/// The same straight to a file, so that weights are not copied in memory. Gives the bytes written.
Result<std::uint64_t> write_model_file(const Model& model, const std::filesystem::path& path);

/// The bytes of a tensor whose data lie in another file. `folder` is the model's. Locations that leave the folder
/// (absolute, with "..", or through a link that leads elsewhere) are refused (E0405), as are ranges outside the file
/// and of another size than the type takes (E0406).
Result<Bytes> read_external(const Tensor& tensor, const std::filesystem::path& folder);

}  // namespace anemone::formats::onnxspec

#pragma once
// A Core ML model file (`model.mlmodel`) as plain structs: the interface and the ML Program, exactly what the file
// says. Names follow the protobuf schema; maps are sorted vectors, so that two equal files give two equal structs.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "anemone/support/bytes.h"
#include "anemone/support/result.h"

namespace anemone::formats::milspec {

/// MIL element types with their numbers in the file.
enum class DataType : std::uint8_t {
  unused = 0,
  boolean = 1,
  string = 2,
  float16 = 10,
  float32 = 11,
  float64 = 12,
  bfloat16 = 13,
  int8 = 21,
  int16 = 22,
  int32 = 23,
  int64 = 24,
  int4 = 25,
  uint8 = 31,
  uint16 = 32,
  uint32 = 33,
  uint64 = 34,
  uint4 = 35,
  uint2 = 36,
  uint1 = 37,
  uint6 = 38,
  uint3 = 39,
  float8_e4m3fn = 40,
  float8_e5m2 = 41,
};
/// "FLOAT16"; "?" for numbers that are none.
std::string_view name_of(DataType dtype);
/// Bits of one element as stored in Value::data and in weight files: 8 for boolean; 0 for string and unused.
unsigned bits_of(DataType dtype);
/// Bytes that `elements` elements occupy packed (sub-byte elements share bytes); empty when the count overflows 64
/// bits.
std::optional<std::uint64_t> packed_size(DataType dtype, std::uint64_t elements);

/// An entry of a protobuf map with string keys.
template <class T>
struct Entry {
  std::string key;
  T value;
  bool operator==(const Entry&) const = default;
};
/// Sorted by key (as bytes) without repeated keys when read. The writer sorts whatever it is given.
template <class T>
using Map = std::vector<Entry<T>>;

template <class T>
const T* find(const Map<T>& map, std::string_view key) {
  for (const Entry<T>& entry : map) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

// ---- MIL.proto ----

struct Value;

struct Dimension {
  std::optional<std::uint64_t> size;  ///< empty: unknown extent
  bool variadic = false;              ///< of an unknown one: stands for any number of dimensions
  bool operator==(const Dimension&) const = default;
};

struct TensorType {
  DataType dtype = DataType::unused;
  std::vector<Dimension> dims;  ///< none for scalars
  bool unknown_rank = false;    ///< rank -1 in the file; otherwise the rank is dims.size()
  Map<Value> attributes;        ///< empty in practice
  bool operator==(const TensorType&) const;
};

/// A type is a tree; only the members of its kind are used.
struct ValueType {
  enum class Kind : std::uint8_t { tensor, list, tuple, dictionary, state };
  Kind kind = Kind::tensor;
  TensorType tensor;  ///< kind tensor
  std::vector<ValueType>
      parts;         ///< list: the element type; tuple: all; dictionary: key, value; state: the wrapped type
  Dimension length;  ///< kind list
  bool operator==(const ValueType&) const;
};

struct NamedValueType {
  std::string name;
  ValueType type;
  bool operator==(const NamedValueType&) const;
};

/// Data in a weight file. `offset` is that of the metadata record (weight_blob.h).
struct BlobReference {
  std::string file_name;  ///< "@model_path/weights/weight.bin"
  std::uint64_t offset = 0;
  bool operator==(const BlobReference&) const = default;
};

struct Value {
  enum class Kind : std::uint8_t { tensor, tuple, list, dictionary, blob };
  std::string doc;
  ValueType type;
  Kind kind = Kind::tensor;
  /// Kind tensor, any dtype but string: the elements, row-major, little-endian, bits_of(dtype) each; boolean is one
  /// byte 0 or 1, sub-byte types are a bit stream (lowest bit first). Often a view into the mapped file: NOT aligned.
  /// When read, its size is packed_size() of the type's dimensions.
  Bytes data;
  std::vector<std::string> strings;     ///< kind tensor, dtype string: the elements
  std::vector<Value> items;             ///< tuple, list: the members; dictionary: key, value, key, value ...
  BlobReference blob;                   ///< kind blob
  bool operator==(const Value&) const;  ///< compares the data's bytes
};

/// An argument of an operation: the name of a value, or a literal.
struct Binding {
  std::string name;  ///< used when there is no `value`
  std::optional<Value> value;
  bool operator==(const Binding&) const;
};

struct Block;

struct Operation {
  std::string type;
  Map<std::vector<Binding>> inputs;  ///< one binding per parameter, several for list parameters
  std::vector<NamedValueType> outputs;
  std::vector<Block> blocks;
  Map<Value> attributes;  ///< "name"; const: "val"; constexpr ops up to CoreML7: all parameters
  bool operator==(const Operation&) const;
};

struct Block {
  std::vector<NamedValueType> inputs;  ///< of nested blocks only
  std::vector<std::string> outputs;
  std::vector<Operation> operations;
  Map<Value> attributes;
  bool operator==(const Block&) const;
};

struct Function {
  std::vector<NamedValueType> inputs;
  std::string opset;  ///< "CoreML7": the specialisation to use
  Map<Block> block_specializations;
  Map<Value> attributes;
  bool operator==(const Function&) const;
};

struct Program {
  std::int64_t version = 1;
  Map<Function> functions;
  std::string doc;
  Map<Value> attributes;  ///< "buildInfo"
  bool operator==(const Program&) const;
};

// ---- FeatureTypes.proto ----

enum class ColorSpace : std::uint8_t { invalid = 0, grayscale = 10, rgb = 20, bgr = 30, grayscale_float16 = 40 };
enum class ArrayDataType : std::uint32_t {
  invalid = 0,
  float16 = 0x10010,
  float32 = 0x10020,
  float64 = 0x10040,
  int8 = 0x20008,
  int32 = 0x20020,
};

struct SizeRange {
  std::uint64_t lower = 0;
  std::int64_t upper = 0;  ///< inclusive; negative: none
  bool operator==(const SizeRange&) const = default;
};

struct ImageSize {
  std::uint64_t width = 0, height = 0;
  bool operator==(const ImageSize&) const = default;
};
struct ImageSizeRange {
  SizeRange width, height;
  bool operator==(const ImageSizeRange&) const = default;
};
struct ImageType {
  std::int64_t width = 0, height = 0;
  ColorSpace color_space = ColorSpace::invalid;
  std::variant<std::monostate, std::vector<ImageSize>, ImageSizeRange> flexibility;
  bool operator==(const ImageType&) const = default;
};

using EnumeratedShapes = std::vector<std::vector<std::int64_t>>;
using ShapeRange = std::vector<SizeRange>;  ///< one per dimension
struct ArrayType {
  std::vector<std::int64_t> shape;  ///< the default; may be empty for outputs of unknown shape
  ArrayDataType dtype = ArrayDataType::invalid;
  std::variant<std::monostate, EnumeratedShapes, ShapeRange> flexibility;
  std::variant<std::monostate, std::int32_t, float, double> default_value;  ///< used when an optional input is missing
  bool operator==(const ArrayType&) const = default;
};

struct Int64Type {
  bool operator==(const Int64Type&) const = default;
};
struct DoubleType {
  bool operator==(const DoubleType&) const = default;
};
struct StringType {
  bool operator==(const StringType&) const = default;
};
struct DictionaryType {
  std::variant<std::monostate, Int64Type, StringType> key;
  bool operator==(const DictionaryType&) const = default;
};
struct SequenceType {
  std::variant<std::monostate, Int64Type, StringType> element;
  std::optional<SizeRange> size_range;
  bool operator==(const SequenceType&) const = default;
};
struct StateType {
  std::optional<ArrayType> array;
  bool operator==(const StateType&) const = default;
};

struct FeatureType {
  std::variant<std::monostate, Int64Type, DoubleType, StringType, ImageType, ArrayType, DictionaryType, SequenceType,
               StateType>
      type;
  bool is_optional = false;
  bool operator==(const FeatureType&) const = default;
};

// ---- Model.proto ----

struct FeatureDescription {
  std::string name, short_description;
  FeatureType type;
  bool operator==(const FeatureDescription&) const = default;
};

/// The interface of one function: FunctionDescription in the file, and the fields of the same names of
/// ModelDescription.
struct Interface {
  std::vector<FeatureDescription> inputs, outputs, states;
  std::string predicted_feature_name, predicted_probabilities_name;
  bool operator==(const Interface&) const = default;
};

struct Metadata {
  std::string short_description, version, author, license;
  Map<std::string> user_defined;
  bool operator==(const Metadata&) const = default;
};

struct ModelDescription {
  Interface interface;                      ///< of models without `functions`
  std::vector<Entry<Interface>> functions;  ///< in the file's order; from specification version 9
  std::string default_function_name;
  std::vector<FeatureDescription> training_inputs;
  std::optional<Metadata> metadata;
  bool operator==(const ModelDescription&) const = default;
};

struct Model {
  std::int32_t specification_version = 0;
  ModelDescription description;
  bool is_updatable = false;
  Program program;
  bool operator==(const Model&) const = default;
};

/// One model of a pipeline. Of other kinds than ML Programs only the kind is known.
struct PipelinePart {
  std::string name;       ///< may be empty
  std::string_view kind;  ///< "mlProgram", "nonMaximumSuppression", …
  std::optional<Model> model;
};
/// The models of a pipeline in order; none when the file is no pipeline.
Result<std::vector<PipelinePart>> read_pipeline(const Bytes& file, std::string_view name);

/// Reads a model file. Tensor literals stay views that share `file`'s ownership where the encoding allows it.
/// `name` stands in the places of errors. Checked: nesting (100), element counts against types, known type numbers,
/// UTF-8. Not checked: whether the program makes sense. Other kinds of Core ML models are named in the error (E0302).
Result<Model> read_model(const Bytes& file, std::string_view name);

/// The canonical encoding: the same struct always gives the same bytes (keys sorted, fields in order, defaults left
/// out). Errors (bugs of ours, E0070): literals whose data does not fit their type, nesting that could not be read
/// again.
Result<std::string> write_model(const Model& model);

}  // namespace anemone::formats::milspec

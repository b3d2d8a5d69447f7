#pragma once
// Models and encodings that the tests of Core ML model files share.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anemone/formats/coreml/spec.h"
#include "anemone/formats/coreml/spec_wire.h"

namespace anemone::formats::milspec {

inline std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

inline std::string to_hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    hex.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
  }
  return hex;
}

inline Bytes bytes_of(std::string_view text) { return Bytes::copy_of(std::span(text.data(), text.size())); }

template <class T>
inline Bytes elements(std::initializer_list<T> list) {
  return Bytes::copy_of(std::span(list.begin(), list.size()));
}

/// The smallest model of the format reference: y = relu(x) in fp16.
inline constexpr std::string_view kSmallest =
    "0808122e0a0f0a01781a0a2a080a02010210908004520f0a01791a0a2a080a02010210908004a20609a206060a016b120176b21f8501080112"
    "80"
    "010a046d61696e12780a170a017812120a10080a10021a040a0208011a040a0208021207436f72654d4c371a540a07436f72654d4c37124912"
    "01"
    "791a440a0472656c75120a0a017812050a030a01781a170a017912120a10080a10021a040a0208011a040a0208022a170a046e616d65120f12"
    "04"
    "0a0208021a070a0522030a0179";

inline Value literal(DataType dtype, std::vector<std::uint64_t> shape, Bytes data) {
  Value value;
  value.type.tensor.dtype = dtype;
  for (const std::uint64_t extent : shape) value.type.tensor.dims.push_back({extent, false});
  value.data = std::move(data);
  return value;
}

inline Value text_literal(std::string text) {
  Value value = literal(DataType::string, {}, {});
  value.strings.push_back(std::move(text));
  return value;
}

inline Model smallest_model() {
  Model model = *read_model(bytes_of(from_hex(kSmallest)), "smallest");
  return model;
}

/// The model with one `const` whose value is `value`: carries single values through reader and writer.
inline Model model_with(Value value) {
  Model model;
  model.specification_version = 8;
  Operation operation;
  operation.type = "const";
  operation.attributes.push_back({"val", std::move(value)});
  Block block;
  block.operations.push_back(std::move(operation));
  Function function;
  function.opset = "CoreML7";
  function.block_specializations.push_back({"CoreML7", std::move(block)});
  model.program.functions.push_back({"main", std::move(function)});
  return model;
}

inline Result<Model> parse(const std::string& bytes) { return read_model(bytes_of(bytes), "test"); }

/// A model around the encoding of one Value message, without going through the writer.
inline std::string wrap_value(const std::string& encoded) {
  const auto field = [](std::uint32_t number, const std::string& content) {
    std::string out;
    protozero::pbf_writer(out).add_message(number, content);
    return out;
  };
  const auto entry = [&](const std::string& key, const std::string& value) { return field(1, key) + field(2, value); };
  const std::string operation = field(1, "const") + field(5, entry("val", encoded));
  const std::string block = field(3, operation);
  const std::string function = field(2, "CoreML7") + field(3, entry("CoreML7", block));
  return from_hex("0808") + field(2, "") + field(502, from_hex("0801") + field(2, entry("main", function)));
}

inline const Value& value_in(const Model& model) {
  return model.program.functions.at(0).value.block_specializations.at(0).value.operations.at(0).attributes.at(0).value;
}

inline ValueType tensor_type(DataType dtype, std::vector<Dimension> dims) {
  ValueType type;
  type.tensor.dtype = dtype;
  type.tensor.dims = std::move(dims);
  return type;
}

/// A model with every construct that the format has.
inline Model everything() {
  Model model = smallest_model();
  model.specification_version = 9;
  model.is_updatable = true;
  ModelDescription& d = model.description;
  FeatureDescription image{"image", "a face", {ImageType{256, 128, ColorSpace::bgr, {}}, true}};
  std::get<ImageType>(image.type.type).flexibility = std::vector<ImageSize>{{256, 128}, {0, 64}};
  FeatureDescription ranged{"ranged", "", {ImageType{1, 1, ColorSpace::grayscale_float16, {}}, false}};
  std::get<ImageType>(ranged.type.type).flexibility = ImageSizeRange{{1, -1}, {0, 0}};
  FeatureDescription shapes{"shapes", "", {ArrayType{{1, 3}, ArrayDataType::int32, {}, std::int32_t{0}}, false}};
  std::get<ArrayType>(shapes.type.type).flexibility = EnumeratedShapes{{1, 3}, {}, {1, -3}};
  FeatureDescription ranges{"ranges", "", {ArrayType{{2}, ArrayDataType::int8, {}, 0.5f}, true}};
  std::get<ArrayType>(ranges.type.type).flexibility = ShapeRange{{1, 9}, {2, -1}};
  FeatureDescription number{"number", "", {ArrayType{{}, ArrayDataType::float64, {}, 0.0}, false}};
  DictionaryType dictionary;
  dictionary.key = Int64Type{};
  DictionaryType by_text;
  by_text.key = StringType{};
  SequenceType sequence;
  sequence.element = StringType{};
  sequence.size_range = SizeRange{1, 4};
  StateType state;
  state.array = ArrayType{{1, 4}, ArrayDataType::float16, {}, {}};
  d.interface.inputs = {image, ranged, shapes, ranges, number};
  d.interface.outputs = {{"i", "", {Int64Type{}, false}},  {"d", "", {DoubleType{}, false}},
                         {"s", "", {StringType{}, false}}, {"m", "", {dictionary, false}},
                         {"t", "", {by_text, false}},      {"q", "", {sequence, false}}};
  d.interface.states = {{"memory", "", {state, false}}};
  d.interface.predicted_feature_name = "s";
  d.interface.predicted_probabilities_name = "t";
  d.training_inputs = {shapes};
  d.functions = {{"z", d.interface}, {"a", {}}};
  d.default_function_name = "a";
  d.metadata = Metadata{"what", "1.0", "who", "free", {{"", ""}, {"a", "b"}}};

  Program& program = model.program;
  program.doc = "program";
  Value pair = literal(DataType::unused, {}, {});
  pair.type = {};
  pair.type.kind = ValueType::Kind::tuple;
  pair.type.parts = {tensor_type(DataType::string, {}), tensor_type(DataType::float64, {})};
  pair.kind = Value::Kind::tuple;
  pair.items = {text_literal("x"), literal(DataType::float64, {}, elements<double>({0.1}))};
  Value map;
  map.type.kind = ValueType::Kind::dictionary;
  map.type.parts = {tensor_type(DataType::string, {}), pair.type};
  map.kind = Value::Kind::dictionary;
  map.items = {text_literal("k"), pair};
  Value list;
  list.doc = "a list";
  list.type.kind = ValueType::Kind::list;
  list.type.parts = {tensor_type(DataType::int16, {})};
  list.type.length = {1, false};
  list.kind = Value::Kind::list;
  list.items = {literal(DataType::int16, {}, elements<std::int16_t>({-7}))};
  program.attributes = {{"buildInfo", map}};

  Function& main = program.functions.at(0).value;
  main.attributes = {{"f", list}};
  ValueType state_type;
  state_type.kind = ValueType::Kind::state;
  state_type.parts = {tensor_type(DataType::float16, {{1, false}, {4, false}})};
  main.inputs.push_back({"memory", state_type});
  ValueType anything = tensor_type(DataType::float8_e5m2, {{std::nullopt, true}});
  anything.tensor.unknown_rank = true;
  anything.tensor.attributes = {{"t", text_literal("")}};
  main.inputs.push_back({"anything", anything});
  Block& block = main.block_specializations.at(0).value;
  block.attributes = {{"b", text_literal("c")}};
  Operation loop;
  loop.type = "while_loop";
  Binding inline_literal;
  inline_literal.value = list;
  loop.inputs = {{"loop_vars", {{"x", {}}, inline_literal, {"", {}}}}, {"none", {}}};
  loop.blocks = {block, Block{}};
  loop.blocks.at(0).inputs = main.inputs;
  block.operations.push_back(loop);
  block.outputs.push_back("");
  main.block_specializations.push_back({"CoreML8", block});
  program.functions.push_back({"other", main});
  return model;
}

}  // namespace anemone::formats::milspec

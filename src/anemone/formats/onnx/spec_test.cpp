// ONNX files: what is written reads back equal, every way of storing numbers gives one form, and damage has its words.
#include "anemone/formats/onnx/spec.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "anemone/formats/wire/protobuf.h"

namespace anemone::formats::onnxspec {
namespace {

namespace fs = std::filesystem;
using protozero::pbf_writer;

Bytes bytes_of(const std::string& text) { return Bytes::copy_of(std::span(text)); }

template <class T>
Bytes numbers(std::initializer_list<T> list) {
  return Bytes::copy_of(std::span(list.begin(), list.size()));
}

Tensor tensor(std::string name, DataType dtype, std::vector<std::int64_t> dims, Bytes data) {
  Tensor t;
  t.name = std::move(name);
  t.dtype = dtype;
  t.dims = std::move(dims);
  t.data = std::move(data);
  return t;
}

Attribute attribute(std::string name, Attribute::Kind kind, Attribute::Value value) {
  return {std::move(name), kind, std::move(value), {}, {}};
}

Type tensor_type(DataType dtype, std::vector<Dimension> shape) {
  Type type;
  type.kind = Type::Kind::tensor;
  type.dtype = dtype;
  type.shape = std::move(shape);
  return type;
}

/// A model with one of everything.
Model everything() {
  using Kind = Attribute::Kind;
  Model m;
  m.ir_version = 9;
  m.producer_name = "test";
  m.opset_imports = {{"", 19}, {"com.example", 1}};
  m.metadata = {{"key", "value"}};
  Graph& g = m.graph;
  g.name = "main";
  g.inputs = {{"x", tensor_type(DataType::float32, {{1, {}, "N"}, {std::nullopt, "width", {}}, {}}), {}, {}},
              {"untyped", std::nullopt, {}, {}}};
  Type sequence;
  sequence.kind = Type::Kind::sequence;
  sequence.parts = {tensor_type(DataType::int64, {})};
  Type map;
  map.kind = Type::Kind::map;
  map.dtype = DataType::string;
  map.parts = {sequence};
  map.denotation = "WORDS";
  Type optional;
  optional.kind = Type::Kind::optional;
  optional.parts = {map};
  optional.denotation = "MAYBE";
  g.outputs = {{"y", tensor_type(DataType::float32, {}), "the result", {}}, {"z", optional, {}, {}}};
  g.initializers = {tensor("w", DataType::float32, {2}, numbers<float>({1, -2})),
                    tensor("i", DataType::int64, {}, numbers<std::int64_t>({-7})),
                    tensor("h", DataType::int4, {3}, numbers<std::uint8_t>({0x21, 0x03})),
                    tensor("none", DataType::float16, {4, 0}, {})};
  Tensor words;
  words.name = "words";
  words.dtype = DataType::string;
  words.dims = {2};
  words.strings = {"a", std::string("\xff\0", 2)};
  g.initializers.push_back(words);
  Tensor far = tensor("far", DataType::float32, {256}, {});
  far.external = {"weights/far.bin", 4096, 1024};
  g.initializers.push_back(far);
  g.sparse_initializers = {{tensor("s", DataType::float32, {1}, numbers<float>({3})),
                            tensor("", DataType::int64, {1}, numbers<std::int64_t>({5})),
                            {10}}};
  Graph body;
  body.name = "body";
  body.nodes = {{{"x"}, {"inner"}, {}, "Relu", {}, {}, {}, {}, {}}};
  body.outputs = {{"inner", std::nullopt, {}, {}}};
  Node node;
  node.inputs = {"x", "", "w"};
  node.outputs = {"y", ""};
  node.name = "n";
  node.op_type = "Everything";
  node.domain = "com.example";
  node.attributes = {
      attribute("f", Kind::number, 0.5f),
      attribute("i", Kind::integer, std::int64_t{-1}),
      attribute("s", Kind::string, std::string("\xfe")),
      attribute("t", Kind::tensor, std::vector<Tensor>{tensor("", DataType::boolean, {1}, numbers<std::uint8_t>({1}))}),
      attribute("g", Kind::graph, std::vector<Graph>{body}),
      attribute("fs", Kind::numbers, std::vector<float>{1, 2}),
      attribute("is", Kind::integers, std::vector<std::int64_t>{}),
      attribute("ss", Kind::strings, std::vector<std::string>{"", "x"}),
      attribute("type", Kind::type, std::vector<Type>{tensor_type(DataType::bfloat16, {})}),
  };
  g.nodes = {node};
  g.quantization = {{"x", {{"SCALE_TENSOR", "w"}}}};
  Function function;
  function.name = "F";
  function.domain = "com.example";
  function.inputs = {"a"};
  function.outputs = {"b"};
  function.attributes = {"alpha"};
  Node inside{{"a"}, {"b"}, {}, "LeakyRelu", {}, {}, {}, {}, {}};
  inside.attributes = {{"alpha", Kind::number, {}, "alpha", {}}};
  function.nodes = {inside};
  function.opset_imports = {{"", 19}};
  m.functions = {function};
  return m;
}

TEST(OnnxSpec, WhatIsWrittenReadsBackEqual) {
  const Model model = everything();
  const auto bytes = write_model(model);
  ASSERT_TRUE(bytes) << render(bytes.error());
  const auto again = read_model(bytes_of(*bytes), "test");
  ASSERT_TRUE(again) << render(again.error());
  EXPECT_EQ(*again, model);
  EXPECT_EQ(*write_model(*again), *bytes);
}

/// A model whose only initialiser is written by `fill`.
std::string with_tensor(const std::function<void(pbf_writer&)>& fill) {
  std::string out;
  pbf_writer model(out);
  model.add_int64(1, 8);
  pbf_writer graph(model, 7);
  pbf_writer tensor_writer(graph, 5);
  fill(tensor_writer);
  return out;
}

std::string outcome(const std::string& bytes) {
  const auto model = read_model(bytes_of(bytes), "f");
  return model ? "read" : fmt::format("{}: {}", text_of(model.error().front().code), model.error().front().message);
}

TEST(OnnxSpec, NumbersOfEveryFieldTakeOneForm) {
  const auto data = [](DataType dtype, std::int64_t count, const std::function<void(pbf_writer&)>& fill) {
    const std::string file = with_tensor([&](pbf_writer& w) {
      w.add_packed_int64(1, &count, &count + 1);
      w.add_int32(2, static_cast<std::int32_t>(dtype));
      fill(w);
    });
    const auto model = read_model(bytes_of(file), "f");
    EXPECT_TRUE(model) << render(model.error());
    const auto view = model ? model->graph.initializers[0].data.view : std::span<const std::byte>();
    return std::vector<std::byte>(view.begin(), view.end());
  };
  const auto same = [](const std::vector<std::byte>& a, const Bytes& b) {
    return std::equal(a.begin(), a.end(), b.view.begin(), b.view.end());
  };
  const std::vector<float> floats{1, -2};
  EXPECT_TRUE(same(data(DataType::float32, 2, [&](auto& w) { w.add_packed_float(4, floats.begin(), floats.end()); }),
                   numbers<float>({1, -2})));
  EXPECT_TRUE(same(data(DataType::float32, 2,
                        [&](auto& w) {
                          w.add_float(4, 1);
                          w.add_float(4, -2);
                        }),
                   numbers<float>({1, -2})));
  const std::vector<std::int32_t> ints{-3, 300};
  const auto int32_data = [&](auto& w) { w.add_packed_int32(5, ints.begin(), ints.end()); };
  EXPECT_TRUE(same(data(DataType::int32, 2, int32_data), numbers<std::int32_t>({-3, 300})));
  EXPECT_TRUE(same(data(DataType::int16, 2, int32_data), numbers<std::int16_t>({-3, 300})));
  EXPECT_TRUE(same(data(DataType::int8, 2, int32_data), numbers<std::int8_t>({-3, 44})));
  EXPECT_TRUE(same(data(DataType::float16, 2, int32_data), numbers<std::uint16_t>({0xfffd, 300})));
  EXPECT_TRUE(same(data(DataType::int64, 2,
                        [&](auto& w) {
                          w.add_int64(7, -1);
                          w.add_int64(7, INT64_MAX);
                        }),
                   numbers<std::int64_t>({-1, INT64_MAX})));
  EXPECT_TRUE(same(data(DataType::uint32, 1, [&](auto& w) { w.add_uint64(11, 0xffffffff); }),
                   numbers<std::uint32_t>({0xffffffff})));
  EXPECT_TRUE(same(data(DataType::float64, 1, [&](auto& w) { w.add_double(10, 0.5); }), numbers<double>({0.5})));
  EXPECT_TRUE(same(data(DataType::uint4, 3, [&](auto& w) { w.add_bytes(9, std::string("\x21\x03")); }),
                   numbers<std::uint8_t>({0x21, 0x03})));
}

TEST(OnnxSpec, RawDataAreAViewOfTheFile) {
  Model model;
  model.graph.initializers = {tensor("w", DataType::float32, {2}, numbers<float>({1, 2}))};
  const Bytes file = bytes_of(*write_model(model));
  const auto read = read_model(file, "f");
  ASSERT_TRUE(read);
  const std::byte* data = read->graph.initializers[0].data.data();
  EXPECT_GE(data, file.data());
  EXPECT_LT(data, file.data() + file.size());
}

TEST(OnnxSpec, DamageIsNamed) {
  const auto tensor_of = [](std::vector<std::int64_t> dims, int dtype, const std::function<void(pbf_writer&)>& fill) {
    return outcome(with_tensor([&](pbf_writer& w) {
      w.add_packed_int64(1, dims.begin(), dims.end());
      w.add_int32(2, dtype);
      w.add_string(8, "w");
      fill(w);
    }));
  };
  const auto raw = [](std::size_t size) { return [size](pbf_writer& w) { w.add_bytes(9, std::string(size, 'x')); }; };
  EXPECT_EQ(tensor_of({2, 3}, 1, raw(20)),
            "E0403: tensor 'w' of float has 6 elements, which take 24 bytes, and raw_data holds 20");
  EXPECT_EQ(tensor_of({2}, 1, [](pbf_writer&) {}),
            "E0403: tensor 'w' of float has 2 elements, which take 8 bytes, and no field holds 0");
  EXPECT_EQ(tensor_of({-1}, 1, raw(4)), "E0403: tensor 'w' of float has extents that are negative or too large");
  EXPECT_EQ(tensor_of({INT64_MAX, 4}, 1, raw(4)),
            "E0403: tensor 'w' of float has extents that are negative or too large");
  EXPECT_EQ(tensor_of({INT64_MAX}, 1, raw(4)), "E0403: tensor 'w' of float is too large");
  EXPECT_EQ(tensor_of({1}, 99, raw(4)), "E0404: element type number 99 is not one of ONNX");
  EXPECT_EQ(tensor_of({1}, 0, raw(4)), "E0403: tensor 'w' has no element type");
  EXPECT_EQ(tensor_of({1}, 7, [](pbf_writer& w) { w.add_int32(5, 1); }),
            "E0403: tensor 'w' of int64 is stored in int32_data");
  EXPECT_EQ(tensor_of({1}, 6,
                      [](pbf_writer& w) {
                        w.add_int32(5, 1);
                        w.add_bytes(9, "abcd");
                      }),
            "E0403: tensor 'w' has both int32_data and raw_data");
  EXPECT_EQ(tensor_of({1}, 1, [](pbf_writer& w) { w.add_int32(14, 1); }),
            "E0403: tensor 'w' lies in another file, and its location is missing");
  EXPECT_EQ(outcome(std::string("\x08\x08", 2)), "E0402: this is not an ONNX model: it holds no graph");
  const std::string whole = *write_model(everything());
  for (const std::size_t size : {whole.size() - 1, whole.size() / 2, whole.size() / 3}) {
    EXPECT_EQ(outcome(whole.substr(0, size)).substr(0, 5), "E0401") << size;
  }
  std::string deep;
  for (int i = 0; i < 200; ++i) {  // graph > node > attribute > graph …
    std::string outer;
    pbf_writer graph(outer);
    pbf_writer(graph, 1).add_string(4, "If");
    {
      std::string attribute_bytes, node_bytes;
      pbf_writer(attribute_bytes).add_message(6, deep);
      pbf_writer node(node_bytes);
      node.add_string(4, "If");
      node.add_message(5, attribute_bytes);
      outer.clear();
      pbf_writer(outer).add_message(1, node_bytes);
    }
    deep = std::move(outer);
  }
  std::string file;
  pbf_writer(file).add_message(7, deep);
  EXPECT_EQ(outcome(file), "E0301: messages are nested more than 100 deep");
}

TEST(OnnxExternalData, StaysInTheModelsFolder) {
  const fs::path folder = fs::temp_directory_path() / "anemone_onnx_external_test";
  fs::remove_all(folder);
  fs::create_directories(folder / "model/sub");
  std::ofstream(folder / "secret.bin") << "12345678";
  std::ofstream(folder / "model/sub/w.bin") << "12345678";
  fs::create_symlink(folder / "secret.bin", folder / "model/link.bin");
  std::ofstream(folder / "model/pointer.bin") << "version https://git-lfs.github.com/spec/v1\n";
  const auto read = [&](std::string location, std::int64_t offset, std::optional<std::int64_t> length) {
    Tensor t = tensor("w", DataType::float32, {1}, {});
    t.external = {std::move(location), offset, length};
    const auto bytes = read_external(t, folder / "model");
    if (!bytes) return std::string(text_of(bytes.error().front().code));
    return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  };
  EXPECT_EQ(read("sub/w.bin", 0, 4), "1234");
  EXPECT_EQ(read("./sub/w.bin", 4, std::nullopt), "5678");
  for (const char* outside : {"../secret.bin", "sub/../../secret.bin", "/etc/passwd", "link.bin", "sub\\w.bin", ""}) {
    EXPECT_EQ(read(outside, 0, 4), "E0405") << outside;
  }
  EXPECT_EQ(read((folder / "model/sub/w.bin").string(), 0, 4), "E0405");
  EXPECT_EQ(read("absent.bin", 0, 4), "E0406");
  EXPECT_EQ(read("sub/w.bin", 5, 4), "E0406") << "behind the end";
  EXPECT_EQ(read("sub/w.bin", INT64_MAX, 4), "E0406");
  EXPECT_EQ(read("sub/w.bin", 0, 8), "E0406") << "another size than the type";
  EXPECT_EQ(read("pointer.bin", 0, 4), "E0503");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace anemone::formats::onnxspec

#pragma once
// Small ONNX graphs for tests, without files.
#include <gtest/gtest.h>

#include <initializer_list>

#include "anemone/onnx/infer.h"
#include "anemone/onnx/print.h"

namespace anemone::onnx::test {

using Dims = std::vector<std::int64_t>;

inline Type tensor_type(DataType dtype, const Dims& dims) {  // -1: not known
  Type type;
  type.kind = Type::Kind::tensor;
  type.dtype = dtype;
  type.shape.emplace();
  for (const std::int64_t n : dims) {
    type.shape->emplace_back();
    if (n >= 0) type.shape->back().value = n;
  }
  return type;
}

template <class T>
Tensor tensor(std::string name, DataType dtype, Dims dims, std::vector<T> values) {
  Tensor t;
  t.name = std::move(name);
  t.dtype = dtype;
  t.dims = std::move(dims);
  t.data = Bytes::copy_of(std::span<const T>(values));
  return t;
}
inline Tensor integers(std::string name, std::vector<std::int64_t> values) {
  return tensor<std::int64_t>(std::move(name), DataType::int64, {static_cast<std::int64_t>(values.size())}, values);
}

inline Attribute attribute(std::string name, std::int64_t value) {
  return {std::move(name), Attribute::Kind::integer, value, {}, {}};
}
inline Attribute attribute(std::string name, std::vector<std::int64_t> value) {
  return {std::move(name), Attribute::Kind::integers, std::move(value), {}, {}};
}
inline Attribute attribute(std::string name, std::string value) {
  return {std::move(name), Attribute::Kind::string, std::move(value), {}, {}};
}

inline onnxspec::Node node(std::string op, std::vector<std::string> inputs, std::vector<std::string> outputs,
                           std::vector<Attribute> attributes = {}) {
  onnxspec::Node n;
  n.op_type = std::move(op);
  n.inputs = std::move(inputs);
  n.outputs = std::move(outputs);
  n.attributes = std::move(attributes);
  return n;
}

inline onnxspec::Model model_of(std::vector<onnxspec::Node> nodes, std::int64_t opset = 17) {
  onnxspec::Model model;
  model.ir_version = 8;
  model.opset_imports = {{"", opset}};
  model.graph.name = "g";
  model.graph.nodes = std::move(nodes);
  return model;
}

inline Model build(onnxspec::Model spec) {
  Result<Model> model = build_model(std::move(spec), "f");
  EXPECT_TRUE(model) << render(model.error());
  return model ? *std::move(model) : Model{};
}

}  // namespace anemone::onnx::test

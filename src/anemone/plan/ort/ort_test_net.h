#pragma once
// Small ONNX graphs for the tests of the provider's rules: the last node is the one that is asked about.
#include <gtest/gtest.h>

#include "anemone/onnx/onnx_test_util.h"
#include "anemone/plan/ort/level1.h"
#include "anemone/plan/ort/rules.h"

namespace anemone::plan::ort::test {

using onnx::test::attribute;
using onnx::test::Dims;
using onnx::test::tensor_type;

inline onnx::Attribute number(std::string name, float value) {
  return {std::move(name), onnx::Attribute::Kind::number, value, {}, {}};
}

class Net {
 public:
  explicit Net(std::int64_t opset = 13) { spec_ = onnx::test::model_of({}, opset); }

  Net& in(const std::string& name, const Dims& dims, DataType dtype = DataType::float32) {
    spec_.graph.inputs.push_back({name, tensor_type(dtype, dims), {}, {}});
    return *this;
  }
  /// Zeros.
  Net& weights(const std::string& name, const Dims& dims, DataType dtype = DataType::float32) {
    Tensor t;
    t.name = name;
    t.dtype = dtype;
    t.dims = dims;
    const auto count = *formats::onnxspec::element_count(dims);
    t.data =
        Bytes::owned(std::vector<std::byte>(static_cast<std::size_t>(*formats::onnxspec::packed_size(dtype, count))));
    spec_.graph.initializers.push_back(std::move(t));
    return *this;
  }
  Net& whole(const std::string& name, std::vector<std::int64_t> values) {
    spec_.graph.initializers.push_back(onnx::test::integers(name, std::move(values)));
    return *this;
  }
  Net& real(const std::string& name, std::vector<float> values) {
    const auto count = static_cast<std::int64_t>(values.size());
    spec_.graph.initializers.push_back(onnx::test::tensor<float>(name, DataType::float32, {count}, std::move(values)));
    return *this;
  }
  Net& op(std::string type, std::vector<std::string> inputs, std::vector<onnx::Attribute> attributes = {},
          std::vector<std::string> outputs = {}) {
    last_ = "y" + std::to_string(spec_.graph.nodes.size());
    if (outputs.empty()) outputs = {last_};
    last_ = outputs.front();
    spec_.graph.nodes.push_back(
        onnx::test::node(std::move(type), std::move(inputs), std::move(outputs), std::move(attributes)));
    return *this;
  }
  Net& out(const std::string& name) {
    spec_.graph.outputs.push_back({name, std::nullopt, {}, {}});
    return *this;
  }
  formats::onnxspec::Graph& graph() { return spec_.graph; }

  onnx::Model build() const {
    formats::onnxspec::Model spec = spec_;
    if (spec.graph.outputs.empty()) spec.graph.outputs.push_back({last_, std::nullopt, {}, {}});
    return onnx::test::build(std::move(spec));
  }
  Answer judge(std::string_view target) const {
    onnx::Model model = build();
    infer_types(model, infer_options());
    const Subject subject{&model, *parse_target(target)};
    return ort::judge(subject, *model.graph->nodes().back());
  }
  /// Operation types after level 1.
  std::vector<std::string> after_level1(int version) const {
    onnx::Model model = build();
    optimize_level1(model, version);
    std::vector<std::string> types;
    for (const auto& node : model.graph->nodes()) types.push_back(node->op_type);
    return types;
  }

 private:
  formats::onnxspec::Model spec_;
  std::string last_;
};

// Nodes that rules are tried on: with and without what is refused.
inline const Dims kImage{1, 4, 8, 8};

inline Net image(std::int64_t opset = 13) { return Net(opset).in("x", kImage); }
inline Net conv(const Dims& x, const Dims& w) { return Net().in("x", x).weights("w", w).op("Conv", {"x", "w"}); }
inline Net one(const std::string& op, const Dims& x, std::vector<onnx::Attribute> attributes = {},
               std::int64_t opset = 13) {
  return Net(opset).in("x", x).op(op, {"x"}, std::move(attributes));
}
inline Net two(const std::string& op, const Dims& x, const Dims& y, bool constant,
               std::vector<onnx::Attribute> attributes = {}) {
  Net net;
  net.in("x", x);
  constant ? net.weights("w", y) : net.in("w", y);
  return net.op(op, {"x", "w"}, std::move(attributes));
}
inline Net norm(bool constant, std::vector<onnx::Attribute> attributes = {}, std::vector<std::string> outputs = {}) {
  Net net(17);
  net.in("x", kImage);
  constant ? net.weights("s", {8}).weights("b", {8}) : net.in("s", {8}).in("b", {8});
  return net.op("LayerNormalization", {"x", "s", "b"}, std::move(attributes), std::move(outputs));
}
inline Net with_list(const std::string& op, const Dims& x, std::optional<std::vector<std::int64_t>> list,
                     std::vector<onnx::Attribute> attributes = {}) {
  Net net;
  net.in("x", x);
  list ? net.whole("l", *list) : net.in("l", {2}, DataType::int64);
  return net.op(op, {"x", "l"}, std::move(attributes));
}
inline Net slice(std::vector<std::int64_t> starts, std::vector<std::int64_t> ends) {
  return image().whole("s", std::move(starts)).whole("e", std::move(ends)).op("Slice", {"x", "s", "e"});
}
inline Net batch_norm(const Dims& x, bool constant, std::vector<onnx::Attribute> attributes = {}) {
  Net net(7);
  net.in("x", x);
  for (const char* name : {"s", "b", "m", "v"}) constant ? net.weights(name, {4}) : net.in(name, {4});
  return net.op("BatchNormalization", {"x", "s", "b", "m", "v"}, std::move(attributes));
}
inline Net pad(std::vector<std::int64_t> widths, bool value) {
  Net net = image();
  net.whole("p", std::move(widths)).weights("v", {});
  return net.op("Pad", value ? std::vector<std::string>{"x", "p", "v"} : std::vector<std::string>{"x", "p"});
}
inline Net resize(std::vector<float> scales, std::vector<onnx::Attribute> attributes, const Dims& x = kImage) {
  Net net;
  net.in("x", x).weights("roi", {0}).real("s", std::move(scales));
  attributes.push_back(attribute("nearest_mode", "floor"));
  return net.op("Resize", {"x", "roi", "s"}, std::move(attributes));
}
inline const std::vector<onnx::Attribute> kAsymmetric{attribute("coordinate_transformation_mode", "asymmetric")};
inline Net gemm(bool constant, const Dims& c, std::vector<onnx::Attribute> attributes = {}) {
  Net net;
  net.in("x", {2, 4}).weights("w", {4, 8});
  constant ? net.weights("c", c) : net.in("c", c);
  return net.op("Gemm", {"x", "w", "c"}, std::move(attributes));
}
inline Net transposed(std::vector<onnx::Attribute> attributes, bool constant = true) {
  return two("ConvTranspose", kImage, {4, 2, 3, 3}, constant, std::move(attributes));
}
inline const std::vector<onnx::Attribute> kEqualPads{attribute("pads", Dims{1, 1, 1, 1})};

}  // namespace anemone::plan::ort::test

#pragma once
// Lies about an ONNX model: operations, operands, attributes, types and tensors that disagree with each other, drawn by
// a seed from a model that was in order.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "anemone/formats/onnx/spec.h"

namespace anemone::test {

class OnnxLiar {
 public:
  OnnxLiar(formats::onnxspec::Model& model, std::uint64_t seed) : model_(&model), random_(seed) {}

  /// One lie. `op_types` are words to call an operation by.
  void lie(std::span<const std::string> op_types) {
    collect(model_->graph);
    for (auto& function : model_->functions) {
      for (auto& node : function.nodes) collect(node);
    }
    switch (below(10)) {
      case 0:
      case 1:
        return node(op_types);
      case 2:
      case 3:
        return operand();
      case 4:
      case 5:
        return attribute();
      case 6:
        return tensor();
      case 7:
        return content();
      case 8:
        return type();
      case 9:
        return opset();
    }
  }

 private:
  using Tensor = formats::onnxspec::Tensor;
  using Node = formats::onnxspec::Node;
  using Graph = formats::onnxspec::Graph;
  using Attribute = formats::onnxspec::Attribute;

  // ---- what there is ----

  void collect(Graph& graph) {
    graphs_.push_back(&graph);
    for (Tensor& tensor : graph.initializers) {
      tensors_.push_back(&tensor);
      names_.push_back(tensor.name);
    }
    for (auto* infos : {&graph.inputs, &graph.outputs, &graph.value_infos}) {
      for (auto& info : *infos) {
        if (info.type) types_.push_back(&*info.type);
        names_.push_back(info.name);
      }
    }
    for (Node& node : graph.nodes) collect(node);
  }
  void collect(Node& node) {
    nodes_.push_back(&node);
    names_.insert(names_.end(), node.outputs.begin(), node.outputs.end());
    for (Attribute& attribute : node.attributes) {
      attributes_.push_back(&attribute);
      if (auto* graphs = std::get_if<std::vector<Graph>>(&attribute.value)) {
        for (Graph& graph : *graphs) collect(graph);
      }
      if (auto* tensors = std::get_if<std::vector<Tensor>>(&attribute.value)) {
        for (Tensor& tensor : *tensors) tensors_.push_back(&tensor);
      }
    }
  }

  std::size_t below(std::size_t limit) { return limit < 2 ? 0 : random_() % limit; }
  bool heads() { return below(2) != 0; }
  std::int64_t number(std::int64_t was) {
    constexpr std::array<std::int64_t, 17> numbers{0,         1,         2,         3,         5,        16,
                                                   -1,        -2,        1000,      65537,     1 << 24,  INT32_MAX,
                                                   1LL << 33, 1LL << 62, INT64_MAX, INT64_MIN, INT32_MIN};
    const std::size_t at = below(numbers.size() + 4);
    return at < numbers.size() ? numbers[at] : heads() ? was / 2 + 1 : was / 2 - 1;
  }
  std::string any_name() { return names_.empty() || below(8) == 0 ? "nobody" : names_[below(names_.size())]; }

  // ---- lies ----

  void node(std::span<const std::string> op_types) {
    if (nodes_.empty()) return type();
    auto& list = graphs_[below(graphs_.size())]->nodes;
    switch (below(6)) {
      case 0:
      case 1:
      case 2:
        nodes_[below(nodes_.size())]->op_type = op_types[below(op_types.size())];
        break;
      case 3:
        if (!list.empty()) list.erase(list.begin() + static_cast<std::ptrdiff_t>(below(list.size())));
        break;
      case 4: {  // one more of the kind, behind it
        if (list.empty()) break;
        Node copy = list[below(list.size())];
        for (std::string& output : copy.outputs) output += output.empty() ? "" : "_again";
        for (std::string& input : copy.inputs) input = heads() ? any_name() : input;
        list.push_back(std::move(copy));
        break;
      }
      case 5:
        nodes_[below(nodes_.size())]->domain = heads() ? "com.microsoft" : "";
        break;
    }
  }
  void operand() {
    if (nodes_.empty()) return type();
    Node& node = *nodes_[below(nodes_.size())];
    auto& list = below(4) == 0 ? node.outputs : node.inputs;
    switch (below(5)) {
      case 0:
      case 1:
        if (!list.empty()) list[below(list.size())] = heads() ? any_name() : "";
        break;
      case 2:
        if (!list.empty()) list.pop_back();
        break;
      case 3:
        list.push_back(any_name());
        break;
      case 4:
        if (list.size() > 1) std::swap(list[below(list.size())], list[below(list.size())]);
        break;
    }
  }
  void attribute() {
    if (attributes_.empty()) return operand();
    Attribute& attribute = *attributes_[below(attributes_.size())];
    if (auto* integer = std::get_if<std::int64_t>(&attribute.value)) {
      *integer = number(*integer);
    } else if (auto* integers = std::get_if<std::vector<std::int64_t>>(&attribute.value)) {
      if (below(4) == 0) integers->resize(below(8), 1);
      if (!integers->empty()) {
        std::int64_t& one = (*integers)[below(integers->size())];
        one = number(one);
      }
    } else if (auto* real = std::get_if<float>(&attribute.value)) {
      *real = heads() ? static_cast<float>(number(1)) : std::bit_cast<float>(static_cast<std::uint32_t>(random_()));
    } else if (auto* text = std::get_if<std::string>(&attribute.value)) {
      constexpr std::array words{"", "linear", "nearest", "cubic", "SAME_UPPER", "VALID", "reflect", "edge", "bij,bjk"};
      *text = words[below(words.size())];
    } else if (Node& node = *nodes_[below(nodes_.size())]; !node.attributes.empty()) {
      node.attributes.pop_back();
    }
  }
  void tensor() {
    if (tensors_.empty()) return type();
    Tensor& tensor = *tensors_[below(tensors_.size())];
    if (tensor.dims.empty() || below(4) == 0) {
      tensor.dims.insert(tensor.dims.begin(), 1);
    } else {
      std::int64_t& extent = tensor.dims[below(tensor.dims.size())];
      extent = heads() ? std::max<std::int64_t>(number(extent), 0) & 63 : 1;
    }
    if (below(4) == 0) tensor.dtype = static_cast<formats::onnxspec::DataType>(1 + below(22));
    fill(tensor);
  }
  void content() {
    if (tensors_.empty()) return attribute();
    Tensor& tensor = *tensors_[below(tensors_.size())];
    std::vector<std::byte> data(tensor.data.view.begin(), tensor.data.view.end());
    const std::size_t width = std::max<std::size_t>(formats::onnxspec::bits_of(tensor.dtype) / 8, 1);
    if (data.size() < width) return;
    const std::size_t at = below(data.size() / width) * width;
    const auto bits = static_cast<std::uint64_t>(number(1));
    for (std::size_t i = 0; i < width; ++i) data[at + i] = static_cast<std::byte>(i < 8 ? bits >> (8 * i) : 0);
    tensor.data = Bytes::owned(std::move(data));
    fill(tensor);
  }
  void type() {
    if (types_.empty()) return opset();
    auto& type = *types_[below(types_.size())];
    if (below(5) == 0) {
      type.dtype = static_cast<formats::onnxspec::DataType>(1 + below(22));
    } else if (!type.shape || type.shape->empty()) {
      type.shape.emplace(below(7), formats::onnxspec::Dimension{2, {}, {}});
    } else if (below(4) == 0) {
      type.shape->pop_back();
    } else {
      auto& dimension = (*type.shape)[below(type.shape->size())];
      dimension.value = below(6) == 0 ? std::nullopt : std::optional(number(dimension.value.value_or(1)));
    }
  }
  void opset() {
    for (auto& import : model_->opset_imports) import.version = 1 + static_cast<std::int64_t>(below(25));
  }

  /// As many bytes as the type takes, where that can be held; zeros and ones for bool.
  static void fill(Tensor& tensor) {
    const auto count = formats::onnxspec::element_count(tensor.dims);
    if (!count || *count > 1 << 14) return;
    if (tensor.dtype == formats::onnxspec::DataType::string) {
      tensor.data = {};
      return tensor.strings.resize(static_cast<std::size_t>(*count), "word");
    }
    tensor.strings.clear();
    const auto size = formats::onnxspec::packed_size(tensor.dtype, *count);
    std::vector<std::byte> data(tensor.data.view.begin(), tensor.data.view.end());
    data.resize(static_cast<std::size_t>(size.value_or(0)), std::byte{1});
    if (tensor.dtype == formats::onnxspec::DataType::boolean) {
      for (std::byte& byte : data) byte &= std::byte{1};
    }
    tensor.data = Bytes::owned(std::move(data));
  }

  formats::onnxspec::Model* model_;
  std::mt19937_64 random_;
  std::vector<Graph*> graphs_;
  std::vector<Node*> nodes_;
  std::vector<Tensor*> tensors_;
  std::vector<Attribute*> attributes_;
  std::vector<formats::onnxspec::Type*> types_;
  std::vector<std::string> names_;
};

}  // namespace anemone::test

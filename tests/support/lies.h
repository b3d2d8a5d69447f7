#pragma once
// Lies about a Core ML model: types, extents, constants, parameters, names and interfaces that disagree with each other,
// drawn by a seed from a program that was in order. What comes out is written as any file is, so the readers see it the
// way they would see a hostile one. Some lies are harmless, which is part of the question.
#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anemone/formats/coreml/spec.h"
#include "tests/support/type_lies.h"

namespace anemone::test {

/// Tells lies about one model.
class Liar : TypeLiar {
 public:
  Liar(milspec::Model& model, std::uint64_t seed) : TypeLiar(seed), model_(model) {}

  /// One lie. `op_types` are words to call an operation by.
  void lie(std::span<const std::string> op_types) {
    collect();
    switch (below(16)) {
      case 0:
        return dtype(any_type());
      case 1:
        return extent(any_type());
      case 2:
        return rank(any_type());
      case 3:
        return kind(any_type());
      case 4:
        return content();
      case 5:
        return agreed_type();
      case 6:
        return parameter();
      case 7:
        return parameter();
      case 8:
        return operand();
      case 9:
        return operand();
      case 10:
        return operation(op_types);
      case 11:
        return output();
      case 12:
        return block();
      case 13:
        return feature();
      case 14:
        return function();
      case 15:
        return blob();
    }
  }

 private:
  using Value = milspec::Value;
  using ValueType = milspec::ValueType;

  // ---- what there is ----

  void collect() {
    types_.clear(), literals_.clear(), operations_.clear(), blocks_.clear(), names_.clear();
    for (auto& function : model_.program.functions) {
      for (auto& input : function.value.inputs) {
        types_.push_back(&input.type);
        names_.push_back(input.name);
      }
      for (auto& body : function.value.block_specializations) collect(body.value);
    }
  }
  void collect(milspec::Block& block) {
    blocks_.push_back(&block);
    for (auto& input : block.inputs) {
      types_.push_back(&input.type);
      names_.push_back(input.name);
    }
    for (milspec::Operation& operation : block.operations) {
      operations_.push_back(&operation);
      for (auto& input : operation.inputs) {
        for (milspec::Binding& binding : input.value) {
          if (binding.value) literals_.push_back(&*binding.value);
        }
      }
      for (auto& attribute : operation.attributes) {
        if (attribute.key != "name") literals_.push_back(&attribute.value);
      }
      for (auto& output : operation.outputs) {
        types_.push_back(&output.type);
        names_.push_back(output.name);
      }
      for (milspec::Block& inner : operation.blocks) collect(inner);
    }
  }
  ValueType& any_type() {
    if (types_.empty() || (!literals_.empty() && below(4) == 0)) {
      if (literals_.empty()) return spare_;
      return one_of(literals_)->type;
    }
    return *one_of(types_);
  }

  // ---- constants ----

  /// Other numbers in the same type.
  void content() {
    if (literals_.empty()) return extent(any_type());
    Value& value = *one_of(literals_);
    if (value.kind != Value::Kind::tensor) return;
    for (std::string& text : value.strings) {
      const std::array<const char*, 7> words{"", "same", "valid", "SAME", "nearest", "fp64", "\x1b[2J"};
      text = words[below(words.size())];
    }
    const std::size_t size = std::max<std::size_t>(milspec::bits_of(value.type.tensor.dtype) / 8, 1);
    std::vector<std::byte> data(value.data.view.begin(), value.data.view.end());
    for (std::size_t begin = heads() ? 0 : below(data.size()) / size * size; begin + size <= data.size();) {
      const std::uint64_t bits = heads() ? number(0) : number(0) << (8 * (size - 1));
      for (std::size_t i = 0; i < size; ++i) data[begin + i] = static_cast<std::byte>(i < 8 ? bits >> (8 * i) : 0);
      if (heads()) break;
      begin += size;
    }
    value.data = Bytes::owned(std::move(data));
  }
  /// A constant in another type, which it fits, and which its definition says too: only its users are surprised.
  void agreed_type() {
    if (literals_.empty()) return extent(any_type());
    Value& value = *one_of(literals_);
    if (value.kind != Value::Kind::tensor || value.type.kind != ValueType::Kind::tensor) return;
    const std::size_t what = below(3);
    what == 0 ? dtype(value.type) : what == 1 ? rank(value.type) : extent(value.type);
    fill(value);
    for (milspec::Operation* operation : operations_) {
      if (operation->type != "const" || operation->outputs.empty()) continue;
      for (auto& attribute : operation->attributes) {
        if (&attribute.value == &value) operation->outputs[0].type = value.type;
      }
    }
  }
  void blob() {
    for (Value* value : literals_) {
      if (value->kind != Value::Kind::blob || heads()) continue;
      value->blob.offset = heads() ? number(value->blob.offset) : value->blob.offset + 64;
      if (below(4) == 0) value->blob.file_name = heads() ? "@model_path/../../../etc/passwd" : "";
      return;
    }
    content();
  }

  // ---- operations ----

  milspec::Operation* with_inputs() {
    for (int tries = 0; tries < 20 && !operations_.empty(); ++tries) {
      milspec::Operation* operation = one_of(operations_);
      if (!operation->inputs.empty()) return operation;
    }
    return nullptr;
  }
  std::string any_name() { return names_.empty() || below(8) == 0 ? "nobody" : one_of(names_); }

  void parameter() {
    milspec::Operation* operation = with_inputs();
    if (!operation) return function();
    auto& inputs = operation->inputs;
    const std::size_t at = below(inputs.size());
    switch (below(4)) {
      case 0:
      case 1:
        inputs.erase(inputs.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 2: {
        const std::array<const char*, 8> words{"x", "y", "axes", "weight", "groups", "bias", "values", "nothing"};
        inputs[at].key = words[below(words.size())];
        break;
      }
      case 3: {
        auto extra = inputs[at];
        const std::array<const char*, 6> words{"y", "beta", "bias", "gamma", "axis", "indices"};
        extra.key = words[below(words.size())];
        if (std::none_of(inputs.begin(), inputs.end(), [&](const auto& e) { return e.key == extra.key; }))
          inputs.push_back(extra);
        break;
      }
    }
  }
  void operand() {
    milspec::Operation* operation = with_inputs();
    if (!operation) return function();
    auto& bindings = one_of(operation->inputs).value;
    switch (below(5)) {
      case 0:
      case 1:
        for (auto& binding : bindings) binding = {any_name(), {}};
        break;
      case 2:
        bindings.clear();
        break;
      case 3:
        bindings.push_back({any_name(), {}});
        break;
      case 4:
        if (!literals_.empty()) bindings.assign(1, {{}, *one_of(literals_)});
        break;
    }
  }
  void operation(std::span<const std::string> op_types) {
    if (blocks_.empty()) return function();
    milspec::Block& block = *one_of(blocks_);
    auto& operations = block.operations;
    if (operations.empty()) return function();
    const auto at = operations.begin() + static_cast<std::ptrdiff_t>(below(operations.size()));
    switch (below(5)) {
      case 0:
      case 1:
        at->type = op_types[below(op_types.size())];
        break;
      case 2:
        operations.erase(at);
        break;
      case 3:
        operations.insert(at, milspec::Operation(*at));
        break;
      case 4:
        std::iter_swap(at, operations.begin() + static_cast<std::ptrdiff_t>(below(operations.size())));
        break;
    }
  }
  void output() {
    if (operations_.empty()) return function();
    auto& outputs = one_of(operations_)->outputs;
    switch (below(4)) {
      case 0:
        if (!outputs.empty()) outputs.pop_back();
        break;
      case 1:
        if (!outputs.empty()) outputs.push_back({outputs[0].name + "_more", outputs[0].type});
        break;
      case 2:
        if (!outputs.empty()) outputs[below(outputs.size())].name = any_name();
        break;
      case 3:
        outputs.clear();
        break;
    }
  }
  void block() {
    if (blocks_.empty()) return function();
    milspec::Block& block = *one_of(blocks_);
    const std::size_t what = below(5);
    if (what == 0) block.outputs.push_back(any_name());
    if (what == 1 && !block.outputs.empty()) block.outputs.pop_back();
    if (what == 2 && !block.outputs.empty()) block.outputs[0] = any_name();
    if (what < 3 || operations_.empty()) return;
    for (milspec::Operation* operation : operations_) {
      if (operation->blocks.empty()) continue;
      if (what == 3) operation->blocks.pop_back();
      if (what == 4) operation->blocks.push_back(milspec::Block(operation->blocks[0]));
      return;
    }
    one_of(operations_)->blocks.emplace_back();
  }

  // ---- the function and its interface ----

  void function() {
    if (model_.program.functions.empty()) return;
    milspec::Function& function = one_of(model_.program.functions).value;
    auto& inputs = function.inputs;
    switch (below(5)) {
      case 0:
        if (!inputs.empty()) inputs.pop_back();
        break;
      case 1:
        if (!inputs.empty()) inputs.push_back({heads() ? inputs[0].name : "extra", inputs[0].type});
        break;
      case 2: {
        const std::string opset = "CoreML" + std::to_string(4 + below(6));
        for (auto& body : function.block_specializations) body.key = opset;
        function.opset = opset;
        break;
      }
      case 3:
        model_.specification_version = static_cast<std::int32_t>(number(7));
        break;
      case 4:
        model_.description.default_function_name = "elsewhere";
        break;
    }
  }
  void feature() {
    milspec::Interface& interface =
        model_.description.functions.empty() ? model_.description.interface : one_of(model_.description.functions).value;
    auto& features = heads() ? interface.inputs : interface.outputs;
    if (features.empty()) {
      interface.predicted_feature_name = any_name();
      return;
    }
    milspec::FeatureDescription& feature = one_of(features);
    switch (below(7)) {
      case 0:
        feature.name = any_name();
        return;
      case 1:
        features.push_back(feature);
        return;
      case 2:
        features.pop_back();
        return;
      case 3:
        feature.type.type = milspec::Int64Type{};
        return;
      case 4:
        feature.type.type = milspec::ImageType{static_cast<std::int64_t>(number(4)),
                                               static_cast<std::int64_t>(number(4)),
                                               heads() ? milspec::ColorSpace::bgr : milspec::ColorSpace::grayscale,
                                               {}};
        return;
      default:
        break;
    }
    auto* array = std::get_if<milspec::ArrayType>(&feature.type.type);
    if (!array) return;
    const auto extents = [&] {
      std::vector<std::int64_t> shape = array->shape;
      if (below(4) == 0) shape.push_back(1);
      if (!shape.empty()) one_of(shape) = static_cast<std::int64_t>(number(2));
      return shape;
    };
    if (heads()) array->shape = extents();
    if (heads()) array->dtype = heads() ? milspec::ArrayDataType::int32 : milspec::ArrayDataType::float64;
    if (heads()) array->flexibility = milspec::EnumeratedShapes{extents(), extents()};
    if (below(3) == 0) {
      milspec::ShapeRange range;
      for (std::size_t i = 0; i < array->shape.size(); ++i)
        range.push_back({number(1), static_cast<std::int64_t>(number(2))});
      array->flexibility = range;
    }
  }

  milspec::Model& model_;
  std::vector<ValueType*> types_;
  std::vector<Value*> literals_;
  std::vector<milspec::Operation*> operations_;
  std::vector<milspec::Block*> blocks_;
  std::vector<std::string> names_;
  ValueType spare_;
};

}  // namespace anemone::test

// Equal small constants become one; equal nodes become one.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/plan/ort/level1_passes.h"

namespace anemone::plan::ort {
namespace {

using onnx::DataType;

constexpr std::int64_t kMostShared = 8;  // elements

bool may_be_shared(const Tensor& tensor) {
  switch (tensor.dtype) {
    case DataType::float16:
    case DataType::float32:
    case DataType::float64:
    case DataType::int32:
    case DataType::int64:
      break;
    default:
      return false;
  }
  const auto count = formats::onnxspec::element_count(tensor.dims);
  return count && *count > 0 && *count <= kMostShared &&
         static_cast<std::int64_t>(tensor.data.size()) == formats::onnxspec::packed_size(tensor.dtype, *count);
}

std::string contents(const Tensor& tensor) {
  std::string key = fmt::format("{}:", static_cast<int>(tensor.dtype));
  for (const std::int64_t n : tensor.dims) key += fmt::format("{},", n);
  return key.append(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
}

/// Attributes of which ONNX Runtime can say that they are equal: tensors only where they are one element.
bool append(const onnx::Attribute& attribute, std::string& key) {
  key += '\n' + attribute.name + fmt::format("={}:", static_cast<int>(attribute.kind));
  const auto list = [&](const auto& values) {
    for (const auto& value : values) key += fmt::format("{},", value);
    return true;
  };
  if (const auto* tensors = std::get_if<std::vector<Tensor>>(&attribute.value)) {
    const bool one = tensors->size() == 1 && tensors->front().dims == std::vector<std::int64_t>{1};
    if (!one || !may_be_shared(tensors->front())) return false;
    const DataType dtype = tensors->front().dtype;
    if (dtype != DataType::float32 && dtype != DataType::float16 && dtype != DataType::int64) return false;
    key += contents(tensors->front());
    return true;
  }
  if (const auto* x = std::get_if<float>(&attribute.value)) return list(std::vector<float>{*x});
  if (const auto* x = std::get_if<std::int64_t>(&attribute.value)) return list(std::vector<std::int64_t>{*x});
  if (const auto* x = std::get_if<std::string>(&attribute.value)) return list(std::vector<std::string>{*x});
  if (const auto* x = std::get_if<std::vector<float>>(&attribute.value)) return list(*x);
  if (const auto* x = std::get_if<std::vector<std::int64_t>>(&attribute.value)) return list(*x);
  if (const auto* x = std::get_if<std::vector<std::string>>(&attribute.value)) return list(*x);
  return false;
}

/// What a node computes from which values; empty: like nothing else.
std::string expression(const Node& node) {
  if (!node.bodies.empty() || !is_deterministic(node) || node.op_type == "DequantizeLinear") return {};
  std::string key = node.domain + '.' + node.op_type;
  std::size_t inputs = node.input_count();
  while (inputs > 0 && !node.input(inputs - 1)) --inputs;
  for (std::size_t i = 0; i < inputs; ++i) key += fmt::format(" {}", static_cast<const void*>(node.input(i)));
  std::vector<const onnx::Attribute*> attributes;
  for (const onnx::Attribute& attribute : node.attributes) attributes.push_back(&attribute);
  std::sort(attributes.begin(), attributes.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  for (const onnx::Attribute* attribute : attributes) {
    if (!append(*attribute, key)) return {};
  }
  return key;
}

/// Readers of `value` read `with` instead; outputs of the graph stay.
bool give_readers(Value& value, Value& with) {
  std::vector<onnx::Use> uses;
  std::copy_if(value.uses().begin(), value.uses().end(), std::back_inserter(uses),
               [](const onnx::Use& use) { return use.node != nullptr; });
  for (const onnx::Use& use : uses) use.node->set_input(use.index, &with);
  return !uses.empty();
}

}  // namespace

bool share_constants(const Level1& level) {
  std::unordered_map<std::string, Value*> first;
  bool changed = false;
  for (const auto& value : level.graph().values()) {
    const Tensor* tensor = constant(level.model, value.get());
    if (!tensor || !may_be_shared(*tensor) || value->uses().empty()) continue;
    if (is_graph_output(*value) || is_captured(*value)) continue;
    const auto [entry, is_new] = first.emplace(contents(*tensor), value.get());
    if (is_new) continue;
    give_readers(*value, *entry->second);
    changed = true;
  }
  return changed;
}

bool eliminate_common_subexpressions(const Level1& level) {
  std::unordered_map<std::string, Node*> first;
  bool changed = false;
  Walk walk(level.graph());
  while (Node* node = walk.next()) {
    const std::string key = expression(*node);
    if (key.empty()) continue;
    const auto [entry, is_new] = first.emplace(key, node);
    if (is_new) continue;
    bool replaced = false;
    for (std::size_t i = 0; i < node->output_count(); ++i) {
      Value *mine = node->output(i), *other = entry->second->output(i);
      if (!mine || !other || is_graph_output(*mine)) continue;
      give_readers(*mine, *other);
      replaced = true;
    }
    changed |= replaced;
    if (replaced && edges_out(*node) == 0 && !gives_graph_output(*node)) walk.erase(*node);
  }
  return changed;
}

}  // namespace anemone::plan::ort

// Equal small constants become one; equal nodes become one.
#include <algorithm>
#include <span>
#include <string>
#include <type_traits>

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

/// Keys are compared, never shown: the bytes are enough.
template <class T>
void add(std::string& key, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  key.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void add(std::string& key, const std::string& text) {
  add(key, text.size());
  key += text;
}

std::string contents(const Tensor& tensor) {
  std::string key;
  add(key, tensor.dtype);
  add(key, tensor.dims.size());
  for (const std::int64_t n : tensor.dims) add(key, n);
  return key.append(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
}

/// Attributes of which ONNX Runtime can say that they are equal: tensors only where they are one element.
bool append(const onnx::Attribute& attribute, std::string& key) {
  add(key, attribute.name);
  add(key, attribute.kind);
  const auto list = [&](const auto& values) {
    add(key, values.size());
    for (const auto& value : values) add(key, value);
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
  if (const auto* x = std::get_if<float>(&attribute.value)) return list(std::span(x, 1));
  if (const auto* x = std::get_if<std::int64_t>(&attribute.value)) return list(std::span(x, 1));
  if (const auto* x = std::get_if<std::string>(&attribute.value)) return list(std::span(x, 1));
  if (const auto* x = std::get_if<std::vector<float>>(&attribute.value)) return list(*x);
  if (const auto* x = std::get_if<std::vector<std::int64_t>>(&attribute.value)) return list(*x);
  if (const auto* x = std::get_if<std::vector<std::string>>(&attribute.value)) return list(*x);
  return false;
}

/// What a node computes from which values, into `key`; false: like nothing else.
bool express(const Node& node, std::string& key) {
  key.clear();
  if (!node.bodies.empty() || !is_deterministic(node) || node.op_type == "DequantizeLinear") return false;
  add(key, node.domain);
  add(key, node.op_type);
  std::size_t inputs = node.input_count();
  while (inputs > 0 && !node.input(inputs - 1)) --inputs;
  add(key, inputs);
  for (std::size_t i = 0; i < inputs; ++i) add(key, static_cast<const void*>(node.input(i)));
  std::vector<const onnx::Attribute*> attributes;
  for (const onnx::Attribute& attribute : node.attributes) attributes.push_back(&attribute);
  std::sort(attributes.begin(), attributes.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  return std::all_of(attributes.begin(), attributes.end(), [&](const auto* each) { return append(*each, key); });
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
  std::unordered_map<std::size_t, Node*> first;  // by the hash of what it computes: the words themselves are large
  first.reserve(level.graph().nodes().size());
  bool changed = false;
  std::string key, other_key;
  Walk walk(level.graph());
  while (Node* node = walk.next()) {
    if (!express(*node, key)) continue;
    const auto [entry, is_new] = first.emplace(std::hash<std::string_view>{}(key), node);
    if (is_new || !express(*entry->second, other_key) || key != other_key) continue;
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

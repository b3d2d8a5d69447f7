// Interfaces and histograms as plain data.
#include "anemone/toolchain/summary.h"

#include <fmt/format.h>

#include "anemone/ir/op_def.h"

namespace anemone::toolchain {
namespace {

// The tables for people and machines call it as Core ML's own description does.
std::string kind_name(Feature::Kind kind) {
  return kind == Feature::Kind::float64 ? "double" : std::string(name(kind));
}

FeatureSummary summary_of(const Feature& f) {
  FeatureSummary s{f.name, kind_name(f.kind), {}, {}, f.shape, f.shapes, f.description};
  if (f.kind == Feature::Kind::array || f.kind == Feature::Kind::state) s.dtype = name(f.dtype);
  if (f.kind == Feature::Kind::image) {
    s.color = name(f.color);
    s.shape = {f.height, f.width};
    for (const auto& [width, height] : f.sizes) s.shapes.push_back({height, width});
  }
  return s;
}

FeatureSummary summary_of(const Value& value) {
  const Type& type = value.type.tensor_part();
  FeatureSummary s;
  s.name = value.name;
  s.kind = type.is_tensor() ? "array" : "other";
  if (type.is_tensor()) s.dtype = name(type.dtype);
  s.shape = type.dims;
  return s;
}

std::vector<FeatureSummary> summarise(const std::vector<Feature>& features, const std::vector<const Value*>& values) {
  std::vector<FeatureSummary> out;
  if (features.empty()) {
    for (const Value* value : values) out.push_back(summary_of(*value));
    return out;
  }
  for (const Feature& f : features) {
    FeatureSummary& s = out.emplace_back(summary_of(f));
    for (const Value* value : values) {
      const Type& type = value->type.tensor_part();
      if (s.shape.empty() && f.kind == Feature::Kind::array && value->name == f.name && type.is_tensor())
        s.shape = type.dims;
    }
  }
  return out;
}

}  // namespace

std::vector<FeatureSummary> summarise_inputs(const Function& function) {
  std::vector<const Value*> values;
  for (const auto& input : function.body.inputs) values.push_back(input.get());
  return summarise(function.interface.inputs, values);
}

std::vector<FeatureSummary> summarise_outputs(const Function& function) {
  const auto& outputs = function.body.outputs();
  return summarise(function.interface.outputs, {outputs.begin(), outputs.end()});
}

bool computes_in_half(const Function& function) {
  bool half = false;
  for_each_node(function.body, [&](const Node& node) {
    for (const auto& output : node.outputs) half = half || output->type.tensor_part().dtype == DType::fp16;
  });
  return half;
}

OpCounts count_ops(const Function& function) {
  OpCounts counts;
  for_each_node(function.body, [&](const Node& node) {
    if (is(node, kConstexpr)) return;
    ++counts.total;
    ++counts.by_type[node.type];
  });
  return counts;
}

std::string words(const std::map<std::string, Dims>& shapes) {
  std::string out;
  for (const auto& [name, dims] : shapes) out += fmt::format("{}'{}' {}", out.empty() ? "" : ", ", name, brief(dims));
  return out;
}

std::int64_t total_macs(const Function& function) {
  std::int64_t total = 0;
  for_each_node(function.body, [&](const Node& node) {
    if (node.def && node.def->macs) total += node.def->macs(node);
  });
  return total;
}

}  // namespace anemone::toolchain

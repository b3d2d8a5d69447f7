// Interfaces and histograms as plain data.
#include "anemone/toolchain/summary.h"

namespace anemone {
namespace {

std::string kind_name(Feature::Kind kind) {
  switch (kind) {
    case Feature::Kind::array:
      return "array";
    case Feature::Kind::image:
      return "image";
    case Feature::Kind::int64:
      return "int64";
    case Feature::Kind::float64:
      return "double";
    case Feature::Kind::string:
      return "string";
    case Feature::Kind::dictionary:
      return "dictionary";
    case Feature::Kind::sequence:
      return "sequence";
    case Feature::Kind::state:
      return "state";
  }
  return {};
}

}  // namespace

std::vector<FeatureSummary> summarise(const std::vector<Feature>& features) {
  std::vector<FeatureSummary> out;
  for (const Feature& f : features) {
    FeatureSummary s{f.name, kind_name(f.kind), {}, {}, f.shape, f.shapes, f.description};
    if (f.kind == Feature::Kind::array || f.kind == Feature::Kind::state) s.dtype = name(f.dtype);
    if (f.kind == Feature::Kind::image) {
      s.color = name(f.color);
      s.shape = {f.height, f.width};
      for (const auto& [width, height] : f.sizes) s.shapes.push_back({height, width});
    }
    out.push_back(std::move(s));
  }
  return out;
}

OpCounts count_ops(const Function& function) {
  OpCounts counts;
  for_each_node(function.body, [&](const Node& node) {
    if (node.type.starts_with("constexpr_")) return;
    ++counts.total;
    ++counts.by_type[node.type];
  });
  return counts;
}

}  // namespace anemone

#pragma once
// Plain descriptions of programs for reports: what goes in and out, and which operations there are.
#include <map>
#include <string>
#include <vector>

#include "anemone/ir/graph.h"

namespace anemone {

struct FeatureSummary {
  std::string name, kind;    ///< kind: "image", "array", "dictionary", …
  std::string dtype;         ///< arrays: "fp16"
  std::string color;         ///< images
  Dims shape;                ///< arrays: default shape; images: [height, width]
  std::vector<Dims> shapes;  ///< all, when there are several
  std::string description;
};
std::vector<FeatureSummary> summarise(const std::vector<Feature>& features);

struct OpCounts {
  std::int64_t total = 0;  ///< without `const` and `constexpr_*`, as Xcode counts; inner blocks included
  std::map<std::string, std::int64_t> by_type;
};
OpCounts count_ops(const Function& function);

}  // namespace anemone

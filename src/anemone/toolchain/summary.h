#pragma once
// Plain descriptions of programs for reports: what goes in and out, which operations there are, how much they compute.
#include <map>
#include <string>
#include <vector>

#include "anemone/ir/graph.h"

namespace anemone::toolchain {

struct FeatureSummary {
  std::string name, kind;    ///< kind: "image", "array", "dictionary", …
  std::string dtype;         ///< arrays: "fp16"
  std::string color;         ///< images
  Dims shape;                ///< arrays: default shape; images: [height, width]
  std::vector<Dims> shapes;  ///< all, when there are several
  std::string description;
};
/// Whether any operation makes fp16 values.
bool computes_in_half(const Function& function);

/// As the interface describes them; where it says no shape, or there is no interface (MIL text), as the program does.
std::vector<FeatureSummary> summarise_inputs(const Function& function);
std::vector<FeatureSummary> summarise_outputs(const Function& function);

struct OpCounts {
  std::int64_t total = 0;  ///< without `const` and `constexpr_*`, as Xcode counts; inner blocks included
  std::map<std::string, std::int64_t> by_type;
};
OpCounts count_ops(const Function& function);

/// "'x' [1,3,64,64], 'y' [2]": sizes that were chosen.
std::string words(const std::map<std::string, Dims>& shapes);

/// Multiply-accumulates of all nodes, inner blocks once.
std::int64_t total_macs(const Function& function);

}  // namespace anemone::toolchain

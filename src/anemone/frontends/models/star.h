#pragma once
// STAR facial landmarks (StackedHGNetV1): stacked hourglasses with coordinate channels and a centroid decoder.
#include "anemone/frontends/models/network.h"
#include "anemone/frontends/models/star_keys.h"

namespace anemone::models {

inline constexpr std::string_view kStarName = "star";

/// Default size 256×256. Any number of points, edges, stacks and channels that the tensors show.
/// BGR, from -1 to 1.
Preprocessing star_preprocessing();
Result<Network> build_star(const formats::StateDict& state, const NetworkOptions& options);

ModuleTree star_modules(const StarShape& shape);

}  // namespace anemone::models

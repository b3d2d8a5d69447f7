#pragma once
// The function attribute in which Apple's compiler keeps the shapes that the interface allows.
#include "anemone/ir/graph.h"

namespace anemone {

inline constexpr std::string_view kFlexibleShapes = "FlexibleShapeInformation";

/// Its content (DefaultShapes, RangeDims, EnumeratedShapes: by input name) goes to the inputs of the interface. False,
/// and nothing is changed, when it says something else than that.
bool apply_flexible_shapes(const Constant& attribute, Interface& interface);

}  // namespace anemone

// Bounds by type.
#include "anemone/passes/clamp.h"

#include <limits>

#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"

namespace anemone::passes {

std::optional<Clamp> clamp_of(const Node& node) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (node.type == "relu") return Clamp{node.input("x"), 0, kInfinity};
  if (node.type == "relu6") return Clamp{node.input("x"), 0, 6};
  if (node.type != "clip" || !have_payloads(node, {"alpha", "beta"})) return std::nullopt;
  const ConstantView view(node);
  return Clamp{node.input("x"), view.number("alpha"), view.number("beta")};
}

}  // namespace anemone::passes

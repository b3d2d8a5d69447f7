// Moves axes in fewer dimensions where some move together.
// before:  %a = reshape(x=%x, shape=[1, 2, 3, 4, 5, 6])   %b = transpose(x=%a, perm=[0, 2, 1, 3, 4, 5])   %y = reshape(%b, s)
// after:   %a = reshape(x=%x, shape=[2, 3, 120])          %b = transpose(x=%a, perm=[1, 0, 2])            %y = reshape(%b, s)
// only if: there are six dimensions or more, nobody else reads what lies between, and five are enough
// why:     the engine takes no more than five (ANE004)
#include <algorithm>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

constexpr std::size_t kMostDimensions = 5;

// The same movement with axes of 1 left out and axes that stay side by side made one.
struct Movement {
  Dims dims, perm;
};

Movement simplified(const Dims& dims, const Dims& perm) {
  std::vector<Dims> groups;  // in the order of the result, axes of x that move together
  for (const std::int64_t axis : perm) {
    if (dims[static_cast<std::size_t>(axis)] == 1) continue;
    std::int64_t before = axis - 1;
    while (before >= 0 && dims[static_cast<std::size_t>(before)] == 1) --before;
    if (!groups.empty() && before >= 0 && groups.back().back() == before)
      groups.back().push_back(axis);
    else
      groups.push_back({axis});
  }
  Movement out;
  out.perm.assign(groups.size(), 0);
  std::vector<std::pair<std::int64_t, std::size_t>> by_axis;
  for (std::size_t i = 0; i < groups.size(); ++i) by_axis.emplace_back(groups[i][0], i);
  std::sort(by_axis.begin(), by_axis.end());
  for (std::size_t place = 0; place < by_axis.size(); ++place) {
    std::int64_t extent = 1;
    for (const std::int64_t axis : groups[by_axis[place].second]) extent *= dims[static_cast<std::size_t>(axis)];
    out.dims.push_back(extent);
    out.perm[by_axis[place].second] = static_cast<std::int64_t>(place);
  }
  return out;
}

bool lower(Node& last, PassContext& context) {
  const Node* transpose = producer(last.input("x"), "transpose");
  const Node* first = transpose ? producer(transpose->input("x"), "reshape") : nullptr;
  if (!first || only_user(transpose->output()) != &last || only_user(first->output()) != transpose) return false;
  if (!same_block(*first, last) || !same_block(*transpose, last) || !payload(transpose->input("perm"))) return false;
  const Dims dims = first->output()->type.dims;  // the trial ends with the value
  if (!first->output()->type.is_fixed() || dims.size() <= kMostDimensions || !last.output()->type.is_fixed())
    return false;
  Dims perm = ConstantView(*transpose).ints("perm");
  for (std::int64_t& axis : perm) axis += axis < 0 ? static_cast<std::int64_t>(perm.size()) : 0;
  const Movement movement = simplified(dims, perm);
  if (movement.dims.empty() || movement.dims.size() > kMostDimensions) {
    context.remark(*transpose, "kept: no five dimensions say the same");
    return false;
  }
  Trial trial(last);
  Value* x = trial.builder().add("reshape", {{"x", first->input("x")}, {"shape", movement.dims}});
  x = trial.builder().add("transpose", {{"x", x}, {"perm", movement.perm}});
  trial.replace(*last.output(), *trial.builder().add("reshape", {{"x", x}, {"shape", last.output()->type.dims}}));
  if (!trial.keep()) return false;
  context.count("dimensions taken away", dims.size() - movement.dims.size());
  return true;
}

}  // namespace

Result<bool> expand_high_rank_reshape_and_transpose(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    if (node.type == "reshape") changed |= lower(node, context);
  }
  return changed;
}

}  // namespace anemone::passes

// Recognises pixel_shuffle and pixel_unshuffle that are written out.
// before:  %a = reshape(x=%x, shape=[N, C, r, r, H, W])   %b = transpose(x=%a, perm=[0, 1, 4, 2, 5, 3])
//          %y = reshape(x=%b, shape=[N, C, H·r, W·r])
// after:   %y = pixel_shuffle(x=%x, upscale_factor=r)
//          and reshape [N, C, H, r, W, r], transpose [0, 1, 3, 5, 2, 4], reshape: pixel_unshuffle
// only if: nobody else reads what lies between, and it is cheaper
// why:     six dimensions are one more than the engine takes (ANE004)
#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/made_for.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

Dims order_of(const Node& transpose) {
  Dims perm = payload(transpose.input("perm")) ? ConstantView(transpose).ints("perm") : Dims{};
  for (std::int64_t& axis : perm) axis += axis < 0 ? static_cast<std::int64_t>(perm.size()) : 0;
  return perm;
}

bool fuse(Node& last, PassContext& context) {
  const Node* transpose = made_for(last.input("x"), "transpose", last);
  const Node* first = transpose ? made_for(transpose->input("x"), "reshape", *transpose) : nullptr;
  if (!first || !first->input("x")->type.is_fixed() || first->input("x")->type.rank() != 4) return false;
  const Dims perm = order_of(*transpose), &from = first->input("x")->type.dims, &split = first->output()->type.dims,
             &to = last.output()->type.dims;
  Trial trial(last);
  Value* y = nullptr;
  if (perm == Dims{0, 1, 4, 2, 5, 3}) {
    const std::int64_t r = split[2];
    if (split != Dims{from[0], from[1] / (r * r), r, r, from[2], from[3]}) return false;
    if (to != Dims{from[0], split[1], from[2] * r, from[3] * r}) return false;
    y = trial.builder().add("pixel_shuffle", {{"x", first->input("x")}, {"upscale_factor", r}});
  } else if (perm == Dims{0, 1, 3, 5, 2, 4}) {
    const std::int64_t r = split[3];
    if (split != Dims{from[0], from[1], from[2] / r, r, from[3] / r, r}) return false;
    if (to != Dims{from[0], from[1] * r * r, split[2], split[4]}) return false;
    const ConstantPtr factor = make_scalar(DType::uint32, static_cast<double>(r));
    y = trial.builder().add("pixel_unshuffle", {{"x", first->input("x")}, {"downscale_factor", factor}});
  } else {
    return false;
  }
  trial.replace(*last.output(), *y);
  if (!trial.keep_if_cheaper(context.costs())) return false;
  context.count("shuffles recognised");
  return true;
}

}  // namespace

Result<bool> fuse_pixel_shuffle(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    if (node.type == "reshape" && node.output()->type.is_fixed()) changed |= fuse(node, context);
  }
  return changed;
}

}  // namespace anemone::passes

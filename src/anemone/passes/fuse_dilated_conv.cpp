// Makes a dilated convolution of one that TensorFlow wrote as a convolution of every second pixel, or every third.
// before:  %s = space_to_batch(x=%x, block_shape=[2, 2], paddings=p)   %c = conv(x=%s, weight=w)
//          %y = batch_to_space(x=%c, block_shape=[2, 2], crops=q)
// after:   %y = conv(x=%x, weight=w, dilations=[2, 2], pad=p - q)
// only if: the convolution has stride 1 and no padding or dilation of its own, nobody else reads what lies between, no more
//          is cropped than was padded, and it is cheaper
// why:     both ends are copies of the whole tensor, and the batch of the middle is one that the engine has no use for
#include <algorithm>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/all_are.h"
#include "anemone/passes/made_for.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/pointwise.h"

namespace anemone::passes {
namespace {

constexpr std::size_t kSpatial = 2;

bool fuse(Node& last, PassContext& context) {
  const Node* conv = made_for(last.input("x"), "conv", last);
  const Node* first = conv ? made_for(conv->input("x"), "space_to_batch", *conv) : nullptr;
  if (!first || !have_payloads(*first, {"block_shape", "paddings"}) || !have_payloads(last, {"block_shape", "crops"}))
    return false;
  const Dims block = ConstantView(*first).ints("block_shape"), crops = ConstantView(last).ints("crops");
  Dims pad = ConstantView(*first).ints("paddings");
  const ConstantView how(*conv);
  if (block != ConstantView(last).ints("block_shape") || block.size() != kSpatial || pad.size() != crops.size())
    return false;
  if (!is_unpadded(*conv) || !all_are(how.ints("strides", kSpatial), 1) || !all_are(how.ints("dilations", kSpatial), 1))
    return false;
  for (std::size_t i = 0; i < pad.size(); ++i) pad[i] -= crops[i];
  if (std::any_of(pad.begin(), pad.end(), [](std::int64_t p) { return p < 0; })) {
    context.remark(last, "kept: it crops more than was padded");
    return false;
  }
  Trial trial(last);
  trial.replace(*last.output(),
                *trial.builder().add_like(
                    *conv, {{"x", first->input("x")}, {"dilations", block}, {"pad_type", "custom"}, {"pad", pad}}));
  if (!trial.keep_if_cheaper(context.costs())) return false;
  context.count("dilations recognised");
  return true;
}

}  // namespace

Result<bool> fuse_dilated_conv(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    if (node.type == "batch_to_space") changed |= fuse(node, context);
  }
  return changed;
}

}  // namespace anemone::passes

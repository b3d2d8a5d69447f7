// Lets a convolution or average pool do the padding before it.
// before:  %p = pad(x=%x, pad=[0,0, 0,0, 1,1, 2,2], mode="constant", constant_val=0)   %y = conv(x=%p, pad_type="valid")
// after:   %y = conv(x=%x, pad_type="custom", pad=[1,1, 2,2])
// only if: the margins are zeros, stand at spatial dimensions, and nobody else reads %p; a pool must count its padding
//          (an average pool that excludes it would divide by less, and a max pool pads with minus infinity)
// why:     one operation and one copy of the tensor less; frontends write asymmetric padding as an operation of its own
#include <algorithm>

#include "anemone/ir/builder.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {

Result<bool> fuse_pad_conv(Block& block, PassContext& context) {
  bool changed = false;
  for (Node& node : block.nodes) {
    const ConstantView view(node);
    const bool pools = node.type == "avg_pool" && !view.flag("exclude_padding_from_average") && !view.flag("ceil_mode");
    if (node.type != "conv" && !pools) continue;
    Node* pad = producer(node.input("x"), "pad");
    if (!pad || only_user(pad->output()) != &node || !have_payloads(*pad, {"pad", "constant_val"})) continue;
    if (!pad->output()->type.ranked) continue;
    const ConstantView margin(*pad);
    const auto spatial = static_cast<std::size_t>(node.input("x")->type.rank() - 2);
    const std::string type = view.text("pad_type");
    if (margin.text("mode") != "constant" || margin.number("constant_val") != 0 ||
        (type != "valid" && type != "custom"))
      continue;
    Dims outer = margin.ints("pad"), inner = type == "custom" ? view.ints("pad", 2 * spatial) : Dims(2 * spatial, 0);
    outer.insert(outer.begin(), 2 * (spatial + 2) - outer.size(), 0);  // it names the last dimensions only
    if (std::any_of(outer.begin(), outer.begin() + 4, [](std::int64_t n) { return n != 0; })) {
      context.remark(node, "kept: the padding is not spatial alone");
      continue;
    }
    for (std::size_t i = 0; i < inner.size(); ++i) inner[i] += outer[i + 4];
    Builder(node).bind(node, {{"pad_type", "custom"}, {"pad", inner}, {"x", pad->input("x")}});
    pad->block().erase(*pad);
    context.count("paddings fused");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes

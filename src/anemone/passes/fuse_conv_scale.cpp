// Folds constants that scale or shift each channel into the convolution before them.
// before:  %y = conv(x, W, b)   %z = mul(x=%y, y=k)          (add, sub, real_div likewise; k: a number, or one a channel)
// after:   %z = conv(x, W·k, b·k)
// only if: the weights are plain constants and nobody else reads %y
// why:     one operation and one rounding less; exporters write a bias or a folded batch norm as arithmetic
#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/conv_affine.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

// One number a channel from a constant that broadcasts over [N, C, …]; nothing when it differs along another axis.
std::optional<std::vector<double>> by_channel(const Value* value, std::int64_t channels, std::int64_t rank) {
  const Constant* constant = payload(value);
  if (!constant || !constant->type.is_tensor() || !is_float(constant->type.dtype) || constant->type.rank() > rank)
    return std::nullopt;
  const std::int64_t channel_axis = constant->type.rank() - (rank - 1);  // of the constant; axis 1 of the result
  for (std::int64_t axis = 0; axis < constant->type.rank(); ++axis) {
    if (axis != channel_axis && constant->type.dims[static_cast<std::size_t>(axis)] != 1) return std::nullopt;
  }
  std::vector<double> values = to_doubles(*constant);
  if (values.size() == 1) values.resize(static_cast<std::size_t>(channels), values[0]);
  return values.size() == static_cast<std::size_t>(channels) ? std::optional(values) : std::nullopt;
}

// y ∘ k as y·scale + shift; k ∘ y where the constant is on the left.
std::optional<Affine> affine_of(std::string_view type, const std::vector<double>& k, bool constant_left) {
  Affine a{std::vector<double>(k.size(), 1), std::vector<double>(k.size(), 0)};
  for (std::size_t c = 0; c < k.size(); ++c) {
    if (type == "mul") a.scale[c] = k[c];
    if (type == "add" || type == "sub") a.shift[c] = type == "sub" && !constant_left ? -k[c] : k[c];
    if (type == "sub" && constant_left) a.scale[c] = -1;
    if (type == "real_div") a.scale[c] = 1 / k[c];
    if (type == "real_div" && (constant_left || k[c] == 0)) return std::nullopt;
  }
  return a;
}

}  // namespace

Result<bool> fuse_conv_scale(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    if (node.type != "mul" && node.type != "add" && node.type != "sub" && node.type != "real_div") continue;
    const bool constant_left = node.constant("x") != nullptr;
    Value* y = node.input(constant_left ? "y" : "x");
    std::string why;
    Node* conv = foldable_conv(y, node, why);
    if (!conv || y->type != node.output()->type) continue;
    const std::int64_t channels = channels_of(*conv);
    const auto k = by_channel(node.input(constant_left ? "x" : "y"), channels, y->type.rank());
    const auto affine = k ? affine_of(node.type, *k, constant_left) : std::nullopt;
    if (!affine) continue;
    fold_into_conv(*conv, *affine, node);
    context.count("scales and shifts folded");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes

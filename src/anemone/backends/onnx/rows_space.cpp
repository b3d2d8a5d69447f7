// Moves between space, depth and batch.
#include <algorithm>
#include <array>

#include "anemone/backends/onnx/rows.h"

namespace anemone::onnx::exporting {
namespace {

Diagnostic unknown(const Emit& e) {
  return e.refuse("an extent of x is not known", "give the input a size with --shapes");
}

Result<void> depth_to_space(Emit& e) {
  return e.give("DepthToSpace", {e.in("x")},
                {attr("blocksize", e.integer("block_size")), attr("mode", std::string("DCR"))});
}
Result<void> pixel_shuffle(Emit& e) {
  return e.give("DepthToSpace", {e.in("x")},
                {attr("blocksize", e.integer("upscale_factor")), attr("mode", std::string("CRD"))});
}
Result<void> space_to_depth(Emit& e) {
  return e.give("SpaceToDepth", {e.in("x")}, {attr("blocksize", e.integer("block_size"))});
}

// SpaceToDepth puts the block first; here the channel is.
Result<void> pixel_unshuffle(Emit& e) {
  if (!e.type("x").is_fixed()) return unknown(e);
  const Dims& x = e.dims("x");
  const std::int64_t b = e.integer("downscale_factor");
  Value* blocks = e.reshape(e.in("x"), {x[0], x[1], x[2] / b, b, x[3] / b, b});
  return e.give("Reshape", {e.transpose(blocks, {0, 1, 3, 5, 2, 4}), e.int64s(e.out_type().dims)});
}

Result<void> space_to_batch(Emit& e) {
  if (!e.type("x").is_fixed()) return unknown(e);
  const Dims block = e.ints("block_shape"), m = e.ints("paddings"), &x = e.dims("x");
  Value* value = e.in("x");
  if (std::any_of(m.begin(), m.end(), [](std::int64_t margin) { return margin != 0; }))
    value = e.make("Pad", {value, e.int64s({0, 0, m[0], m[2], 0, 0, m[1], m[3]}), e.literal(0)});
  const std::int64_t height = x[2] + m[0] + m[1], width = x[3] + m[2] + m[3];
  value = e.reshape(value, {x[0], x[1], height / block[0], block[0], width / block[1], block[1]});
  return e.give("Reshape", {e.transpose(value, {3, 5, 0, 1, 2, 4}), e.int64s(e.out_type().dims)});
}

Result<void> batch_to_space(Emit& e) {
  if (!e.type("x").is_fixed()) return unknown(e);
  const Dims block = e.ints("block_shape"), m = e.ints("crops"), &x = e.dims("x");
  const std::int64_t batch = x[0] / (block[0] * block[1]), height = x[2] * block[0], width = x[3] * block[1];
  Value* value = e.reshape(e.in("x"), {block[0], block[1], batch, x[1], x[2], x[3]});
  value = e.transpose(value, {2, 3, 4, 0, 5, 1});
  const Call whole{"Reshape", {value, e.int64s({batch, x[1], height, width})}, {}};
  if (std::all_of(m.begin(), m.end(), [](std::int64_t margin) { return margin == 0; })) return e.give(whole);
  return e.give("Slice",
                {e.make(whole), e.int64s({m[0], m[2]}), e.int64s({height - m[1], width - m[3]}), e.int64s({2, 3})});
}

constexpr std::array kRows = {
    RaiseRow{"depth_to_space", depth_to_space, "DepthToSpace"},
    RaiseRow{"space_to_depth", space_to_depth, "SpaceToDepth"},
    RaiseRow{"pixel_shuffle", pixel_shuffle, "DepthToSpace"},
    RaiseRow{"pixel_unshuffle", pixel_unshuffle, "Reshape, Transpose"},
    RaiseRow{"space_to_batch", space_to_batch, "Pad, Reshape, Transpose"},
    RaiseRow{"batch_to_space", batch_to_space, "Reshape, Transpose, Slice"},
};

}  // namespace

std::span<const RaiseRow> raise_space() { return kRows; }

}  // namespace anemone::onnx::exporting

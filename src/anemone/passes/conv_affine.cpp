// Output channels are axis 0 of the weight of conv, and per group axis 1 of that of conv_transpose.
#include "anemone/passes/conv_affine.h"

#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"

namespace anemone::passes {
namespace {

bool is_plain(const Value* value) { return payload(value) && is_float(value->type.dtype); }

// The weight with every output channel multiplied by its scale. Output channels are axis 0 of conv's weight
// [Cout, Cin/groups, …] and, per group, axis 1 of conv_transpose's [Cin, Cout/groups, …].
ConstantPtr scaled_weight(const Constant& weight, const std::vector<double>& scale, bool transposed,
                          std::int64_t groups) {
  std::vector<float> values = to_floats(weight);
  const Dims& dims = weight.type.dims;
  const std::int64_t inner = *element_count(std::span(dims).subspan(2));
  for (std::int64_t i = 0; i < dims[0]; ++i) {
    const std::int64_t group = transposed ? i / (dims[0] / groups) : 0;
    for (std::int64_t j = 0; j < dims[1]; ++j) {
      const double k = scale[static_cast<std::size_t>(transposed ? group * dims[1] + j : i)];
      float* at = values.data() + (i * dims[1] + j) * inner;
      for (std::int64_t e = 0; e < inner; ++e) at[e] = static_cast<float>(at[e] * k);
    }
  }
  return make_constant(weight.type.dtype, dims, std::span<const float>(values));
}

}  // namespace

Node* foldable_conv(Value* value, const Node& reader, std::string& why) {
  Node* conv = producer(value, kConvolution);
  if (!conv || !same_block(*conv, reader)) return nullptr;
  const Value* weight = conv->input("weight");
  const Value* bias = conv->input("bias");
  if (!value->has_single_use()) {
    why = "the convolution has other users";
  } else if (!is_plain(weight) || (bias && !is_plain(bias)) || channels_of(*conv) < 1) {
    why = "the convolution's weights are not plain constants";
  }
  return why.empty() ? conv : nullptr;
}

std::int64_t channels_of(const Node& conv) {
  const Dims& dims = conv.output()->type.dims;
  return dims.size() < 2 ? -1 : dims[1];
}

void fold_into_conv(Node& conv, const Affine& affine, Node& after) {
  Block& block = conv.block();
  Function& function = block.function();
  const Value* weight = conv.input("weight");
  std::vector<double> shift = affine.shift;
  if (const Constant* bias = conv.constant("bias")) {
    const std::vector<double> old = to_doubles(*bias);
    for (std::size_t c = 0; c < shift.size(); ++c) shift[c] += old[c] * affine.scale[c];
  }
  const DType dtype = weight->type.dtype;
  const auto channels = static_cast<std::int64_t>(shift.size());
  const std::int64_t groups = ConstantView(conv).integer("groups");
  conv.set("weight",
           block.add_constant(function.unique_name(weight->name + "_folded"),
                              scaled_weight(*weight->constant, affine.scale, conv.type == "conv_transpose", groups)));
  conv.set("bias", block.add_constant(function.unique_name(after.output()->name + "_bias"),
                                      make_constant(dtype, {channels}, std::span<const double>(shift))));
  replace_with(after, *conv.output());  // the result keeps the name that people look for
}

}  // namespace anemone::passes

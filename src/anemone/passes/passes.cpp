// The list of passes and the pipelines, with the reason for each order.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

constexpr std::array kPasses{
    Pass{"add_fp16_cast", "computes in fp16, with casts at the boundary only", Numerics::lossy, add_fp16_cast},
    Pass{"cast_optimization", "makes one cast of two where nothing is lost between them", Numerics::exact,
         cast_optimization},
    Pass{"compose_pointwise_convs", "multiplies the matrices of 1x1 convolutions that follow each other, where cheaper",
         Numerics::rounding, compose_pointwise_convs},
    Pass{"const_deduplication", "gives equal constants one definition", Numerics::exact, const_deduplication},
    Pass{"const_elimination", "computes what is known at compile time", Numerics::rounding, const_elimination,
         kFoldingOptions},
    Pass{"dead_code_elimination", "removes what no output needs", Numerics::exact, dead_code_elimination},
    Pass{"expand_high_rank_reshape_and_transpose", "moves axes in five dimensions or fewer, where some move together",
         Numerics::exact, expand_high_rank_reshape_and_transpose},
    Pass{"fold_bounded_comparisons", "answers comparisons that the bounds of their operands decide", Numerics::exact,
         fold_bounded_comparisons},
    Pass{"fuse_batchnorm_conv", "folds a batch norm into the convolution after it, also through a relu, where cheaper",
         Numerics::rounding, fuse_batchnorm_conv},
    Pass{"fuse_conv_batchnorm", "folds a batch norm into the convolution before it", Numerics::rounding,
         fuse_conv_batchnorm},
    Pass{"fuse_conv_scale", "folds scales and shifts of channels into the convolution before them", Numerics::rounding,
         fuse_conv_scale},
    Pass{"fuse_dilated_conv", "makes a dilated convolution of one between space_to_batch and batch_to_space",
         Numerics::rounding, fuse_dilated_conv},
    Pass{"fuse_elementwise_to_batchnorm", "makes a batch norm of scales and shifts of channels, where cheaper",
         Numerics::rounding, fuse_elementwise_to_batchnorm},
    Pass{"fuse_gated_activations", "recognises silu, gelu and hard swish that are written out", Numerics::rounding,
         fuse_gated_activations},
    Pass{"fuse_l2_norm", "recognises divisions by a Euclidean norm that are written out", Numerics::rounding,
         fuse_l2_norm},
    Pass{"fuse_layernorm_or_instancenorm", "recognises normalisations that are written out", Numerics::rounding,
         fuse_layernorm_or_instancenorm},
    Pass{"fuse_leaky_relu", "recognises leaky_relu and prelu that are written out, where cheaper", Numerics::rounding,
         fuse_leaky_relu},
    Pass{"fuse_linear_bias", "takes what is added after a linear or a matrix product into a bias", Numerics::rounding,
         fuse_linear_bias},
    Pass{"fuse_pad_conv", "lets a convolution or average pool do the zero padding before it", Numerics::rounding,
         fuse_pad_conv},
    Pass{"fuse_pixel_shuffle", "recognises pixel shuffles that are written out, where cheaper", Numerics::exact,
         fuse_pixel_shuffle},
    Pass{"fuse_reduce_mean", "recognises a mean that is written as a sum and a division", Numerics::rounding,
         fuse_reduce_mean},
    Pass{"fuse_soft_argmax", "makes one matrix product and one division of the centre of a map, where cheaper",
         Numerics::rounding, fuse_soft_argmax},
    Pass{"fuse_softplus", "recognises softplus that is written out, where cheaper", Numerics::rounding, fuse_softplus},
    Pass{"fuse_stack_split", "undoes joining and taking apart that cancel", Numerics::exact, fuse_stack_split},
    Pass{"fuse_transpose_matmul", "lets a matrix product turn its operands itself", Numerics::exact,
         fuse_transpose_matmul},
    Pass{"fuse_weighted_sums", "makes one matrix product of plain and weighted sums over a map, where cheaper",
         Numerics::rounding, fuse_weighted_sums},
    Pass{"merge_clamps", "makes one clamp of several, and a relu of a clip that only bounds below", Numerics::exact,
         merge_clamps},
    Pass{"merge_consecutive_paddings", "makes one padding of two", Numerics::exact, merge_consecutive_paddings},
    Pass{"merge_consecutive_reshapes", "makes one reshape of a chain of views", Numerics::exact,
         merge_consecutive_reshapes},
    Pass{"merge_consecutive_transposes", "makes one transpose of two, or none", Numerics::exact,
         merge_consecutive_transposes},
    Pass{"merge_numbers", "makes one sum or product with a number of two", Numerics::rounding, merge_numbers},
    Pass{"merge_summed_convs", "makes one convolution of several whose results are summed, where that is cheaper",
         Numerics::rounding, merge_summed_convs},
    Pass{"move_refused_last", "puts last what the engine refuses and nothing else needs", Numerics::exact,
         move_refused_last},
    Pass{"noop_elimination", "removes operations whose result is their operand", Numerics::exact, noop_elimination},
    Pass{"raise_division_floor", "raises a floor that guards a division to fp16's normal range", Numerics::lossy,
         raise_division_floor},
    Pass{"reduce_transposes", "moves transposes behind operations that work element by element", Numerics::exact,
         reduce_transposes},
    Pass{"remove_redundant_ops", "computes once what is computed twice", Numerics::exact, remove_redundant_ops},
    Pass{"round_conv_weights", "rounds weights of convolutions to fp16 so that their errors cancel", Numerics::lossy,
         round_conv_weights},
    Pass{"scale_norm_epsilon", "lifts a norm's epsilon into fp16's normal range by scaling the convolution before it",
         Numerics::rounding, scale_norm_epsilon},
    Pass{"select_optimization", "takes the branch of a select that is known, and its condition without a detour",
         Numerics::exact, select_optimization},
    Pass{"simplify_comparisons", "compares with what was there before it was clamped or widened", Numerics::exact,
         simplify_comparisons},
    Pass{"simplify_gathers", "makes slices of gathers whose indices are known and evenly spaced", Numerics::exact,
         simplify_gathers},
    Pass{"simplify_slices_and_joins", "takes apart and puts together no more than needed", Numerics::exact,
         simplify_slices_and_joins},
    Pass{"split_over_concat", "does to the parts of a concatenation what is refused as a whole", Numerics::exact,
         split_over_concat},
    Pass{"write_gates_in_arithmetic", "writes comparisons and select in arithmetic, for targets without bool tensors",
         Numerics::exact, write_gates_in_arithmetic},
};

struct Pipeline {
  std::string_view name;
  std::vector<std::string_view> passes;
};

// What every network profits from, before it is decided what it computes in. Patterns come after what makes them alike.
const std::vector<std::string_view> kGeneral{
    "dead_code_elimination",  // first: what follows need not look at what nobody asked for
    "const_elimination",      // before the fusions, which want plain constants
    "cast_optimization",
    "noop_elimination",
    "fold_bounded_comparisons",  // while the clamps that bound are there
    "simplify_comparisons",
    "select_optimization",   // by what is known now
    "remove_redundant_ops",  // patterns are found without twins
    "simplify_gathers",      // of which slices are made
    "fuse_stack_split",
    "simplify_slices_and_joins",
    "merge_clamps",
    "fuse_pixel_shuffle",                      // before its transpose is moved away
    "expand_high_rank_reshape_and_transpose",  // what is no pixel shuffle
    "merge_consecutive_transposes",            // what stands side by side already
    "reduce_transposes",
    "merge_consecutive_transposes",  // what has met by now
    "fuse_transpose_matmul",
    "merge_consecutive_reshapes",
    "fuse_reduce_mean",  // of which norms are made
    "fuse_layernorm_or_instancenorm",
    "fuse_l2_norm",
    "fuse_gated_activations",
    "fuse_softplus",
    "fuse_leaky_relu",
    "fuse_soft_argmax",
    "fuse_weighted_sums",  // what is no centre of a map
    "fuse_dilated_conv",
    "merge_consecutive_paddings",
    "fuse_pad_conv",
    "fuse_conv_batchnorm",
    "fuse_conv_scale",
    "fuse_linear_bias",
    "merge_numbers",  // what nobody took
};

// After the general ones where the dtypes stay.
const std::vector<std::string_view> kPlain{"const_deduplication", "dead_code_elimination"};

// After them for fp16 elsewhere: what only the engine prices is left out.
const std::vector<std::string_view> kHalf{"scale_norm_epsilon",    "raise_division_floor", "round_conv_weights",
                                          "add_fp16_cast",         "cast_optimization",    "noop_elimination",
                                          "dead_code_elimination", "const_deduplication"};

// After the general ones for the Neural Engine: fp16, and few passes over memory.
const std::vector<std::string_view> kEngine{
    "fuse_elementwise_to_batchnorm",  // what no convolution took
    "fuse_batchnorm_conv",            // weights are rounded once, so before the cast
    "merge_summed_convs",
    "compose_pointwise_convs",  // of weights that are not rounded yet
    "scale_norm_epsilon",       // what fp16 cannot hold is lifted before it is rounded
    "raise_division_floor",
    "round_conv_weights",
    "add_fp16_cast",
    "cast_optimization",  // an image that was scaled before it was cast is cast twice now
    "noop_elimination",
    "merge_summed_convs",  // once more: half the bytes, and a concat pays where it did not
    "compose_pointwise_convs",
    "split_over_concat",
    "dead_code_elimination",  // drops the fp32 constants before they are compared
    "const_deduplication",
    "move_refused_last",
};

std::vector<std::string_view> general_and(const std::vector<std::string_view>& more) {
  std::vector<std::string_view> all = kGeneral;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

const std::vector<Pipeline>& pipelines() {
  static const std::vector<Pipeline> kPipelines{
      {"none", {}},
      {"default-fp32", general_and(kPlain)},
      {"default-fp16", general_and(kEngine)},
      {"ane", general_and(kEngine)},
      {"ort", general_and(kPlain)},  // in which it hands a graph to Core ML
      {"ort-fp16", general_and(kHalf)},
  };
  return kPipelines;
}

}  // namespace

std::string_view name(Numerics numerics) {
  switch (numerics) {
    case Numerics::exact:
      return "exact";
    case Numerics::rounding:
      return "rounding";
    case Numerics::lossy:
      return "lossy";
  }
  return {};
}

double PassContext::option(std::string_view wanted) const {
  for (const PassOption& option : pass_ ? pass_->options : std::span<const PassOption>()) {
    if (option.name != wanted) continue;
    const auto given = settings_->options.find(fmt::format("{}.{}", pass_->name, wanted));
    return given == settings_->options.end() ? option.fallback : given->second;
  }
  return 0;
}

double PassContext::cost(const Node& node) const {
  if (settings_ && settings_->cost) return settings_->cost(node);
  double elements = 0;
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values)
      elements += static_cast<double>(element_count(value->type.dims).value_or(0));
  }
  for (const auto& output : node.outputs) elements += static_cast<double>(element_count(output->type.dims).value_or(0));
  return elements + (node.def && node.def->macs ? static_cast<double>(node.def->macs(node)) : 0);
}

std::span<const Pass> all_passes() { return kPasses; }

const Pass* find_pass(std::string_view wanted) {
  const auto found =
      std::find_if(kPasses.begin(), kPasses.end(), [&](const Pass& pass) { return pass.name == wanted; });
  return found == kPasses.end() ? nullptr : &*found;
}

std::optional<std::vector<std::string_view>> pipeline(std::string_view wanted) {
  for (const Pipeline& p : pipelines()) {
    if (p.name == wanted) return p.passes;
  }
  return std::nullopt;
}

std::vector<std::string_view> pipeline_names() {
  std::vector<std::string_view> names;
  for (const Pipeline& p : pipelines()) names.push_back(p.name);
  return names;
}

}  // namespace anemone::passes

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
    Pass{"const_deduplication", "gives equal constants one definition", Numerics::exact, const_deduplication},
    Pass{"const_elimination", "computes what is known at compile time", Numerics::rounding, const_elimination,
         kFoldingOptions},
    Pass{"dead_code_elimination", "removes what no output needs", Numerics::exact, dead_code_elimination},
    Pass{"fuse_conv_batchnorm", "folds a batch norm into the convolution before it", Numerics::rounding,
         fuse_conv_batchnorm},
    Pass{"fuse_conv_scale", "folds scales and shifts of channels into the convolution before them", Numerics::rounding,
         fuse_conv_scale},
    Pass{"fuse_gated_activations", "recognises silu, gelu and hard swish that are written out", Numerics::rounding,
         fuse_gated_activations},
    Pass{"fuse_layernorm_or_instancenorm", "recognises normalisations that are written out", Numerics::rounding,
         fuse_layernorm_or_instancenorm},
    Pass{"fuse_pad_conv", "lets a convolution or average pool do the zero padding before it", Numerics::rounding,
         fuse_pad_conv},
    Pass{"merge_consecutive_reshapes", "makes one reshape of a chain of views", Numerics::exact,
         merge_consecutive_reshapes},
    Pass{"merge_consecutive_transposes", "makes one transpose of two, or none", Numerics::exact,
         merge_consecutive_transposes},
    Pass{"merge_summed_convs", "makes one convolution of several whose results are summed, where that is cheaper",
         Numerics::rounding, merge_summed_convs},
    Pass{"noop_elimination", "removes operations whose result is their operand", Numerics::exact, noop_elimination},
    Pass{"raise_division_floor", "raises a floor that guards a division to fp16's normal range", Numerics::lossy,
         raise_division_floor},
    Pass{"reduce_transposes", "moves transposes behind operations that work element by element", Numerics::exact,
         reduce_transposes},
    Pass{"remove_redundant_ops", "computes once what is computed twice", Numerics::exact, remove_redundant_ops},
    Pass{"scale_norm_epsilon", "lifts a norm's epsilon into fp16's normal range by scaling the convolution before it",
         Numerics::rounding, scale_norm_epsilon},
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
    "remove_redundant_ops",          // patterns are found without twins
    "merge_consecutive_transposes",  // what stands side by side already
    "reduce_transposes",
    "merge_consecutive_transposes",  // what has met by now
    "merge_consecutive_reshapes",
    "fuse_layernorm_or_instancenorm",
    "fuse_gated_activations",
    "fuse_pad_conv",
    "fuse_conv_batchnorm",
    "fuse_conv_scale",
};

std::vector<std::string_view> general_and(std::initializer_list<std::string_view> more) {
  std::vector<std::string_view> all = kGeneral;
  all.insert(all.end(), more);
  return all;
}

const std::vector<Pipeline>& pipelines() {
  static const std::vector<Pipeline> kPipelines{
      {"none", {}},
      {"default-fp32", general_and({"const_deduplication", "dead_code_elimination"})},
      {"default-fp16",
       general_and({
           "scale_norm_epsilon",  // after the folding; what fp16 cannot hold is lifted before it is rounded
           "raise_division_floor",
           "add_fp16_cast",          // weights are rounded once
           "dead_code_elimination",  // drops the fp32 constants before they are compared
           "const_deduplication",
       })},
      {"ane", general_and({
                  "scale_norm_epsilon",
                  "raise_division_floor",
                  "add_fp16_cast",
                  "merge_summed_convs",  // when it shows what a concat moves
                  "dead_code_elimination",
                  "const_deduplication",
              })},
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

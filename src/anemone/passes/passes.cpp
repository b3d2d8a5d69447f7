// The list of passes and the pipelines, with the reason for each order.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

constexpr std::array kPasses{
    Pass{"add_fp16_cast", "computes in fp16, with casts at the boundary only", Numerics::lossy, add_fp16_cast},
    Pass{"const_deduplication", "gives equal constants one definition", Numerics::exact, const_deduplication},
    Pass{"const_elimination", "computes what is known at compile time", Numerics::rounding, const_elimination,
         kFoldingOptions},
    Pass{"dead_code_elimination", "removes what no output needs", Numerics::exact, dead_code_elimination},
    Pass{"fuse_conv_batchnorm", "folds a batch norm into the convolution before it", Numerics::rounding,
         fuse_conv_batchnorm},
    Pass{"fuse_pad_conv", "lets a convolution or average pool do the zero padding before it", Numerics::rounding,
         fuse_pad_conv},
    Pass{"raise_division_floor", "raises a floor that guards a division to fp16's normal range", Numerics::lossy,
         raise_division_floor},
    Pass{"scale_norm_epsilon", "lifts a norm's epsilon into fp16's normal range by scaling the convolution before it",
         Numerics::rounding, scale_norm_epsilon},
};

struct Pipeline {
  std::string_view name;
  std::vector<std::string_view> passes;
};

const std::vector<Pipeline>& pipelines() {
  static const std::vector<Pipeline> kPipelines{
      {"none", {}},
      {"default-fp32",
       {
           "dead_code_elimination",  // first: what follows need not look at what nobody asked for
           "const_elimination",      // before the fusions, which want plain constants
           "fuse_pad_conv",
           "fuse_conv_batchnorm",
           "const_deduplication",
           "dead_code_elimination",
       }},
      {"default-fp16",
       {
           "dead_code_elimination",
           "const_elimination",
           "fuse_pad_conv",
           "fuse_conv_batchnorm",  // before fp16: folded weights are rounded once
           "scale_norm_epsilon",   // what fp16 cannot hold is lifted before it is rounded
           "raise_division_floor",
           "add_fp16_cast",
           "dead_code_elimination",  // drops the fp32 constants before they are compared
           "const_deduplication",
       }},
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

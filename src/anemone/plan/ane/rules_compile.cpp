// Rules about what the engine's compiler, or a package's size, does not survive.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/plan/ane/rules.h"

namespace anemone::plan::ane {
namespace {

using Op = Subject::Op;

std::optional<Refusal> package_size(const Op& op) {
  constexpr std::int64_t kMost = 1'400'000'000;
  if (!op.device.is_phone() || op.whole.weight_bytes <= kMost) return {};
  return Refusal{
      fmt::format("the package holds {:.2f} GB of weights", static_cast<double>(op.whole.weight_bytes) / 1e9)};
}

// Three reports, each of one network.
void compile_hang(const Subject& s, std::size_t i, Report report) {
  const Node& node = *s.nodes[i];
  const Value *x = node.input("x"), *weight = node.input("weight");
  if (!x || !weight || weight->type.rank() < 3 || x->type.rank() < 3) return;
  const ConstantView view(node);
  const Dims strides = view.ints("strides"), dilations = view.ints("dilations");
  const auto any = [](const Dims& dims, auto test) { return std::any_of(dims.begin(), dims.end(), test); };
  constexpr std::int64_t kFewChannels = 4, kLong = 16384;
  const bool endless = weight->type.dims[1] <= kFewChannels &&
                       any(strides, [](auto n) { return n == 5 || n == 7 || n == 10 || n == 11; });
  const bool too_long =
      x->type.rank() == 3 && x->type.dims.back() > kLong && any(strides, [](auto n) { return n > 1; });
  const bool gaps = !strides.empty() && strides.back() > weight->type.dims.back() &&
                    any(dilations, [](auto n) { return n > 1; }) && view.integer("groups") > 1 && x->type.dims[0] > 1;
  if (endless || too_long || gaps) report.at(name_of(node));
}

constexpr Rule kPackageSize{.text = {.code = "ANE033",
                                     .name = "package-size",
                                     .what = "more than 1.4 GB of weights in one package, on a phone",
                                     .why = "everything silently runs elsewhere",
                                     .instead = "split the model, or compress its weights",
                                     .effect = Effect::leaves_engine,
                                     .severity = "error",
                                     .trust = Trust::reported,
                                     .source = "three models on an A19 Pro (john-rocky/CoreML-LLM)"},
                            .refusers = {{{Stage::known, package_size}}}};

constexpr Rule kCompileHang{
    .text =
        {.code = "ANE039",
         .name = "compile-hang",
         .what =
             "a convolution on which the engine's compiler was seen to hang or crash: up to 4 channels with a stride of "
             "5, 7, 10 or 11; a strided row of more than 16384; a stride above the kernel, dilated, in groups, in a batch",
         .why =
             "five minutes and no end (5, 7), half a minute (10, 11), a load that does not return, a segmentation fault",
         .instead = "use a stride of 1 to 4, 6, 8 or 9, or split the convolution",
         .effect = Effect::compilation,
         .severity = "error",
         .trust = Trust::reported,
         .source = "coremltools issues 2473 and 2660; executorch issue 11688 (M1 Pro)"},
    .ops = {"conv"},
    .notices = compile_hang};

}  // namespace

std::span<const Rule* const> compile_rules() {
  static constexpr std::array kRules{&kPackageSize, &kCompileHang};
  return kRules;
}

}  // namespace anemone::plan::ane

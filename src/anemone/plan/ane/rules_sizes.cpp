// Rules about extents, kernels, strides and dilations.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/plan/ane/rules.h"

namespace anemone::plan::ane {
namespace {

using Op = Subject::Op;

enum class Misfit : std::uint8_t { no, unknown, rank, extent };
struct MisfitValue {
  Misfit what = Misfit::no;
  std::string reason;
};

// N, C, H, W from the right: a tensor [1, 16800, 4] has a height of 16800.
MisfitValue misfit(const Value& value, const Limits& limits) {
  const Type& type = value.type.tensor_part();
  if (!type.ranked) return {Misfit::unknown, fmt::format("not even the rank of '{}' is known", value.name)};
  const auto is = [&] { return fmt::format("'{}' is {}", value.name, brief(type)); };
  if (type.rank() > limits.rank)
    return {Misfit::rank, fmt::format("{}: rank {} of at most {}", is(), type.rank(), limits.rank)};
  const auto others = std::count_if(type.dims.begin(), type.dims.end(), [](auto n) { return n != 1; });
  for (std::size_t i = 0; i < type.dims.size(); ++i) {
    const std::int64_t extent = type.dims[i];
    if (extent == kUnknown) return {Misfit::unknown, is()};
    if (extent == 0) return {Misfit::unknown, is() + ": an empty axis"};
    const bool width = i + 1 == type.dims.size(), spatial = i + 2 >= type.dims.size();
    const std::int64_t channels = others == 1 ? limits.position_channels : limits.channels;
    const std::int64_t most = spatial ? limits.height_width : channels;
    if (extent > most) {
      const std::string_view axis = width ? "width" : spatial ? "height" : "extent";
      return {Misfit::extent, fmt::format("{}: {} {} of at most {}", is(), axis, extent, most)};
    }
  }
  return {};
}

// The first value at run time that does not fit decides which rule speaks.
std::optional<Refusal> first_misfit(const Op& op, Misfit wanted) {
  for (const Value* value : op.at_run_time) {
    MisfitValue found = misfit(*value, op.device.limits);
    if (found.what == Misfit::no) continue;
    if (found.what != wanted) return {};
    return Refusal{std::move(found.reason)};
  }
  return {};
}

std::optional<Refusal> rank(const Op& op) { return first_misfit(op, Misfit::rank); }
std::optional<Refusal> extent(const Op& op) { return first_misfit(op, Misfit::extent); }
std::optional<Refusal> unknown(const Op& op) { return first_misfit(op, Misfit::unknown); }

std::optional<Refusal> inner_extent(const Op& op) {
  const Value* x = op.node.input("x");
  if (!x || x->type.dims.empty()) return {};
  const bool transposed = op.node.operand("transpose_x") && ConstantView(op.node).flag("transpose_x");
  const std::size_t axis = transposed && x->type.rank() > 1 ? 2 : 1;
  const std::int64_t inner = x->type.dims[x->type.dims.size() - axis], most = op.device.limits.matmul_inner;
  if (inner <= most) return {};
  return Refusal{fmt::format("the inner extent is {}, of at most {}", inner, most)};
}

std::optional<Refusal> moving_shape(const Op& op) {
  const Value* shape = op.node.input("shape");
  if (!shape || shape->constant) return {};
  return Refusal{"'shape' comes at run time"};
}

void ranges(const Subject& s, Report report) {
  const auto ranged = [](const Feature& input) { return !input.ranges.empty() || input.size_range; };
  if (std::none_of(s.interface->inputs.begin(), s.interface->inputs.end(), ranged)) return;
  Finding& finding = report.finding();
  finding.severity = "warn";
  finding.message = "an input takes a range of sizes: at any but the default the engine is lost";
}

std::optional<Refusal> conv_kernel(const Op& op) {
  const Value* weight = op.node.input("weight");
  if (!weight || weight->type.rank() < 3) return {};
  const Limits& limits = op.device.limits;
  const Dims& dims = weight->type.dims;
  const std::int64_t width = dims.back(), height = dims.size() > 3 ? dims[dims.size() - 2] : 1;
  if (width <= limits.conv_kernel_width && height <= limits.conv_kernel_height &&
      std::min(width, height) <= limits.conv_kernel_square)
    return {};
  return Refusal{fmt::format("the kernel is {}x{} (height x width) of at most {}x{}", height, width,
                             limits.conv_kernel_height, limits.conv_kernel_width)};
}

std::optional<Refusal> pool_kernel(const Op& op) {
  const Dims sizes = ConstantView(op.node).ints("kernel_sizes");
  if (sizes.empty() || sizes.back() <= op.device.limits.max_pool_width) return {};
  return Refusal{fmt::format("the kernel is {} wide, of at most {}", sizes.back(), op.device.limits.max_pool_width)};
}

constexpr Ops kWindowed{kConvolution | kPool};

bool only_twos_and_threes(std::int64_t n) {
  while (n > 1 && n % 2 == 0) n /= 2;
  while (n > 1 && n % 3 == 0) n /= 3;
  return n == 1;
}

void strides(const Subject& s, std::size_t i, Report report) {
  const Node& node = *s.nodes[i];
  const bool pool = is(node, kPool);
  const Dims strides = ConstantView(node).ints("strides");
  const auto odd = [&](std::int64_t n) { return !only_twos_and_threes(n) || (pool && n != 1 && n != 2 && n != 4); };
  const bool unequal = strides.size() == 2 && strides[0] != strides[1] && strides[0] != 2 && strides[1] != 2;
  if (!unequal && std::none_of(strides.begin(), strides.end(), odd)) return;
  // A pool as large as its input is a reduction, whatever its stride.
  const Type& out = node.output()->type;
  if (pool && out.rank() == 4 && out.dims[3] == 1) return;
  report.at(name_of(node));
}

void dilations(const Subject& s, std::size_t i, Report report) {
  const Dims dilations = ConstantView(*s.nodes[i]).ints("dilations");
  if (std::all_of(dilations.begin(), dilations.end(), only_twos_and_threes)) return;
  report.at(name_of(*s.nodes[i]));
}

// A causal convolution of one step: [1, C, 1, 3] and a window of 3.
std::optional<Refusal> depthwise_window(const Op& op) {
  const Value* weight = op.node.input("weight");
  const Dims& out = op.node.output()->type.dims;
  if (!weight || weight->type.rank() < 3 || weight->type.dims[1] != 1 || weight->type.dims[0] == 1) return {};
  const Dims& w = weight->type.dims;
  const bool row = std::all_of(w.begin() + 2, w.end() - 1, [](auto n) { return n == 1; });
  const bool one = out.size() > 2 && std::all_of(out.begin() + 2, out.end(), [](auto n) { return n == 1; });
  if (!row || !one || w.back() == 1) return {};
  return Refusal{fmt::format("a depthwise window of {} that gives one position", w.back())};
}

constexpr Rule kRank{.text = {.code = "ANE004",
                              .name = "rank",
                              .what = "a tensor of rank above 5",
                              .why = "the engine has five axes",
                              .instead = "merge or split axes before",
                              .effect = Effect::leaves_engine,
                              .severity = "error",
                              .trust = Trust::documented,
                              .source = "Apple authoring rules"},
                     .refusers = {{{Stage::sizes, rank}}}};

constexpr Rule kExtent{
    .text = {.code = "ANE005",
             .name = "extent",
             .what = "a height or width above 16384 (65536 from A17 Pro and M4), or more than 65536 channels",
             .why = "the validator's range",
             .instead = "tile the tensor, or move the long axis to the channels",
             .effect = Effect::leaves_engine,
             .severity = "error",
             .trust = Trust::reported,
             .source = "range message of the validator on an A15; M4 experiments"},
    .refusers = {{{Stage::sizes, extent}, {Stage::particular, inner_extent, {"matmul", "linear"}}}}};

constexpr Rule kConvKernel{
    .text = {.code = "ANE007",
             .name = "conv-kernel",
             .what = "a convolution kernel beyond the limits (width 13 or 15, height 29 or 31, square 16)",
             .why = "refused, or minutes and gigabytes of compilation",
             .instead = "factor it into smaller kernels",
             .effect = Effect::leaves_engine,
             .severity = "error",
             .trust = Trust::reported,
             .source = "M1 and M4 compile experiments"},
    .refusers = {{{Stage::particular, conv_kernel, {"conv"}}}}};

constexpr Rule kPoolKernel{.text = {.code = "ANE008",
                                    .name = "max-pool-kernel",
                                    .what = "a max pool wider than 8",
                                    .why = "runs on the CPU",
                                    .instead = "chain smaller pools",
                                    .effect = Effect::leaves_engine,
                                    .severity = "error",
                                    .trust = Trust::reported,
                                    .source = "M4 compute plans"},
                           .refusers = {{{Stage::particular, pool_kernel, {"max_pool"}}}}};

constexpr Rule kStride{
    .text = {.code = "ANE009",
             .name = "stride",
             .what = "a stride that is not 2^a·3^b, unequal strides without a 2, or a pool stride other than 1, 2, 4",
             .why = "decomposed or slow",
             .instead = "use strides of 2",
             .effect = Effect::slower,
             .severity = "warn",
             .trust = Trust::documented,
             .source = "Apple authoring rules"},
    .ops = kWindowed,
    .notices = strides};

constexpr Rule kDilation{.text = {.code = "ANE010",
                                  .name = "dilation",
                                  .what = "a dilation with a prime factor above 3",
                                  .why = "only 2 and 3 have a fast path",
                                  .instead = "factor the dilation into 2s and 3s",
                                  .effect = Effect::slower,
                                  .severity = "warn",
                                  .trust = Trust::documented,
                                  .source = "Apple authoring rules"},
                         .ops = kWindowed,
                         .notices = dilations};

constexpr Rule kDepthwiseWindow{
    .text = {.code = "ANE035",
             .name = "depthwise-window",
             .what = "a depthwise convolution over one row that gives a single position",
             .why = "all ten such convolutions of a network were planned on the CPU",
             .instead = "multiply by the window and sum, or keep several positions",
             .effect = Effect::leaves_engine,
             .severity = "warn",
             .trust = Trust::reported,
             .source = "compute plans of one network on a Mac and an A19 Pro (john-rocky/CoreML-LLM)"},
    .refusers = {{{Stage::particular, depthwise_window, {"conv"}}}}};

constexpr Rule kUnknownExtent{
    .text = {.code = "ANE006",
             .name = "unknown-extent",
             .what = "an extent that is not known before run time",
             .why = "the engine's programs are static; one dynamic operation can move the whole graph",
             .instead = "fix the shape, or make one function a size",
             .effect = Effect::leaves_engine,
             .severity = "error",
             .trust = Trust::documented,
             .source = "Apple authoring rules",
             .command = "anemone convert MODEL -o OUT.mlpackage --shapes HxW"},
    .refusers = {{{Stage::sizes, unknown}, {Stage::particular, moving_shape, {"reshape"}}}},
    .surveys = ranges};

}  // namespace

std::span<const Rule* const> size_rules() {
  static constexpr std::array kRules{&kRank,       &kExtent, &kUnknownExtent, &kConvKernel,
                                     &kPoolKernel, &kStride, &kDilation,      &kDepthwiseWindow};
  return kRules;
}

}  // namespace anemone::plan::ane

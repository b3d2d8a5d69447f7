// Rules about compressed weights, streams of weights, and activations of eight bits.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/ir/rewrite.h"
#include "anemone/plan/ane/rules.h"

namespace anemone::plan::ane {
namespace {

using Op = Subject::Op;

constexpr Ops kTakesWeights{kConvolution, {"linear", "matmul"}};
constexpr std::string_view kLut = "constexpr_lut_to_dense", kScale = "constexpr_blockwise_shift_scale";

const Value* weight_of(const Node& node) { return node.input(node.operand("weight") ? "weight" : "y"); }

void palettized_stride(const Subject& s, std::size_t i, Report report) {
  const Dims strides = ConstantView(*s.nodes[i]).ints("strides");
  if (!producer(weight_of(*s.nodes[i]), kLut)) return;
  if (std::any_of(strides.begin(), strides.end(), [](auto n) { return n > 2; })) report.at(name_of(*s.nodes[i]));
}

// Scales that differ along the input channels, as four-bit weights in groups of 32 have them.
std::optional<Refusal> per_block(const Op& op) {
  const Node* packed = producer(weight_of(op.node), kScale);
  const Value* scale = packed ? packed->input("scale") : nullptr;
  if (!scale || scale->type.rank() < 2) return {};
  if (std::all_of(scale->type.dims.begin() + 1, scale->type.dims.end(), [](auto n) { return n == 1; })) return {};
  return Refusal{fmt::format("its weight has scales {}, and only those per tensor or output channel are taken",
                             brief(scale->type.dims))};
}

void scaled_lut(const Subject& s, std::size_t i, Report report) {
  const Node* scaled = producer(weight_of(*s.nodes[i]), kScale);
  if (scaled && producer(scaled->input("data"), kLut)) report.at(name_of(*s.nodes[i]));
}

void int8_activations(const Subject& s, std::size_t i, Report report) {
  const Value* x = s.nodes[i]->input("input");
  if (x && !is_static(x)) report.at(name_of(*s.nodes[i]));
}

// One core's stream: ceil(N/16) rows of D numbers of two bytes. Seen where the stream is what limits: a single row.
void weight_notch(const Subject& s, std::size_t i, Report report) {
  constexpr std::int64_t kMiB = 1 << 20, kNear = 16 << 10;
  constexpr double kSlow = 18;  // GB/s
  constexpr Ops kSecondIsInner{"matmul"};
  const Node& node = *s.nodes[i];
  const Value *x = node.input("x"), *weight = weight_of(node);
  if (!x || !weight || !is_static(weight) || weight->type.rank() < 2 || x->type.dims.empty()) return;
  const Dims& w = weight->type.dims;
  const std::int64_t elements = element_count(w).value_or(0), columns = kSecondIsInner.has(node) ? w.back() : w[0];
  const std::int64_t inner = columns > 0 ? elements / columns : 0;
  if (element_count(x->type.dims).value_or(0) != inner) return;
  const std::int64_t stream = (columns + 15) / 16 * inner * 2, off = stream % kMiB;
  if (stream < kMiB - kNear || std::min(off, kMiB - off) > kNear) return;
  const double bytes = static_cast<double>(s.steps[i].cost.weight_bytes);
  Finding& finding = report.at(name_of(node));
  finding.message =
      fmt::format("products with a single row whose weights stream at 17 to 19 GB/s: {}", finding.ops.size());
  report.cost(bytes / (kSlow * 1e3) - bytes / (s.device->layers.weight_gb_s * 1e3));
}

constexpr Rule kPalettizedStride{.text = {.code = "ANE027",
                                          .name = "palettized-stride",
                                          .what = "a palettized convolution with a stride above 2",
                                          .why = "decompression has limits",
                                          .instead = "leave such weights alone",
                                          .effect = Effect::slower,
                                          .severity = "info",
                                          .trust = Trust::documented,
                                          .source = "Apple authoring rules"},
                                 .ops = kConvolution,
                                 .notices = palettized_stride};

constexpr Rule kInt8Activations{
    .text =
        {.code = "ANE036",
         .name = "int8-activations",
         .what = "activations quantized to eight bits",
         .why =
             "reports differ: Apple measured 1.5 to 2.4 times the speed on A16 and A17 Pro; others saw the compiler fail "
             "on an A19 Pro, and nothing gained on an M4 Max",
         .instead = "measure both on the device that counts",
         .effect = Effect::slower,
         .severity = "info",
         .trust = Trust::guessed,
         .source = "coremltools guide on quantization; john-rocky/CoreML-LLM"},
    .ops = {"quantize", "dequantize"},
    .notices = int8_activations};

constexpr Rule kScaledLut{
    .text = {.code = "ANE037",
             .name = "scaled-lut",
             .what = "a palettized weight with a scale of its own",
             .why =
                 "the engine wants the scale behind the product; with it on the weight 73 operations of a network left",
             .instead = "multiply the result of the product by the scale, channel by channel",
             .effect = Effect::leaves_engine,
             .severity = "warn",
             .trust = Trust::documented,
             .source = "coremltools pass reorder_lut_per_channel_scale; john-rocky/CoreML-LLM"},
    .ops = kTakesWeights,
    .notices = scaled_lut};

constexpr Rule kPerBlockScale{
    .text =
        {.code = "ANE038",
         .name = "per-block-scale",
         .what = "a weight with scales per block",
         .why =
             "the system's profiler says that only scales per tensor or output channel are taken; Apple's guide says no "
             "more than that it is slower",
         .instead = "use scales per output channel, or a palette",
         .effect = Effect::leaves_engine,
         .severity = "warn",
         .trust = Trust::reported,
         .source = "coremltools issue 2510; coremltools guide on quantization"},
    .refusers = {{{Stage::particular, per_block, kTakesWeights}}}};

constexpr Rule kWeightNotch{
    .text = {.code = "ANE042",
             .name = "weight-notch",
             .what =
                 "a product with a single row whose weights make one core's stream a multiple of 1 MiB, as 2048x4096",
             .why = "the streams of all cores meet in the same banks: 17 to 19 GB/s instead of 45 to 60",
             .instead = "split the contracted axis, or pad it",
             .effect = Effect::slower,
             .severity = "warn",
             .trust = Trust::reported,
             .source = "eiln's study of the engine's memory access on M1; repeated on M4 in stablehlo-coreml 110"},
    .ops = kTakesWeights,
    .notices = weight_notch};

}  // namespace

std::span<const Rule* const> weight_rules() {
  static constexpr std::array kRules{&kPalettizedStride, &kInt8Activations, &kScaledLut, &kPerBlockScale,
                                     &kWeightNotch};
  return kRules;
}

}  // namespace anemone::plan::ane

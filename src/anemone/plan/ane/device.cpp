// One row a chip. A chip without measurements of its own is a clone of the next older one that has them: its trust is
// "guessed" and its range wider. Streams of weights are its own where they were measured.
#include "anemone/plan/ane/device.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "anemone/support/text.h"

namespace anemone::plan::ane {
namespace {

constexpr Limits kH13{.conv_kernel_width = 13,
                      .conv_kernel_height = 29,
                      .conv_kernel_square = 13,
                      .texture_engine = false,
                      .clamps_width_slices = true,
                      .flushes_subnormals = true};
constexpr Limits kH14{.clamps_width_slices = true};
constexpr Limits kH15{};
constexpr Limits kH16{.height_width = 65536, .matmul_inner = 32768, .casts_float = true, .updates_states = true};
constexpr Limits kH18{.height_width = 65536,
                      .position_channels = 262144,
                      .matmul_inner = 32768,
                      .casts_float = true,
                      .updates_states = true};

constexpr PlannerCost kM1Planner{};
// Read from compute plans of single operations on an M4. Thin convolutions are the M1's, in the ratio of the 1x1 leaves;
// three shapes of `linear` gave 580, 5290 and 10581 GFLOP/s; the GPU's figures are the M1's.
constexpr PlannerCost kM4Planner{.conv_kxk = {16152, 754.5, 656, 1569},
                                 .conv_1x1 = {7170, 388, 337, 735},
                                 .conv_few_in = {7100, 384, 334, 730, Trust::guessed},
                                 .conv_few_out = {4640, 362, 315, 1011, Trust::guessed},
                                 .conv_poor = {471, 27.1, 23.6, 111},
                                 .linear = {5290, 168, 146, 735, Trust::guessed},
                                 .linear_row = {471, 27.1, 23.6, 111, Trust::guessed},
                                 .peak = {12000, 754.5, 656, 1569},
                                 .add = {0.1112, 0.2748, 0.3161, 0.1959},
                                 .mul = {0.093, 0.3478, 0.4, 0.2},
                                 .transpose = {0.0581, 0.0458, 0.0527, 0.0569},
                                 .upsample_bilinear = {0.01263, 1.906, 2.192, 0.01263, Trust::guessed},
                                 .concat_ns = 0.04,
                                 .gpu_trust = Trust::guessed};

constexpr LayerCost h13(double weight_gb_s) { return {.weight_gb_s = weight_gb_s, .cached_weight_gb_s = weight_gb_s}; }
constexpr LayerCost kA16{.kxk_tflops = 34.7,
                         .conv_1x1_tflops = 14.1,
                         .depthwise_tflops = 3.4,
                         .int8_factor = 2.535,
                         .activation_gb_s = 33.7,
                         .weight_gb_s = 64,
                         .cached_weight_gb_s = 225,
                         .call_ms = 0.035,
                         .io_gb_s = 8,
                         .layer_us = 0.292};
constexpr LayerCost h16(double weight_gb_s) {
  LayerCost cost = kA16;
  cost.kxk_tflops = 24.2, cost.conv_1x1_tflops = 9.84, cost.depthwise_tflops = 2.375;
  cost.weight_gb_s = weight_gb_s;
  return cost;
}

using G = Generation;
constexpr PlannerCost kP1 = kM1Planner, kP4 = kM4Planner;
constexpr std::array kDevices{
    Device{"a12", "A12", G::h11, kH13, kP1, h13(55), "A14"},
    Device{"a13", "A13", G::h11, kH13, kP1, h13(55), "A14"},
    Device{"a14", "A14", G::h13, kH13, kP1, h13(55)},
    Device{"a15", "A15", G::h14, kH14, kP1, h13(60.5), "A14"},
    Device{"a16", "A16", G::h15, kH15, kP1, kA16},
    Device{"a17pro", "A17 Pro", G::h16, kH16, kP4, h16(64)},
    Device{"a18", "A18", G::h17, kH16, kP4, h16(64), "A17 Pro"},
    Device{"a18pro", "A18 Pro", G::h17, kH16, kP4, h16(64), "A17 Pro"},
    Device{"a19", "A19", G::h18, kH18, kP4, h16(64), "A17 Pro"},
    Device{"a19pro", "A19 Pro", G::h18, kH18, kP4, h16(64), "A17 Pro"},
    Device{"m1", "M1", G::h13, kH13, kP1, h13(60.9)},
    Device{"m1pro", "M1 Pro", G::h13, kH13, kP1, h13(54.9)},
    Device{"m1max", "M1 Max", G::h13, kH13, kP1, h13(54.6)},
    Device{"m1ultra", "M1 Ultra", G::h13, kH13, kP1, h13(54.7)},
    Device{"m2", "M2", G::h14, kH14, kP1, h13(60.5), "M1"},
    Device{"m2pro", "M2 Pro", G::h14, kH14, kP1, h13(60.5), "M1"},
    Device{"m2max", "M2 Max", G::h14, kH14, kP1, h13(62), "M1"},
    Device{"m2ultra", "M2 Ultra", G::h14, kH14, kP1, h13(62), "M1"},
    Device{"m3", "M3", G::h14, kH14, kP1, h13(63.1), "M1"},
    Device{"m3pro", "M3 Pro", G::h14, kH14, kP1, h13(63.1), "M1"},
    Device{"m3max", "M3 Max", G::h14, kH14, kP1, h13(120), "M1"},
    Device{"m3ultra", "M3 Ultra", G::h14, kH14, kP1, h13(120), "M1"},
    Device{"m4", "M4", G::h16, kH16, kP4, h16(64.2)},
    Device{"m4pro", "M4 Pro", G::h16, kH16, kP4, h16(126)},
    Device{"m4max", "M4 Max", G::h16, kH16, kP4, h16(119)},
    Device{"m5", "M5", G::h17, kH16, kP4, h16(70.2), "M4"},
    Device{"m5pro", "M5 Pro", G::h17, kH16, kP4, h16(126), "M4 Pro"},
    Device{"m5max", "M5 Max", G::h17, kH16, kP4, h16(119), "M4 Max"},
    Device{"m6", "M6", G::h18, kH18, kP4, h16(70.2), "M4"},
};

/// What the chips are sold in, as people name it (Apple's technical specifications).
struct Product {
  std::string_view product, chip;
};
constexpr Product kProducts[] = {
    {"iphonexs", "a12"},       {"iphonexr", "a12"},          {"iphone11", "a13"},          {"iphone11pro", "a13"},
    {"iphonese2", "a13"},      {"iphone12", "a14"},          {"iphone12mini", "a14"},      {"iphone12pro", "a14"},
    {"iphone12promax", "a14"}, {"iphone13", "a15"},          {"iphone13mini", "a15"},      {"iphone13pro", "a15"},
    {"iphone13promax", "a15"}, {"iphonese3", "a15"},         {"iphone14", "a15"},          {"iphone14plus", "a15"},
    {"iphone14pro", "a16"},    {"iphone14promax", "a16"},    {"iphone15", "a16"},          {"iphone15plus", "a16"},
    {"iphone15pro", "a17pro"}, {"iphone15promax", "a17pro"}, {"iphone16", "a18"},          {"iphone16plus", "a18"},
    {"iphone16e", "a18"},      {"iphone16pro", "a18pro"},    {"iphone16promax", "a18pro"}, {"iphone17", "a19"},
    {"iphoneair", "a19pro"},   {"iphone17pro", "a19pro"},    {"iphone17promax", "a19pro"}, {"a17", "a17pro"},
};

const Device* find_chip(std::string_view name) {
  const auto found = std::find_if(kDevices.begin(), kDevices.end(), [&](const Device& d) { return d.name == name; });
  return found == kDevices.end() ? nullptr : &*found;
}

}  // namespace

std::span<const Device> devices() { return kDevices; }

const Device* find_device(std::string_view wanted) {
  const std::string word = bare_word(wanted);
  if (const Device* device = find_chip(word)) return device;
  const auto sold =
      std::find_if(std::begin(kProducts), std::end(kProducts), [&](const Product& p) { return p.product == word; });
  return sold == std::end(kProducts) ? nullptr : find_chip(sold->chip);
}

}  // namespace anemone::plan::ane

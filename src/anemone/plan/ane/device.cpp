// One row a chip. A chip without measurements of its own takes the constants of the next older one that has them; its
// trust is "guessed" and its range wider.
#include "anemone/plan/ane/device.h"

#include <array>

namespace anemone::ane {
namespace {

constexpr Limits kH13{.conv_kernel_width = 13,
                      .conv_kernel_height = 29,
                      .conv_kernel_square = 13,
                      .texture_engine = false,
                      .clamps_width_slices = true,
                      .flushes_subnormals = true};
constexpr Limits kH14{.clamps_width_slices = true};
constexpr Limits kH15{};
constexpr Limits kH16{.height_width = 65536, .matmul_inner = 32768, .casts_float = true};

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

constexpr LayerCost kM1{};
constexpr LayerCost kM1Stream60{.weight_gb_s = 60.5};  // measured weight streams: M2 60.5, M3 63.1 GB/s
constexpr LayerCost kM1Stream63{.weight_gb_s = 63.1};
constexpr LayerCost kA16{.kxk_tflops = 16.1, .conv_1x1_tflops = 7.2, .weight_gb_s = 60, .call_ms = 0.15, .io_gb_s = 8};
constexpr LayerCost kA17Pro{.kxk_tflops = 16.1,
                            .conv_1x1_tflops = 7.2,
                            .activation_gb_s = 48,
                            .weight_gb_s = 64,
                            .call_ms = 0.15,
                            .io_gb_s = 8};
constexpr LayerCost kM4{.kxk_tflops = 16.1,
                        .conv_1x1_tflops = 7.2,
                        .weight_gb_s = 64,
                        .working_set_mb = 4.7,
                        .call_ms = 0.15,
                        .io_gb_s = 8};

constexpr double kKnown = 0.25, kBorrowed = 0.40;
using G = Generation;
constexpr std::array kDevices{
    Device{"a12", "A12", G::h11, kH13, kM1Planner, kM1, Trust::guessed, kBorrowed},
    Device{"a13", "A13", G::h11, kH13, kM1Planner, kM1, Trust::guessed, kBorrowed},
    Device{"a14", "A14", G::h13, kH13, kM1Planner, kM1, Trust::reported, kKnown},
    Device{"a15", "A15", G::h14, kH14, kM1Planner, kM1Stream60, Trust::guessed, kBorrowed},
    Device{"a16", "A16", G::h15, kH15, kM1Planner, kA16, Trust::reported, kKnown},
    Device{"a17pro", "A17 Pro", G::h16, kH16, kM4Planner, kA17Pro, Trust::reported, kKnown},
    Device{"a18", "A18", G::h17, kH16, kM4Planner, kA17Pro, Trust::guessed, kBorrowed},
    Device{"a18pro", "A18 Pro", G::h17, kH16, kM4Planner, kA17Pro, Trust::guessed, kBorrowed},
    Device{"a19", "A19", G::h18, kH16, kM4Planner, kA17Pro, Trust::guessed, kBorrowed},
    Device{"a19pro", "A19 Pro", G::h18, kH16, kM4Planner, kA17Pro, Trust::guessed, kBorrowed},
    Device{"m1", "M1", G::h13, kH13, kM1Planner, kM1, Trust::reported, kKnown},
    Device{"m1pro", "M1 Pro", G::h13, kH13, kM1Planner, kM1, Trust::reported, kKnown},
    Device{"m1max", "M1 Max", G::h13, kH13, kM1Planner, kM1, Trust::reported, kKnown},
    Device{"m1ultra", "M1 Ultra", G::h13, kH13, kM1Planner, kM1, Trust::reported, kKnown},
    Device{"m2", "M2", G::h14, kH14, kM1Planner, kM1Stream60, Trust::guessed, kBorrowed},
    Device{"m2pro", "M2 Pro", G::h14, kH14, kM1Planner, kM1Stream60, Trust::guessed, kBorrowed},
    Device{"m2max", "M2 Max", G::h14, kH14, kM1Planner, kM1Stream60, Trust::guessed, kBorrowed},
    Device{"m2ultra", "M2 Ultra", G::h14, kH14, kM1Planner, kM1Stream60, Trust::guessed, kBorrowed},
    Device{"m3", "M3", G::h14, kH14, kM1Planner, kM1Stream63, Trust::guessed, kBorrowed},
    Device{"m3pro", "M3 Pro", G::h14, kH14, kM1Planner, kM1Stream63, Trust::guessed, kBorrowed},
    Device{"m3max", "M3 Max", G::h14, kH14, kM1Planner, kM1Stream63, Trust::guessed, kBorrowed},
    Device{"m4", "M4", G::h16, kH16, kM4Planner, kM4, Trust::reported, kKnown},
    Device{"m4pro", "M4 Pro", G::h16, kH16, kM4Planner, kM4, Trust::reported, kKnown},
    Device{"m4max", "M4 Max", G::h16, kH16, kM4Planner, kM4, Trust::reported, kKnown},
    Device{"m5", "M5", G::h17, kH16, kM4Planner, kM4, Trust::guessed, kBorrowed},
    Device{"m5pro", "M5 Pro", G::h17, kH16, kM4Planner, kM4, Trust::guessed, kBorrowed},
    Device{"m6", "M6", G::h18, kH16, kM4Planner, kM4, Trust::guessed, kBorrowed},
};

}  // namespace

std::span<const Device> devices() { return kDevices; }

const Device* find_device(std::string_view wanted) {
  for (const Device& device : kDevices) {
    if (device.name == wanted) return &device;
  }
  return nullptr;
}

}  // namespace anemone::ane

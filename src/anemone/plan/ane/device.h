#pragma once
// The Neural Engine of each chip: limits, and the constants of two models of cost. Each number carries its evidence.
#include <optional>
#include <span>
#include <string_view>

#include "anemone/plan/plan.h"

namespace anemone::ane {

/// Generations of the engine, by the names its compiler reports. A12 and A13 have no facts of their own.
enum class Generation : std::uint8_t { h11, h13, h14, h15, h16, h17, h18 };

/// What the engine's validator accepts. Sources: range messages of the system's own validator (A15), Apple's authoring
/// rules (rank), compile experiments on M1, M2 and M4.
struct Limits {
  std::int64_t height_width = 16384, channels = 65536, rank = 5;
  std::int64_t conv_kernel_width = 15, conv_kernel_height = 31, conv_kernel_square = 16;
  std::int64_t matmul_inner = 16384;
  std::int64_t max_pool_width = 8;
  bool texture_engine = true;        ///< resize and padding with reflection without lowering
  bool clamps_width_slices = false;  ///< values beyond ±4094 in a width slice that does not start at 0
  bool flushes_subnormals = false;   ///< in multiply-accumulate
  bool casts_float = false;          ///< takes casts fp32 <-> fp16 at the boundary
};

/// Constants of the system planner's own cost estimates, read from its logs on an M4 and from estimator tables for M1.
struct PlannerCost {
  double conv_kxk_gflops = 11582, conv_1x1_gflops = 5981;   ///< on the engine
  double relu_ns = 0.04, add_ns = 0.1214, mul_ns = 0.1214;  ///< per element
  double concat_ns = 0;                                     ///< per element; 0 = by bytes
  double gib_per_s = 68;                                    ///< other operations: bytes in and out
  double cpu_conv_kxk_gflops = 729.24, cpu_conv_1x1_gflops = 298;
  double cpu_elementwise_factor = 1.2;  ///< of the engine's figure
  double cpu_gib_per_s = 56.667;
  double launch_ms = 0.125, switch_ms = 0.125, output_ms = 0.125;
  double gpu_gflops = 2000, gpu_gib_per_s = 60, gpu_dispatch_ms = 0.01;  ///< guessed
  double cold_vector_gb_s = 10;  ///< guessed: implied by one measured 1x1 convolution with cold weights
};

/// Constants of the layer model, which predicts what a stopwatch shows.
struct LayerCost {
  double kxk_tflops = 11.58, conv_1x1_tflops = 5.98;
  double activation_gb_s = 40, weight_gb_s = 55, working_set_mb = 2.3;
  double call_ms = 0.23, io_gb_s = 5;
  double layer_us = 2.2, submission_ms = 0.5, crossing_gb_s = 4;
};

struct Device {
  std::string_view name;  ///< "m1pro"
  std::string_view chip;  ///< "M1 Pro"
  Generation generation = Generation::h13;
  Limits limits;
  PlannerCost planner;
  LayerCost layers;
  Trust trust = Trust::reported;  ///< of the cost constants; guessed when taken from an older chip
  double spread = 0.25;           ///< of the latency range, to both sides
};

std::span<const Device> devices();
const Device* find_device(std::string_view name);

}  // namespace anemone::ane

#pragma once
// The Neural Engine of each chip: limits, and the constants of two models of cost. Each number carries its evidence.
#include <optional>
#include <span>
#include <string_view>

#include "anemone/plan/plan.h"

namespace anemone::plan::ane {

/// Generations of the engine, by the names its compiler reports. A12 and A13 have no facts of their own.
enum class Generation : std::uint8_t { h11, h13, h14, h15, h16, h17, h18 };

/// What the engine's validator accepts. Sources: range messages of the system's own validator (A15), Apple's authoring
/// rules (rank), compile experiments on M1, M2 and M4.
struct Limits {
  std::int64_t height_width = 16384, channels = 65536, rank = 5;
  std::int64_t conv_kernel_width = 15, conv_kernel_height = 31, conv_kernel_square = 16;
  std::int64_t position_channels =
      65536;  ///< of a tensor with one position; one report of an A19 Pro passes `channels`
  std::int64_t matmul_inner = 16384;
  std::int64_t max_pool_width = 8;
  bool texture_engine = true;        ///< resize and padding with reflection without lowering
  bool clamps_width_slices = false;  ///< values beyond ±4094 in a width slice that does not start at 0
  bool flushes_subnormals = false;   ///< in multiply-accumulate
  bool casts_float = false;          ///< takes casts fp32 <-> fp16 at the boundary
  bool updates_states = false;       ///< slice_update between read_state and write_state
};

/// What one thing costs on the engine, the CPU's two back ends and the GPU: GFLOP/s, nanoseconds an element, or a factor.
struct Leaf {
  double ane = 0, bnns = 0, classic = 0, gpu = 0;
  Trust trust = Trust::reported;
};

/// Constants of the system planner's own cost estimates. The defaults are those of the M1 generation, read from a dump
/// of every operation of one network on all four back ends (tests/data/ane/mobilenet_edgetpu_m1.tsv) and from its estimator's
/// log. Rates of the CPU's second back end are those of the first / 1.15.
struct PlannerCost {
  // GFLOP/s
  Leaf conv_kxk{11582, 729.24, 634.1, 1569};  ///< at least 32 channels in and out
  Leaf conv_1x1{5981, 298, 259.1, 735};
  Leaf conv_few_in{5920, 295, 256.5, 730};                ///< k×k, fewer than 32 channels in
  Leaf conv_few_out{3870, 278, 241.7, 1011};              ///< k×k, fewer than 32 channels out
  Leaf conv_poor{425, 30.5, 26.5, 111};                   ///< depthwise, or a single position
  Leaf linear{5981, 298, 259.1, 735, Trust::guessed};     ///< not published for this generation: the 1x1 leaf
  Leaf linear_row{425, 30.5, 26.5, 111, Trust::guessed};  ///< a single row: the leaf of a single position
  Leaf peak{12000, 729.24, 634.1, 1569};                  ///< matmul, einsum, attention; where bytes cost less
  // nanoseconds an element of the result; an fp16 element costs twice an fp32 one, but on the engine
  Leaf relu{0.04, 0.04, 0.04, 0.04};
  Leaf add{0.1214, 0.2748, 0.3161, 0.1959};
  Leaf mul{0.1214, 0.3478, 0.4, 0.2};
  Leaf transpose{0.0645, 0.0685, 0.0788, 0.0569};
  Leaf upsample_bilinear{0.01507, 2.2434, 2.5804, 0.01507, Trust::guessed};  ///< the GPU's figure is a guess
  double fp32_share = 0.5;
  // times bytes / gib_per_s
  Leaf other{1, 1.2, 1.2, 1};
  double gib_per_s = 68;
  double concat_ns = 0;  ///< on the engine, per element; 0 = by bytes
  double launch_ms = 0.125, switch_ms = 0.125, output_ms = 0.125;
  double gpu_launch_ms = 0.125;  ///< guessed: the dump says no more than that entering the GPU costs over 0.0195 ms
  Trust gpu_trust = Trust::reported;
};

/// Constants of the layer model, which predicts what a stopwatch shows. Fitted to one half of the published latencies in
/// tests/data/latency/published.tsv and judged by the other (docs/evidence/latency.md); streams of weights are measured
/// ones of each chip, of large linear layers.
struct LayerCost {
  double kxk_tflops = 14.8, conv_1x1_tflops = 6.01, depthwise_tflops = 1.45;
  double int8_factor = 1;  ///< of the rates, where activations and weights have eight bits; not for depthwise
  double activation_gb_s = 88.1, working_set_mb = 0.655;
  double weight_gb_s = 55;
  double cached_weight_gb_s = 55;  ///< when all weights together fit into the system's cache
  double call_ms = 0.233, io_gb_s = 5, layer_us = 3.19;
  double submission_ms = 0.5, crossing_gb_s = 4;
};

struct Device {
  std::string_view name;  ///< "m1pro"
  std::string_view chip;  ///< "M1 Pro"
  bool is_phone() const { return name.starts_with('a'); }
  Generation generation = Generation::h13;
  Limits limits;
  PlannerCost planner;
  LayerCost layers;
  std::string_view clone_of{};  ///< the chip whose constants it has; empty: its own
  Trust trust() const { return clone_of.empty() ? Trust::reported : Trust::guessed; }
  /// The latency range reaches from the model's figure by this factor down and up: wide enough for 80 % of the published
  /// latencies that the model was not fitted to.
  double spread() const { return clone_of.empty() ? 1.34 : 1.8; }
};

std::span<const Device> devices();
/// By the chip ("m1pro", "M1 Pro") or by what it is sold in ("iPhone 15 Pro"); null: unknown.
const Device* find_device(std::string_view name);

}  // namespace anemone::plan::ane

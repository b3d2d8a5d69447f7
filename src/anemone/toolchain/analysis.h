#pragma once
// What `analyze` finds out about a model: plain data that reports render and nobody computes on.
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "anemone/plan/plan.h"
#include "anemone/toolchain/summary.h"

namespace anemone::toolchain {

/// What the Neural Engine makes of all operations of a kind.
struct EngineOpinion {
  std::string ane;           ///< "compatible", "conditional" (some of them, or not known), "incompatible", "not run"
  std::int64_t ops = 0;      ///< of the program that was judged
  std::int64_t taken = 0;    ///< of those, what the engine could take
  std::string code, reason;  ///< of the most frequent objection; empty when there is none
  std::string trust;         ///< the weakest evidence among them
};

/// One line of the table by kind. Modules count by name, as users count them; operations are what executes.
struct LayerKind {
  std::string kind;
  std::int64_t modules = 0, ops = 0, macs = 0;
  EngineOpinion engine;
};

struct LayerSummary {
  std::int64_t total = 0;  ///< modules of a checkpoint; operations of a program, which has no modules
  bool modules = false;    ///< which of the two
  std::map<std::string, std::int64_t> by_type;
  std::vector<LayerKind> composition;
  std::string note;  ///< how the two ways of counting go together
};

struct ModuleRow {
  std::string path, type;
  std::size_t depth = 0;  ///< 0: the root
  Dims weight;
  std::int64_t parameters = 0, live = 0, ops = 0, macs = 0;
};

/// What one choice of outputs leaves to do.
struct OutputChoice {
  std::string name;
  std::size_t outputs = 0;
  std::int64_t ops = 0, macs = 0, fixed_macs = 0;  ///< that remain
  std::int64_t parameters_dead = 0;                ///< in addition to those that never run
  std::vector<std::string> dead_modules;           ///< with parameters that only this choice leaves without use
};

/// Work and bytes of a kind of operation or of a stage.
struct WorkRow {
  std::string name;
  std::int64_t ops = 0, macs = 0;
  std::int64_t weight_bytes = 0;      ///< as stored; a shared constant counts at its first use
  std::int64_t activation_bytes = 0;  ///< written
};

struct TensorRow {
  std::string name, type, made_by;  ///< made_by: operation type, "input" or "constant"
  std::int64_t bytes = 0;
};

/// Memory for activations when every value is freed after its last use, in program order.
struct PeakMemory {
  std::int64_t bytes = 0;
  std::string at;               ///< the operation during which it is reached
  std::vector<TensorRow> live;  ///< the largest values that live then
};

struct ScannedTensor {
  std::string name, dtype;
  std::int64_t elements = 0;
  std::int64_t overflow = 0;    ///< finite, and beyond fp16's largest value (65504)
  std::int64_t subnormal = 0;   ///< below its normal range (6.1e-5), with fewer digits
  std::int64_t zeroed = 0;      ///< too small even for that: becomes 0
  std::int64_t not_finite = 0;  ///< infinite or NaN as stored
  double largest = 0;           ///< magnitude, of the finite ones
};
struct WeightScan {
  bool done = false;
  std::int64_t bytes = 0;  ///< of all floating-point constants
  ScannedTensor total;     ///< name: empty
  std::vector<ScannedTensor> worst;
};

/// Operations that share a property: an interpolation mode, a concat pattern, a pad, a change of layout.
struct OpGroup {
  std::string what;
  std::vector<std::string> ops;  ///< output names
};

/// Tensors of an unknown state dict under one prefix.
struct TensorGroup {
  std::string prefix;
  std::int64_t tensors = 0, parameters = 0;
  std::map<std::string, std::int64_t> dtypes, layers;  ///< layers: guessed kinds
};

struct EngineView {
  std::string device, basis;
  std::int64_t ops = 0, supported = 0, on_ane = 0;
  double coverage_percent = 0;
  std::size_t partitions = 0;
  plan::LatencyRange latency;
};

/// A command that was tried in memory.
struct Advice {
  std::string command, why;
  std::string effect;        ///< "617 -> 618 of 618 operations on the engine, …"; empty: it changes no plan
  bool alternative = false;  ///< only if its condition suits the application
};

struct Analysis {
  std::string model, network, format;  ///< network: "unknown" when nothing says which it is
  std::string title;                   ///< one line for people
  bool has_program = false;            ///< false: tensors only, the network is not known
  LayerSummary layers;
  struct {
    std::int64_t total = 0, live = 0, dead = 0;
  } parameters;
  std::vector<std::string> dead_modules;
  std::vector<OutputChoice> output_choices;
  std::int64_t macs = 0, fixed_macs = 0;  ///< fixed: of matrices that are not trained, not part of `macs`
  OpCounts ops;
  std::vector<FeatureSummary> inputs, outputs;
  std::vector<WorkRow> by_kind, by_stage;
  std::string stage_basis;  ///< what a stage is
  std::vector<TensorRow> largest_weights, largest_activations;
  PeakMemory peak;
  WeightScan weights;
  std::vector<OpGroup> dynamic, interpolation, concats, pads, layouts;
  std::vector<TensorGroup> groups;  ///< of an unknown state dict
  std::vector<std::string> needed;  ///< what would have to be there to convert it
  std::optional<EngineView> engine;
  std::vector<plan::Finding> findings;  ///< most expensive first
  std::vector<Advice> advice;
  std::vector<ModuleRow> tree;  ///< all modules, parents first
  std::vector<std::string> notes;
  double seconds = 0;

  std::int64_t fp32_bytes() const { return fp16_bytes() > kMost / 2 ? kMost : 2 * fp16_bytes(); }
  std::int64_t fp16_bytes() const { return parameters.total > kMost / 2 ? kMost : 2 * parameters.total; }

 private:
  static constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
};

}  // namespace anemone::toolchain

#pragma once
// The verb `gate`: does a model reach its targets, and what says so? (docs/decisions/0014-what-may-satisfy-a-target.md)
#include <optional>
#include <string>
#include <vector>

#include "anemone/toolchain/measurements.h"
#include "anemone/toolchain/plan_model.h"
#include "anemone/toolchain/targets.h"
#include "anemone/toolchain/verify_result.h"

namespace anemone::toolchain {

struct GateRequest {
  std::optional<std::string> device;  ///< the chip of the predictions; default: that of the targets, else m1
  /// Of the same basis a number comes before a bound, else the later before the earlier; where they contradict each other
  /// the worse counts.
  std::vector<Measurements> measured;
  const VerifyResult* verified = nullptr;  ///< what a verification said; null: there was none
  const PlanResult* planned = nullptr;     ///< what is planned for the chip already; null: it is done now
};

/// What a planner says of a quantity.
struct GatePrediction {
  double low = 0, high = 0;
  std::string evidence;  ///< the weakest it rests on
};

/// One limit of one target.
struct GateRow {
  Quantity quantity = Quantity::latency;
  std::string_view level;
  double wanted = 0;
  Basis basis = Basis::predicted;  ///< what may satisfy it
  std::optional<double> got;       ///< nothing: nobody measured it
  std::optional<Basis> got_basis;
  bool bound = false;                        ///< `got` is what the number cannot exceed; it may be less
  std::string source;                        ///< of `got`: a file, or what was asked
  std::optional<GatePrediction> prediction;  ///< for comparison; part of the verdict only where `basis` is predicted
  std::optional<bool> met;                   ///< nothing: open
  std::string why_open;
};

struct GateResult {
  std::string model, targets, chip;
  std::vector<GateRow> rows;
  std::optional<bool> met;  ///< false: a must is missed; nothing: none is, and one is open
  std::vector<std::string> notes;
};

Result<GateResult> gate(const Model& model, const Targets& targets, const GateRequest& request);

}  // namespace anemone::toolchain

#pragma once
// Measurements from files: what bench, verify and detect print with --json, and what a Mac or telephone measured.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "anemone/support/result.h"
#include "anemone/toolchain/targets.h"
#include "anemone/toolchain/verify_result.h"

namespace anemone::toolchain {

/// Where an operation ran, by the device's own plan. Both may be absent there.
struct MeasuredOp {
  std::optional<std::string> unit;  ///< "ane", "cpu", "gpu"
  std::optional<double> cost;       ///< share of the whole, 0 to 1: the device's estimate, not a measurement
};

struct Measurements {
  std::string file, schema;
  std::string model;  ///< that was measured, as the file says; empty: it does not say
  Basis basis = Basis::here;
  std::string conditions;  ///< machine and settings, in words
  std::optional<double> latency_ms, coverage_percent, partitions, fps;
  /// Of the landmarks' error against ground truth, relative to the reference's, in percent; negative: it became smaller.
  std::optional<double> nme_change_percent;
  /// Of the landmarks against the reference's, in percent of the distance of the outer eye corners; only where no point
  /// was left out.
  std::optional<double> nme_between_percent;
  std::map<std::string, MeasuredOp> ops;  ///< by the name of the first output
  std::vector<std::string> notes;         ///< what of it is no measurement of the model, and why; what it says besides
};

/// By the file's own `schema`: anemone.bench/1, anemone.verify/1, anemone.detect/1, anemone.device/1. Bad input: not one of
/// these, or a value of another type; a virtual machine, which has no Neural Engine.
Result<Measurements> read_measurements(const std::filesystem::path& path);

/// What a verification says of the landmarks.
Measurements measurements_of(const VerifyResult& verified);

/// By their last part, with its ending: star.pkl is not star.mlpackage, and star.mlmodelc is either, compiled.
bool same_name(const std::filesystem::path& a, const std::filesystem::path& b);
/// Bad input: measured on a model of another name. Folders do not matter: it is measured elsewhere.
Result<void> check_same_model(const Measurements& measured, const std::filesystem::path& model);

}  // namespace anemone::toolchain

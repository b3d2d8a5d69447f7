#pragma once
// The main job: a model becomes an optimised Core ML package.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "anemone/ops/interface_edits.h"
#include "anemone/passes/pass.h"
#include "anemone/support/result.h"
#include "anemone/toolchain/calibrate.h"
#include "anemone/toolchain/model.h"
#include "anemone/toolchain/summary.h"

namespace anemone::toolchain {

enum class InputKind : std::uint8_t { automatic, image, tensor };

/// What a package computes in, for convert, plan and analyze: the pipeline default-fp16 or default-fp32 makes it so. What
/// is fp16 already stays fp16: digits do not come back. (run, verify and bench round in the engine instead, see
/// runtime/engine.h's Precision: a hypothesis about numbers, not about the package.) Automatic: fp16, but for the
/// operations that calibration shows to be damaged by it.
enum class PackagePrecision : std::uint8_t { fp16, fp32, automatic };
std::string_view name(PackagePrecision precision);

struct ConvertOptions {
  PackagePrecision precision = PackagePrecision::fp16;
  std::optional<Target> target;            ///< default: ios17; a package keeps its own
  InputKind input = InputKind::automatic;  ///< automatic: image for networks that take one; a package keeps its own
  std::optional<Color> color;              ///< default: as the network was trained
  std::optional<double> scale;
  std::vector<double> bias;
  std::vector<std::pair<std::int64_t, std::int64_t>> shapes;  ///< (height, width); the first is the default
  bool shape_functions = false;      ///< a function for each of the sizes, from ios18; else one graph, where possible
  std::vector<std::string> outputs;  ///< "all", "final" or names; empty = the network's default
  std::vector<std::string> passes;   ///< names of passes and pipelines; empty = the default pipeline
  std::vector<std::string> skip_passes;
  std::vector<std::string> keep_fp32;  ///< operation types or names of values whose operations compute in fp32
  std::string calibration_folder;      ///< of pictures whose numbers are looked at; empty: seeded ones, where asked for
  std::string stop_after;              ///< the last pass to run, where it comes first; empty = all
  std::map<std::string, std::string> metadata;  ///< author, license, description, version, and user keys
  bool check_passes = false;                    ///< large networks run on the fast executor, small ones by definition
  std::filesystem::path dump_folder;            ///< --dump-ir; empty = no
  int threads = 0;
};

struct Converted {
  std::unique_ptr<Program> program;
  std::vector<passes::PassReport> passes;
  std::vector<ValueRange> ranges;             ///< of a calibration, before anything is fp16
  std::vector<std::string> outputs_left_out;  ///< of the network's "all"
  /// Of several sizes, each as if it were the only one: what the package takes and gives at it.
  std::vector<std::vector<FeatureSummary>> inputs_by_size, outputs_by_size;
  Diagnostics warnings;
};

/// Everything but the writing: for convert, optimize, and whoever wants the program that would be written. The model
/// stays as it is. Weights may be missing: the program is whole but for them.
Result<Converted> convert(const Model& model, const ConvertOptions& options);
}  // namespace anemone::toolchain

#pragma once
// What the verbs return: plain structs that reports render and nobody computes on.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "anemone/toolchain/calibrate.h"
#include "anemone/toolchain/summary.h"

namespace anemone::toolchain {

struct PassSummary {
  std::string name;
  bool changed = false;
  double ms = 0;
  std::map<std::string, std::size_t> counts;
  std::vector<std::string> remarks;
};

struct ConvertResult {
  std::string input, output;
  bool written = true;  ///< false: a rehearsal
  std::uint64_t bytes = 0, input_bytes = 0;
  std::int64_t parameters = 0, parameters_dead = 0;  ///< of a checkpoint; dead: never run, left out
  std::string precision, target;
  OpCounts ops;
  std::vector<FeatureSummary> inputs, outputs;
  std::vector<std::string> functions;  ///< more than one: one a size
  std::vector<std::string> outputs_left_out;
  std::vector<PassSummary> passes;
  std::vector<ValueRange> ranges;  ///< of a calibration
  double seconds = 0;
};

struct RunOutput {
  std::string name, dtype, file;  ///< file: within the output folder
  Dims shape;
  double min = 0, max = 0, mean = 0;  ///< of the finite values
  std::int64_t not_finite = 0;        ///< NaN or infinite
};
struct RunResult {
  std::string model, folder;
  std::vector<RunOutput> outputs;
  std::string label;                                          ///< of a classifier: that of the greatest probability
  std::vector<std::pair<std::string, double>> probabilities;  ///< of a classifier, greatest first
  std::vector<std::string> notes;  ///< the shape a flexible program ran at, operations without a fast kernel …
  double seconds = 0;              ///< of the execution alone, all steps
};

/// One output of two models, over all inputs. Differences are of the values that are finite in both.
struct OutputComparison {
  std::string name;
  double max_abs = 0, mean_abs = 0, psnr_db = 0, scale = 0;  ///< scale: largest magnitude of the reference
  std::int64_t values = 0;                                   ///< of one input
  std::int64_t not_finite = 0, not_finite_reference = 0;     ///< NaN or infinite, over all inputs
  bool constant = false;                                     ///< the reference gives one number, everywhere and always
  bool reacts = true;                                        ///< the reference gives other values for other inputs
  bool reordered = false;                                    ///< behind a top-k: the same values in another order
  std::string worst_input;                                   ///< where the signal to noise is least
  std::size_t worst_index = 0;                               ///< of that input
  bool judged = true;                                        ///< says something about the model: see `verdict`
  std::string verdict;                                       ///< "ok", "OUT OF TOLERANCE", "NOT FINITE", "empty" …
  bool pass = false;
};
struct LandmarkComparison {
  std::int64_t points = 0;
  std::int64_t left_out = 0;      ///< points that are not finite in one of the models, over all inputs
  std::int64_t undetermined = 0;  ///< points that the reference does not determine, over all judged inputs
  std::int64_t inputs = 0, inputs_not_judged = 0, inputs_without_answer = 0;  ///< the last: too few points are left
  double other_max_px = 0;  ///< of the inputs that are not judged in pixels
  std::string worst_input;
  std::int64_t worst_point = 0;
  double mean_px = 0, max_px = 0;     ///< of the crop
  std::optional<double> nme_percent;  ///< normalised by the reference's outer eye corners
  bool pass = false;
};
struct VerifyResult {
  std::string candidate, reference, basis;  ///< basis: which inputs, which precisions
  std::size_t inputs = 0;
  std::vector<OutputComparison> outputs;  ///< the worst over all inputs
  std::optional<LandmarkComparison> landmarks;
  double limit_mean_px = 0, limit_max_px = 0, limit_psnr_db = 0;
  std::vector<std::string> notes;
  std::string reason;               ///< why not, when `pass` is false
  std::vector<std::string> causes;  ///< what was tried to find out why not, and what came of it
  std::string next;                 ///< what to try then
  bool pass = false;
};

struct BenchSide {
  std::string model;
  double median_ms = 0, p90_ms = 0, p99_ms = 0, min_ms = 0, load_ms = 0;
  std::vector<double> runs_ms;
  std::int64_t macs = 0;
  std::vector<std::pair<std::string, double>> by_type;  ///< operation type and ms of the last run, slowest first
};
struct BenchResult {
  BenchSide model;
  std::optional<BenchSide> against;
  std::optional<double> ratio;  ///< model / against, median over interleaved pairs
  std::size_t runs = 0;
  std::uint64_t peak_rss_bytes = 0;
  int threads = 0;
  std::string cpu, isa, precision;
};

struct SynthResult {
  std::string output, weights;
  std::int64_t points = 0, parameters = 0;
  std::size_t tensors = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> replaced;  ///< keys taken from --heads
};

struct VersionResult {
  std::string version, build, compiler, architecture;
};

struct ListedTensor {
  std::string path, dtype, storage, sha256;
  Dims shape, stride;
  std::int64_t offset = 0;
  bool parameter = false;
  std::string kind;  ///< empty: dense; else "quantised …", "indices of a sparse_coo tensor …"
};
struct CheckpointListing {
  std::string file, container, root;
  std::size_t storages = 0;
  std::vector<std::string> globals;
  std::string part;  ///< only tensors with this in their path; empty: all
  std::size_t tensors_in_all = 0;
  std::vector<ListedTensor> tensors;
};

}  // namespace anemone::toolchain

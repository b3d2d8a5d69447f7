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

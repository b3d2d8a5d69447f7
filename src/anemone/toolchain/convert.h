#pragma once
// The main job: a model becomes an optimised Core ML package.
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "anemone/passes/interface_edits.h"
#include "anemone/passes/pass.h"
#include "anemone/support/result.h"
#include "anemone/toolchain/model.h"

namespace anemone {

enum class InputKind : std::uint8_t { automatic, image, tensor };

struct ConvertOptions {
  bool half = true;                        ///< fp16, else fp32
  std::optional<Target> target;            ///< default: ios17; a package keeps its own
  InputKind input = InputKind::automatic;  ///< automatic: image for networks that take one; a package keeps its own
  std::optional<Color> color;              ///< default: as the network was trained
  std::optional<double> scale;
  std::vector<double> bias;
  std::vector<std::pair<std::int64_t, std::int64_t>> shapes;  ///< (height, width); the first is the default
  std::vector<std::string> outputs;  ///< "all", "final" or names; empty = the network's default
  std::vector<std::string> passes;   ///< names of passes and pipelines; empty = the default pipeline
  std::vector<std::string> skip_passes;
  std::optional<std::string> network;
  std::map<std::string, std::string> metadata;  ///< author, license, description, version, and user keys
  bool check_passes = false;                    ///< large networks run on the fast executor, small ones by definition
  std::filesystem::path dump_folder;            ///< --dump-ir; empty = no
  int threads = 0;
};

struct Converted {
  std::unique_ptr<Program> program;
  std::vector<PassReport> passes;
  std::vector<std::string> outputs_left_out;  ///< of the network's "all"
  Diagnostics warnings;
};

/// Everything but the writing: for convert, optimize, and whoever wants the program that would be written.
Result<Converted> convert(const std::filesystem::path& input, const ConvertOptions& options);

/// One program that takes any of the sizes, from programs that differ in extents only: those extents become unknown and
/// the image (or array) input gets the list. E0810 when constants depend on the size, as STAR's coordinate maps do.
Result<std::unique_ptr<Program>> merge_sizes(std::vector<std::unique_ptr<Program>> programs);

/// One program with a function a size (specification 9 and newer): `size_HxW`, the first is the default.
Result<std::unique_ptr<Program>> functions_by_size(std::vector<std::unique_ptr<Program>> programs);

}  // namespace anemone

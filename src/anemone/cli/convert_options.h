#pragma once
// The options that convert, optimize and export have in common.
#include <string>
#include <vector>

#include "anemone/cli/model_options.h"
#include "anemone/toolchain/deliver.h"

namespace anemone::cli {

inline constexpr Choice<Target> kTargets[] = {
    {"ios15", Target::ios15},          {"ios16", Target::ios16},         {"ios17", Target::ios17},
    {"ios18", Target::ios18},          {"15", Target::ios15, false},     {"16", Target::ios16, false},
    {"17", Target::ios17, false},      {"18", Target::ios18, false},     {"macos12", Target::ios15, false},
    {"macos13", Target::ios16, false},  // what loads the same packages
    {"macos14", Target::ios17, false}, {"macos15", Target::ios18, false}};
/// For verbs that look at a package: as it is, or as `convert` would write it.
inline constexpr Choice<std::optional<toolchain::PackagePrecision>> kPlannedPrecisions[] = {
    {"as-stored", std::nullopt},
    {"fp16", toolchain::PackagePrecision::fp16},
    {"fp32", toolchain::PackagePrecision::fp32}};

class ConvertFlags {
 public:
  /// `precision`: what the verb takes for granted.
  explicit ConvertFlags(toolchain::PackagePrecision precision = toolchain::PackagePrecision::fp16)
      : precision_by_default_(precision) {}
  void declare(Call& call);
  /// After parse(): the words as options, or what is wrong with them.
  Result<toolchain::ConvertOptions> read(const Call& call) const;
  toolchain::LoadOptions load(Call& call, const toolchain::ConvertOptions& options) const;
  /// What another verb needs to read the same model as it was read here: " --shapes 256x256", or nothing.
  std::string again() const;
  /// What was read and written: warnings, and the page unless the output itself went to stdout.
  void show(Call& call, const toolchain::Model& model, const toolchain::Delivered& delivered, bool stream) const;

 private:
  bool check_passes_ = false, stats_ = false, shape_functions_ = false;
  ModelFlags model_;
  toolchain::PackagePrecision precision_by_default_;
  std::optional<toolchain::PackagePrecision> precision_;
  std::optional<Target> target_;
  toolchain::InputKind input_ = toolchain::InputKind::automatic;
  std::optional<std::string> author_, license_, description_, version_, dump_, stop_after_, calibrate_;
  std::optional<double> scale_;
  std::vector<double> bias_;
  std::vector<std::string> colors_, shapes_, outputs_, passes_, skip_, user_, keep_fp32_;
};

}  // namespace anemone::cli

#pragma once
// The options that convert, optimize and export have in common.
#include <string>
#include <vector>

#include "anemone/cli/verb.h"
#include "anemone/toolchain/convert.h"

namespace anemone::cli {

class ConvertFlags {
 public:
  void declare(Call& call);
  /// After parse(): the words as options, or what is wrong with them.
  Result<ConvertOptions> read(const Call& call) const;
  bool stats() const { return stats_; }
  std::string precision_name() const { return half_ ? "fp16" : "fp32"; }

 private:
  bool half_ = true, check_passes_ = false, stats_ = false;
  InputKind input_ = InputKind::automatic;
  std::optional<std::string> target_, network_, author_, license_, description_, version_, dump_;
  std::optional<double> scale_;
  std::vector<double> bias_;
  std::vector<std::string> colors_, shapes_, outputs_, passes_, skip_, user_;
};

/// "256x256" as (height, width).
Result<std::pair<std::int64_t, std::int64_t>> parse_size(const std::string& word);

}  // namespace anemone::cli

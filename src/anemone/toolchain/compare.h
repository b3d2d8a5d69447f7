#pragma once
// The numbers of two models side by side: how far apart, and whether there is anything to compare at all.
#include <optional>
#include <vector>

#include "anemone/ir/op_def.h"
#include "anemone/toolchain/verify_result.h"

namespace anemone::toolchain {

/// One output over several inputs. What is not finite is counted and never part of the differences.
class OutputJudge {
 public:
  /// `behind_top_k`: equal scores may come in any order, so values are also compared regardless of their places.
  OutputJudge(std::string name, bool behind_top_k) : behind_top_k_(behind_top_k) { result_.name = std::move(name); }

  /// E0820 when the shapes differ.
  Result<void> add(const std::string& input, const Array& got, const Array& want);
  /// Passes from `min_psnr_db` on, where nothing is NaN and nothing infinite on one side alone.
  OutputComparison finish(double min_psnr_db);

 private:
  OutputComparison result_;
  bool behind_top_k_ = false, has_nan_ = false, one_sided_ = false, any_finite_ = false, broken_ = false;
  double reordered_psnr_ = 0;
  std::size_t inputs_ = 0;
  std::optional<double> only_value_;  ///< of the reference, as long as there is one
  std::vector<double> first_;         ///< the reference's answer to the first input
};

}  // namespace anemone::toolchain

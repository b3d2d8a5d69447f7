#pragma once
// Which operations compute in fp32 in an fp16 package: those that are named, and those that a calibration shows damaged.
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/support/result.h"
#include "anemone/toolchain/calibrate.h"

namespace anemone::toolchain {

class KeptWide {
 public:
  /// `asked`: operation types, or names of values (--keep-fp32). `ranges`: where the damage is looked for; may be none.
  KeptWide(std::span<const std::string> asked, std::span<const ValueRange> ranges);

  /// Why this operation stays fp32; empty: it need not. An operation that takes what fp16 does not hold cannot take it in
  /// fp16 either.
  std::string why(const Node& node);

  /// After the cast: words that why() has not met. One that is no type of the table and no value of `program` is an error
  /// of usage, because it would be fp16 in silence; of one that was fp16 before the cast there is a warning.
  Result<void> check(const Program& program, Diagnostics& warnings) const;

 private:
  std::set<std::string, std::less<>> asked_, met_;
  std::map<std::string, std::string, std::less<>> damaged_;  ///< value to reason
};

}  // namespace anemone::toolchain

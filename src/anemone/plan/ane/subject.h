#pragma once
// What the rules of the Neural Engine look at: one operation before it is placed, and the placed program.
#include <string>
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/plan/ane/device.h"
#include "anemone/plan/ane/route.h"
#include "anemone/plan/ane/support_table.h"
#include "anemone/plan/rule.h"

namespace anemone::plan::ane {

/// What refuses every operation of a program at once.
struct WholeProgram {
  bool has_loop = false;
  std::int64_t weight_bytes = 0;  ///< as stored
};
WholeProgram look_at_whole(const Function& function);

struct Subject {
  /// One operation on a device, before anything is placed.
  struct Op {
    const Node& node;
    const Device& device;
    const SupportRow* row;  ///< null: nothing is known of its type
    const WholeProgram& whole;
    std::vector<const Value*> at_run_time;  ///< its operands that are no constants, then its outputs
  };

  const Function* function = nullptr;
  const Interface* interface = nullptr;  ///< as declared
  const Device* device = nullptr;
  std::vector<const Node*> nodes;
  std::vector<Step> steps;
  std::vector<const plan::Rule<Subject>*> refused_by;  ///< an operation each; null: taken, or off as a hypothesis
  const Plan* plan = nullptr;                          ///< verdicts, units, segments
};
using Rule = plan::Rule<Subject>;

/// How findings call an operation: by its first output.
std::string name_of(const Node& node);

/// Operands that come at run time.
std::vector<const Value*> runtime_operands(const Node& node);

/// Of a tensor of fixed shape; 0 where that is unknown. At most 2^44, so that sums over a program fit whatever a file
/// claims.
std::int64_t bytes_of(const Value& value);

}  // namespace anemone::plan::ane

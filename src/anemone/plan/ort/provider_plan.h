#pragma once
// What ONNX Runtime's CoreML provider will take of a model, in how many pieces, and why: as plain data.
#include <optional>
#include <string>
#include <vector>

#include "anemone/plan/ort/level1.h"
#include "anemone/plan/ort/target.h"

namespace anemone::plan::ort {

struct RejectedNode {
  std::string node, op;      ///< its name, or that of its first output
  std::string code, reason;  ///< of the rule; a sentence with the numbers
  std::string instead;
  bool separates = false;  ///< supported nodes come before and behind it: it costs a partition
};

struct PartitionPlan {
  std::size_t nodes = 0;
  std::vector<std::string> inputs, outputs;  ///< tensors that cross its border, without constants
};

/// Nodes of one type that one rule refuses.
struct RejectedGroup {
  std::string op, code, reason, instead;  ///< the first node's reason
  std::size_t count = 0, separating = 0;
};

/// One of the changes that leave a single partition; in an order in which each merges as much as it can.
struct Change {
  std::string op, code, instead;
  std::size_t nodes = 0, partitions = 0;  ///< partitions that are left when it and those before it are made
};

/// The same model with every free extent of its inputs fixed to 1.
struct FixedShapes {
  std::vector<std::string> extents;  ///< "input: [batch,3,256,256]"
  std::size_t nodes = 0, supported = 0, partitions = 0;
};

struct ProviderPlan {
  Target target;
  std::size_t nodes = 0, supported = 0;  ///< after level 1
  std::size_t nodes_in_file = 0;         ///< without constants
  std::vector<PassCount> level1;
  std::vector<PartitionPlan> partitions;
  std::vector<RejectedNode> rejected;
  std::vector<RejectedGroup> groups;  ///< most nodes first
  std::vector<Change> changes;
  std::optional<FixedShapes> fixed;  ///< where an input has a free extent
  bool static_input_shapes = false;  ///< all inputs have fixed extents
  std::string engine;                ///< what Core ML can do with the partitions on the Neural Engine
  std::vector<std::string> notes;
  double coverage_percent() const;
};

struct PlanOptions {
  bool details = true;  ///< false: the counts alone, for tables
};

/// Errors: none. What a release would not load is planned all the same, and said in the notes.
ProviderPlan plan_for_provider(onnx::Model model, Target target, const PlanOptions& options = {});

/// Free extents of the inputs become 1; empty: there are none.
std::vector<std::string> fix_extents(onnx::Model& model);

}  // namespace anemone::plan::ort

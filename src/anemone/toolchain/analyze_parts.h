#pragma once
// The parts of an analysis, each filling its fields. Internal to analyze.cpp.
#include <limits>

#include "anemone/toolchain/analyze.h"
#include "anemone/toolchain/model.h"

namespace anemone::toolchain::analysis {

/// A sum that stays at the largest number: types without payload may declare any extent.
inline void add(std::int64_t& sum, std::int64_t more) {
  if (__builtin_add_overflow(sum, more, &sum)) sum = std::numeric_limits<std::int64_t>::max();
}

/// Kinds for the table: "Convolution", "BatchNorm", "ReLU", "Linear", …; a module's class by its name, as users count.
std::string kind_of_module(std::string_view type);
std::string kind_of_op(std::string_view type);
/// The same for an operation of this model: products with matrices that nobody trained are a kind of their own.
std::string kind_of_op(const Model& model, std::string_view type, std::string_view origin, std::int64_t macs);
/// Numbers that were trained, not those that describe an operation: floats of rank 1 and more.
bool is_weight(const Value& value);

/// Modules, live and dead parameters, choices of outputs, stages: a checkpoint of a known network.
void describe_modules(const Model& model, Analysis& out);
/// Module rows of any tree, and the counts by class.
void describe_tree(const models::ModuleTree& tree, Analysis& out);
/// Parameters and layers of a program that has no modules.
void describe_constants(const Function& function, Analysis& out);
/// The kinds' modules and operations.
void compose(const OpCounts& ops, Analysis& out);

/// Work, bytes, tensors and memory of a program of fixed extents.
void describe_work(const Model& model, const Function& function, Analysis& out);
/// What comes at run time, interpolation, concats, pads, layouts; of the program as declared.
void describe_patterns(const Function& function, Analysis& out);
void find_dynamic(const Function& function, Analysis& out);
/// Reads the weights in blocks; constants that lie in a package's weight file are read from there, not mapped.
void scan_weights(const Model& model, const Function& function, const AnalyzeRequest& request, Analysis& out);

/// What the planner says, attached to kinds and findings.
void ask_engine(const Model& model, const Function& function, const Interface& declared, const AnalyzeRequest& request,
                Analysis& out);
/// Findings of the analysis itself, the order of all, and the commands that help.
void conclude(const Model& model, const AnalyzeRequest& request, Analysis& out);

/// A checkpoint whose network is not known, or whose tensors do not fit: no_network says which.
Result<Analysis> describe_state_dict(const Model& model);

}  // namespace anemone::toolchain::analysis

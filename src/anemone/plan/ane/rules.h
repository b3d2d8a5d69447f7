#pragma once
// The rules of the Neural Engine: rows with their checks, one file a theme (rules_*.cpp).
#include <span>
#include <string_view>

#include "anemone/plan/ane/subject.h"

namespace anemone::plan::ane {

std::span<const Rule* const> rules();  ///< by code
const Rule* find_rule(std::string_view code);

// The themes. Evidence: D Apple documents it, R several sources reproduced it, S one source reports it, V computed here
// from files that devices reported on.
std::span<const Rule* const> type_rules();       ///< types of operations and of numbers
std::span<const Rule* const> size_rules();       ///< extents, kernels, strides
std::span<const Rule* const> pattern_rules();    ///< operations that would be better said otherwise
std::span<const Rule* const> interface_rules();  ///< inputs, outputs, sizes of the whole
std::span<const Rule* const> number_rules();     ///< fp16 hazards that weights and constants show
std::span<const Rule* const> weight_rules();     ///< compression and streams
std::span<const Rule* const> compile_rules();    ///< what does not compile
std::span<const Rule* const> placement_rules();  ///< what the route shows

/// A finding for each rule that refused operations, with what its refusals cost by the planner's estimates.
void report_refusals(const Subject& subject, Findings& findings);

/// Operations that the engine takes and the planner does not put there get a code and a reason.
void explain_dragged(const Subject& subject, Plan& plan);

/// Everything that the rules have to say about a placed program.
Findings report_all(const Subject& subject, bool read_weights);

extern const Rule kFp32Tensor;  ///< ANE001, which tells of a border cast in other words

}  // namespace anemone::plan::ane

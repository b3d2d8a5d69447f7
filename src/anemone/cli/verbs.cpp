// The table of verbs. A list by hand, not self-registration: it has an order, and the linker cannot drop a row.
#include "anemone/cli/verbs.h"

namespace anemone::cli {
namespace {

constexpr const Verb* kVerbs[] = {
    &kAnalyzeVerb, &kConvertVerb, &kOptimizeVerb,   &kExportVerb,  &kPlanVerb,   &kExplainVerb,
    &kRunVerb,     &kVerifyVerb,  &kBenchVerb,      &kGateVerb,    &kReportVerb, &kDetectVerb,
    &kScoreVerb,   &kPrintVerb,   &kSynthVerb,      &kOpsVerb,     &kPassesVerb, &kRulesVerb,
    &kErrorsVerb,  &kDoctorVerb,  &kCompletionVerb, &kVersionVerb,
};

}  // namespace

std::span<const Verb* const> all_verbs() { return kVerbs; }

}  // namespace anemone::cli

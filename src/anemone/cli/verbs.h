#pragma once
// The rows of the table of verbs, one per file of this folder.
#include <span>

#include "anemone/cli/verb.h"

namespace anemone::cli {

extern const Verb kBenchVerb, kConvertVerb, kOptimizeVerb, kOpsVerb, kPassesVerb, kPrintVerb, kRunVerb, kSynthVerb,
    kVerifyVerb, kVersionVerb, kPlanVerb, kExplainVerb, kRulesVerb, kAnalyzeVerb, kErrorsVerb, kDoctorVerb,
    kCompletionVerb, kExportVerb, kDetectVerb, kScoreVerb, kGateVerb, kReportVerb;

/// In the order of the help page.
std::span<const Verb* const> all_verbs();

}  // namespace anemone::cli

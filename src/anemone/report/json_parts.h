#pragma once
// The only door to JSON: what comes out is valid whatever a file put into names and numbers. Internal to report/.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "anemone/plan/plan.h"
#include "anemone/toolchain/summary.h"

namespace anemone::report {

using Json = nlohmann::ordered_json;  ///< "schema" comes first

/// The document. Bytes that are not UTF-8 (names in foreign files need not be) become U+FFFD; what a terminal would obey
/// is written as \uNNNN.
std::string dump(const Json& json);

/// JSON has no infinity and no NaN: null.
Json number(double value);
/// Rounded to 1/1000: milliseconds, microseconds, percent.
double thousandths(double value);

Json features(const std::vector<toolchain::FeatureSummary>& list);
Json op_counts(const toolchain::OpCounts& counts);
Json findings(const std::vector<plan::Finding>& list);

}  // namespace anemone::report

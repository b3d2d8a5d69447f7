#pragma once
// What to do about a model: commands that were tried before they are said.
#include <optional>
#include <string>

#include "anemone/toolchain/analysis.h"
#include "anemone/toolchain/analyze.h"
#include "anemone/toolchain/model.h"

namespace anemone::toolchain::analysis {

/// Fills `advice` and keeps in the findings those commands that help: each conversion is made in memory and planned.
/// What does not bring more operations to the engine or save time there is not advised, nor is anything that needs
/// weights which are missing.
void advise(const Model& model, const AnalyzeRequest& request, Analysis& out);

/// Whether some number of the package that the conversion writes is infinite although the checkpoint's is not.
bool overflows_when_converted(const Model& model);

}  // namespace anemone::toolchain::analysis

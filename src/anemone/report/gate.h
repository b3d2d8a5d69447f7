#pragma once
// Verdicts on targets, for people and for machines.
#include <string>

#include "anemone/toolchain/gate.h"

namespace anemone::report {

std::string gate_text(const toolchain::GateResult& result);
std::string gate_json(const toolchain::GateResult& result);

/// "< 100", "> 85": what the limit of a row asks for; a number as short as it is exact; "met", "MISSED", "open".
std::string wanted_text(const toolchain::GateRow& row);
std::string got_text(const toolchain::GateRow& row);
std::string prediction_text(const toolchain::GateRow& row);
std::string_view verdict_text(const toolchain::GateRow& row);

}  // namespace anemone::report

#pragma once
// Where a network's numbers stop being finite.
#include <optional>
#include <string>
#include <vector>

#include "anemone/support/result.h"
#include "anemone/toolchain/session.h"

namespace anemone::toolchain {

/// The first value in program order that is not finite although its operands are, as a sentence: "'sq' (mul) is the
/// first that is not finite; its operands reach 300, and fp16 ends at 65504". Nothing when all values are finite. Runs
/// the network again, some values at a time, so that memory stays bounded. `session` is a model at a fixed size.
Result<std::optional<std::string>> first_not_finite(const Session& session, const std::vector<Array>& inputs,
                                                    const SessionOptions& options);

}  // namespace anemone::toolchain

#pragma once
// Two models side by side, output by output.
#include <cstddef>
#include <string>

#include "anemone/toolchain/verify_result.h"

namespace anemone::report {

/// `most_layers`: how many of the values inside are listed.
std::string verify_text(const toolchain::VerifyResult& result, std::size_t most_layers);
std::string verify_json(const toolchain::VerifyResult& result, std::size_t most_layers);

/// The index.json of the arrays that were saved.
std::string saved_index_json(const toolchain::VerifyResult& result);

}  // namespace anemone::report

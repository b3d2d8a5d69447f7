#pragma once
// What `verify --json` printed, read again.
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "anemone/support/result.h"
#include "anemone/toolchain/verify_result.h"

namespace anemone::toolchain {

inline constexpr std::string_view kVerifySchema = "anemone.verify/1";

/// The verdict, the outputs and the landmarks; no pictures, no layers. Throws WrongValue (json_file.h).
VerifyResult verification_in(const nlohmann::json& json);
/// E0841: not such a file.
Result<VerifyResult> read_verification(const std::filesystem::path& path);

/// E0842: of models of other names. An empty `reference`: any. Folders do not matter.
Result<void> check_same_models(const VerifyResult& verified, const std::filesystem::path& candidate,
                               const std::filesystem::path& reference);

}  // namespace anemone::toolchain

#pragma once
// The verb `verify`: do two models give the same numbers?
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "anemone/support/result.h"
#include "anemone/toolchain/session.h"
#include "anemone/toolchain/verify_result.h"

namespace anemone::toolchain {

struct VerifyRequest {
  std::vector<InputFile> inputs;  ///< and no pictures: faces for landmark networks, else seeded pictures or arrays
  std::vector<std::filesystem::path> pictures;  ///< a run each, decoded when its turn comes
  const Model* faces = nullptr;                 ///< a detector: the inputs are the faces of the pictures
  std::filesystem::path truth;  ///< ground truth for pictures or faces, see read_landmarks(); empty: none
  double max_nme_change_percent = 2;
  SessionOptions session;                                 ///< precision applies to the candidate
  std::optional<runtime::Precision> reference_precision;  ///< default: as stored
  bool layers = false;                                    ///< compare what is inside, on the worst input
  std::size_t keep_pictures = 0;                          ///< of landmark networks: how many pictures the result holds
  std::filesystem::path save;  ///< folder for the arrays of failing inputs; empty: none are kept
  std::uint64_t seed = 1;
  /// Limits; the defaults are half of what a network's own error usually is, see docs/how-to/verify.md.
  double max_mean_px = 0.15, max_px = 1.0, min_psnr_db = 40;
};
/// One model after the other holds an engine, never both.
Result<VerifyResult> verify_models(const Model& candidate, const Model& reference, const VerifyRequest& request);

}  // namespace anemone::toolchain

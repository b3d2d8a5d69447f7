#pragma once
// Which tensors of a checkpoint are the weights of the network.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "anemone/support/result.h"

namespace anemone::formats {

struct WeightsPart {
  std::string part;  ///< "net", "model/state_dict", "" for the root
  std::string note;
  std::vector<std::string> others;  ///< parts left aside that are weights too
  /// Position in the given paths, and the name in the state dict (without "module.").
  std::vector<std::pair<std::size_t, std::string>> tensors;
};

/// `paths` as in StoredTensor::path; `file` for messages; `wanted`: a part by name, "net_ema" or "model/ema". See
/// state_dict() in checkpoint.h for the rules.
Result<WeightsPart> find_weights(const std::vector<std::string_view>& paths, const std::string& file,
                                 const std::optional<std::string>& wanted = {});

}  // namespace anemone::formats

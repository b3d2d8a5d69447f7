#pragma once
// A model as text: the verb `print`.
#include <filesystem>
#include <optional>
#include <string>

#include "anemone/support/result.h"

namespace anemone {

struct ShowOptions {
  bool exact = false;    ///< every constant in full, parses back to an equal program
  bool origins = false;  ///< a comment says where a node comes from
  std::optional<std::string> network;
};
/// MIL text of any model; a checkpoint as the network that is built from it.
Result<std::string> show_program(const std::filesystem::path& path, const ShowOptions& options, Diagnostics& warnings);

/// True for checkpoints, whose plain form is the list of their tensors.
Result<bool> is_checkpoint(const std::filesystem::path& path);

}  // namespace anemone

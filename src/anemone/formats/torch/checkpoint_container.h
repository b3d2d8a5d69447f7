#pragma once
// The two containers of torch.save, opened: the pickle is read and the tensors are found, the storages not yet loaded.
#include <optional>
#include <string>
#include <vector>

#include "anemone/formats/torch/checkpoint_walk.h"
#include "anemone/formats/torch/torch_objects.h"
#include "anemone/formats/wire/zip.h"
#include "anemone/support/bytes.h"

namespace anemone::formats {

struct OpenedCheckpoint {
  std::string name;
  std::string container, root;  ///< see Checkpoint
  TorchObjects objects;
  std::vector<FoundTensor> tensors;
  std::vector<std::string> globals;
  std::optional<ZipArchive> zip;  ///< else the storages of a legacy file are known already
};

Result<OpenedCheckpoint> open_checkpoint(const Bytes& file, const std::string& name);
/// Of a zip that was unpacked into a folder.
Result<OpenedCheckpoint> open_checkpoint_folder(const std::filesystem::path& folder);

/// Makes the bytes of a tensor's storage known, with their CRC checked; does nothing for one that is.
Result<Bytes> load_storage(OpenedCheckpoint& checkpoint, std::size_t storage);

}  // namespace anemone::formats

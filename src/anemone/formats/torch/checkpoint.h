#pragma once
// PyTorch checkpoints: reads what torch.save wrote (zip since 1.6, legacy before) without running anything in it.
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "anemone/formats/wire/scalar_type.h"
#include "anemone/support/bytes.h"
#include "anemone/support/result.h"

namespace anemone::formats {

/// A tensor as a view of its storage. Every element lies inside `storage`; there is no alignment.
struct StoredTensor {
  std::string path;  ///< keys joined by '/', as in the file: "net/conv.weight", "list/1/0"
  ScalarType dtype = ScalarType::float32;
  std::vector<std::int64_t> shape, stride;  ///< stride in elements
  std::int64_t offset = 0;                  ///< of the first element in `storage`, in elements
  std::string storage_key;
  Bytes storage;           ///< little-endian; shared by all tensors of the storage
  bool parameter = false;  ///< saved as an nn.Parameter
  std::string kind;        ///< empty: dense; else what the numbers are part of, or stand for (torch_objects.h)

  std::int64_t count() const;  ///< elements
};

struct Checkpoint {
  std::string name;                   ///< the file, for messages
  std::string container;              ///< "zip" or "legacy"
  std::string root;                   ///< zip: folder in the archive, "archive/"; legacy: empty
  std::vector<StoredTensor> tensors;  ///< in the order of the file; tied tensors appear under each path
  std::vector<std::string> globals;   ///< Python names that the pickle mentions, sorted
  std::size_t storages = 0;           ///< distinct ones, views of legacy storages included
};

/// Maps the file; of an unpacked checkpoint, the folder's files. Storages are views of it, but for deflated zip entries, which get a buffer each. CRC-32 of zip
/// entries checked. Errors E0501 to E0541 with the byte offset in file or pickle; see torch_objects.h for the checks.
Result<Checkpoint> read_checkpoint(const std::filesystem::path& path);
/// The same for bytes at hand; `name` is how messages call them.
Result<Checkpoint> read_checkpoint(const Bytes& file, const std::string& name);

/// The weights of one network, by the names of its state dict.
struct StateDict {
  std::string file;                   ///< for messages
  std::string part;                   ///< where they were: "net", "model/state_dict", "" for the root
  std::string note;                   ///< one sentence for reports: which part, what was stripped, what was left aside
  std::vector<std::string> others;    ///< parts that are weights too: a moving average, another network
  std::vector<StoredTensor> tensors;  ///< in the order of the file; `path` is the name, without "module."
  std::map<std::string, std::size_t, std::less<>> index;

  const StoredTensor* find(std::string_view name) const;  ///< nullptr when there is none
};

/// Picks the weights: the part called `wanted`, or "net" (also when there is "net_ema"), "state_dict", "model" and the
/// like, else the root itself. Strips the wrappers of PyTorch: DataParallel's "module.", a compiled module's
/// "_orig_mod.". E0542 when nothing looks like weights, or `wanted` is not there; E0543 when a name appears twice.
Result<StateDict> state_dict(const Checkpoint& checkpoint, const std::optional<std::string>& wanted = {});

/// read_checkpoint and state_dict in one, but reads and checks the storages of the weights only.
Result<StateDict> read_state_dict(const std::filesystem::path& path, const std::optional<std::string>& wanted = {});
Result<StateDict> read_state_dict(const Bytes& file, const std::string& name,
                                  const std::optional<std::string>& wanted = {});

bool is_contiguous(const StoredTensor& tensor);  ///< row-major without gaps
/// A row-major copy.
Bytes copy_elements(const StoredTensor& tensor);
/// The row-major bytes: a part of the storage where that is contiguous, else a copy.
Bytes elements(const StoredTensor& tensor);

}  // namespace anemone::formats

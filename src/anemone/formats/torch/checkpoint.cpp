// Reads checkpoints and state dicts, and gives the elements of their tensors in order.
#include "anemone/formats/torch/checkpoint.h"

#include <fmt/format.h>

#include <new>

#include "anemone/formats/torch/checkpoint_container.h"
#include "anemone/formats/torch/weights_part.h"
#include "anemone/formats/wire/strided.h"
#include "anemone/support/file.h"

namespace anemone::formats {

namespace {

Result<StoredTensor> load(OpenedCheckpoint& c, const FoundTensor& found) {
  const TensorRecord& record = c.objects.tensors()[found.tensor];
  StoredTensor tensor;
  tensor.path = found.path;
  tensor.dtype = record.dtype;
  tensor.shape = record.shape;
  tensor.stride = record.stride;
  tensor.offset = record.offset;
  tensor.parameter = record.parameter;
  tensor.kind = record.kind;
  tensor.storage_key = c.objects.storages()[record.storage].key;
  TRY(tensor.storage, load_storage(c, record.storage));
  return tensor;
}

Result<Checkpoint> load_all(OpenedCheckpoint opened) {
  Checkpoint result{opened.name, opened.container, opened.root};
  result.globals = std::move(opened.globals);
  result.storages = opened.objects.storages().size();
  result.tensors.reserve(opened.tensors.size());
  for (const FoundTensor& found : opened.tensors) {
    TRY(StoredTensor tensor, load(opened, found));
    result.tensors.push_back(std::move(tensor));
  }
  return result;
}

void add(StateDict& dict, StoredTensor tensor, const std::string& name) {
  tensor.path = name;
  dict.index.emplace(name, dict.tensors.size());
  dict.tensors.push_back(std::move(tensor));
}

Result<StateDict> load_weights(OpenedCheckpoint opened, const std::optional<std::string>& wanted) {
  std::vector<std::string_view> paths;
  for (const FoundTensor& found : opened.tensors) paths.push_back(found.path);
  TRY(const WeightsPart weights, find_weights(paths, opened.name, wanted));
  StateDict result{opened.name, weights.part, weights.note, weights.others, {}, {}};
  for (const auto& [position, tensor_name] : weights.tensors) {
    TRY(StoredTensor tensor, load(opened, opened.tensors[position]));
    add(result, std::move(tensor), tensor_name);
  }
  return result;
}

/// Every size was checked against the file, but a large file can still be too large for this machine.
template <class Read>
auto guarded(const std::string& name, Read&& read) -> decltype(read()) {
  try {
    return read();
  } catch (const std::bad_alloc&) {
    return bad_environment(ErrorCode::out_of_memory, "not enough memory to read the checkpoint", name);
  }
}

Result<OpenedCheckpoint> open_path(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return open_checkpoint_folder(path);
  TRY(const Bytes file, map_file(path));
  return open_checkpoint(file, path.string());
}

}  // namespace

std::int64_t StoredTensor::count() const { return checked_count(shape); }

Result<Checkpoint> read_checkpoint(const Bytes& file, const std::string& name) {
  return guarded(name, [&]() -> Result<Checkpoint> {
    TRY(OpenedCheckpoint opened, open_checkpoint(file, name));
    return load_all(std::move(opened));
  });
}

Result<Checkpoint> read_checkpoint(const std::filesystem::path& path) {
  return guarded(path.string(), [&]() -> Result<Checkpoint> {
    TRY(OpenedCheckpoint opened, open_path(path));
    return load_all(std::move(opened));
  });
}

Result<StateDict> read_state_dict(const Bytes& file, const std::string& name,
                                  const std::optional<std::string>& wanted) {
  return guarded(name, [&]() -> Result<StateDict> {
    TRY(OpenedCheckpoint opened, open_checkpoint(file, name));
    return load_weights(std::move(opened), wanted);
  });
}

Result<StateDict> read_state_dict(const std::filesystem::path& path, const std::optional<std::string>& wanted) {
  return guarded(path.string(), [&]() -> Result<StateDict> {
    TRY(OpenedCheckpoint opened, open_path(path));
    return load_weights(std::move(opened), wanted);
  });
}

Result<StateDict> state_dict(const Checkpoint& checkpoint, const std::optional<std::string>& wanted) {
  std::vector<std::string_view> paths;
  for (const StoredTensor& tensor : checkpoint.tensors) paths.push_back(tensor.path);
  TRY(const WeightsPart weights, find_weights(paths, checkpoint.name, wanted));
  StateDict result{checkpoint.name, weights.part, weights.note, weights.others, {}, {}};
  for (const auto& [position, name] : weights.tensors) add(result, checkpoint.tensors[position], name);
  return result;
}

const StoredTensor* StateDict::find(std::string_view name) const {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : &tensors[found->second];
}

bool is_contiguous(const StoredTensor& tensor) { return is_row_major(tensor.shape, tensor.stride); }

Bytes copy_elements(const StoredTensor& tensor) {
  return Bytes::owned(
      gather_row_major(tensor.storage.view, byte_size(tensor.dtype), tensor.offset, tensor.shape, tensor.stride));
}

Bytes elements(const StoredTensor& tensor) {
  if (!is_contiguous(tensor)) return copy_elements(tensor);
  const std::size_t element = byte_size(tensor.dtype);
  return tensor.storage.part(static_cast<std::size_t>(tensor.offset) * element,
                             static_cast<std::size_t>(tensor.count()) * element);
}

}  // namespace anemone::formats

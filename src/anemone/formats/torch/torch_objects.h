#pragma once
// What the pickle of a PyTorch checkpoint may name: storages, tensors as views of them, and a few harmless classes.
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "anemone/formats/torch/pickle.h"
#include "anemone/formats/wire/scalar_type.h"
#include "anemone/support/bytes.h"

namespace anemone::formats {

/// A storage as the pickle describes it. A legacy view of another storage starts `base` bytes into its root.
struct StorageRecord {
  std::string key;
  ScalarType dtype = ScalarType::uint8;  ///< uint8 for untyped storages
  std::int64_t count = 0;                ///< elements; count x byte_size does not overflow
  std::size_t root = 0;                  ///< index of itself, or of the storage it is a view of
  std::int64_t base = 0;
  bool loaded = false;
  Bytes bytes;  ///< of a root, once it is loaded

  std::int64_t size() const { return count * static_cast<std::int64_t>(byte_size(dtype)); }
};

/// Every element is known to lie inside the storage, as far as the pickle tells the storage's size.
struct TensorRecord {
  std::size_t storage = 0;
  ScalarType dtype = ScalarType::float32;
  std::vector<std::int64_t> shape, stride;
  std::int64_t offset = 0;  ///< in elements
  bool parameter = false;
  std::string kind;  ///< empty: dense. "quantised, scale 0.1, zero point 3", "indices of a sparse_coo tensor [9, 9]"
};

class TorchObjects : public pickle::Hooks {
 public:
  static constexpr std::uint32_t kStorage = 1, kTensor = 2;  ///< Value::tag; Value::number is the index

  bool knows(std::string_view global) const override;
  Result<pickle::Value> persistent(pickle::Heap& heap, pickle::Value id) override;
  Result<pickle::Value> call(pickle::Heap& heap, std::string_view global, pickle::Value arguments) override;

  const std::vector<TensorRecord>& tensors() const { return tensors_; }
  std::vector<StorageRecord>& storages() { return storages_; }
  const std::vector<StorageRecord>& storages() const { return storages_; }
  /// The root storage of this key, or nullptr.
  StorageRecord* find(const std::string& key);

 private:
  Result<std::size_t> add_storage(const StorageRecord& storage);
  Result<std::size_t> add_view(pickle::Heap& heap, pickle::Value view, std::size_t root);
  Result<pickle::Value> from_type(pickle::Heap& heap, const std::vector<pickle::Value>& given);
  pickle::Value sparse(pickle::Heap& heap, std::string_view global, const std::vector<pickle::Value>& given);
  TensorRecord* tensor(pickle::Value value);
  Result<pickle::Value> rebuild(pickle::Heap& heap, std::string_view global, const std::vector<pickle::Value>& given);
  Result<void> check(const TensorRecord& tensor) const;

  std::vector<StorageRecord> storages_;
  std::vector<TensorRecord> tensors_;
  std::unordered_map<std::string, std::size_t> by_key_, by_view_key_;
};

}  // namespace anemone::formats

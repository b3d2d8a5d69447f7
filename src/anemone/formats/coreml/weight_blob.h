#pragma once
// Weight files of ML Programs (`weight.bin`, blob storage version 2): a 64-byte header, then one 64-byte metadata
// record and its data per blob, all aligned to 64 bytes. Shapes are not stored; they come from the program's types.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "anemone/formats/coreml/spec.h"
#include "anemone/support/bytes.h"
#include "anemone/support/file.h"
#include "anemone/support/result.h"

namespace anemone::formats {

/// Element types with their numbers in weight files (not those of the program).
enum class BlobType : std::uint32_t {
  float16 = 1,
  float32,
  uint8,
  int8,
  bfloat16,
  int16,
  uint16,
  int4,
  uint1,
  uint2,
  uint4,
  uint3,
  uint6,
  int32,
  uint32,
  float8_e4m3fn,
  float8_e5m2,
};
/// Empty for what weight files cannot hold: bool, string, 64-bit types.
std::optional<BlobType> blob_type(milspec::DataType dtype);
milspec::DataType data_type(BlobType type);

struct Blob {
  BlobType type = BlobType::float16;
  std::uint64_t elements = 0;
  Bytes data;  ///< packed elements, little-endian; a view into the file, aligned to 64 bytes
};

class WeightFile {
 public:
  static Result<WeightFile> open(const std::filesystem::path& path);
  /// `name` stands in the places of errors.
  static Result<WeightFile> from_bytes(Bytes bytes, std::string name);

  /// The blob whose metadata record is at `offset` (BlobReference::offset), checked in every field.
  Result<Blob> read(std::uint64_t offset) const;
  /// Its data, after checking type and element count against what the program declares.
  Result<Bytes> read(std::uint64_t offset, milspec::DataType dtype, std::uint64_t elements) const;
  /// The number of blobs that the header states.
  std::uint32_t count() const { return count_; }
  /// The offsets of all records, found by walking the file. The header's count must agree.
  Result<std::vector<std::uint64_t>> offsets() const;

 private:
  Bytes bytes_;
  std::string name_;
  std::uint32_t count_ = 0;
};

/// Writes a weight file blob by blob. Equal content of equal type is stored once. The file is created with the first
/// blob: a program without weights has none.
class WeightWriter {
 public:
  explicit WeightWriter(std::filesystem::path path);
  WeightWriter(WeightWriter&&) noexcept;
  WeightWriter& operator=(WeightWriter&&) noexcept;
  ~WeightWriter();

  /// Stores packed elements and returns the offset for BlobReference. `data` must have packed_size(elements) bytes.
  Result<std::uint64_t> append(BlobType type, std::uint64_t elements, std::span<const std::byte> data);
  /// Writes the final header and closes the file.
  Result<void> finish();
  std::uint32_t count() const;      ///< blobs in the file
  std::uint64_t shared() const;     ///< bytes that were not stored again
  std::uint64_t file_size() const;  ///< bytes written so far

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace anemone::formats

// Weight files: every field checked when read, equal blobs stored once when written.
#include "anemone/formats/coreml/weight_blob.h"

#include <fmt/format.h>

#include <cstring>
#include <unordered_map>

#include <xxhash.h>

namespace anemone::formats {

using milspec::DataType;

namespace {

constexpr std::uint64_t kAlignment = 64;
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kSentinel = 0xDEADBEEF;

struct FileHeader {
  std::uint32_t count = 0;
  std::uint32_t version = kVersion;
  std::uint64_t reserved[7] = {};
};

struct BlobHeader {
  std::uint32_t sentinel = kSentinel;
  std::uint32_t type = 0;
  std::uint64_t size = 0;          ///< of the data in bytes
  std::uint64_t offset = 0;        ///< of the data in the file
  std::uint64_t padding_bits = 0;  ///< unused bits of the last byte
  std::uint64_t reserved[4] = {};
};
static_assert(sizeof(FileHeader) == kAlignment && sizeof(BlobHeader) == kAlignment);

/// Indexed by BlobType.
constexpr DataType kDataTypes[] = {DataType::unused,        DataType::float16,    DataType::float32, DataType::uint8,
                                   DataType::int8,          DataType::bfloat16,   DataType::int16,   DataType::uint16,
                                   DataType::int4,          DataType::uint1,      DataType::uint2,   DataType::uint4,
                                   DataType::uint3,         DataType::uint6,      DataType::int32,   DataType::uint32,
                                   DataType::float8_e4m3fn, DataType::float8_e5m2};

template <class T>
T load(const Bytes& bytes, std::uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

/// The next multiple of 64; only for offsets inside a file, which cannot overflow.
std::uint64_t align(std::uint64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

std::optional<BlobType> blob_type(DataType dtype) {
  for (std::uint32_t i = 1; i < std::size(kDataTypes); ++i) {
    if (kDataTypes[i] == dtype) return static_cast<BlobType>(i);
  }
  return std::nullopt;
}

DataType data_type(BlobType type) {
  const auto index = static_cast<std::uint32_t>(type);
  return index < std::size(kDataTypes) ? kDataTypes[index] : DataType::unused;
}

Result<WeightFile> WeightFile::open(const std::filesystem::path& path) {
  TRY(Bytes bytes, map_file(path));
  return from_bytes(std::move(bytes), path.string());
}

Result<WeightFile> WeightFile::from_bytes(Bytes bytes, std::string name) {
  if (bytes.size() < sizeof(FileHeader)) {
    return bad_input(ErrorCode::not_a_weight_file,
                     fmt::format("a weight file has at least 64 bytes, this one has {}", bytes.size()), name);
  }
  const auto header = load<FileHeader>(bytes, 0);
  if (header.version != kVersion) {
    return bad_input(ErrorCode::not_a_weight_file,
                     fmt::format("this is not a weight file of version 2: the header says {}", header.version),
                     fmt::format("{}: byte 4", name));
  }
  WeightFile file;
  file.bytes_ = std::move(bytes);
  file.name_ = std::move(name);
  file.count_ = header.count;
  return file;
}

Result<Blob> WeightFile::read(std::uint64_t offset) const {
  const auto broken = [&](std::uint64_t within, std::string message) {
    return bad_input(ErrorCode::weight_outside, std::move(message), fmt::format("{}: byte {}", name_, offset + within),
                     "the weight file is damaged or belongs to another model");
  };
  if (offset % kAlignment != 0 || offset == 0) {
    return broken(0, fmt::format("no blob can begin at offset {}: it is no multiple of 64 behind the header", offset));
  }
  if (offset > bytes_.size() || bytes_.size() - offset < sizeof(BlobHeader)) {
    return broken(0, fmt::format("no blob can begin at offset {}: the file has {} bytes", offset, bytes_.size()));
  }
  const auto header = load<BlobHeader>(bytes_, offset);
  if (header.sentinel != kSentinel) {
    return broken(0, fmt::format("there is no blob here: 0x{:08x} instead of 0xdeadbeef", header.sentinel));
  }
  Blob blob;
  blob.type = static_cast<BlobType>(header.type);
  const DataType dtype = data_type(blob.type);
  if (dtype == DataType::unused) return broken(4, fmt::format("unknown blob type number {}", header.type));
  if (header.offset % kAlignment != 0) {
    return broken(16, fmt::format("the data's offset {} is no multiple of 64", header.offset));
  }
  if (header.offset > bytes_.size() || header.size > bytes_.size() - header.offset) {
    return broken(8, fmt::format("the data ({} bytes at {}) end behind the file's {} bytes", header.size, header.offset,
                                 bytes_.size()));
  }
  const std::uint64_t bits = milspec::bits_of(dtype);
  // Whole-byte types have no padding; older writers left whatever was in memory in that field.
  const std::uint64_t padding = bits >= 8 ? 0 : header.padding_bits;
  const bool bad_padding = padding >= 8 || (header.size == 0 && padding != 0);
  // A file in memory is far below 2^61 bytes: no overflow.
  const std::uint64_t used_bits = bad_padding ? 0 : header.size * 8 - padding;
  if (bad_padding || used_bits % bits != 0) {
    return broken(24, fmt::format("{} bytes with {} bits of padding are no whole number of {} elements", header.size,
                                  padding, milspec::name_of(dtype)));
  }
  blob.elements = used_bits / bits;
  blob.data = bytes_.part(static_cast<std::size_t>(header.offset), static_cast<std::size_t>(header.size));
  return blob;
}

Result<Bytes> WeightFile::read(std::uint64_t offset, DataType dtype, std::uint64_t elements) const {
  TRY(Blob blob, read(offset));
  const auto mismatch = [&](std::string message) {
    return bad_input(ErrorCode::weight_size_differs, std::move(message), fmt::format("{}: byte {}", name_, offset),
                     "the weight file belongs to another model");
  };
  if (data_type(blob.type) != dtype) {
    return mismatch(fmt::format("the program wants {} here, the file holds {}", milspec::name_of(dtype),
                                milspec::name_of(data_type(blob.type))));
  }
  // Apple's writer states the padding, but a blob without it that fills the same bytes is as good.
  const bool fits = blob.elements == elements ||
                    (milspec::bits_of(dtype) < 8 && milspec::packed_size(dtype, elements) == blob.data.size());
  if (!fits)
    return mismatch(fmt::format("the program wants {} elements here, the file holds {}", elements, blob.elements));
  return std::move(blob.data);
}

Result<std::vector<std::uint64_t>> WeightFile::offsets() const {
  std::vector<std::uint64_t> result;
  std::uint64_t at = sizeof(FileHeader);
  while (at < bytes_.size()) {
    TRY(const Blob blob, read(at));
    result.push_back(at);
    const auto end = static_cast<std::uint64_t>(blob.data.data() - bytes_.data()) + blob.data.size();
    // Data may lie anywhere; a walk must only go forward.
    if (end < at + sizeof(BlobHeader)) break;
    at = align(end);
  }
  if (result.size() != count_) {
    return bad_input(ErrorCode::not_a_weight_file,
                     fmt::format("the header states {} blobs, the file holds {}", count_, result.size()), name_);
  }
  return result;
}

struct WeightWriter::State {
  struct Stored {
    BlobType type;
    std::uint64_t elements;
    std::uint64_t offset;  ///< of the record
  };
  std::filesystem::path path;
  std::optional<FileWriter> file;
  std::uint32_t count = 0;
  std::uint64_t shared = 0;
  bool finished = false;
  std::unordered_multimap<std::uint64_t, Stored> by_hash;

  /// Compares with what is in the file: a hash alone is no proof.
  Result<bool> holds(std::uint64_t data_offset, std::span<const std::byte> data) const {
    TRY(const Bytes written, map_file(path));
    if (data_offset > written.size() || data.size() > written.size() - data_offset) return false;
    return data.empty() || std::memcmp(written.data() + data_offset, data.data(), data.size()) == 0;
  }
};

WeightWriter::WeightWriter(std::filesystem::path path) : state_(std::make_unique<State>()) {
  state_->path = std::move(path);
}
WeightWriter::WeightWriter(WeightWriter&&) noexcept = default;
WeightWriter& WeightWriter::operator=(WeightWriter&&) noexcept = default;
WeightWriter::~WeightWriter() = default;

std::uint32_t WeightWriter::count() const { return state_->count; }
std::uint64_t WeightWriter::shared() const { return state_->shared; }
std::uint64_t WeightWriter::file_size() const { return state_->file ? state_->file->size() : 0; }

Result<std::uint64_t> WeightWriter::append(BlobType type, std::uint64_t elements, std::span<const std::byte> data) {
  State& state = *state_;
  const DataType dtype = data_type(type);
  const std::optional<std::uint64_t> size = milspec::packed_size(dtype, elements);
  if (dtype == DataType::unused || !size || *size != data.size() || state.finished) {
    return own_bug(
        fmt::format("a blob of {} {} elements cannot have {} bytes", elements, milspec::name_of(dtype), data.size()),
        state.path.string());
  }
  const XXH128_hash_t hash = XXH3_128bits_withSeed(data.data(), data.size(), static_cast<std::uint32_t>(type));
  const std::uint64_t key = hash.low64 ^ hash.high64;
  const auto [first, last] = state.by_hash.equal_range(key);
  for (auto it = first; it != last; ++it) {
    const State::Stored& stored = it->second;
    if (stored.type != type || stored.elements != elements) continue;
    TRY(const bool same, state.holds(stored.offset + sizeof(BlobHeader), data));
    if (!same) continue;
    state.shared += data.size();
    return stored.offset;
  }
  if (!state.file) {
    TRY(FileWriter created, FileWriter::create(state.path));
    state.file.emplace(std::move(created));
    const FileHeader header;
    TRY_VOID(state.file->append(std::as_bytes(std::span(&header, 1))));
  }
  const std::uint64_t offset = align(state.file->size());
  TRY_VOID(state.file->append_zeros(static_cast<std::size_t>(offset - state.file->size())));
  BlobHeader header;
  header.type = static_cast<std::uint32_t>(type);
  header.size = data.size();
  header.offset = offset + sizeof(BlobHeader);
  header.padding_bits = milspec::bits_of(dtype) >= 8 ? 0 : data.size() * 8 - elements * milspec::bits_of(dtype);
  TRY_VOID(state.file->append(std::as_bytes(std::span(&header, 1))));
  TRY_VOID(state.file->append(data));
  ++state.count;
  state.by_hash.emplace(key, State::Stored{type, elements, offset});
  return offset;
}

Result<void> WeightWriter::finish() {
  State& state = *state_;
  state.finished = true;
  if (!state.file) return {};
  FileHeader header;
  header.count = state.count;
  TRY_VOID(state.file->patch(0, std::as_bytes(std::span(&header, 1))));
  return state.file->close();
}

}  // namespace anemone::formats

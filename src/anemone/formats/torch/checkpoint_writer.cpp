// The zip container of torch.save: stored entries behind a padding field, sizes and CRC-32 behind the data.
// APPNOTE.TXT of PKWARE gives the layout; caffe2/serialize/inline_container.cc the padding.
#include "anemone/formats/torch/checkpoint_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "anemone/formats/torch/pickle_writer.h"
#include "anemone/formats/torch/torch_objects.h"
#include "anemone/formats/wire/strided.h"
#include "anemone/support/file.h"
#include "anemone/support/utf8.h"

namespace anemone::formats {

namespace {

constexpr std::uint64_t kAlignment = 64;
constexpr std::uint64_t kLargest = 0xfff00000;  // leaves room for headers below 4 GiB
constexpr std::size_t kMostEntries = 65000;
constexpr std::uint16_t kUtf8Names = 0x0800, kSizesBehindData = 0x0008;

/// Collects small writes.
class Output {
 public:
  explicit Output(FileWriter file) : file_(std::move(file)) {}

  std::uint64_t size() const { return file_.size() + buffer_.size(); }

  Result<void> append(std::span<const std::byte> bytes) {
    if (buffer_.size() + bytes.size() > kBuffer) TRY_VOID(flush());
    if (bytes.size() > kBuffer) return file_.append(bytes);
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return {};
  }

  Result<void> close() {
    TRY_VOID(flush());
    return file_.close();
  }

 private:
  static constexpr std::size_t kBuffer = 1 << 16;
  Result<void> flush() {
    TRY_VOID(file_.append(buffer_));
    buffer_.clear();
    return {};
  }

  FileWriter file_;
  std::vector<std::byte> buffer_;
};

/// Little-endian fields.
class Fields {
 public:
  Fields& u16(std::uint64_t v) { return number(v, 2); }
  Fields& u32(std::uint64_t v) { return number(v, 4); }
  Fields& u64(std::uint64_t v) { return number(v, 8); }
  Fields& text(std::string_view t) {
    const auto bytes = std::as_bytes(std::span<const char>(t.data(), t.size()));
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Fields& fill(char c, std::size_t count) {
    bytes_.insert(bytes_.end(), count, static_cast<std::byte>(c));
    return *this;
  }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  Fields& number(std::uint64_t v, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) bytes_.push_back(static_cast<std::byte>(v >> (8 * i)));
    return *this;
  }
  std::vector<std::byte> bytes_;
};

class ZipWriter {
 public:
  explicit ZipWriter(Output& out) : out_(out) {}

  /// `produce` must give `size` bytes.
  Result<void> add(std::string name, std::uint64_t size,
                   const std::function<Result<void>(const CheckpointEntry::Sink&)>& produce) {
    Entry entry{std::move(name), out_.size(), size, 0};
    const std::uint64_t data_at = entry.offset + 30 + entry.name.size() + 4;
    const std::uint64_t padding = (kAlignment - data_at % kAlignment) % kAlignment;
    Fields header;
    header.u32(0x04034b50).u16(0).u16(flags(entry)).u16(0).u16(0).u16(0).u32(0).u32(0).u32(0);
    header.u16(entry.name.size()).u16(4 + padding).text(entry.name).text("FB").u16(padding).fill('Z', padding);
    TRY_VOID(out_.append(header.bytes()));
    std::uint64_t written = 0;
    TRY_VOID(produce([&](std::span<const std::byte> piece) -> Result<void> {
      written += piece.size();
      if (written > size) return wrong_size(entry, written);
      entry.crc = crc32_z(entry.crc, reinterpret_cast<const Bytef*>(piece.data()), piece.size());
      return out_.append(piece);
    }));
    if (written != size) return wrong_size(entry, written);
    if (size > 0) {
      Fields trailer;
      trailer.u32(0x08074b50).u32(entry.crc).u32(size).u32(size);
      TRY_VOID(out_.append(trailer.bytes()));
    }
    entries_.push_back(std::move(entry));
    return {};
  }

  Result<void> add(std::string name, std::span<const std::byte> bytes) {
    return add(std::move(name), bytes.size(), [&](const CheckpointEntry::Sink& sink) { return sink(bytes); });
  }

  /// The central directory, and its end in the 64-bit and the old form, as PyTorch writes both.
  Result<void> finish() {
    const std::uint64_t directory_at = out_.size();
    for (const Entry& e : entries_) {
      Fields record;
      record.u32(0x02014b50).u16(0).u16(0).u16(flags(e)).u16(0).u16(0).u16(0).u32(e.crc).u32(e.size).u32(e.size);
      record.u16(e.name.size()).u16(0).u16(0).u16(0).u16(0).u32(0).u32(e.offset).text(e.name);
      TRY_VOID(out_.append(record.bytes()));
    }
    const std::uint64_t end_at = out_.size(), length = end_at - directory_at, count = entries_.size();
    Fields end;
    end.u32(0x06064b50).u64(44).u16(0x031e).u16(45).u32(0).u32(0).u64(count).u64(count).u64(length).u64(directory_at);
    end.u32(0x07064b50).u32(0).u64(end_at).u32(1);
    end.u32(0x06054b50).u16(0).u16(0).u16(count).u16(count).u32(length).u32(directory_at).u16(0);
    return out_.append(end.bytes());
  }

 private:
  struct Entry {
    std::string name;
    std::uint64_t offset, size;
    std::uint64_t crc;
  };

  static std::uint16_t flags(const Entry& e) { return e.size > 0 ? kUtf8Names | kSizesBehindData : kUtf8Names; }
  static Diagnostic wrong_size(const Entry& e, std::uint64_t written) {
    return own_bug(fmt::format("'{}' should get {} bytes and got {}", e.name, e.size, written));
  }

  Output& out_;
  std::vector<Entry> entries_;
};

Diagnostic refused(const CheckpointEntry& entry, std::string message) {
  return bad_input(ErrorCode::checkpoint_entry, std::move(message), fmt::format("entry '{}'", printable(entry.name)));
}

/// Sizes of all entries, in bytes.
Result<std::vector<std::uint64_t>> check(std::span<const CheckpointEntry> entries, const std::string& file) {
  std::vector<std::uint64_t> sizes;
  std::set<std::string_view> names;
  std::uint64_t total = 0;
  for (const CheckpointEntry& e : entries) {
    const std::int64_t count = checked_count(e.shape);
    if (storage_class(e.dtype).empty()) {
      return refused(e, fmt::format("PyTorch has no storage class for {}", name(e.dtype)));
    }
    if (count < 0 || e.shape.size() > 64) {
      return refused(e, fmt::format("the shape [{}] is impossible", fmt::join(e.shape, ", ")));
    }
    if (!is_utf8(e.name)) return refused(e, "the name is not UTF-8");
    if (!names.insert(e.name).second) return refused(e, "two entries have this name");
    sizes.push_back(static_cast<std::uint64_t>(count) * byte_size(e.dtype));
    if (!e.produce && e.data.size() != sizes.back()) {
      return refused(e, fmt::format("the data has {} bytes, but {} [{}] takes {}", e.data.size(), name(e.dtype),
                                    fmt::join(e.shape, ", "), sizes.back()));
    }
    total += sizes.back() + 256 + 8 * e.name.size();  // headers, pickle and directory are below that
    if (total > kLargest || sizes.size() > kMostEntries) {
      return bad_input(ErrorCode::checkpoint_too_large,
                       fmt::format("more than {} bytes or {} tensors do not fit into this zip", kLargest, kMostEntries),
                       file, "write the tensors into several files");
    }
  }
  return sizes;
}

}  // namespace

Result<void> write_checkpoint(const std::filesystem::path& path, std::span<const CheckpointEntry> entries,
                              std::string_view part) {
  TRY(const std::vector<std::uint64_t> sizes, check(entries, path.string()));
  std::vector<PickledTensor> tensors;
  tensors.reserve(entries.size());
  for (const CheckpointEntry& e : entries) tensors.push_back({e.name, e.dtype, e.shape});
  // PyTorch writes the storages in the order of their keys as strings: 0, 1, 10, 11, ..., 2, 20, ...
  std::vector<std::pair<std::string, std::size_t>> order;
  for (std::size_t i = 0; i < entries.size(); ++i) order.emplace_back(std::to_string(i), i);
  std::sort(order.begin(), order.end());

  TRY(PendingOutput pending, PendingOutput::create(path, PendingOutput::Kind::file));
  TRY(FileWriter file, FileWriter::create(pending.path()));
  Output out(std::move(file));
  ZipWriter zip(out);
  TRY_VOID(zip.add("archive/data.pkl", pickle_state_dict(tensors, part)));
  for (const auto& [key, i] : order) {
    const CheckpointEntry& e = entries[i];
    if (e.produce) {
      TRY_VOID(zip.add("archive/data/" + key, sizes[i], e.produce));
    } else {
      TRY_VOID(zip.add("archive/data/" + key, e.data.view));
    }
  }
  TRY_VOID(zip.add("archive/version", std::as_bytes(std::span(std::string_view("3\n")))));
  TRY_VOID(zip.finish());
  TRY_VOID(out.close());
  return pending.commit();
}

}  // namespace anemone::formats

#pragma once
// Zip archives in memory, checked: libzip reads the directory and inflates, stored entries are views of the file.
// A folder that an archive was unpacked into reads the same.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "anemone/support/bytes.h"
#include "anemone/support/result.h"

namespace anemone::formats {

struct ZipEntry {
  std::string name;
  std::uint64_t index = 0;  ///< in the central directory
  std::uint64_t size = 0, compressed_size = 0;
  std::uint32_t crc = 0;
  bool stored = true;  ///< false: deflated
};

/// Not for use by several threads at once.
class ZipArchive {
 public:
  /// `name` is how messages call the file. Refuses damaged directories, two entries of one name, encryption,
  /// compression other than deflate, sizes that cannot be true (E0510 to E0513), and bombs: more than 64 MB and 200
  /// times the file's size once inflated (E0518).
  static Result<ZipArchive> open(Bytes file, std::string name);
  /// The files of a folder as entries "PREFIX/part": the folder's own name stands in front. Links are not followed.
  static Result<ZipArchive> open_folder(const std::filesystem::path& folder);

  const std::string& name() const { return name_; }
  const std::vector<ZipEntry>& entries() const { return entries_; }
  const ZipEntry* find(std::string_view name) const;

  /// The bytes of an entry, CRC-32 checked (E0514, E0515). A stored entry shares the file's bytes: no alignment is
  /// promised. A deflated one is inflated into a buffer of its own.
  Result<Bytes> read(const ZipEntry& entry) const;

 private:
  ZipArchive() = default;
  Result<void> list();
  std::string place(const ZipEntry& entry) const;

  Bytes file_;
  std::string name_;
  std::shared_ptr<void> source_, archive_;  // zip_source_t, zip_t
  std::filesystem::path base_;              // of an unpacked one: what the entries' names continue
  std::vector<ZipEntry> entries_;
  std::unordered_map<std::string, std::size_t> by_name_;
};

}  // namespace anemone::formats

// Zip archives on top of libzip, with the checks it leaves to its caller.
#include "anemone/formats/wire/zip.h"

#include <fmt/format.h>
#include <zip.h>
#include <zlib.h>

#include <algorithm>

#include "anemone/support/file.h"
#include "anemone/support/utf8.h"

namespace anemone::formats {

namespace {

/// Deflate cannot do better: 258 bytes from 2 bits. Declared sizes beyond it are lies, and would cost memory.
constexpr std::uint64_t kDeflateRatio = 1032;

/// What torch.save writes is stored, and weights hardly compress.
constexpr std::uint64_t kAlwaysFine = 64 << 20, kBombRatio = 200;
constexpr std::size_t kMostFiles = 1'000'000;

constexpr const char* kDownloadAgain = "download or copy the file again";

zip_t* handle(const std::shared_ptr<void>& archive) { return static_cast<zip_t*>(archive.get()); }

struct CloseEntry {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using EntryHandle = std::unique_ptr<zip_file_t, CloseEntry>;

std::uint32_t crc_of(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::string entry_error(zip_file_t* file) { return zip_error_strerror(zip_file_get_error(file)); }

}  // namespace

std::string ZipArchive::place(const ZipEntry& entry) const {
  return fmt::format("{}: entry '{}'", name_, printable(entry.name));
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  return found == by_name_.end() ? nullptr : &entries_[found->second];
}

Result<ZipArchive> ZipArchive::open(Bytes file, std::string name) {
  ZipArchive result;
  result.file_ = std::move(file);
  result.name_ = std::move(name);
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(result.file_.data(), result.file_.size(), 0, &error);
  zip_t* archive = source ? zip_open_from_source(source, ZIP_RDONLY, &error) : nullptr;
  const int code = zip_error_code_zip(&error);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  if (!archive) {
    if (source) zip_source_free(source);
    if (code == ZIP_ER_MEMORY)
      return bad_environment(ErrorCode::out_of_memory, "not enough memory to open the zip", result.name_);
    const std::string end = fmt::format("{}: byte {} (its end)", result.name_, result.file_.size());
    if (code == ZIP_ER_NOZIP) {
      return bad_input(ErrorCode::zip_damaged,
                       fmt::format("the zip is cut off: its {} bytes hold no directory", result.file_.size()), end,
                       kDownloadAgain);
    }
    return bad_input(ErrorCode::zip_damaged, fmt::format("the zip's directory is damaged ({})", reason), end,
                     kDownloadAgain);
  }
  // The archive gives its own reference back when it is closed; ours keeps the source readable for read().
  zip_source_keep(source);
  result.source_.reset(source, [](void* s) { zip_source_free(static_cast<zip_source_t*>(s)); });
  result.archive_.reset(archive, [](void* a) { zip_discard(static_cast<zip_t*>(a)); });
  TRY_VOID(result.list());
  return result;
}

Result<void> ZipArchive::list() {
  const auto count = std::max<zip_int64_t>(0, zip_get_num_entries(handle(archive_), ZIP_FL_UNCHANGED));
  entries_.reserve(static_cast<std::size_t>(count));
  std::uint64_t total = 0, inflated = 0;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(count); ++i) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    constexpr zip_uint64_t kNeeded =
        ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_CRC | ZIP_STAT_COMP_METHOD;
    if (zip_stat_index(handle(archive_), i, ZIP_FL_UNCHANGED | ZIP_FL_ENC_RAW, &stat) != 0 ||
        (stat.valid & kNeeded) != kNeeded) {
      return bad_input(ErrorCode::zip_damaged, fmt::format("entry {} of the zip's directory is damaged", i), name_,
                       kDownloadAgain);
    }
    ZipEntry entry{stat.name, i, stat.size, stat.comp_size, stat.crc, stat.comp_method == ZIP_CM_STORE};
    if (!by_name_.emplace(entry.name, entries_.size()).second) {
      return bad_input(ErrorCode::zip_ambiguous,
                       "the zip holds two entries of this name, and readers differ in which one they take",
                       place(entry), "do not trust this file; write it again with torch.save");
    }
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) && stat.encryption_method != ZIP_EM_NONE) {
      return bad_input(ErrorCode::zip_unsupported, "the entry is encrypted", place(entry),
                       "unpack the archive and store it unencrypted");
    }
    if (!entry.stored && stat.comp_method != ZIP_CM_DEFLATE) {
      return bad_input(ErrorCode::zip_unsupported,
                       fmt::format("compression method {} is not supported", stat.comp_method), place(entry),
                       "store the entries, or deflate them");
    }
    const bool possible =
        entry.stored ? entry.size == entry.compressed_size : entry.size / kDeflateRatio <= entry.compressed_size;
    total += std::min<std::uint64_t>(entry.compressed_size, UINT64_MAX - total);
    if (!possible || total > file_.size()) {
      return bad_input(ErrorCode::zip_sizes,
                       fmt::format("sizes that cannot be true: {} bytes, {} in the zip, in a file of {}", entry.size,
                                   entry.compressed_size, file_.size()),
                       place(entry), kDownloadAgain);
    }
    if (!entry.stored) inflated += std::min<std::uint64_t>(entry.size, UINT64_MAX - inflated);
    if (inflated > kAlwaysFine && inflated / kBombRatio > file_.size()) {
      return bad_input(
          ErrorCode::zip_bomb,
          fmt::format("its entries would take {} bytes and more, from a file of {}", inflated, file_.size()),
          place(entry), "do not trust this file; torch.save does not compress");
    }
    entries_.push_back(std::move(entry));
  }
  return {};
}

Result<ZipArchive> ZipArchive::open_folder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  ZipArchive result;
  result.name_ = folder.string();
  std::error_code error;
  const fs::path whole = fs::absolute(folder, error).lexically_normal();
  const fs::path named = whole.has_filename() ? whole : whole.parent_path();
  result.base_ = named.parent_path();
  for (fs::recursive_directory_iterator it(named, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->is_symlink(ignored) || !it->is_regular_file(ignored)) continue;
    if (result.entries_.size() == kMostFiles)
      return bad_input(ErrorCode::zip_sizes, fmt::format("the folder holds more than {} files", kMostFiles),
                       result.name_);
    const std::uint64_t size = it->file_size(ignored);
    ZipEntry entry{
        it->path().lexically_relative(result.base_).generic_string(), result.entries_.size(), size, size, 0, true};
    result.by_name_.emplace(entry.name, result.entries_.size());
    result.entries_.push_back(std::move(entry));
  }
  if (error) return system_error("read the folder", result.name_, error.value());
  return result;
}

Result<Bytes> ZipArchive::read(const ZipEntry& entry) const {
  if (!base_.empty()) {
    TRY(Bytes bytes, map_file(base_ / entry.name));
    if (bytes.size() == entry.size) return bytes;
    return bad_input(ErrorCode::zip_unreadable, "the file changed while it was read", place(entry));
  }
  const auto damaged = [&](std::string_view reason) -> Diagnostic {
    return bad_input(ErrorCode::zip_unreadable, fmt::format("the entry cannot be read ({})", reason), place(entry),
                     kDownloadAgain);
  };
  const EntryHandle file(zip_fopen_index(handle(archive_), entry.index, ZIP_FL_UNCHANGED));
  if (!file) return damaged(zip_strerror(handle(archive_)));
  std::byte first{};
  std::uint64_t done = 0;
  if (entry.size > 0) {
    if (zip_fread(file.get(), &first, 1) != 1) return damaged(entry_error(file.get()));
    done = 1;
  }
  if (entry.stored && entry.size > 0) {
    // libzip has found the data and read one byte: its source now stands just behind it. The CRC makes sure that this
    // is the data; if it is not (or the entry is damaged), libzip reads it and says what is wrong.
    const zip_int64_t position = zip_source_tell(static_cast<zip_source_t*>(source_.get()));
    if (position >= 1 && entry.size <= file_.size() &&
        static_cast<std::uint64_t>(position) - 1 <= file_.size() - entry.size) {
      Bytes view = file_.part(static_cast<std::size_t>(position - 1), static_cast<std::size_t>(entry.size));
      if (crc_of(view.view) == entry.crc) return view;
    }
  }
  std::vector<std::byte> buffer(static_cast<std::size_t>(entry.size) + 1);
  if (done) buffer[0] = first;
  // One byte more than the entry has: libzip compares the CRC only when it reaches the end.
  while (done < buffer.size()) {
    const zip_int64_t got = zip_fread(file.get(), buffer.data() + done, buffer.size() - done);
    if (got == 0) break;
    if (got < 0) {
      if (zip_error_code_zip(zip_file_get_error(file.get())) == ZIP_ER_CRC) {
        return bad_input(ErrorCode::zip_checksum,
                         fmt::format("the entry is damaged: its {} bytes do not have the CRC-32 {:08x} of the zip's "
                                     "directory",
                                     entry.size, entry.crc),
                         place(entry), kDownloadAgain);
      }
      return damaged(entry_error(file.get()));
    }
    done += static_cast<std::uint64_t>(got);
  }
  if (done != entry.size) {
    return damaged(
        fmt::format("it has {} {} bytes", done > entry.size ? "more than" : "only", std::min(done, entry.size)));
  }
  buffer.pop_back();
  return Bytes::owned(std::move(buffer));
}

}  // namespace anemone::formats

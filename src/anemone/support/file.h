#pragma once
// Files as a library needs them: read whole or mapped, written so that an interruption leaves the old one or none.
#include <filesystem>
#include <functional>
#include <string>

#include "anemone/support/bytes.h"
#include "anemone/support/result.h"

namespace anemone {

/// Maps a regular file read-only. Directories, missing and unreadable files are errors that say which it was.
Result<Bytes> map_file(const std::filesystem::path& path);

/// A file or folder that is being written beside its target and takes the target's place only when complete.
/// The temporary is `.NAME.anemone-PID-N` in the target's folder, so that the rename stays on one disk; a temporary
/// left behind by a process that was killed is removed by the next one that writes there.
class PendingOutput {
 public:
  enum class Kind { file, folder };
  static Result<PendingOutput> create(const std::filesystem::path& target, Kind kind);
  PendingOutput(PendingOutput&&) noexcept;
  PendingOutput& operator=(PendingOutput&&) = delete;
  ~PendingOutput();  ///< removes the temporary unless committed

  const std::filesystem::path& path() const { return temporary_; }  ///< where to write
  /// Flushes to disk and swaps with what is at the target (atomically where the system can: renameat2 on Linux,
  /// renamex_np on macOS), then removes the old one.
  Result<void> commit();

 private:
  /// `slot`: of its entry among the unfinished.
  PendingOutput(std::filesystem::path target, std::filesystem::path temporary, Kind kind, int slot);
  std::filesystem::path target_, temporary_;
  Kind kind_;
  int slot_ = -1;  // in the list of support/unfinished.h
  int lock_ = -1;  // an advisory lock on the temporary, held for as long as this process lives
};

/// Appends to a file descriptor with errors as diagnostics (disk full is one of them).
class FileWriter {
 public:
  static Result<FileWriter> create(const std::filesystem::path& path);
  FileWriter(FileWriter&&) noexcept;
  FileWriter& operator=(FileWriter&&) = delete;
  ~FileWriter();
  Result<void> append(std::span<const std::byte> bytes);
  Result<void> append_zeros(std::size_t count);
  /// Overwrites bytes that were appended before.
  Result<void> patch(std::uint64_t offset, std::span<const std::byte> bytes);
  Result<void> close();
  std::uint64_t size() const { return size_; }

 private:
  FileWriter(int descriptor, std::filesystem::path path) : descriptor_(descriptor), path_(std::move(path)) {}
  int descriptor_;
  std::filesystem::path path_;
  std::uint64_t size_ = 0;
};

/// Writes a whole small file through PendingOutput.
Result<void> write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace anemone

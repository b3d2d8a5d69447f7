// Appending to a file descriptor.
#include "anemone/toolchain/line_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace anemone::toolchain {

Result<void> make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return {};
  return bad_environment(ErrorCode::cannot_create_folder, fmt::format("cannot create the folder: {}", error.message()),
                         folder.string(), "choose another one with -o");
}

Result<LineFile> LineFile::open(const std::filesystem::path& path, std::uint64_t keep) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) return system_error("create", path.string(), errno);
  return LineFile(descriptor, path, keep);
}

Result<void> LineFile::start() {
  const auto size = static_cast<off_t>(size_);
  if (!started_ && (::ftruncate(descriptor_, size) != 0 || ::lseek(descriptor_, size, SEEK_SET) != size))
    return system_error("write", path_.string(), errno);
  started_ = true;
  return {};
}

LineFile::LineFile(LineFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      size_(other.size_),
      started_(other.started_) {}

LineFile::~LineFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> LineFile::append(std::string_view lines) {
  TRY_VOID(start());
  const std::size_t length = lines.size();
  while (!lines.empty()) {
    const ssize_t written = ::write(descriptor_, lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      const bool cut = ::ftruncate(descriptor_, static_cast<off_t>(size_)) == 0;
      Diagnostic problem = system_error("write", path_.string(), error);
      if (!cut) problem.notes.emplace_back("its last line is incomplete");
      return problem;
    }
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
  size_ += length;
  return {};
}

}  // namespace anemone::toolchain

// Mapped input files and outputs that appear whole or not at all.
#include "anemone/support/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <utility>

#include "anemone/support/mapping.h"
#include "anemone/support/package_folder.h"
#include "anemone/support/unfinished.h"

namespace anemone {

namespace fs = std::filesystem;

namespace {

/// Closes a descriptor at the end of a scope.
struct Descriptor {
  explicit Descriptor(int descriptor) : value(descriptor) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
  int value;
};

int open_retrying(const fs::path& path, int flags) {
  int descriptor = -1;
  do {
    descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

Result<void> flush(const fs::path& path, int flags) {
  const Descriptor file(open_retrying(path, O_RDONLY | flags));
  // Some file systems cannot flush folders; that is no reason to throw the result away.
  if (file.value < 0 || (::fsync(file.value) != 0 && errno != EINVAL && errno != ENOTSUP && errno != EBADF)) {
    return system_error("flush", path.string(), errno);
  }
  return {};
}

Result<void> flush_tree(const fs::path& folder) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->is_directory(error)) {
      TRY_VOID(flush(it->path(), O_DIRECTORY));
    } else if (it->is_regular_file(error)) {
      TRY_VOID(flush(it->path(), 0));
    }
  }
  if (error) return system_error("list", folder.string(), error.value());
  return flush(folder, O_DIRECTORY);
}

/// The target with links followed (so that the temporary lies on the same disk as what it replaces).
fs::path resolve(const fs::path& target) {
  fs::path path = target.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  std::error_code error;
  const fs::path canonical = fs::canonical(path, error);
  return error ? path : canonical;
}

Result<void> check_parent(const fs::path& parent, const fs::path& target) {
  std::error_code error;
  if (fs::is_directory(parent, error)) return {};
  fs::path existing = parent;
  while (!existing.empty() && !fs::exists(existing, error)) {
    const fs::path up = existing.parent_path();
    if (up == existing) break;
    existing = up;
  }
  if (!existing.empty() && !fs::is_directory(existing, error)) {
    return bad_environment(ErrorCode::no_such_folder,
                           fmt::format("cannot write there: '{}' is a file, not a folder", existing.string()),
                           target.string());
  }
  return bad_environment(ErrorCode::no_such_folder,
                         fmt::format("cannot write there: the folder '{}' does not exist", parent.string()),
                         target.string(), "create the folder first, or write elsewhere");
}

/// Refuses to put a file over a folder and the other way round, and never replaces a folder that is not a package.
Result<void> check_replaceable(const fs::path& target, PendingOutput::Kind kind) {
  std::error_code error;
  const fs::file_status status = fs::status(target, error);
  if (!fs::exists(status)) return {};
  const std::string help = "choose another output name, or move what is there away";
  if (kind == PendingOutput::Kind::file) {
    if (fs::is_regular_file(status)) return {};
    return bad_environment(ErrorCode::output_in_the_way,
                           fmt::format("the output is a file, but {} is at its place",
                                       fs::is_directory(status) ? "a folder" : "something that is no regular file"),
                           target.string(), help);
  }
  if (!fs::is_directory(status)) {
    return bad_environment(ErrorCode::output_in_the_way, "the output is a folder, but a file is at its place",
                           target.string(), help);
  }
  if (fs::is_empty(target, error) || is_package_folder(target)) return {};
  return bad_environment(ErrorCode::output_in_the_way,
                         "the output would replace a folder that is not empty and not a package alone", target.string(),
                         help);
}

/// Where temporaries of a target begin: ".NAME.anemone-". Long names are cut: a name may have 255 bytes in all.
std::string temporary_prefix(const fs::path& target) {
  return fmt::format(".{}.anemone-", target.filename().string().substr(0, 200));
}

/// True when nobody holds the lock that a living PendingOutput has on its temporary.
bool is_unlocked(const fs::path& path) {
  const Descriptor file(open_retrying(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW));
  return file.value >= 0 && ::flock(file.value, LOCK_EX | LOCK_NB) == 0;
}

void remove_stale(const fs::path& parent, const std::string& prefix) {
  std::error_code error;
  std::vector<fs::path> stale;
  for (fs::directory_iterator it(parent, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(prefix)) continue;
    long process = 0;
    const char* begin = name.data() + prefix.size();
    const auto parsed = std::from_chars(begin, name.data() + name.size(), process);
    if (parsed.ec != std::errc{} || parsed.ptr == name.data() + name.size() || *parsed.ptr != '-' || process <= 0)
      continue;
    // The own number can be a dead process's too: in containers the same small numbers come back.
    const bool dead = process == ::getpid() || (::kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH);
    if (dead && is_unlocked(it->path())) stale.push_back(it->path());
  }
  for (const fs::path& path : stale) fs::remove_all(path, error);
}

/// Exchanges two names in one step. False with errno when the system or the file system cannot.
bool exchange(const fs::path& a, const fs::path& b) {
#if defined(__linux__)
  return ::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0;
#elif defined(__APPLE__)
  return ::renamex_np(a.c_str(), b.c_str(), RENAME_SWAP) == 0;
#else
  errno = ENOSYS;
  return false;
#endif
}

Result<void> put_file(const fs::path& temporary, const fs::path& target) {
  if (::rename(temporary.c_str(), target.c_str()) == 0) return {};
  return system_error("rename", target.string(), errno);
}

}  // namespace

namespace file_internal {

/// For file systems without exchange: moves the old folder away, the new one in, and deletes the old one.
Result<void> replace_aside(const fs::path& temporary, const fs::path& target) {
  fs::path aside = temporary;
  aside += "-old";
  if (::rename(target.c_str(), aside.c_str()) != 0) return system_error("move away", target.string(), errno);
  if (::rename(temporary.c_str(), target.c_str()) != 0) {
    const int reason = errno;
    ::rename(aside.c_str(), target.c_str());
    return system_error("rename", target.string(), reason);
  }
  std::error_code error;
  fs::remove_all(aside, error);
  return {};
}

}  // namespace file_internal

namespace {

/// Others may write the same target at the same time: it comes and goes between looking and moving.
Result<void> put_folder(const fs::path& temporary, const fs::path& target) {
  std::error_code error;
  int reason = 0;
  for (int attempt = 0; attempt < 1000; ++attempt) {
    if (::rename(temporary.c_str(), target.c_str()) == 0) return {};
    reason = errno;
    if (reason != ENOTEMPTY && reason != EEXIST) return system_error("rename", target.string(), reason);
    if (exchange(temporary, target)) {
      fs::remove_all(temporary, error);  // the temporary name holds the old folder
      return {};
    }
    reason = errno;
    if (reason == ENOSYS || reason == EINVAL || reason == ENOTSUP)
      return file_internal::replace_aside(temporary, target);
    if (reason != ENOENT) break;
  }
  return system_error("rename", target.string(), reason);
}

}  // namespace

Result<Bytes> map_file(const fs::path& path) {
  const std::string name = path.string();
  // Without O_NONBLOCK opening a pipe would wait for its other end.
  const Descriptor file(open_retrying(path, O_RDONLY | O_NONBLOCK));
  if (file.value < 0) {
    const int reason = errno;
    if (reason == ENOENT || reason == ENOTDIR)
      return bad_input(ErrorCode::no_such_file, "there is no such file", name, "check the path");
    Diagnostic d = system_error("open the file", name, reason);
    d.blame = reason == EMFILE || reason == ENFILE || reason == ENOMEM ? Blame::environment : Blame::input;
    return d;
  }
  struct stat status {};
  if (::fstat(file.value, &status) != 0) return system_error("look at the file", name, errno);
  if (!S_ISREG(status.st_mode)) {
    return bad_input(ErrorCode::not_a_file,
                     S_ISDIR(status.st_mode) ? "this is a folder, and a file was expected"
                                             : "this is not a regular file (a pipe or a device cannot be mapped)",
                     name);
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size == 0) return Bytes{};
  if (size > SIZE_MAX)
    return bad_environment(ErrorCode::out_of_memory, fmt::format("{} bytes do not fit into memory addresses", size),
                           name);
  const auto length = static_cast<std::size_t>(size);
  TRY(std::shared_ptr<const void> owner, map_guarded(file.value, length, path));
  const auto* const data = static_cast<const std::byte*>(owner.get());
  return Bytes{std::move(owner), {data, length}};
}

PendingOutput::PendingOutput(fs::path target, fs::path temporary, Kind kind, int slot)
    : target_(std::move(target)), temporary_(std::move(temporary)), kind_(kind), slot_(slot) {
  // A kill releases the lock: that is how the next writer tells a stale temporary from one in use.
  lock_ = open_retrying(temporary_, O_RDONLY);
  if (lock_ >= 0) ::flock(lock_, LOCK_EX | LOCK_NB);
}

PendingOutput::PendingOutput(PendingOutput&& other) noexcept
    : target_(std::move(other.target_)),
      temporary_(std::exchange(other.temporary_, {})),
      kind_(other.kind_),
      slot_(std::exchange(other.slot_, -1)),
      lock_(std::exchange(other.lock_, -1)) {}

PendingOutput::~PendingOutput() {
  std::error_code error;
  if (!temporary_.empty()) fs::remove_all(temporary_, error);
  forget_unfinished(slot_);
  if (lock_ >= 0) ::close(lock_);
}

Result<PendingOutput> PendingOutput::create(const fs::path& target, Kind kind) {
  const fs::path resolved = resolve(target);
  const std::string filename = resolved.filename().string();
  if (filename.empty() || filename == "." || filename == "..") {
    return bad_usage(fmt::format("'{}' does not name an output", target.string()), "give a file or folder name");
  }
  const fs::path parent = resolved.has_parent_path() ? resolved.parent_path() : fs::path(".");
  TRY_VOID(check_parent(parent, target));
  TRY_VOID(check_replaceable(resolved, kind));
  const std::string prefix = temporary_prefix(resolved);
  remove_stale(parent, prefix);
  for (int number = 0; number < 10000; ++number) {
    fs::path temporary = parent / fmt::format("{}{}-{}", prefix, ::getpid(), number);
    const int slot = note_unfinished(temporary);  // before it exists: a signal may come at once
    const auto made = [&] {
      if (kind == Kind::folder) return ::mkdir(temporary.c_str(), 0777) == 0;
      return Descriptor(open_retrying(temporary, O_WRONLY | O_CREAT | O_EXCL)).value >= 0;
    };
    if (made()) return PendingOutput(resolved, std::move(temporary), kind, slot);
    const int reason = errno;
    forget_unfinished(slot);
    if (reason != EEXIST) return system_error("create the output", target.string(), reason);
  }
  return bad_environment(ErrorCode::too_many_temporaries, "too many unfinished outputs of the same name",
                         target.string(), fmt::format("remove '{}*' from its folder", prefix));
}

Result<void> PendingOutput::commit() {
  if (temporary_.empty()) return own_bug("an output was committed twice", target_.string());
  if (auto lost = lost_file()) return *std::move(lost);
  TRY_VOID(check_replaceable(target_, kind_));
  if (kind_ == Kind::folder) {
    TRY_VOID(flush_tree(temporary_));
  } else {
    TRY_VOID(flush(temporary_, 0));
  }
  TRY_VOID(kind_ == Kind::folder ? put_folder(temporary_, target_) : put_file(temporary_, target_));
  forget_unfinished(slot_);
  temporary_.clear();
  // The result is in place; a folder that cannot be flushed does not undo it.
  (void)flush(target_.has_parent_path() ? target_.parent_path() : fs::path("."), O_DIRECTORY);
  return {};
}

Result<FileWriter> FileWriter::create(const fs::path& path) {
  const int descriptor = open_retrying(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (descriptor < 0) return system_error("create the file", path.string(), errno);
  return FileWriter(descriptor, path);
}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)), size_(other.size_) {}

FileWriter::~FileWriter() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> FileWriter::append(std::span<const std::byte> bytes) {
  if (descriptor_ < 0) return own_bug("writing to a closed file", path_.string());
  while (!bytes.empty()) {
    // Linux writes at most 2 GiB - 4 KiB at once and macOS refuses more than 2 GiB.
    const ssize_t written = ::write(descriptor_, bytes.data(), std::min<std::size_t>(bytes.size(), 1u << 30));
    if (written < 0) {
      if (errno == EINTR) continue;
      return system_error("write", path_.string(), errno);
    }
    size_ += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> FileWriter::append_zeros(std::size_t count) {
  constexpr std::array<std::byte, 4096> kZeros{};
  while (count > 0) {
    const std::size_t length = std::min(count, kZeros.size());
    TRY_VOID(append(std::span(kZeros).first(length)));
    count -= length;
  }
  return {};
}

Result<void> FileWriter::patch(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (descriptor_ < 0 || offset > size_ || bytes.size() > size_ - offset) {
    return own_bug(fmt::format("patching {} bytes at {} of a file of {}", bytes.size(), offset, size_), path_.string());
  }
  while (!bytes.empty()) {
    const ssize_t written =
        ::pwrite(descriptor_, bytes.data(), std::min<std::size_t>(bytes.size(), 1u << 30), static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      return system_error("write", path_.string(), errno);
    }
    offset += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> FileWriter::close() {
  const int descriptor = std::exchange(descriptor_, -1);
  // Not retried after EINTR: the descriptor is gone by then, and network disks report a full disk here.
  if (descriptor >= 0 && ::close(descriptor) != 0 && errno != EINTR)
    return system_error("write", path_.string(), errno);
  return {};
}

Result<void> write_file(const fs::path& path, std::string_view text) {
  TRY(PendingOutput output, PendingOutput::create(path, PendingOutput::Kind::file));
  TRY(FileWriter file, FileWriter::create(output.path()));
  TRY_VOID(file.append(std::as_bytes(std::span(text.data(), text.size()))));
  TRY_VOID(file.close());
  return output.commit();
}

}  // namespace anemone

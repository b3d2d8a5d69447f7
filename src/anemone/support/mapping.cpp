// The list of mappings that the signal handler reads, and the handler.
#include "anemone/support/mapping.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <mutex>

namespace anemone {
namespace {

/// One mapping. Never freed, but used again: the handler may look at any time, and may not wait for a lock.
struct Entry {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::size_t> size{0};  ///< 0: free
  std::atomic<Entry*> next{nullptr};
  std::array<char, 512> name{};  ///< written before `size`
};

std::atomic<Entry*> entries{nullptr};
std::atomic<bool> lost{false};
std::array<char, 512> lost_name{};  // written once, by the thread that sets `lost`
std::mutex changing;                // of the list; never taken by the handler
struct sigaction previous {};

/// Async-signal-safe: atomics and mmap, which is a plain system call.
void on_bus_error(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  const auto at = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (Entry* entry = entries.load(); entry; entry = entry->next.load()) {
    const std::size_t size = entry->size.load();
    const std::uintptr_t begin = entry->begin.load();
    if (size == 0 || at < begin || at - begin >= size) continue;
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const std::uintptr_t from = at - at % page;
    // Zeros from the page that is gone to the end. What was read before stays.
    void* const zeros = ::mmap(reinterpret_cast<void*>(from), begin + size - from, PROT_READ,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (zeros == MAP_FAILED) break;
    if (!lost.exchange(true)) std::memcpy(lost_name.data(), entry->name.data(), lost_name.size() - 1);
    errno = error;
    return;
  }
  // Not ours: what would have happened without us.
  if ((previous.sa_flags & SA_SIGINFO) != 0 && previous.sa_sigaction)
    return previous.sa_sigaction(signal, info, context);
  if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) return previous.sa_handler(signal);
  ::signal(SIGBUS, SIG_DFL);
  ::raise(SIGBUS);
}

void install() {
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, &previous);
}

Entry* remember(std::uintptr_t begin, std::size_t size, const std::string& name) {
  const std::lock_guard lock(changing);
  static std::once_flag once;
  std::call_once(once, install);
  Entry* entry = entries.load();
  while (entry && entry->size.load() != 0) entry = entry->next.load();
  const bool is_new = !entry;
  if (is_new) entry = new Entry;
  entry->name.fill(0);
  std::memcpy(entry->name.data(), name.data(), std::min(name.size(), entry->name.size() - 1));
  entry->begin.store(begin);
  entry->size.store(size);
  if (is_new) {
    entry->next.store(entries.load());
    entries.store(entry);
  }
  return entry;
}

}  // namespace

Result<std::shared_ptr<const void>> map_guarded(int descriptor, std::size_t size, const std::filesystem::path& path) {
  void* const data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (data == MAP_FAILED) return system_error("map the file", path.string(), errno);
  Entry* const entry = remember(reinterpret_cast<std::uintptr_t>(data), size, path.string());
  return std::shared_ptr<const void>(data, [size, entry](const void* p) {
    const std::lock_guard lock(changing);
    entry->size.store(0);  // first: the address may be given out again at once
    ::munmap(const_cast<void*>(p), size);
  });
}

void rest_mappings() {
  const std::lock_guard lock(changing);  // nothing is unmapped meanwhile
  for (const Entry* entry = entries.load(); entry; entry = entry->next.load()) {
    if (const std::size_t size = entry->size.load(); size != 0)
      ::madvise(reinterpret_cast<void*>(entry->begin.load()), size, MADV_DONTNEED);
  }
}

void rest_mappings_after(std::size_t bytes) {
  static std::atomic<std::size_t> read{0};
  constexpr std::size_t kOften = std::size_t{32} << 20;
  if (bytes >= kOften || read.fetch_add(bytes) + bytes >= kOften) {
    read = 0;
    rest_mappings();
  }
}

std::optional<Diagnostic> lost_file() {
  if (!lost.load()) return std::nullopt;
  return bad_input(ErrorCode::file_shrank, "the file shrank while it was read, or its disk failed", lost_name.data(),
                   "nothing of it was kept; try again when nothing writes to it");
}

}  // namespace anemone

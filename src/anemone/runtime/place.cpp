// In place first, then lifetimes, then the arena.
#include "anemone/runtime/place.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "anemone/runtime/memory_plan.h"

namespace anemone::runtime {
namespace {

constexpr auto kArena = Ref::Space::arena;
constexpr int kForever = std::numeric_limits<int>::max();

Diagnostic too_much(std::size_t bytes) {
  return bad_environment(ErrorCode::network_too_large,
                         fmt::format("running this network needs {} MB of memory at once", bytes / 1000000), {},
                         "use a smaller input");
}

/// What the machine has; a plan above it would be granted and then get the process killed.
std::size_t physical_memory() {
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || size <= 0) return std::size_t{1} << 40;
  return static_cast<std::size_t>(pages) * static_cast<std::size_t>(size);
}

/// Results take the memory of operands that nothing reads afterwards.
class Overwriting {
 public:
  explicit Overwriting(Plan& plan) : plan_(plan), last_(plan.buffers.size(), -1), moved_(plan.buffers.size()) {
    for (std::size_t i = 0; i < plan.calls.size(); ++i) {
      for (const Access& operand : plan.calls[i].operands) {
        if (operand.ref.space == kArena) last_[operand.ref.index] = static_cast<int>(i);
      }
    }
    for (const Port& port : plan.outputs) {
      if (port.ref.space == kArena) last_[port.ref.index] = kForever;
    }
  }

  void run() {
    for (std::size_t i = 0; i < plan_.calls.size(); ++i) {
      Call& call = plan_.calls[i];
      for (Access& operand : call.operands) follow(operand.ref);
      for (const std::size_t over : call.overwrites) {
        if (!may_overwrite(call, over, static_cast<int>(i))) continue;
        Ref& out = call.operands.back().ref;
        const Ref& in = call.operands[over].ref;
        last_[in.index] = last_[out.index];
        moved_[out.index] = in;
        out = in;
        break;
      }
    }
    for (Port& port : plan_.outputs) follow(port.ref);
  }

 private:
  void follow(Ref& ref) const {
    if (ref.space != kArena || moved_[ref.index].space == Ref::Space::none) return;
    const Ref& to = moved_[ref.index];  // already the last of the chain: results move when they are made
    ref.index = to.index;
    ref.offset += to.offset;
  }

  bool may_overwrite(const Call& call, std::size_t over, int now) const {
    const Ref& in = call.operands[over].ref;
    if (in.space != kArena || in.count != call.operands.back().ref.count || last_[in.index] > now) return false;
    int uses = 0;
    for (const Access& operand : call.operands) {
      if (operand.use != Access::Use::read || operand.ref.space != kArena || operand.ref.index != in.index) continue;
      if (operand.ref != in) return false;  // another view of the same buffer
      ++uses;
    }
    return uses == 1 || call.elementwise;
  }

  Plan& plan_;
  std::vector<int> last_;   ///< call that uses each buffer last
  std::vector<Ref> moved_;  ///< where a buffer lies that has none of its own
};

}  // namespace

void drop_unread(Plan& plan) {
  std::vector<bool> buffers(plan.buffers.size()), integers(plan.integers.size());
  const auto is_read = [&](const Ref& ref) {
    return (ref.space == kArena && buffers[ref.index]) || (ref.space == Ref::Space::integers && integers[ref.index]);
  };
  const auto read = [&](const Ref& ref) {
    if (ref.space == kArena) buffers[ref.index] = true;
    if (ref.space == Ref::Space::integers) integers[ref.index] = true;
  };
  for (const Port& port : plan.outputs) read(port.ref);
  const auto is_unread = [&](const Call& call) {  // from the last call to the first
    const auto is_wanted = [&](const Access& a) { return a.use == Access::Use::write && is_read(a.ref); };
    if (std::none_of(call.operands.begin(), call.operands.end(), is_wanted)) return true;
    for (const Access& operand : call.operands) read(operand.ref);
    return false;
  };
  std::vector<Call> kept;
  for (auto call = plan.calls.rbegin(); call != plan.calls.rend(); ++call) {
    if (!is_unread(*call)) kept.push_back(std::move(*call));
  }
  std::reverse(kept.begin(), kept.end());
  plan.calls = std::move(kept);
}

Result<void> place(Plan& plan) {
  Overwriting(plan).run();
  for (Buffer& buffer : plan.buffers) buffer.first = -1;
  const auto use = [&](const Ref& ref, int now) {
    if (ref.space != kArena) return;
    Buffer& buffer = plan.buffers[ref.index];
    if (buffer.first < 0) buffer.first = now;
    buffer.last = std::max(buffer.last, now);
  };
  for (const Port& port : plan.inputs) use(port.ref, 0);
  for (std::size_t i = 0; i < plan.calls.size(); ++i) {
    for (const Access& operand : plan.calls[i].operands) use(operand.ref, static_cast<int>(i));
  }
  for (const Port& port : plan.outputs) use(port.ref, static_cast<int>(plan.calls.size()));

  std::vector<Lifetime> lifetimes;
  for (const Buffer& b : plan.buffers) {
    const std::size_t bytes = b.first < 0 ? 0 : static_cast<std::size_t>(b.count) * sizeof(float);
    lifetimes.push_back({bytes, std::max(b.first, 0), b.last});
  }
  const auto memory = plan_memory(lifetimes);
  if (!memory) return too_much(static_cast<std::size_t>(-1));
  if (memory->bytes > physical_memory()) return too_much(memory->bytes);
  for (std::size_t i = 0; i < plan.buffers.size(); ++i) plan.buffers[i].offset = memory->offsets[i] / sizeof(float);
  plan.arena_bytes = memory->bytes;
  return {};
}

}  // namespace anemone::runtime

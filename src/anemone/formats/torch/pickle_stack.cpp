// The pickle machine's access to its stream, stack, marks and memo, each with its checks.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/formats/torch/pickle.h"
#include "anemone/support/utf8.h"

namespace anemone::formats::pickle {

Result<std::span<const std::byte>> Machine::take(std::uint64_t count) {
  const std::size_t left = bytes_.size() - position_;
  if (count > left) {
    return error(ErrorCode::pickle_ends,
                 fmt::format("the pickle ends early (bytes needed: {}, left: {})", count, left));
  }
  const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
  position_ += taken.size();
  return taken;
}

/// Little-endian, unsigned.
Result<std::uint64_t> Machine::take_number(std::size_t width) {
  TRY(const auto bytes, take(width));
  std::uint64_t number = 0;
  for (std::size_t i = width; i-- > 0;) number = number << 8 | static_cast<std::uint64_t>(bytes[i]);
  return number;
}

/// ASCII up to a line feed: module and class names.
Result<std::string_view> Machine::take_line() {
  constexpr std::size_t kLongest = 4096;
  const auto rest = bytes_.subspan(position_, std::min(kLongest, bytes_.size() - position_));
  const auto end = std::find(rest.begin(), rest.end(), std::byte{'\n'});
  if (end == rest.end())
    return error(ErrorCode::pickle_ends,
                 fmt::format("the pickle ends early (no end of a name in {} bytes)", rest.size()));
  const auto length = static_cast<std::size_t>(end - rest.begin());
  position_ += length + 1;
  const std::string_view line(reinterpret_cast<const char*>(rest.data()), length);
  if (std::any_of(line.begin(), line.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    return error(ErrorCode::pickle_name, fmt::format("'{}' is not the name of a module or class", printable(line)));
  }
  return line;
}

Result<Value> Machine::pop() {
  if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back())) {
    return error(ErrorCode::pickle_stack, "the pickle takes a value that is not there");
  }
  const Value v = stack_.back();
  stack_.pop_back();
  return v;
}

Result<Value> Machine::top() {
  if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back())) {
    return error(ErrorCode::pickle_stack, "the pickle looks at a value that is not there");
  }
  return stack_.back();
}

Result<std::vector<Value>> Machine::pop_to_mark() {
  if (marks_.empty()) return error(ErrorCode::pickle_stack, "the pickle closes a group that was not opened");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Value> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

Result<void> Machine::put(std::uint64_t index) {
  TRY(const Value v, top());
  // Picklers number their memo without gaps, so an index is not far beyond the number of opcodes.
  constexpr std::uint64_t kSlack = 1 << 16;
  if (index > static_cast<std::uint64_t>(operations_) + kSlack) {
    return error(ErrorCode::pickle_limits, fmt::format("memo index {} after {} opcodes", index, operations_));
  }
  if (index >= memo_.size()) memo_.resize(static_cast<std::size_t>(index) + 1);
  memo_[static_cast<std::size_t>(index)] = {v, true};
  return {};
}

Result<void> Machine::get(std::uint64_t index) {
  if (index >= memo_.size() || !memo_[static_cast<std::size_t>(index)].second) {
    return error(ErrorCode::pickle_stack, fmt::format("the pickle refers to memo index {}, which was not set", index));
  }
  stack_.push_back(memo_[static_cast<std::size_t>(index)].first);
  return {};
}

Result<void> Machine::spend(std::size_t count) {
  operations_ += static_cast<std::int64_t>(std::min<std::size_t>(count, kMaxOperations));
  if (operations_ > kMaxOperations) {
    return error(ErrorCode::pickle_limits, fmt::format("the pickle has more than {} operations", kMaxOperations),
                 "save the weights alone: torch.save(model.state_dict(), FILE)");
  }
  return {};
}

}  // namespace anemone::formats::pickle

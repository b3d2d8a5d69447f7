#pragma once
// Immutable bytes with shared ownership: a view into a mapped file, or an owned buffer.
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace anemone {

struct Bytes {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> view;

  std::size_t size() const { return view.size(); }
  const std::byte* data() const { return view.data(); }
  /// A part of the same bytes; shares the ownership. The caller has checked the range.
  Bytes part(std::size_t offset, std::size_t length) const { return {owner, view.subspan(offset, length)}; }

  static Bytes owned(std::vector<std::byte> bytes) {
    auto shared = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    return {shared, std::span<const std::byte>(*shared)};
  }
  template <class T>
  static Bytes copy_of(std::span<const T> values) {
    const auto bytes = std::as_bytes(values);
    return owned(std::vector<std::byte>(bytes.begin(), bytes.end()));
  }
};

}  // namespace anemone

#pragma once
// Protobuf messages read through a list of their fields instead of a loop and a switch:
//
//   Function function;
//   read(message, field(1, function.inputs, read_named_type), field(2, function.opset), map_field(4, ...));
//
// The type of the target says the wire type. As in protobuf, the last of several values of a singular field counts,
// and a known number with another wire type is an unknown field, which is skipped.
#include <concepts>
#include <optional>
#include <type_traits>

#include "anemone/formats/wire/protobuf.h"

namespace anemone::formats::protobuf {

/// Reads the whole message. A field is a function that takes what is its own and says whether it was.
template <std::predicate<Message&>... Fields>
void read(Message& message, Fields&&... fields) {
  while (message.next()) {
    if (!(fields(message) || ...)) message.skip();
  }
}

/// What stands under one tag (varint_field, bytes_field, …): `take(Message&)` consumes it.
template <std::invocable<Message&> Take>
auto tagged(std::uint32_t tag, Take take) {
  return [tag, take = std::move(take)](Message& message) {
    if (message.field() != tag) return false;
    take(message);
    return true;
  };
}

/// A nested message, handed to `take(Message&)`.
template <std::invocable<Message&> Take>
auto message_field(std::uint32_t number, Take take) {
  return tagged(bytes_field(number), [take = std::move(take)](Message& message) { message.get_message(take); });
}

/// Nested messages read by `make(Message&) -> T`: set into a T or optional<T>, appended to a vector<T>.
template <class Target, std::invocable<Message&> Make>
auto field(std::uint32_t number, Target& target, Make make) {
  return message_field(number, [&target, make = std::move(make)](Message& message) {
    if constexpr (requires { target.push_back(make(message)); }) {
      target.push_back(make(message));
    } else {
      target = make(message);
    }
  });
}

namespace detail {

template <class T>
constexpr bool is_number = std::is_integral_v<T> || std::is_enum_v<T>;
/// Negative int32 and enums are written as ten bytes of int64.
template <class T>
T number_from(std::uint64_t raw) {
  if constexpr (std::is_same_v<T, bool>) {
    return raw != 0;
  } else {
    return static_cast<T>(raw);
  }
}

}  // namespace detail

template <class T>
requires detail::is_number<T>
auto field(std::uint32_t number, T& target) {
  return tagged(varint_field(number), [&](Message& m) { target = detail::number_from<T>(m.get_uint64()); });
}
inline auto field(std::uint32_t number, float& target) {
  return tagged(fixed32_field(number), [&](Message& m) { target = m.get_float(); });
}
inline auto field(std::uint32_t number, double& target) {
  return tagged(fixed64_field(number), [&](Message& m) { target = m.get_double(); });
}
inline auto field(std::uint32_t number, std::string& target) {
  return tagged(bytes_field(number), [&](Message& m) { target = m.get_text(); });
}
inline auto field(std::uint32_t number, Bytes& target) {
  return tagged(bytes_field(number), [&](Message& m) { target = m.get_bytes(); });
}
inline auto field(std::uint32_t number, std::vector<std::string>& target) {
  return tagged(bytes_field(number), [&](Message& m) { target.push_back(m.get_text()); });
}
template <class T>
auto field(std::uint32_t number, std::optional<T>& target) {
  return [number, &target](Message& message) {
    T value{};
    if (!field(number, value)(message)) return false;
    target = std::move(value);
    return true;
  };
}
/// Repeated numbers, packed or one by one.
template <class T>
requires detail::is_number<T>
auto field(std::uint32_t number, std::vector<T>& target) {
  return [number, &target](Message& message) {
    const auto add = [&](std::uint64_t raw) { target.push_back(detail::number_from<T>(raw)); };
    if (message.field() == varint_field(number)) {
      add(message.get_uint64());
    } else if (message.field() == bytes_field(number)) {
      message.get_packed(add);
    } else {
      return false;
    }
    return true;
  };
}

}  // namespace anemone::formats::protobuf

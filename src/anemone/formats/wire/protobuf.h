#pragma once
// Reading protobuf messages as views into one file, with limits and byte offsets in errors; a layer over protozero.
// Include protozero through this header only: it makes protozero's assertions throw instead of abort.
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace anemone::formats::protobuf {
[[noreturn]] void protozero_misused(const char* condition);
}
#ifndef protozero_assert
#define protozero_assert(condition) \
  ((condition) ? void(0) : ::anemone::formats::protobuf::protozero_misused(#condition))
#endif
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

#include "anemone/support/bytes.h"
#include "anemone/support/result.h"

namespace anemone::formats::protobuf {

/// Thrown while parsing and turned into a diagnostic by parse(): never leaves formats/.
class ParseError : public std::runtime_error {
 public:
  ParseError(ErrorCode code, const std::string& message, std::string help = {})
      : std::runtime_error(message), code_(code), help_(std::move(help)) {}
  ErrorCode code() const { return code_; }
  const std::string& help() const { return help_; }

 private:
  ErrorCode code_;
  std::string help_;
};

/// What a field is switched on: number and wire type together. A known number with another wire type is an unknown
/// field.
constexpr std::uint32_t varint_field(std::uint32_t number) {
  return protozero::tag_and_type(number, protozero::pbf_wire_type::varint);
}
constexpr std::uint32_t fixed32_field(std::uint32_t number) {
  return protozero::tag_and_type(number, protozero::pbf_wire_type::fixed32);
}
constexpr std::uint32_t fixed64_field(std::uint32_t number) {
  return protozero::tag_and_type(number, protozero::pbf_wire_type::fixed64);
}
/// Strings, bytes, messages and packed numbers.
constexpr std::uint32_t bytes_field(std::uint32_t number) {
  return protozero::tag_and_type(number, protozero::pbf_wire_type::length_delimited);
}

/// The file being parsed: where we are (for errors) and what is left of the limits.
struct Document {
  Bytes file;
  std::size_t position = 0;                            // of the field being read
  int depth_left = 100;                                // nested messages, as protobuf's own parsers have it
  std::uint64_t messages_left = 1u << 24;              // a tiny message becomes a struct of some hundred bytes
  ErrorCode broken_code = ErrorCode::protobuf_broken;  // for errors of the wire format
};

/// One message:
///   while (message.next()) switch (message.field()) { case varint_field(1): ...; default: message.skip(); }
class Message {
 public:
  Message(Document& document, std::span<const std::byte> view);
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  ~Message() { ++document_.depth_left; }

  bool next();
  std::uint32_t field() const { return reader_.tag_and_type(); }
  void skip() { reader_.skip(); }

  std::int64_t get_int64() { return reader_.get_int64(); }
  std::uint64_t get_uint64() { return reader_.get_uint64(); }
  std::int32_t get_int32() { return reader_.get_int32(); }
  bool get_bool() { return reader_.get_uint64() != 0; }
  float get_float() { return reader_.get_float(); }
  double get_double() { return reader_.get_double(); }
  std::span<const std::byte> get_view();
  /// Shares the file's ownership.
  Bytes get_bytes();
  /// Refuses what is not UTF-8.
  std::string get_text();
  /// Reads a nested message with `function(Message&)`.
  template <std::invocable<Message&> Function>
  auto get_message(Function&& function) {
    Message nested(document_, get_view());
    return function(nested);
  }
  /// Decodes packed varints and hands each to `function(std::uint64_t)`.
  template <std::invocable<std::uint64_t> Function>
  void get_packed(Function&& function) {
    const auto view = get_view();
    const char* at = reinterpret_cast<const char*>(view.data());
    const char* const end = at + view.size();
    while (at != end) function(protozero::decode_varint(&at, end));
  }

  Document& document() const { return document_; }

 private:
  Document& document_;
  protozero::pbf_reader reader_;
};

/// The diagnostic for an exception of protozero or a ParseError; rethrows others.
Diagnostic diagnose(const Document& document, std::string_view name);

/// The border: runs `function(Message&) -> T` over the whole file; no exception leaves. `name` stands in places.
template <class Function>
auto parse(Document document, std::string_view name, Function&& function)
    -> Result<std::invoke_result_t<Function, Message&>> {
  try {
    Message message(document, document.file.view);
    return function(message);
  } catch (...) {
    return diagnose(document, name);
  }
}

/// Writes a nested message with `fill(pbf_writer&)`. protozero alone drops messages that turn out empty, but an empty
/// message is not an absent one. `out` is the string behind `parent`.
template <class Fill>
void add_message(protozero::pbf_writer& parent, const std::string& out, std::uint32_t number, Fill&& fill) {
  const std::size_t before = out.size();
  {
    protozero::pbf_writer nested(parent, number);
    fill(nested);
  }
  if (out.size() == before) parent.add_message(number, "", 0);
}

}  // namespace anemone::formats::protobuf

// Limits, offsets and the border at which parsing exceptions become diagnostics.
#include "anemone/formats/wire/protobuf.h"

#include <fmt/format.h>

#include <new>

#include "anemone/support/utf8.h"

namespace anemone::formats::protobuf {

void protozero_misused(const char* condition) {
  throw ParseError(ErrorCode::own_bug, fmt::format("protobuf reader misused: {}", condition));
}

Message::Message(Document& document, std::span<const std::byte> view)
    : document_(document), reader_(reinterpret_cast<const char*>(view.data()), view.size()) {
  if (document.depth_left <= 0)
    throw ParseError(ErrorCode::protobuf_too_deep, "messages are nested more than 100 deep");
  if (document.messages_left == 0)
    throw ParseError(ErrorCode::protobuf_too_deep, "the file holds more than 16777216 messages");
  --document.messages_left;
  --document.depth_left;  // last: a constructor that throws runs no destructor
}

bool Message::next() {
  const auto* at = reinterpret_cast<const std::byte*>(reader_.data().data());
  // An empty message may have no address inside the file.
  if (at != nullptr && document_.file.data() != nullptr && reader_.length() > 0) {
    document_.position = static_cast<std::size_t>(at - document_.file.data());
  }
  return reader_.next();
}

std::span<const std::byte> Message::get_view() {
  const auto view = reader_.get_view();
  return {reinterpret_cast<const std::byte*>(view.data()), view.size()};
}

Bytes Message::get_bytes() { return {document_.file.owner, get_view()}; }

std::string Message::get_text() {
  const auto view = reader_.get_view();
  std::string text(view.data(), view.size());
  if (!is_utf8(text)) throw ParseError(document_.broken_code, "a text is not valid UTF-8");
  return text;
}

Diagnostic diagnose(const Document& document, std::string_view name) {
  const std::string place = fmt::format("{}: byte {}", name, document.position);
  const auto broken = [&](const char* message) {
    return bad_input(document.broken_code, message, place, "the file is damaged or of another format");
  };
  try {
    throw;
  } catch (const ParseError& error) {
    if (error.code() == ErrorCode::own_bug) return own_bug(error.what(), place);
    return bad_input(error.code(), error.what(), place, error.help());
  } catch (const protozero::end_of_buffer_exception&) {
    return broken("the file ends inside a field");
  } catch (const protozero::varint_too_long_exception&) {
    return broken("a number has more than 10 bytes");
  } catch (const protozero::unknown_pbf_wire_type_exception&) {
    return broken("a field has an unknown wire type");
  } catch (const protozero::invalid_tag_exception&) {
    return broken("a field has an impossible number");
  } catch (const protozero::exception&) {
    return broken("this is not a protobuf message");
  } catch (const std::bad_alloc&) {
    return bad_environment(ErrorCode::out_of_memory, "out of memory while parsing", place);
  }
}

}  // namespace anemone::formats::protobuf

#pragma once
// What reader and writer of Core ML model files share. Private to spec_*.cpp, feature_read.cpp and mil_*.cpp.
#include <algorithm>
#include <string>
#include <vector>

#include "anemone/formats/coreml/spec.h"
#include "anemone/formats/wire/field_list.h"

namespace anemone::formats::milspec::wire {

/// Members of TensorValue by their field numbers.
enum class TensorMember : std::uint32_t { none, floats, ints, bools, strings, longs, doubles, bytes };
std::string_view name_of(TensorMember member);
/// Where literals of an element type are stored (none for types that have no literals).
TensorMember member_of(DataType dtype);

/// The product of a tensor type's extents. Empty: an extent is unknown, or the product overflows.
std::optional<std::uint64_t> element_count(const TensorType& type);

/// Nesting that every reader takes (protobuf's default limit).
inline constexpr int kMaxDepth = 100;
/// Readers built on Google's library take no more.
inline constexpr std::uint64_t kMaxBytes = 0x7fffffff;
inline constexpr const char* kTooLarge =
    "the model file would exceed 2 GiB: large literals belong into the weight file";

[[noreturn]] inline void inconsistent(const std::string& message) {
  throw protobuf::ParseError(ErrorCode::spec_value_wrong, message);
}

FeatureDescription read_feature(protobuf::Message& message);
Program read_program(protobuf::Message& message);
ValueType read_value_type(protobuf::Message& message);
NamedValueType read_named_type(protobuf::Message& message);
Value read_value(protobuf::Message& message);

/// The output and how deep we are in it. Fields must be written in ascending order to be canonical.
struct Output {
  std::string bytes;
  int depth = 0;
};
void write_program(protozero::pbf_writer& writer, Output& out, const Program& program);

/// A nested message with the depth checked.
template <class Fill>
void nested(protozero::pbf_writer& parent, Output& out, std::uint32_t number, Fill&& fill) {
  if (++out.depth > kMaxDepth)
    throw protobuf::ParseError(ErrorCode::own_bug, "the model is nested more than 100 messages deep");
  protobuf::add_message(parent, out.bytes, number, std::forward<Fill>(fill));
  --out.depth;
}

inline void add_text(protozero::pbf_writer& writer, std::uint32_t number, const std::string& text) {
  if (!text.empty()) writer.add_string(number, text);
}

/// Pointers to the entries by ascending key (of equal keys the last is kept, as protobuf does).
template <class T>
std::vector<const Entry<T>*> sorted(const Map<T>& map) {
  std::vector<const Entry<T>*> entries;
  entries.reserve(map.size());
  for (const Entry<T>& entry : map) entries.push_back(&entry);
  std::stable_sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
  std::vector<const Entry<T>*> unique;
  unique.reserve(entries.size());
  for (const Entry<T>* entry : entries) {
    if (!unique.empty() && unique.back()->key == entry->key) unique.pop_back();
    unique.push_back(entry);
  }
  return unique;
}

/// Map entries: both fields are always written, as protobuf does.
template <class T, class WriteValue>
void add_map(protozero::pbf_writer& writer, Output& out, std::uint32_t number, const Map<T>& map, WriteValue&& value) {
  for (const Entry<T>* entry : sorted(map)) {
    nested(writer, out, number, [&](protozero::pbf_writer& w) {
      w.add_string(1, entry->key);
      nested(w, out, 2, [&](protozero::pbf_writer& v) { value(v, entry->value); });
    });
  }
}

/// Entries of a map of messages, read with `make(Message&) -> T`. An absent value is an empty message.
template <class T, class Make>
auto map_field(std::uint32_t number, Map<T>& map, Make make) {
  return protobuf::message_field(number, [&map, make](protobuf::Message& message) {
    std::string key;
    std::span<const std::byte> value;
    protobuf::read(message, protobuf::field(1, key),
                   protobuf::tagged(protobuf::bytes_field(2), [&](protobuf::Message& m) { value = m.get_view(); }));
    protobuf::Message nested_message(message.document(), value);
    map.push_back({std::move(key), make(nested_message)});
  });
}

/// Establishes the order that Map promises.
template <class T>
void sort_map(Map<T>& map) {
  const bool in_order = std::adjacent_find(map.begin(), map.end(), [](const Entry<T>& a, const Entry<T>& b) {
                          return a.key >= b.key;
                        }) == map.end();
  if (in_order) return;
  std::stable_sort(map.begin(), map.end(), [](const Entry<T>& a, const Entry<T>& b) { return a.key < b.key; });
  Map<T> unique;
  unique.reserve(map.size());
  for (Entry<T>& entry : map) {
    if (!unique.empty() && unique.back().key == entry.key) unique.pop_back();
    unique.push_back(std::move(entry));
  }
  map = std::move(unique);
}

}  // namespace anemone::formats::milspec::wire

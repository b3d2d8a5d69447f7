// The opcodes of pickle protocols 2 to 5 that data needs (pickletools.py of CPython describes them).
#include "anemone/formats/torch/pickle.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/support/utf8.h"

namespace anemone::formats::pickle {

namespace {

constexpr const char* kDamaged = "the file is damaged or was made by hand; download or write it again";

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_key(Value v) {
  return v.kind == Kind::none || v.kind == Kind::boolean || v.kind == Kind::integer || v.kind == Kind::real ||
         v.kind == Kind::text || v.kind == Kind::tuple || v.kind == Kind::bytes || v.kind == Kind::big_integer ||
         v.kind == Kind::global || v.kind == Kind::object || v.kind == Kind::inert;
}

}  // namespace

Machine::Machine(std::span<const std::byte> bytes, std::string file, std::string part)
    : bytes_(bytes), file_(std::move(file)), part_(std::move(part)) {}

std::string Machine::place(std::size_t position) const {
  return part_.empty() ? fmt::format("{}: byte {}", file_, position)
                       : fmt::format("{}: byte {} of '{}'", file_, position, part_);
}

Diagnostic Machine::error(ErrorCode code, std::string message, std::string help) const {
  return bad_input(code, std::move(message), {}, help.empty() ? kDamaged : std::move(help));
}

/// Adds what the machine knows to an error: where, and under which key.
void Machine::locate(Diagnostics& diagnostics) const {
  for (Diagnostic& d : diagnostics) {
    if (d.place.empty()) d.place = place(opcode_at_);
    if (d.help.empty()) d.help = kDamaged;
    std::string_view key;
    for (std::size_t i = stack_.size(); i-- > 0 && stack_.size() - i <= 10;) {
      if (!stack_[i].is(Kind::text)) continue;
      const std::string_view text = heap_.text(stack_[i]);
      // Texts above this one belong to the description of a storage: its number and its device.
      key = text == "storage" ? std::string_view{} : key.empty() ? text : key;
    }
    if (!key.empty()) d.notes.push_back(fmt::format("after the key '{}'", printable(key)));
  }
}

Result<Value> Machine::load(std::size_t& position, Hooks& hooks) {
  stack_.clear();
  marks_.clear();
  memo_.clear();
  position_ = position;
  const auto run = [&]() -> Result<Value> {
    while (true) {
      opcode_at_ = position_;
      TRY_VOID(spend(1));
      TRY(const auto opcode, take(1));
      if (opcode[0] == std::byte{'.'}) return pop();
      TRY_VOID(step(static_cast<std::uint8_t>(opcode[0]), hooks));
    }
  };
  Result<Value> result = run();
  position = position_;
  if (!result) locate(result.error());
  return result;
}

Result<void> Machine::step(std::uint8_t opcode, Hooks& hooks) {
  const auto push = [&](Value v) -> Result<void> {
    stack_.push_back(v);
    return {};
  };
  switch (opcode) {
    case 0x80: {  // PROTO
      TRY(const std::uint64_t protocol, take_number(1));
      if (protocol >= 2 && protocol <= 5) return {};
      return error(ErrorCode::pickle_opcode, fmt::format("pickle protocol {} is not supported", protocol),
                   "save with the default protocol of torch.save");
    }
    case 0x95: {  // FRAME
      TRY(const std::uint64_t length, take_number(8));
      if (length <= bytes_.size() - position_) return {};
      return error(ErrorCode::pickle_ends, fmt::format("the pickle ends early (bytes of its frame: {}, left: {})",
                                                       length, bytes_.size() - position_));
    }
    case '(':
      marks_.push_back(stack_.size());
      return {};
    case '0': {  // POP
      TRY_VOID(pop());
      return {};
    }
    case '1': {  // POP_MARK
      TRY_VOID(pop_to_mark());
      return {};
    }
    case '2': {  // DUP
      TRY(const Value v, top());
      return push(v);
    }
    case 'N':
      return push({});
    case 0x88:
      return push({Kind::boolean, 0, 1});
    case 0x89:
      return push({Kind::boolean, 0, 0});
    case 'K': {
      TRY(const std::uint64_t n, take_number(1));
      return push({Kind::integer, 0, static_cast<std::int64_t>(n)});
    }
    case 'M': {
      TRY(const std::uint64_t n, take_number(2));
      return push({Kind::integer, 0, static_cast<std::int64_t>(n)});
    }
    case 'J': {
      TRY(const std::uint64_t n, take_number(4));
      return push({Kind::integer, 0, static_cast<std::int32_t>(static_cast<std::uint32_t>(n))});
    }
    case 0x8a:
    case 0x8b: {
      TRY(const std::uint64_t length, take_number(opcode == 0x8a ? 1 : 4));
      return push_long(length);
    }
    case 'G': {  // big-endian double
      TRY(const auto bytes, take(8));
      std::uint64_t bits = 0;
      for (const std::byte b : bytes) bits = bits << 8 | static_cast<std::uint64_t>(b);
      return push({Kind::real, 0, static_cast<std::int64_t>(bits)});
    }
    case 0x8c:
    case 'X':
    case 0x8d: {
      TRY(const std::uint64_t length, take_number(opcode == 'X' ? 4 : opcode == 0x8d ? 8 : 1));
      return push_text(length);
    }
    case 'U':
    case 'T': {  // strings of Python 2; T's length is signed
      TRY(const std::uint64_t length, take_number(opcode == 'U' ? 1 : 4));
      return push_latin1(length);
    }
    case 'C':
    case 'B':
    case 0x8e:
    case 0x96: {  // 0x96: BYTEARRAY8
      TRY(const std::uint64_t length, take_number(opcode == 'C' ? 1 : opcode == 'B' ? 4 : 8));
      TRY(const auto bytes, take(length));
      return push(heap_.add_view(Kind::bytes, as_text(bytes)));
    }
    case ']':
      return push(heap_.add_sequence(Kind::list, {}));
    case '}':
      return push(heap_.add_dict({}, false));
    case ')':
      return push(heap_.add_sequence(Kind::tuple, {}));
    case 0x8f:
      return push(heap_.add_sequence(Kind::set, {}));
    case 0x85:
    case 0x86:
    case 0x87:
      return push_tuple(opcode - 0x84u);
    case 't':
    case 'l': {
      TRY(std::vector<Value> items, pop_to_mark());
      return push(heap_.add_sequence(opcode == 't' ? Kind::tuple : Kind::list, std::move(items)));
    }
    case 'a':
      return append(false);
    case 'e':
      return append(true);
    case 's': {
      TRY(const Value value, pop());
      TRY(const Value key, pop());
      TRY(const Value dict, top());
      const Value items[] = {key, value};
      return set_items(dict, items);
    }
    case 'u':
      return set_many(false);
    case 'd':
      return set_many(true);
    case 0x90:
      return add_to_set();
    case 0x91: {  // FROZENSET
      TRY(std::vector<Value> items, pop_to_mark());
      return push(heap_.add_sequence(Kind::set, std::move(items)));
    }
    case 'q':
    case 'r': {
      TRY(const std::uint64_t index, take_number(opcode == 'q' ? 1 : 4));
      return put(index);
    }
    case 0x94:
      return put(memo_.size());  // MEMOIZE
    case 'h':
    case 'j': {
      TRY(const std::uint64_t index, take_number(opcode == 'h' ? 1 : 4));
      return get(index);
    }
    case 'c': {
      TRY(const std::string_view module, take_line());
      TRY(const std::string_view name, take_line());
      return push_global(module, name);
    }
    case 0x93:
      return stack_global(hooks);
    case 'Q': {
      TRY(const Value id, pop());
      TRY(const Value v, hooks.persistent(heap_, id));
      return push(v);
    }
    case 'R':
    case 0x81:
    case 0x92:
      return call(opcode == 0x92, hooks);
    case 'o':
    case 'i':
      return instance(opcode == 'o', hooks);
    case 'b':
      return build();
    default:
      return error(ErrorCode::pickle_opcode,
                   fmt::format("pickle opcode 0x{:02x} is not one that plain data needs", opcode), kNothingWasRun);
  }
}

Result<void> Machine::push_text(std::uint64_t length) {
  TRY(const auto bytes, take(length));
  if (!is_utf8(as_text(bytes)))
    return error(ErrorCode::pickle_name, fmt::format("a string of {} bytes is not UTF-8", length));
  stack_.push_back(heap_.add_view(Kind::text, as_text(bytes)));
  return {};
}

Result<void> Machine::push_latin1(std::uint64_t length) {
  TRY(const auto bytes, take(length));
  const std::string_view text = as_text(bytes);
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) {
    stack_.push_back(heap_.add_view(Kind::text, text));
    return {};
  }
  std::string wide;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x80) {
      wide += c;
    } else {
      wide += static_cast<char>(0xc0 | code >> 6);
      wide += static_cast<char>(0x80 | (code & 0x3f));
    }
  }
  stack_.push_back(heap_.add_text(std::move(wide)));
  return {};
}

/// LONG1 and LONG4: little-endian two's complement of a counted length.
Result<void> Machine::push_long(std::uint64_t length) {
  TRY(const auto bytes, take(length));
  if (length > 8) {
    stack_.push_back(heap_.add_view(Kind::big_integer, as_text(bytes)));
    return {};
  }
  std::uint64_t bits = length > 0 && (bytes[length - 1] & std::byte{0x80}) != std::byte{} ? ~std::uint64_t{0} : 0;
  for (std::size_t i = bytes.size(); i-- > 0;) bits = bits << 8 | static_cast<std::uint64_t>(bytes[i]);
  stack_.push_back({Kind::integer, 0, static_cast<std::int64_t>(bits)});
  return {};
}

Result<void> Machine::push_tuple(std::size_t count) {
  std::vector<Value> items(count);
  for (std::size_t i = count; i-- > 0;) {
    TRY(items[i], pop());
  }
  stack_.push_back(heap_.add_sequence(Kind::tuple, std::move(items)));
  return {};
}

Result<void> Machine::append(bool many) {
  std::vector<Value> items;
  if (many) {
    TRY(items, pop_to_mark());
  } else {
    TRY(const Value item, pop());
    items.push_back(item);
  }
  TRY(const Value list, top());
  if (!list.is(Kind::list) && !list.is(Kind::inert))
    return error(ErrorCode::pickle_stack, fmt::format("items are appended to {}", describe(heap_, list)));
  auto& target = list.is(Kind::inert) ? heap_.inert(list).items : heap_.items(list);
  target.insert(target.end(), items.begin(), items.end());
  return {};
}

Result<void> Machine::set_items(Value dict, std::span<const Value> items) {
  if (!dict.is(Kind::dict) && !dict.is(Kind::inert))
    return error(ErrorCode::pickle_stack, fmt::format("keys are set in {}", describe(heap_, dict)));
  if (items.size() % 2 != 0)
    return error(ErrorCode::pickle_stack, fmt::format("a dict gets {} keys and values", items.size()));
  for (std::size_t i = 0; i < items.size(); i += 2) {
    if (!is_key(items[i]))
      return error(ErrorCode::pickle_stack, fmt::format("{} is used as a key", describe(heap_, items[i])));
    (dict.is(Kind::inert) ? heap_.inert(dict).pairs : heap_.pairs(dict)).emplace_back(items[i], items[i + 1]);
  }
  return {};
}

Result<void> Machine::set_many(bool on_new_dict) {
  TRY(const std::vector<Value> items, pop_to_mark());
  if (on_new_dict) stack_.push_back(heap_.add_dict({}, false));
  TRY(const Value dict, top());
  return set_items(dict, items);
}

Result<void> Machine::add_to_set() {
  TRY(const std::vector<Value> items, pop_to_mark());
  TRY(const Value set, top());
  if (!set.is(Kind::set) && !set.is(Kind::inert))
    return error(ErrorCode::pickle_stack, fmt::format("members are added to {}", describe(heap_, set)));
  auto& target = set.is(Kind::inert) ? heap_.inert(set).items : heap_.items(set);
  target.insert(target.end(), items.begin(), items.end());
  return {};
}

}  // namespace anemone::formats::pickle

// Literals of MIL text: numbers, nested lists and containers.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include "anemone/ir/text/literal_items.h"
#include "anemone/ir/text/literal_text.h"

namespace anemone {
namespace {

constexpr int kMaxDepth = 32;             // of containers
constexpr std::size_t kMaxBrackets = 64;  // of nested lists: the greatest rank

std::vector<std::byte> to_bytes(const void* data, std::size_t size) {
  std::vector<std::byte> bytes(size);
  if (size) std::memcpy(bytes.data(), data, size);
  return bytes;
}

// 8-bit floats: the code whose value is nearest, the even code on a tie; NaN is the code that `nan` prints for.
Bytes pack_fp8(DType dtype, const std::vector<double>& numbers) {
  const std::vector<double> values = fp8_values(dtype);
  std::vector<std::byte> codes;
  codes.reserve(numbers.size());
  for (double number : numbers) {
    std::size_t best = dtype == DType::fp8e5m2 ? 0x7e : 0x7f;
    double distance = HUGE_VAL;
    for (std::size_t code = std::signbit(number) ? 128 : 0, last = code + 128; code < last && !std::isnan(number);
         ++code) {
      const double d = values[code] == number ? 0 : std::abs(values[code] - number);
      if (d < distance || (d == distance && code % 2 == 0)) best = code;
      distance = std::min(distance, std::isnan(d) ? distance : d);
    }
    codes.push_back(static_cast<std::byte>(best));
  }
  return Bytes::owned(std::move(codes));
}

// Rounded to the nearest, a number from half a step above the largest one on is infinite.
bool becomes_infinite(double value, DType dtype) {
  if (dtype == DType::fp16) return std::abs(value) >= 65520;
  if (dtype == DType::fp32) return std::abs(value) >= 0x1.ffffffp127;
  return std::isinf(value);
}

}  // namespace

std::optional<WrittenInteger> to_integer(std::string_view text) {
  WrittenInteger value;
  value.negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const bool hex = text.substr(0, 2) == "0x";
  if (hex) text.remove_prefix(2);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value.magnitude, hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_signed_integer(DType dtype) { return dtype == DType::int4 || (dtype >= DType::int8 && dtype <= DType::int64); }

bool fits_dtype(const WrittenInteger& value, DType dtype) {
  const int width = bits(dtype);
  const std::uint64_t top = ~std::uint64_t{0} >> (64 - width);
  if (!is_signed_integer(dtype)) return (!value.negative || value.magnitude == 0) && value.magnitude <= top;
  return value.magnitude <= top / 2 + (value.negative ? 1 : 0);
}

bool TextReader::spend(const Token& at, const Type& type) {
  const auto count = element_count(type.dims);
  if (!count || *count > budget_ / 8) {
    return fail(at, ErrorCode::text_too_large,
                fmt::format("{} is more than this text may ask for ({} elements in all)", brief(type),
                            options_.max_payload / 8));
  }
  budget_ -= *count * 8;
  return true;
}

// Every element of a list repeats its type: a short text could ask for much memory.
bool TextReader::spend_container(const Type& type) {
  const auto size = [](const auto& self, const Type& t) -> std::int64_t {
    std::int64_t sum = static_cast<std::int64_t>(sizeof(Type)) + 2 * t.rank() * 8;
    for (const Type& inner : t.elements) sum += self(self, inner);
    return sum;
  };
  budget_ -= size(size, type);
  return budget_ >= 0 ||
         fail(peek(), ErrorCode::text_too_large,
              fmt::format("this literal is more than the text may ask for ({} bytes)", options_.max_payload));
}

bool TextReader::read_not_finite(Items& items) {
  const bool negative = accept("-");
  const Token word = take();
  if (word.is_word("inf")) {
    items.numbers.push_back(negative ? -HUGE_VAL : HUGE_VAL);
    return true;
  }
  items.numbers.push_back(std::nan(""));
  if (!accept("(")) return true;
  const Token number = take();
  const auto value = to_integer(number.text);
  if (number.kind != Token::Kind::number || !value || value->negative ||
      (bits(items.dtype) < 64 && value->magnitude >> bits(items.dtype))) {
    return fail(number, ErrorCode::literal_wrong, fmt::format("the {} bits of a NaN expected", bits(items.dtype)));
  }
  items.nan_bits.emplace_back(items.count, value->magnitude);
  return expect(")", "after the bits of a NaN");
}

bool TextReader::read_item(Items& items) {
  const Token at = peek();
  const DType dtype = items.dtype;
  if (dtype == DType::string) {
    const auto text = at.kind == Token::Kind::string ? unescape(at.text) : std::nullopt;
    if (!text)
      return fail(at, ErrorCode::literal_wrong,
                  at.kind == Token::Kind::string ? "bad escape in a string" : "a string expected");
    items.strings.push_back(*text);
  } else if (dtype == DType::boolean) {
    if (!at.is_word("true") && !at.is_word("false"))
      return fail(at, ErrorCode::literal_wrong, "true or false expected");
    items.numbers.push_back(at.text == "true");
  } else if (is_float(dtype) && (at.is_word("inf") || at.is_word("nan") || at.is("-"))) {
    if (at.is("-") && !peek_second().is_word("inf")) return fail(at, ErrorCode::literal_wrong, "a number expected");
    if (!read_not_finite(items)) return false;
    ++items.count;
    return true;
  } else if (at.kind != Token::Kind::number) {
    return fail(at, ErrorCode::literal_wrong, "a number expected");
  } else if (is_float(dtype)) {
    const auto value = to_double(at.text);
    if (!value) return fail(at, ErrorCode::literal_wrong, fmt::format("'{}' is no number", at.text.substr(0, 40)));
    if (becomes_infinite(*value, dtype)) {
      return fail(at, ErrorCode::literal_wrong,
                  fmt::format("'{}' is beyond the largest {}", at.text.substr(0, 40), name(dtype)),
                  "write inf where that is meant");
    }
    items.numbers.push_back(*value);
  } else {
    const auto value = to_integer(at.text);
    const auto real = !value && items.loose ? to_double(at.text) : std::nullopt;
    if (real || (items.loose && items.real && value)) {
      items.real = true;
      items.numbers.push_back(*to_double(at.text));
    } else if (!value || !fits_dtype(*value, dtype)) {
      return fail(at, ErrorCode::literal_wrong, fmt::format("'{}' is no {}", at.text.substr(0, 40), name(dtype)));
    } else if (is_wide_integer(dtype)) {
      items.wide.push_back(value->negative ? 0 - value->magnitude : value->magnitude);
    } else {
      items.numbers.push_back(value->negative ? -static_cast<double>(value->magnitude)
                                              : static_cast<double>(value->magnitude));
    }
  }
  take();
  ++items.count;
  return true;
}

bool TextReader::read_items(Items& items, std::size_t depth) {
  if (!peek().is("[")) {
    if (depth < items.dims.size()) items.ragged = true;
    return read_item(items);
  }
  if (depth == kMaxBrackets)
    return fail(peek(), ErrorCode::text_too_large, fmt::format("lists nested deeper than {}", kMaxBrackets));
  take();
  // The first list at each depth sets the extent; before any element is read, the depth itself is still open.
  const bool first = depth == items.dims.size() && items.count == 0;
  if (depth == items.dims.size() && !first) items.ragged = true;
  if (first) items.dims.push_back(-1);
  std::int64_t length = 0;
  if (!peek().is("]")) {
    do {
      if (!read_items(items, depth + 1)) return false;
      ++length;
    } while (accept(","));
  }
  if (!expect("]", "at the end of the list")) return false;
  if (depth >= items.dims.size()) return true;
  if (items.dims[depth] < 0) items.dims[depth] = length;
  items.ragged = items.ragged || items.dims[depth] != length;
  return true;
}

// Checks the brackets against the declared extents and fills in unknown ones. A flat list stands for any shape.
bool TextReader::resolve_dims(const Token& at, Type& type, const Items& items) {
  if (items.ragged) return fail(at, ErrorCode::literal_wrong, "the lists of this literal differ in length");
  if (!type.ranked) {
    type.ranked = true;
    type.dims = items.dims;
    return true;
  }
  const auto count = element_count(type.dims);
  if (count && *count == 0 && items.count == 0) return true;
  if (count && items.dims.size() == 1 && static_cast<std::size_t>(*count) == items.count) return true;
  bool same = items.dims.size() == type.dims.size();
  for (std::size_t i = 0; same && i < type.dims.size(); ++i) {
    same = type.dims[i] == kUnknown || type.dims[i] == items.dims[i];
  }
  if (same) {
    type.dims = items.dims;
    return true;
  }
  return fail(at, ErrorCode::literal_wrong,
              fmt::format("{} elements in brackets {} do not make a {}", items.count, brief(items.dims), brief(type)));
}

bool TextReader::pack(const Token& at, Type type, Items& items, Constant& constant) {
  if (!resolve_dims(at, type, items) || !spend(at, type)) return false;
  if (type.dtype == DType::string) {
    constant.type = std::move(type);
    constant.strings = std::move(items.strings);
  } else if (is_wide_integer(type.dtype)) {
    constant.data = Bytes::owned(to_bytes(items.wide.data(), items.wide.size() * 8));
    constant.type = std::move(type);
  } else if (type.dtype == DType::fp8e4m3fn || type.dtype == DType::fp8e5m2) {
    constant.data = pack_fp8(type.dtype, items.numbers);
    constant.type = std::move(type);
  } else {
    constant = *make_constant(type.dtype, std::move(type.dims), items.numbers);
  }
  if (items.nan_bits.empty()) return true;
  std::vector<std::byte> bytes = to_bytes(constant.data.data(), constant.data.size());
  const auto width = static_cast<std::size_t>(bits(constant.type.dtype)) / 8;
  for (const auto& [index, nan] : items.nan_bits) std::memcpy(bytes.data() + index * width, &nan, width);
  constant.data = Bytes::owned(std::move(bytes));
  return true;
}

bool TextReader::read_tensor(const Type& type, Constant& constant) {
  const Token at = peek();
  if (at.is_word("BLOBFILE")) return read_blob(type, constant);
  if (at.is_word("splat") || at.is_word("iota") || at.is_word("random")) return read_generated(type, constant);
  if (at.is(")")) {  // the printed form for people leaves big payloads out
    if (!type.is_fixed()) return fail(at, ErrorCode::literal_wrong, "a payload expected");
    constant.type = type;
    constant.missing = source_->name;
    return true;
  }
  Items items;
  items.dtype = type.dtype;
  return read_items(items, 0) && pack(at, type, items, constant);
}

bool TextReader::read_dictionary(const Type& type, Constant& constant, int depth) {
  if (!spend_container(type)) return false;
  constant.type = type;
  if (!expect("{", "before the entries of a dict")) return false;
  if (accept("}")) return true;
  do {
    if (!expect("{", "before an entry of a dict")) return false;
    for (std::size_t i = 0; i < 2; ++i) {
      if (i && !expect(",", "between key and value")) return false;
      constant.elements.emplace_back();
      if (!read_payload(type.elements[i], constant.elements.back(), depth + 1)) return false;
    }
    if (!expect("}", "after an entry of a dict")) return false;
  } while (accept(","));
  return expect("}", "after the entries of a dict");
}

bool TextReader::read_sequence(const Type& type, Constant& constant, int depth) {
  const bool list = type.kind == Type::Kind::list;
  if (!spend_container(type)) return false;
  constant.type = type;
  const Token at = peek();
  if (!expect(list ? "[" : "(", "before the elements")) return false;
  if (!peek().is(list ? "]" : ")")) {
    do {
      const std::size_t index = constant.elements.size();
      if (!list && index == type.elements.size())
        return fail(peek(), ErrorCode::literal_wrong, "more elements than the type has");
      constant.elements.emplace_back();
      if (!read_payload(type.elements[list ? 0 : index], constant.elements.back(), depth + 1)) return false;
    } while (accept(","));
  }
  const auto count = static_cast<std::int64_t>(constant.elements.size());
  const std::int64_t wanted = list ? type.length : static_cast<std::int64_t>(type.elements.size());
  if (wanted != kUnknown && wanted != count) {
    return fail(at, ErrorCode::literal_wrong, fmt::format("{} elements, where the type has {}", count, wanted));
  }
  return expect(list ? "]" : ")", "after the elements");
}

bool TextReader::read_payload(const Type& type, Constant& constant, int depth) {
  if (depth > kMaxDepth)
    return fail(peek(), ErrorCode::text_too_large, fmt::format("literals nested deeper than {}", kMaxDepth));
  if (depth > 0 && at_typed_literal()) {  // a type repeated inside a container
    const Token at = peek();
    Type written;
    if (!read_type(written) || !expect("(", "after the type of a literal") ||
        !read_payload(written, constant, depth + 1) || !expect(")", "at the end of the literal")) {
      return false;
    }
    return compatible(type, written) ||
           fail(at, ErrorCode::literal_wrong,
                fmt::format("a {} expected, not a {}", to_string(type), to_string(written)));
  }
  switch (type.kind) {
    case Type::Kind::tensor:
      return read_tensor(type, constant);
    case Type::Kind::dictionary:
      return read_dictionary(type, constant, depth);
    case Type::Kind::list:
    case Type::Kind::tuple:
      return read_sequence(type, constant, depth);
    case Type::Kind::state:
      break;
  }
  return fail(peek(), ErrorCode::literal_wrong, "a state has no literal");
}

bool TextReader::read_typed_literal(ConstantPtr& constant) {
  Type type;
  auto made = std::make_shared<Constant>();
  if (!read_type(type) || !expect("(", "after the type of a literal") || !read_payload(type, *made, 0) ||
      !expect(")", "at the end of the literal")) {
    return false;
  }
  constant = std::move(made);
  return true;
}

bool TextReader::read_loose(Literal& literal) {
  Items items;
  items.loose = true;
  Token first = peek();
  if (first.is("[")) {  // the first element decides; it is within sight only for plain lists
    Lexer ahead(std::string_view(source_->text).substr(first.begin));
    while (first.is("[")) first = ahead.next();
  }
  if (first.kind == Token::Kind::string) items.dtype = DType::string;
  if (first.is_word("true") || first.is_word("false")) items.dtype = DType::boolean;
  items.loose = items.dtype == DType::int32;
  if (!read_items(items, 0)) return false;
  Type type = Type::unranked(items.dtype);
  if (items.loose && items.real) type.dtype = DType::fp64;
  auto made = std::make_shared<Constant>();
  if (!pack(literal.first, type, items, *made)) return false;
  literal.constant = std::move(made);
  if (items.loose) literal.loose = items.real ? Literal::Loose::real : Literal::Loose::integer;
  return true;
}

bool TextReader::read_literal(Literal& literal) {
  literal.first = peek();
  if (at_typed_literal()) return read_typed_literal(literal.constant);
  if (at_literal()) return read_loose(literal);
  return fail(peek(), ErrorCode::text_syntax, "a literal expected");
}

}  // namespace anemone

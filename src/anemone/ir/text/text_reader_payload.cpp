// Payloads of MIL text that are not written out: BLOBFILE, splat, iota and random.
#include <fmt/format.h>

#include <cmath>

#include "anemone/ir/text/literal_items.h"

namespace anemone {
namespace {

std::uint64_t splitmix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

}  // namespace

bool TextReader::read_blob(const Type& type, Constant& constant) {
  const Token at = take();
  if (!type.is_fixed() || type.dtype == DType::string) {
    return fail(at, ErrorCode::literal_wrong, fmt::format("a BLOBFILE cannot be a {}", to_string(type)));
  }
  std::optional<std::string> path;
  std::optional<std::uint64_t> offset;
  if (!expect("(", "after BLOBFILE")) return false;
  do {
    Token key;
    Literal literal;
    if (!expect_name(key, "path or offset") || !expect("=", "after " + std::string(key.text))) return false;
    if (!read_literal(literal)) return false;
    const Constant& value = *literal.constant;
    if (key.text == "path" && value.is_string() && value.strings.size() == 1) {
      path = value.strings[0];
    } else if (key.text == "offset" && is_integer(value.type.dtype) && value.count() == 1 && scalar(value) >= 0) {
      offset = is_wide_integer(value.type.dtype) ? elements_as<std::uint64_t>(value)[0]
                                                 : static_cast<std::uint64_t>(scalar(value));
    } else {
      return fail(key, ErrorCode::text_syntax,
                  fmt::format("BLOBFILE takes path and offset, not '{}' with this value", key.text));
    }
  } while (accept(","));
  if (!expect(")", "after the place of the payload")) return false;
  if (!path) return fail(at, ErrorCode::text_syntax, "BLOBFILE without a path");
  if (!options_.blob) {
    constant.type = type;
    constant.missing = offset ? fmt::format("{}:{}", *path, *offset) : *path;
    return true;
  }
  auto payload = options_.blob(*path, offset.value_or(0), type);
  if (!payload) return fail(at, std::move(payload).error());
  if (payload->type != type) {
    return fail(at, ErrorCode::weight_type_differs,
                fmt::format("{} declared, and the weight file has {}", brief(type), brief(payload->type)));
  }
  constant = *std::move(payload);
  return true;
}

bool TextReader::read_generated(const Type& type, Constant& constant) {
  const Token how = take();
  const auto count = element_count(type.dims);
  if (!type.is_fixed() || !count || type.dtype == DType::string) {
    return fail(how, ErrorCode::literal_wrong,
                fmt::format("{}() needs numbers of a known shape, not {}", how.text, to_string(type)));
  }
  if (!expect("(", fmt::format("after {}", how.text)) || !spend(how, type) || !generate(how, type, *count, constant)) {
    return false;
  }
  return expect(")", fmt::format("after the argument of {}", how.text));
}

bool TextReader::generate(const Token& how, const Type& type, std::int64_t count, Constant& constant) {
  const auto n = static_cast<std::size_t>(count);
  const DType dtype = type.dtype;
  Items items;
  items.dtype = dtype;
  if (how.text == "splat") {
    if (!read_item(items)) return false;
    items.numbers.resize(n, items.numbers.empty() ? 0 : items.numbers[0]);
    items.wide.resize(is_wide_integer(dtype) ? n : 0, items.wide.empty() ? 0 : items.wide[0]);
  } else if (how.text == "iota") {
    if (dtype == DType::boolean || (!is_float(dtype) && n > 0 && !fits_dtype({false, n - 1}, dtype))) {
      return fail(how, ErrorCode::literal_wrong, fmt::format("{} does not count up to {}", name(dtype), count - 1));
    }
    for (std::size_t i = 0; i < n && !is_wide_integer(dtype); ++i) items.numbers.push_back(static_cast<double>(i));
    for (std::size_t i = 0; i < n && is_wide_integer(dtype); ++i) items.wide.push_back(i);
  } else {
    std::uint64_t seed = 0;
    if (!peek().is(")")) {
      Token key;
      if (!expect_name(key, "seed") || !expect("=", "after seed")) return false;
      const Token number = take();
      const auto value = to_integer(number.text);
      if (key.text != "seed" || number.kind != Token::Kind::number || !value) {
        return fail(key, ErrorCode::text_syntax, "random takes seed = an integer");
      }
      seed = value->negative ? 0 - value->magnitude : value->magnitude;
    }
    const int width = dtype == DType::boolean ? 1 : bits(dtype);
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint64_t hash = splitmix64(seed + i * 0x9e3779b97f4a7c15u);
      if (is_float(dtype)) {
        items.numbers.push_back(std::ldexp(static_cast<double>(hash >> 11), -52) - 1);
      } else if (is_wide_integer(dtype)) {
        items.wide.push_back(hash);
      } else {
        const auto code = static_cast<double>(hash >> (64 - width));
        items.numbers.push_back(is_signed_integer(dtype) ? code - std::ldexp(1, width - 1) : code);
      }
    }
  }
  items.count = n;
  items.dims = {count};
  items.nan_bits.clear();
  budget_ += count * 8;  // pack() spends it again
  return pack(how, type, items, constant);
}

}  // namespace anemone

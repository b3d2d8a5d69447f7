// Formatting of types, numbers and payloads.
#include "anemone/ir/text/literal_text.h"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "anemone/ir/text/lexer.h"
#include "anemone/support/half.h"

namespace anemone {
namespace {

constexpr std::int64_t kNestedRank = 32;  // above, one flat list: the depth of the brackets is somebody else's input

// The elements of a tensor, decoded once; 64-bit integers do not fit doubles and are read from the bytes.
struct Elements {
  explicit Elements(const Constant& c) : constant(c) {
    if (!wide() && !c.is_string()) values = to_doubles(c);
  }
  bool wide() const { return constant.type.dtype == DType::int64 || constant.type.dtype == DType::uint64; }
  std::uint64_t bits_at(std::size_t i, std::size_t width) const {
    std::uint64_t bits = 0;
    std::memcpy(&bits, constant.data.data() + i * width, width);
    return bits;
  }
  const Constant& constant;
  std::vector<double> values;
};

// Shortest decimal that `round` maps to the same number.
template <class Round>
std::string shortest(double value, Round round) {
  for (int digits = 1; digits < 17; ++digits) {
    std::string text = fmt::format("{:.{}g}", value, digits);
    double back = 0;
    fast_float::from_chars(text.data(), text.data() + text.size(), back);
    if (round(back) == round(value)) return text;
  }
  return fmt::format("{}", value);
}

std::uint32_t bf16_bits(double value) {
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  return (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
}

// A NaN other than the one that "nan" is read as, with its bits: nan(0x7e01).
void append_nan(std::string& out, const Elements& elements, std::size_t i) {
  const DType dtype = elements.constant.type.dtype;
  const std::uint64_t bits_ = elements.bits_at(i, static_cast<std::size_t>(bits(dtype)) / 8);
  const ConstantPtr usual = make_scalar(dtype, std::nan(""));
  std::uint64_t usual_bits = dtype == DType::fp8e5m2 ? 0x7e : 0x7f;
  if (bits(dtype) > 8) {
    usual_bits = 0;
    std::memcpy(&usual_bits, usual->data.data(), usual->data.size());
  }
  out += "nan";
  if (bits_ != usual_bits) fmt::format_to(std::back_inserter(out), "(0x{:x})", bits_);
}

void append_float(std::string& out, double value, DType dtype, const LiteralStyle& style) {
  if (style.hex || !std::isfinite(value)) return append_hex(out, value);
  switch (dtype) {
    case DType::fp16:
      out += shortest(value, [](double v) { return half_from_double(v); });
      return;
    case DType::bf16:
      out += shortest(value, bf16_bits);
      return;
    case DType::fp32:
      fmt::format_to(std::back_inserter(out), "{}", static_cast<float>(value));
      return;
    default:
      fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

void append_element(std::string& out, const Elements& elements, std::size_t i, const LiteralStyle& style) {
  const DType dtype = elements.constant.type.dtype;
  if (dtype == DType::string) {
    out += i < elements.constant.strings.size() ? quote(elements.constant.strings[i]) : "\"\"";
  } else if (dtype == DType::int64) {
    fmt::format_to(std::back_inserter(out), "{}", static_cast<std::int64_t>(elements.bits_at(i, 8)));
  } else if (dtype == DType::uint64) {
    fmt::format_to(std::back_inserter(out), "{}", elements.bits_at(i, 8));
  } else if (dtype == DType::boolean) {
    out += elements.values[i] != 0 ? "true" : "false";
  } else if (!is_float(dtype)) {
    fmt::format_to(std::back_inserter(out), "{}", static_cast<std::int64_t>(elements.values[i]));
  } else if (std::isnan(elements.values[i])) {
    append_nan(out, elements, i);
  } else {
    append_float(out, elements.values[i], dtype, style);
  }
}

void drain(std::string& out, const LiteralStyle& style) {
  if (out.size() > LiteralStyle::kDrainAt && style.drain) style.drain(out);
}

void append_nested(std::string& out, const Elements& elements, std::size_t axis, std::size_t& index,
                   const LiteralStyle& style) {
  const Dims& dims = elements.constant.type.dims;
  if (axis == dims.size()) {
    drain(out, style);
    return append_element(out, elements, index++, style);
  }
  out += '[';
  for (std::int64_t k = 0; k < dims[axis]; ++k) {
    if (k) out += ", ";
    append_nested(out, elements, axis + 1, index, style);
  }
  out += ']';
}

void append_extent(std::string& out, std::int64_t extent) {
  if (extent == kUnknown) {
    out += '?';
  } else {
    fmt::format_to(std::back_inserter(out), "{}", extent);
  }
}

// True when the bytes are there for every element that the type speaks of.
bool is_whole(const Constant& c) {
  const auto bytes = byte_count(c.type.dtype, c.type.dims);
  return bytes && (c.is_string() ? c.strings.size() == static_cast<std::size_t>(c.count())
                                 : c.data.size() >= static_cast<std::size_t>(*bytes));
}

}  // namespace

void append_type(std::string& out, const Type& type, const LiteralStyle& style) {
  const auto inner = [&] {
    for (std::size_t i = 0; i < type.elements.size(); ++i) {
      if (i) out += ", ";
      append_type(out, type.elements[i], style);
    }
  };
  switch (type.kind) {
    case Type::Kind::tensor:
      if (style.short_scalars && type.ranked && type.dims.empty()) {
        out += name(type.dtype);
        return;
      }
      fmt::format_to(std::back_inserter(out), "tensor<{}, [", name(type.dtype));
      for (std::size_t i = 0; i < type.dims.size() && type.ranked; ++i) {
        if (i) out += ", ";
        append_extent(out, type.dims[i]);
      }
      out += type.ranked ? "]>" : "...]>";
      return;
    case Type::Kind::list:
      out += "list<";
      inner();
      out += ", ";
      append_extent(out, type.length);
      break;
    case Type::Kind::tuple:
      out += "tuple<";
      inner();
      break;
    case Type::Kind::dictionary:
      out += "dict<";
      inner();
      break;
    case Type::Kind::state:
      out += "state<";
      inner();
      break;
  }
  out += '>';
}

void append_payload(std::string& out, const Constant& c, const LiteralStyle& style) {
  if (!c.missing.empty()) return append_missing(out, c, style);
  const auto list = [&](char open, char close) {
    out += open;
    for (std::size_t i = 0; i < c.elements.size(); ++i) {
      if (i) out += ", ";
      append_payload(out, c.elements[i], style);
    }
    out += close;
  };
  switch (c.type.kind) {
    case Type::Kind::tensor: {
      if (!is_whole(c)) {
        out += "/* broken payload */";
        return;
      }
      if (c.count() == 0 && !c.type.dims.empty()) {
        out += "[]";
        return;
      }
      std::size_t index = 0;
      if (c.type.rank() <= kNestedRank) return append_nested(out, Elements(c), 0, index, style);
      const Elements elements(c);
      for (; index < static_cast<std::size_t>(c.count()); ++index) {
        out += index ? ", " : "[";
        append_element(out, elements, index, style);
        drain(out, style);
      }
      out += ']';
      return;
    }
    case Type::Kind::list:
      return list('[', ']');
    case Type::Kind::tuple:
      return list('(', ')');
    case Type::Kind::dictionary:
      out += '{';
      for (std::size_t i = 0; i + 1 < c.elements.size(); i += 2) {
        out += i ? ", {" : "{";
        append_payload(out, c.elements[i], style);
        out += ", ";
        append_payload(out, c.elements[i + 1], style);
        out += '}';
      }
      out += '}';
      return;
    case Type::Kind::state:
      return;
  }
}

void append_constant(std::string& out, const Constant& constant, const LiteralStyle& style) {
  append_type(out, constant.type, style);
  out += '(';
  append_payload(out, constant, style);
  out += ')';
}

void append_blob(std::string& out, std::string_view path, std::optional<std::uint64_t> offset,
                 const LiteralStyle& style) {
  out += "BLOBFILE(path = ";
  append_type(out, Type::tensor(DType::string, {}), style);
  out += '(' + quote(path) + ')';
  if (offset) {
    out += ", offset = ";
    append_type(out, Type::tensor(DType::uint64, {}), style);
    fmt::format_to(std::back_inserter(out), "({})", *offset);
  }
  out += ')';
}

void append_missing(std::string& out, const Constant& constant, const LiteralStyle& style) {
  const std::string& place = constant.missing;
  const std::size_t colon = place.rfind(':');
  if (colon != std::string::npos && colon + 1 < place.size() && place.size() - colon < 20 &&
      std::all_of(place.begin() + static_cast<long>(colon) + 1, place.end(),
                  [](char c) { return c >= '0' && c <= '9'; })) {
    return append_blob(out, std::string_view(place).substr(0, colon), std::stoull(place.substr(colon + 1)), style);
  }
  append_blob(out, place, std::nullopt, style);
}

bool is_self_typed(const Constant& c) {
  if (!c.type.is_tensor() || c.type.rank() > 1 || !c.missing.empty()) return false;
  if (c.type.dtype == DType::int32) return true;
  return (c.type.dtype == DType::boolean || c.type.dtype == DType::string) && c.count() > 0;
}

std::int64_t total_elements(const Constant& c) {
  if (c.type.is_tensor()) return c.count();
  std::int64_t total = 0;
  for (const Constant& inner : c.elements) total += total_elements(inner);
  return total;
}

std::string summary(const Constant& c) {
  std::string out;
  if (!c.missing.empty()) {
    out = "not here: " + c.missing;
  } else if (!c.type.is_tensor() || c.is_string() || !is_whole(c)) {
    out = fmt::format("{} values", total_elements(c));
  } else {
    double low = HUGE_VAL, high = -HUGE_VAL;
    std::int64_t odd = 0;
    for (double value : to_doubles(c)) {
      odd += !std::isfinite(value);
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
    out = fmt::format("{} values", c.count());
    if (low == high) out += fmt::format(", all {:.4g}", low);
    if (low < high) out += fmt::format(", {:.4g} .. {:.4g}", low, high);
    if (odd) out += fmt::format(", {} not finite", odd);
  }
  for (std::size_t at = out.find("*/"); at != std::string::npos; at = out.find("*/")) out.erase(at, 1);
  return "/* " + out + " */";
}

std::vector<double> fp8_values(DType dtype) {
  std::vector<std::byte> codes(256);
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::byte>(i);
  return to_doubles(*make_constant(Type::tensor(dtype, {256}), Bytes::owned(std::move(codes))));
}

}  // namespace anemone

// Tokens, escapes and numbers of MIL text.
#include "anemone/ir/text/lexer.h"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <optional>

namespace anemone {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_part(char c) { return is_letter(c) || is_digit(c) || c == '@'; }
int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Length of the number at the start of `text`, or 0. It takes the longest run that could be one, so that 12ab or 1.2.3
// is one bad number and not two good tokens.
std::size_t number_length(std::string_view text) {
  std::size_t n = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const std::size_t first = n;
  const auto digit_at = [&](std::size_t i) { return i < text.size() && is_digit(text[i]); };
  if (!digit_at(n) && !(n < text.size() && text[n] == '.' && digit_at(n + 1))) return 0;
  const bool hex = text.substr(first, 2) == "0x" || text.substr(first, 2) == "0X";
  while (n < text.size()) {
    const char c = text[n];
    const char before = n > first ? text[n - 1] : ' ';
    const bool exponent = hex ? before == 'p' || before == 'P' : before == 'e' || before == 'E';
    if (!is_name_part(c) && c != '.' && !((c == '-' || c == '+') && exponent)) break;
    ++n;
  }
  return n;
}

std::optional<double> hex_double(std::string_view digits) {
  std::uint64_t mantissa = 0;
  int scale = 0;
  bool any = false, point = false;
  std::size_t i = 0;
  for (; i < digits.size(); ++i) {
    if (digits[i] == '.' && !point) {
      point = true;
      continue;
    }
    const int value = hex_value(digits[i]);
    if (value < 0) break;
    any = true;
    if (mantissa >> 60) {
      scale += point ? 0 : 4;
    } else {
      mantissa = mantissa << 4 | static_cast<unsigned>(value);
      scale -= point ? 4 : 0;
    }
    if (i > 4096) return std::nullopt;
  }
  if (!any) return std::nullopt;
  if (i == digits.size()) return std::ldexp(static_cast<double>(mantissa), scale);
  if (digits[i] != 'p' && digits[i] != 'P') return std::nullopt;
  std::string_view exponent = digits.substr(i + 1);
  const bool negative = !exponent.empty() && exponent[0] == '-';
  if (!exponent.empty() && (exponent[0] == '-' || exponent[0] == '+')) exponent.remove_prefix(1);
  if (exponent.empty() || exponent.size() > 6) return std::nullopt;
  int power = 0;
  for (char c : exponent) {
    if (!is_digit(c)) return std::nullopt;
    power = power * 10 + (c - '0');
  }
  return std::ldexp(static_cast<double>(mantissa), scale + (negative ? -power : power));
}

}  // namespace

// Skips blanks and comments. True: a directive stands here and is in `directive`.
bool Lexer::skip_blank(Token& directive) {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at_;
      continue;
    }
    const std::string_view two = text_.substr(at_, 2);
    if (two == "/*") {
      const std::size_t close = text_.find("*/", at_ + 2);
      at_ = close == std::string_view::npos ? text_.size() : close + 2;
      continue;
    }
    if (two != "//") return false;
    const std::size_t begin = at_;
    at_ = std::min(text_.find('\n', at_), text_.size());
    if (text_.substr(begin, at_ - begin) == "// ----" && (begin == 0 || text_[begin - 1] == '\n')) {
      at_ = text_.size();  // a golden file: the expected answer follows
      return false;
    }
    if (text_.substr(begin, 3) != "//!") continue;
    std::size_t end = at_;
    if (end > begin + 3 && text_[end - 1] == '\r') --end;
    directive = {Token::Kind::directive, text_.substr(begin + 3, end - begin - 3), begin, end};
    return true;
  }
  return false;
}

Token Lexer::finish(Token::Kind kind, std::size_t begin) {
  return {kind, text_.substr(begin, at_ - begin), begin, at_};
}

Token Lexer::quoted(char quote, Token::Kind kind) {
  const std::size_t begin = at_++;
  while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
    at_ += text_[at_] == '\\' ? 2 : 1;
  }
  if (at_ >= text_.size() || text_[at_] != quote) {
    at_ = std::min(at_, text_.size());
    return {Token::Kind::bad, quote == '"' ? "this string has no end" : "this name has no end", begin, at_};
  }
  ++at_;
  const std::string_view inside = text_.substr(begin + 1, at_ - begin - 2);
  if (quote == '"' || inside.find('\\') == std::string_view::npos) return {kind, inside, begin, at_};
  std::optional<std::string> name = unescape(inside);
  if (!name) return {Token::Kind::bad, "bad escape in this name", begin, at_};
  return {kind, unescaped_.emplace_back(*std::move(name)), begin, at_};
}

Token Lexer::next() {
  Token directive;
  if (skip_blank(directive)) return directive;
  const std::size_t begin = at_;
  if (at_ >= text_.size()) return finish(Token::Kind::end, begin);
  const char c = text_[at_];
  if (is_letter(c)) {
    while (at_ < text_.size() && is_name_part(text_[at_])) ++at_;
    return finish(Token::Kind::identifier, begin);
  }
  if (const std::size_t length = number_length(text_.substr(at_))) {
    at_ += length;
    return finish(Token::Kind::number, begin);
  }
  if (c == '"') return quoted('"', Token::Kind::string);
  if (c == '`') return quoted('`', Token::Kind::identifier);
  if (text_.substr(at_, 2) == "->") {
    at_ += 2;
    return finish(Token::Kind::symbol, begin);
  }
  ++at_;
  if (std::string_view("(){}[]<>,;=?*.:-").find(c) != std::string_view::npos) return finish(Token::Kind::symbol, begin);
  return {Token::Kind::bad, "this character has no meaning here", begin, at_};
}

std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    switch (text[i]) {
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case '0':
        out += '\0';
        break;
      case 'x': {
        if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) return std::nullopt;
        out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
        i += 2;
        break;
      }
      case '"':
      case '`':
      case '\\':
      case '\'':
        out += text[i];
        break;
      default:
        return std::nullopt;
    }
  }
  return out;
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

bool is_plain_identifier(std::string_view name) {
  if (name.empty() || !is_letter(name[0]) || name == "true" || name == "false") return false;
  for (char c : name) {
    if (!is_name_part(c)) return false;
  }
  return true;
}

std::string identifier_text(std::string_view name) {
  if (is_plain_identifier(name)) return std::string(name);
  std::string out = "`";
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '`' || c == '\\') out += '\\';
    out += byte < 0x20 || byte == 0x7f ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return out + '`';
}

std::optional<double> to_double(std::string_view number) {
  const bool negative = !number.empty() && number[0] == '-';
  std::string_view digits = number;
  if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) digits.remove_prefix(1);
  if (digits.empty() || !(is_digit(digits[0]) || digits[0] == '.')) return std::nullopt;
  if (digits.substr(0, 2) == "0x" || digits.substr(0, 2) == "0X") {
    const auto value = hex_double(digits.substr(2));
    return value && negative ? std::optional(-*value) : value;
  }
  double value = 0;
  const auto [end, error] = fast_float::from_chars(digits.data(), digits.data() + digits.size(), value);
  // Out of range: fast_float has stored infinity or zero, which is the rounded value.
  if (end != digits.data() + digits.size() || error == std::errc::invalid_argument) return std::nullopt;
  return negative ? -value : value;
}

void append_hex(std::string& out, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  if (bits >> 63) out += '-';
  std::uint64_t mantissa = bits & 0xfffffffffffffu;
  int exponent = static_cast<int>(bits >> 52 & 0x7ff);
  if (exponent == 0x7ff) {
    out += mantissa ? "nan" : "inf";
    return;
  }
  if (exponent == 0 && mantissa == 0) {
    out += "0x0p+0";
    return;
  }
  if (exponent == 0) {  // subnormal: shift the leading one into place
    const int shift = std::countl_zero(mantissa) - 11;
    mantissa = mantissa << shift & 0xfffffffffffffu;
    exponent = 1 - shift;
  }
  out += "0x1";
  if (mantissa) {
    out += '.';
    for (; mantissa; mantissa = mantissa << 4 & 0xfffffffffffffu) out += "0123456789abcdef"[mantissa >> 48];
  }
  exponent -= 1023;
  fmt::format_to(std::back_inserter(out), "p{}{}", exponent < 0 ? '-' : '+', std::abs(exponent));
}

}  // namespace anemone

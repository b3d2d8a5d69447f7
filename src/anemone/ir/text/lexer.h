#pragma once
// Cuts MIL text into tokens.
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "anemone/support/result.h"

namespace anemone {

struct Token {
  enum class Kind : std::uint8_t {
    end,
    identifier,  ///< text without the backquotes, which allow any characters (escapes as in strings)
    number,      ///< 12, -3, 0x1.8p+1, 1e-5; text as written
    string,      ///< text between the quotes, escapes as written
    directive,   ///< a line that begins with //!; text after it
    symbol,      ///< one character, or "->"
    bad,         ///< text says what is wrong
  };
  Kind kind = Kind::end;
  std::string_view text;
  std::size_t begin = 0, end = 0;  ///< in the source, quotes included

  /// Length and first character tell all symbols apart.
  bool is(std::string_view symbol) const {
    return kind == Kind::symbol && text.size() == symbol.size() && text[0] == symbol[0];
  }
  /// A bare word; false for the same name in backquotes.
  bool is_word(std::string_view word) const { return is_bare() && text[0] == word[0] && text == word; }
  bool is_bare() const { return kind == Kind::identifier && end - begin == text.size() && !text.empty(); }
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}
  Token next();

 private:
  bool skip_blank(Token& directive);
  Token finish(Token::Kind kind, std::size_t begin);
  Token quoted(char quote, Token::Kind kind);
  std::string_view text_;
  std::size_t at_ = 0;
  std::deque<std::string> unescaped_;  // names in backquotes with escapes in them
};

/// "…" as it stands in the text to the string it means: \" \` \\ \' \n \r \t \0 \xHH. Nothing on a bad escape.
std::optional<std::string> unescape(std::string_view text);
/// With quotes; everything but quotes, backslashes and control characters stays as it is.
std::string quote(std::string_view text);
/// [A-Za-z_][A-Za-z0-9_@]*, and none of the words that begin something else (true, false).
bool is_plain_identifier(std::string_view name);
/// The name, in backquotes where it needs them.
std::string identifier_text(std::string_view name);

/// Decimal or hexadecimal, with sign; whole token or nothing. Correctly rounded, save for hexadecimal digits beyond 64
/// bits, which are cut off.
std::optional<double> to_double(std::string_view number);
/// As the C library's %a writes a normal double: "0x1.8p+1"; also inf, -inf, nan.
void append_hex(std::string& out, double value);

}  // namespace anemone

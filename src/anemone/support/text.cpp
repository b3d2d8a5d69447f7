// Numbers and words in sentences.
#include "anemone/support/text.h"

#include <cctype>

namespace anemone {

std::string grouped(std::int64_t n) {
  std::string digits = std::to_string(n);
  const std::size_t first = n < 0 ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string counted(std::int64_t n, std::string_view one, std::string_view plural) {
  std::string out = grouped(n) + " ";
  if (n == 1 || plural.empty()) return out.append(one).append(n == 1 ? "" : "s");
  return out.append(plural);
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::string bare_word(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0)
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

bool same_word(std::string_view a, std::string_view b) {
  const std::string bare = bare_word(a);
  return a == b || (!bare.empty() && bare == bare_word(b));
}

}  // namespace anemone

#pragma once
// Numbers and words in sentences for people.
#include <cstdint>
#include <string>
#include <string_view>

namespace anemone {

/// 17,177,332
std::string grouped(std::int64_t n);

/// "1 segment", "1,234 segments": `plural` where an s is not enough ("matrices").
std::string counted(std::int64_t n, std::string_view one, std::string_view plural = {});

/// A field of a table of comma-separated values: quoted where it holds what separates (RFC 4180).
std::string csv_field(const std::string& text);

/// Letters and digits alone, in lower case: "M1 Pro" and "m1pro" are the same word to a person.
std::string bare_word(std::string_view text);
bool same_word(std::string_view a, std::string_view b);

}  // namespace anemone

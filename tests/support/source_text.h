#pragma once
// A source file as lines: as they are, and without comments and the insides of string literals.
#include <cctype>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace anemone::tidy {

struct Text {
  std::vector<std::string> lines;  ///< as they are
  std::vector<std::string> code;   ///< without comments and without what stands in string literals
};

inline Text read_text(const std::filesystem::path& path) {
  Text text;
  std::ifstream in(path);
  bool in_comment = false;
  for (std::string line; std::getline(in, line);) {
    std::string code;
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string two = line.substr(i, 2);
      if (in_comment) {
        if (two == "*/") in_comment = false, ++i;
      } else if (quote != 0) {
        if (line[i] == '\\') {
          ++i;
        } else if (line[i] == quote) {
          quote = 0;
        }
      } else if (two == "//") {
        break;
      } else if (two == "/*") {
        in_comment = true, ++i;
      } else {
        // 1'000'000 is not a character literal.
        const bool separator = line[i] == '\'' && i > 0 && std::isalnum(static_cast<unsigned char>(line[i - 1])) != 0;
        if ((line[i] == '"' || line[i] == '\'') && !separator) quote = line[i];
        code += line[i];
      }
    }
    text.lines.push_back(std::move(line));
    text.code.push_back(std::move(code));
  }
  return text;
}

}  // namespace anemone::tidy

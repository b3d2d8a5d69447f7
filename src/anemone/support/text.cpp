// Numbers and words in sentences.
#include "anemone/support/text.h"

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

}  // namespace anemone

// SHA-256 by libmd.
#include "anemone/formats/wire/sha256.h"

#include <sys/types.h>
// libmd's header uses the BSD integer names.
#include <sha256.h>

#include <array>
#include <cstdint>

namespace anemone::formats {

std::string sha256_hex(std::span<const std::byte> bytes) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256_Final(digest.data(), &context);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace anemone::formats

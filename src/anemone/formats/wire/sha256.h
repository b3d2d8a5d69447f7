#pragma once
// SHA-256, for identifying files and tensors in reports.
#include <cstddef>
#include <span>
#include <string>

namespace anemone::formats {

/// 64 lower-case hexadecimal digits.
std::string sha256_hex(std::span<const std::byte> bytes);

}  // namespace anemone::formats

#pragma once
// Types and constants as MIL text.
#include <functional>
#include <optional>
#include <string>

#include "anemone/ir/constant.h"

namespace anemone {

struct LiteralStyle {
  bool hex = false;           ///< floats in hexadecimal, exact; else the shortest decimal that rounds back
  bool short_scalars = true;  ///< fp16(1), string("x"); else tensor<fp16, []>(1), as programs before ios18 have it
  /// Takes what there is of a long text and empties it, so that it never lies in memory as a whole. Called between
  /// elements when there is more than kDrainAt.
  std::function<void(std::string&)> drain{};
  static constexpr std::size_t kDrainAt = 64 * 1024;
};

void append_type(std::string& out, const Type& type, const LiteralStyle& style);
/// The payload without its type: 1, [1, 2], [[true], [false]], "x", {{"k", "v"}}, (1, "x").
void append_payload(std::string& out, const Constant& constant, const LiteralStyle& style);
/// Type and payload: tensor<int32, [2]>([1, 2]).
void append_constant(std::string& out, const Constant& constant, const LiteralStyle& style);
/// BLOBFILE(path = string("…"), offset = uint64(64))
void append_blob(std::string& out, std::string_view path, std::optional<std::uint64_t> offset,
                 const LiteralStyle& style);
/// For a constant whose payload is elsewhere: BLOBFILE of Constant::missing ("path" or "path:offset").
void append_missing(std::string& out, const Constant& constant, const LiteralStyle& style);

/// True when the payload alone says the type: int32, bool and string scalars and vectors.
bool is_self_typed(const Constant& constant);
/// Elements in all, of containers too.
std::int64_t total_elements(const Constant& constant);
/// "/* 36864 values, -0.31 .. 0.29 */"
std::string summary(const Constant& constant);

/// Values of all 256 codes of an 8-bit float type, by code.
std::vector<double> fp8_values(DType dtype);

}  // namespace anemone

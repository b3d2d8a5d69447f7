#pragma once
// Reads MIL text: what print.h writes, what Apple's compiler leaves as `model.mil`, and what people type.
//
//   program(1.3) {                                         header and braces may be left out
//     //! input x: array fp16 [1, 3, 8, 8]                 interface and metadata (ir/text/interface_text.h)
//     func main<ios17>(tensor<fp16, [1, 3, 8, 8]> x) {
//       w = tensor<fp16, [4, 3, 1, 1]>(random(seed = 7));  a constant; also splat(v), iota(), lists, BLOBFILE(…)
//       y = conv(x = x, weight = w, strides = [1, 1]);     literals as operands; types may be left out
//       tensor<fp16, [1, 4, 8, 8]> z = relu(x = y)[name = string("z")];
//       a, b = split(x = z, num_splits = 2, axis = 1);
//       c = cond(pred = p) { … } -> (a), { … } -> (b);     blocks; with inputs: (int32 i) { … } -> (j)
//     } -> (c);
//   }
//
// Comments: // to the end of the line, and /* … */. A line "// ----" ends the text, as in golden files.
//
// random(seed = s): element i is u / 2^52 - 1 with u = splitmix64(s + i · 0x9e3779b97f4a7c15) >> 11: uniform in [-1, 1)
// before it is rounded to the dtype. splitmix64(x) adds 0x9e3779b97f4a7c15, then xors and multiplies (Steele, Lea and
// Flood 2014). For integers, random spreads over the whole range of the type. iota(): element i is i.
#include <functional>
#include <memory>

#include "anemone/ir/graph.h"
#include "anemone/support/result.h"

namespace anemone {

struct ParseOptions {
  /// Payload of BLOBFILE(path, offset). Unset: the constant's payload is marked as missing.
  std::function<Result<Constant>(const std::string& path, std::uint64_t offset, const Type& type)> blob;
  /// For text by others: declared types are kept instead of checked, and unknown operations are carried as they are.
  bool trust_types = false;
  std::size_t max_errors = 20;
  /// Bytes of memory that payloads may take, at 8 per element (splat and random are short to write).
  std::int64_t max_payload = std::int64_t{1} << 30;
};

/// Errors: E0210 … E0219, and those of type rules; each with the place in the text. Several are reported in one run.
Result<std::unique_ptr<Program>> parse(std::shared_ptr<const SourceText> source, const OpTable& ops,
                                       const ParseOptions& options = {});
/// The same for a text in hand.
Result<std::unique_ptr<Program>> parse(std::string text, const OpTable& ops, const ParseOptions& options = {},
                                       std::string name = "text.mil");

}  // namespace anemone

#pragma once
// The text form of a program: Apple's MIL text, in a short form for people and an exact form that parses back equal.
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "anemone/ir/graph.h"
#include "anemone/support/diagnostic.h"

namespace anemone {

/// Where a payload lies that is not in the text: BLOBFILE(path = string("…"), offset = uint64(…)).
struct BlobPlace {
  std::string path;  ///< "@model_path/weights/weight.bin"
  std::uint64_t offset = 0;
};
using WeightSink = std::function<BlobPlace(const ConstantPtr&)>;

struct PrintOptions {
  /// For people: constants of up to `inline_limit` elements stand as literals at their uses, bigger ones get one line
  /// with a summary instead of the payload. Such text parses, but with the big payloads missing.
  bool fold_constants = true;
  std::int64_t inline_limit = 10;
  /// Every constant in full, floats in hexadecimal: parses back to an equal program. Overrides fold_constants.
  bool exact = false;
  /// exact: payloads of more than `blob_above` elements go here, when it is set; otherwise into the text.
  WeightSink sink;
  std::int64_t blob_above = 9;
  /// A comment at the end of the line says where the node comes from (Node::origin). Not read back.
  bool origins = false;
};

struct Printed {
  std::shared_ptr<const SourceText> source;
  std::unordered_map<const Node*, TextSpan> nodes;          ///< the node's statement up to the end of its first line
  std::unordered_map<const Function*, TextSpan> functions;  ///< the line of `func`
};

/// `name` is what messages call the text.
Printed print(const Program& program, const PrintOptions& options = {}, std::string name = "program.mil");
std::string to_text(const Program& program, const PrintOptions& options = {});
/// Hands the text over in pieces: what --exact makes of a large network is many times its size.
void write_text(const Program& program, const PrintOptions& options,
                const std::function<void(std::string_view)>& write);
/// One statement without the nested blocks: `tensor<fp16, [1, 8]> y = relu(x = x);`
std::string to_text(const Node& node);
/// A literal with its type, as the exact form writes it: `tensor<int32, [2]>([1, 1])`, `fp16(0x1p-1)`.
std::string to_text(const Constant& constant);

}  // namespace anemone

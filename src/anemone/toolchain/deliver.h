#pragma once
// Writing what a conversion made, and describing it.
#include <functional>
#include <string_view>

#include "anemone/toolchain/convert.h"
#include "anemone/toolchain/results.h"

namespace anemone::toolchain {

struct Delivered {
  ConvertResult result;
  Diagnostics warnings;
};

/// An error where the ending of `output` names no format: to be asked before anything is read.
Result<void> check_ending(const std::filesystem::path& output);

/// convert() and the writing; the format follows the ending: .mlpackage, .onnx (toolchain/export.h), or .mil with all
/// weights in it. Without `write` everything but that is done: `bytes` is 0 then.
Result<Delivered> deliver(const Model& model, const std::filesystem::path& output, const ConvertOptions& options,
                          bool write = true);

/// Takes what is written, piece by piece.
using Stream = std::function<void(std::string_view)>;
/// The same as MIL text with all weights in it, into a stream instead of a file.
Result<Delivered> deliver_text(const Model& model, const ConvertOptions& options, const Stream& stream);

/// Of a file, or of all files of a folder; 0 where it cannot be told.
std::uint64_t bytes_of(const std::filesystem::path& path);

/// What went in, what was left out, and what the passes did.
void describe_conversion(const Model& model, Converted converted, ConvertResult& result);

}  // namespace anemone::toolchain

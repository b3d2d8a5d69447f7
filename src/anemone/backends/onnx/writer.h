#pragma once
// Graphs to files.
#include <cstdint>
#include <filesystem>
#include <string>

#include "anemone/onnx/graph.h"
#include "anemone/support/result.h"

namespace anemone::onnx::exporting {

/// Weights of a file beyond this go to a second one, NAME.onnx.data: protobuf holds 2 GiB.
inline constexpr std::uint64_t kMostInOneFile = 0x7fffffff - (std::uint64_t{64} << 20);

/// Writes the model beside its place and renames it: a whole file or none. Gives the bytes written.
Result<std::uint64_t> write_onnx(const Model& model, const std::filesystem::path& target,
                                 std::uint64_t most_in_one_file = kMostInOneFile);
/// The same in memory. A model with more weights than one file holds is refused.
Result<std::string> onnx_bytes(const Model& model);

}  // namespace anemone::onnx::exporting

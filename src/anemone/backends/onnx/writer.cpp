// Files that appear whole; large weights in a file of their own.
#include "anemone/backends/onnx/writer.h"

#include <fmt/format.h>

#include "anemone/formats/onnx/spec.h"
#include "anemone/support/file.h"

namespace anemone::onnx::exporting {
namespace {

constexpr std::uint64_t kSmall = 1024;  // bytes of a tensor that stays in the model's file
constexpr std::uint64_t kAlign = 4096;  // so that a runtime can map the tensor

/// Moves large initialisers into a file of their own.
Result<std::uint64_t> write_weights(onnxspec::Model& spec, const std::filesystem::path& path, const std::string& name) {
  TRY(FileWriter file, FileWriter::create(path));
  for (onnxspec::Tensor& tensor : spec.graph.initializers) {
    if (tensor.data.size() < kSmall) continue;
    TRY_VOID(file.append_zeros((kAlign - file.size() % kAlign) % kAlign));
    onnxspec::ExternalData external;
    external.location = name;
    external.offset = static_cast<std::int64_t>(file.size());
    external.length = static_cast<std::int64_t>(tensor.data.size());
    TRY_VOID(file.append(tensor.data.view));
    tensor.external = std::move(external);
    tensor.data = {};
  }
  const std::uint64_t size = file.size();
  TRY_VOID(file.close());
  return size;
}

std::uint64_t weights_of(const onnxspec::Model& spec) {
  std::uint64_t bytes = 0;
  for (const onnxspec::Tensor& tensor : spec.graph.initializers) bytes += tensor.data.size();
  return bytes;
}

}  // namespace

Result<std::string> onnx_bytes(const Model& model) {
  const onnxspec::Model spec = to_spec(model);
  if (const std::uint64_t weights = weights_of(spec); weights > kMostInOneFile)
    return bad_usage(fmt::format("{} bytes of weights need a file of their own, and a stream has none", weights),
                     "write to NAME.onnx");
  return onnxspec::write_model(spec);
}

Result<std::uint64_t> write_onnx(const Model& model, const std::filesystem::path& target,
                                 std::uint64_t most_in_one_file) {
  onnxspec::Model spec = to_spec(model);
  TRY(PendingOutput output, PendingOutput::create(target, PendingOutput::Kind::file));
  if (weights_of(spec) <= most_in_one_file) {
    TRY(const std::uint64_t bytes, onnxspec::write_model_file(spec, output.path()));
    TRY_VOID(output.commit());
    return bytes;
  }
  std::filesystem::path beside = target;
  beside += ".data";
  TRY(PendingOutput data, PendingOutput::create(beside, PendingOutput::Kind::file));
  TRY(std::uint64_t bytes, write_weights(spec, data.path(), beside.filename().string()));
  TRY(const std::uint64_t model_bytes, onnxspec::write_model_file(spec, output.path()));
  bytes += model_bytes;
  // The weights first: a model without its weights is worse than weights without their model.
  TRY_VOID(data.commit());
  TRY_VOID(output.commit());
  return bytes;
}

}  // namespace anemone::onnx::exporting

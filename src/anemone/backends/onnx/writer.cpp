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

}  // namespace

Result<std::uint64_t> write_onnx(const Model& model, const std::filesystem::path& target,
                                 std::uint64_t most_in_one_file) {
  onnxspec::Model spec = to_spec(model);
  std::uint64_t weights = 0;
  for (const onnxspec::Tensor& tensor : spec.graph.initializers) weights += tensor.data.size();
  TRY(PendingOutput output, PendingOutput::create(target, PendingOutput::Kind::file));
  if (weights <= most_in_one_file) {
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

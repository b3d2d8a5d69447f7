// Tensors whose bytes lie beside the model file.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/formats/onnx/spec.h"
#include "anemone/formats/recognise.h"
#include "anemone/support/file.h"
#include "anemone/support/utf8.h"

namespace anemone::formats::onnxspec {
namespace {

namespace fs = std::filesystem;

bool is_inside(const fs::path& folder, const fs::path& file) {
  const fs::path relative = file.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

}  // namespace

Result<Bytes> read_external(const Tensor& tensor, const fs::path& folder) {
  const ExternalData& external = *tensor.external;
  const fs::path location = external.location;
  const std::string of = fmt::format("the data of tensor '{}'", printable(tensor.name));
  const auto leaves = [&](const char* how) {
    return bad_input(ErrorCode::onnx_path_outside,
                     fmt::format("{} would be read from '{}', {}", of, printable(external.location), how),
                     folder.string(), "data of a model lie in its folder; copy them there and mend the location");
  };
  if (location.empty() || location.is_absolute() || external.location.find('\\') != std::string::npos ||
      std::any_of(location.begin(), location.end(), [](const fs::path& part) { return part == ".."; }))
    return leaves("which is not a path inside the model's folder");
  const fs::path path = (folder.empty() ? fs::path(".") : folder) / location;
  std::error_code error;
  if (!fs::exists(path, error)) {
    return bad_input(ErrorCode::onnx_weights_missing,
                     fmt::format("{} is missing: there is no file '{}'", of, printable(external.location)),
                     folder.string(), "copy the model together with the files beside it");
  }
  // A link may lead elsewhere. Both sides are resolved, so that a folder reached through a link is fine.
  const fs::path real = fs::canonical(path, error),
                 base = fs::canonical(folder.empty() ? fs::path(".") : folder, error);
  if (error || !is_inside(base, real)) return leaves("a link that leads out of the model's folder");
  TRY(const Bytes file, map_file(path));
  if (is_lfs_pointer(file.view)) return refuse(identify(file.view), path.string());
  const auto needed = static_cast<std::uint64_t>(*packed_size(tensor.dtype, *element_count(tensor.dims)));
  const auto offset = static_cast<std::uint64_t>(external.offset);
  if (external.length && static_cast<std::uint64_t>(*external.length) != needed) {
    return bad_input(ErrorCode::onnx_weights_missing,
                     fmt::format("{} takes {} bytes, and the file says {}", of, needed, *external.length),
                     path.string());
  }
  if (offset > file.size() || needed > file.size() - offset) {
    return bad_input(ErrorCode::onnx_weights_missing,
                     fmt::format("{} is {} bytes from {} on, and the file has {}", of, needed, offset, file.size()),
                     path.string(), "the file is cut off or belongs to another model");
  }
  return file.part(static_cast<std::size_t>(offset), static_cast<std::size_t>(needed));
}

}  // namespace anemone::formats::onnxspec

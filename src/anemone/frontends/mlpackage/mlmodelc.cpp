// Compiled folders: model.mil is MIL text, and its weights lie where it says.
#include "anemone/frontends/mlpackage/mlmodelc.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/formats/coreml/package.h"
#include "anemone/ir/text/parse.h"
#include "anemone/support/file.h"

namespace anemone::mlpackage {

Result<ReadPackage> read_mlmodelc(const std::filesystem::path& path, const OpTable& ops) {
  const std::filesystem::path text_path = path / "model.mil";
  TRY(Bytes bytes, map_file(text_path));
  auto source = std::make_shared<SourceText>();
  source->name = text_path.string();
  source->text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());

  ReadPackage result;
  formats::Package folder;
  folder.path = path;
  folder.model_path = text_path;
  std::error_code ignored;
  if (std::filesystem::is_directory(path / "weights", ignored)) folder.weights_folder = path / "weights";
  formats::PackageWeights weights(folder);
  ParseOptions options;
  options.trust_types = true;
  options.blob = [&](const std::string& file, std::uint64_t offset, const Type& type) -> Result<Constant> {
    Constant constant;
    constant.type = type;
    const auto count = element_count(type.dims);
    if (!count)
      return bad_input(ErrorCode::weight_without_size,
                       fmt::format("the value at offset {} of '{}' has no fixed size", offset, file),
                       text_path.string());
    TRY(auto data, weights.read({file, offset}, static_cast<formats::milspec::DataType>(mil_number(type.dtype)),
                                static_cast<std::uint64_t>(*count)));
    if (data) {
      constant.data = *std::move(data);
      return constant;
    }
    constant.missing = file;
    auto& missing = result.missing_files;
    if (std::find(missing.begin(), missing.end(), file) == missing.end()) missing.push_back(file);
    return constant;
  };
  TRY(result.program, parse(std::move(source), ops, options));
  return result;
}

}  // namespace anemone::mlpackage

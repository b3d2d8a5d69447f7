// Loads and prints.
#include "anemone/toolchain/show.h"

#include "anemone/ir/text/print.h"
#include "anemone/onnx/print.h"
#include "anemone/toolchain/model.h"
#include "anemone/toolchain/onnx_model.h"

namespace anemone {

Result<std::string> show_program(const std::filesystem::path& path, const ShowOptions& options, Diagnostics& warnings) {
  TRY(const ModelFormat format, recognise(path));
  if (format == ModelFormat::onnx) {
    TRY(const onnx::Model model, load_onnx(path, warnings));
    return onnx::to_text(model);
  }
  LoadOptions load;
  load.network = options.network;
  TRY(Model model, load_model(path, load));
  warnings = std::move(model.warnings);
  PrintOptions print_options;
  print_options.exact = options.exact;
  print_options.origins = options.origins;
  return to_text(*model.program, print_options);
}

Result<bool> is_checkpoint(const std::filesystem::path& path) {
  TRY(const ModelFormat format, recognise(path));
  return format == ModelFormat::checkpoint;
}

}  // namespace anemone

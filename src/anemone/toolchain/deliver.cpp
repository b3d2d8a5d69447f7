// Output formats by extension.
#include "anemone/toolchain/deliver.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/backends/mlpackage/writer.h"
#include "anemone/ir/text/print.h"
#include "anemone/ir/verify.h"
#include "anemone/support/file.h"
#include "anemone/support/text.h"
#include "anemone/toolchain/export.h"

namespace anemone::toolchain {
namespace {

Result<std::uint64_t> write_text_file(const Program& program, const std::filesystem::path& output) {
  const std::string text = to_text(program, {.exact = true});
  TRY_VOID(write_file(output, text));
  return text.size();
}

Result<std::uint64_t> write_program(const Program& program, const std::filesystem::path& output) {
  const std::string extension = output.extension().string();
  // Before anything is written. Text may say what only Core ML refuses.
  TRY_VOID(verify(program, {.groups = DTypeGroups::ignored, .limits = extension == ".mlpackage"}));
  if (extension == ".mlpackage") {
    TRY(const mlpackage::WrittenPackage written, mlpackage::write_mlpackage(program, output));
    return written.bytes;
  }
  if (extension == ".mil") return write_text_file(program, output);
  return own_bug("an output format without a writer", output.string());
}

// The shapes that a feature takes from size to size.
void add_shapes(std::vector<FeatureSummary>& features, const std::vector<std::vector<FeatureSummary>>& by_size) {
  for (const std::vector<FeatureSummary>& at_one : by_size) {
    for (const FeatureSummary& one : at_one) {
      for (FeatureSummary& f : features) {
        const bool known = std::find(f.shapes.begin(), f.shapes.end(), one.shape) != f.shapes.end();
        if (f.name == one.name && one.shape != f.shape && !known) f.shapes.push_back(one.shape);
      }
    }
  }
}

}  // namespace

std::uint64_t bytes_of(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    const auto size = std::filesystem::file_size(path, error);
    return error ? 0 : size;
  }
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path, error)) {
    if (entry.is_regular_file(error)) bytes += entry.file_size(error);
  }
  return bytes;
}

Result<void> check_ending(const std::filesystem::path& output) {
  const std::string extension = output.extension().string();
  if (extension == ".mlpackage" || extension == ".onnx" || extension == ".mil") return {};
  return bad_usage(fmt::format("'{}' ends in '{}', and the ending decides the format", output.string(), extension),
                   extension.empty() ? fmt::format("did you mean '{}.mlpackage'?", output.string())
                                     : "end it in .mlpackage, .onnx or .mil");
}

void describe_conversion(const Model& model, Converted converted, ConvertResult& result) {
  result.input = model.path.string();
  result.input_bytes = bytes_of(model.path);
  if (model.network) {
    result.parameters = model.network->keys.parameters.total;
    result.parameters_dead = model.network->keys.parameters.dead;
  }
  for (const auto& function : converted.program->functions) result.functions.push_back(function->name);
  result.outputs_left_out = std::move(converted.outputs_left_out);
  result.ranges = std::move(converted.ranges);
  for (passes::PassReport& p : converted.passes)
    result.passes.push_back({std::string(p.name), p.changed, p.ms, std::move(p.counts), std::move(p.remarks)});
}

namespace {

// `write` may be empty: a rehearsal.
Result<Delivered> deliver_by(const Model& model, const std::filesystem::path& output, const ConvertOptions& options,
                             const std::function<Result<std::uint64_t>(const Program&)>& write) {
  TRY_VOID(require_weights(model));
  const Stopwatch watch;
  TRY(Converted converted, convert(model, options));
  Delivered delivered;
  delivered.warnings = std::move(converted.warnings);
  ConvertResult& result = delivered.result;
  const Stopwatch writing;
  result.written = static_cast<bool>(write);
  if (write) {
    TRY(result.bytes, write(*converted.program));
    model.talk.detail(fmt::format("wrote {}: {} bytes in {:.0f} ms", output.string(),
                                  grouped(static_cast<std::int64_t>(result.bytes)), writing.ms()));
  }
  const Function& main = converted.program->main();
  result.output = output.string();
  result.ops = count_ops(main);
  result.precision = computes_in_half(main) ? "fp16" : "fp32";
  result.target = std::string(name(main.opset));
  result.inputs = summarise_inputs(main);
  result.outputs = summarise_outputs(main);
  add_shapes(result.inputs, converted.inputs_by_size);
  add_shapes(result.outputs, converted.outputs_by_size);
  describe_conversion(model, std::move(converted), result);
  result.seconds = model.seconds + watch.seconds();
  return delivered;
}

}  // namespace

Result<Delivered> deliver(const Model& model, const std::filesystem::path& output, const ConvertOptions& options,
                          bool write) {
  TRY_VOID(check_ending(output));
  if (output.extension() == ".onnx") return deliver_onnx(model, output, options, {}, write);
  if (!write) return deliver_by(model, output, options, {});
  return deliver_by(model, output, options, [&](const Program& program) { return write_program(program, output); });
}

Result<Delivered> deliver_text(const Model& model, const ConvertOptions& options, const Stream& stream) {
  return deliver_by(model, "-", options, [&](const Program& program) -> Result<std::uint64_t> {
    TRY_VOID(verify(program, {.groups = DTypeGroups::ignored, .limits = false}));
    std::uint64_t bytes = 0;
    write_text(program, {.exact = true}, [&](std::string_view piece) {
      bytes += piece.size();
      stream(piece);
    });
    return bytes;
  });
}

}  // namespace anemone::toolchain

// Conversion, raising, the interface, the file: the order in which an export does things.
#include "anemone/toolchain/export.h"

#include <fmt/format.h>

#include <charconv>

#include "anemone/backends/onnx/dynamic_batch.h"
#include "anemone/backends/onnx/interface.h"
#include "anemone/backends/onnx/raise.h"
#include "anemone/backends/onnx/writer.h"
#include "anemone/support/text.h"
#include "anemone/toolchain/onnx_model.h"

namespace anemone::toolchain {
namespace {

// Half precision is taken by ML Programs of 1.21, and since 1.24; the macOS builds between refuse it.
Result<void> check_half(const ExportOptions& what) {
  if (!what.for_ort_coreml) return {};
  const bool taken = what.ort && what.ort->ml_program && (what.ort->minor == 21 || what.ort->minor >= 24);
  if (taken) return {};
  return bad_usage("the CoreML provider takes fp16 in an ML Program of ONNX Runtime 1.21, or since 1.24, alone",
                   "leave '--precision fp16' out: a NeuralNetwork computes in fp16 whatever the file says");
}

/// `half`: fp16 is asked for at the border, whatever floats the file had there.
std::vector<onnx::exporting::BorderValue> border(const std::vector<onnx::Port>& ports, bool half) {
  std::vector<onnx::exporting::BorderValue> out;
  for (const onnx::Port& port : ports) {
    const bool is_float = port.dtype == onnx::DataType::float32 || port.dtype == onnx::DataType::float16;
    out.push_back({port.mil_name, port.name, half && is_float ? onnx::DataType::undefined : port.dtype, port.dims});
  }
  return out;
}

}  // namespace

Result<onnx::exporting::OrtCoreml> ort_coreml_from(const std::string& word) {
  const std::size_t slash = word.find('/');
  const std::string version = word.substr(0, slash), format = slash == std::string::npos ? "" : word.substr(slash + 1);
  onnx::exporting::OrtCoreml out;
  const char* end = version.data() + version.size();
  const bool known =
      version.starts_with("1.") && std::from_chars(version.data() + 2, end, out.minor).ptr == end && out.minor >= 19;
  out.ml_program = format == "mlprogram";
  if (known && (out.ml_program || format == "neuralnetwork")) return out;
  return bad_usage(fmt::format("'{}' is no version and format such as 1.19/neuralnetwork or 1.24/mlprogram", word),
                   "versions from 1.19 on are known");
}

Result<Exported> export_model(const Model& model, ConvertOptions options, const ExportOptions& what) {
  if (options.shapes.size() > 1)
    return bad_usage("an ONNX file has one size, and --shapes names several", "export each into a file of its own");
  if (what.dynamic_batch && what.for_ort_coreml)
    return bad_usage("the CoreML provider is given fixed shapes: with '--for ort-coreml' the batch cannot vary");
  const bool half = options.precision != PackagePrecision::fp32;
  if (half) TRY_VOID(check_half(what));
  if (options.input == InputKind::automatic && model.network) options.input = InputKind::tensor;
  // Said by name: what is fp16 already is widened below, which convert() alone would have to refuse.
  if (options.passes.empty()) options.passes = {half ? "ort-fp16" : "ort"};
  TRY(Converted converted, convert(model, options));
  TRY(onnx::Model raised, onnx::exporting::raise(*converted.program, {.opset = what.opset, .widen = !half}));
  if (half && !what.half_interface) onnx::exporting::take_and_give_float(raised);
  // What came as ONNX goes back under the names and types that its callers know.
  onnx::exporting::restore_border(raised, border(model.onnx_inputs, what.half_interface),
                                  border(model.onnx_outputs, what.half_interface));
  if (what.dynamic_batch) TRY_VOID(onnx::exporting::make_batch_dynamic(raised));
  if (what.for_ort_coreml) {
    for (const onnx::exporting::OrtRewritten& done : onnx::exporting::rewrite_for_ort_coreml(raised, what.ort)) {
      passes::PassReport& report = converted.passes.emplace_back();
      report.name = done.rewrite->name;
      report.changed = done.count > 0;
      if (done.count > 0) report.counts["replaced"] = done.count;
      if (done.count > 0 && !done.rewrite->changes.empty())
        report.remarks.push_back(fmt::format("{}: {}", done.rewrite->why, done.rewrite->changes));
    }
  }
  return Exported{std::move(converted), std::move(raised)};
}

namespace {

// `write` may be empty: a rehearsal.
Result<Delivered> deliver_by(const Model& model, const std::filesystem::path& output, const ConvertOptions& options,
                             const ExportOptions& what,
                             const std::function<Result<std::uint64_t>(const onnx::Model&)>& write) {
  TRY_VOID(require_weights(model));
  if (model.program->functions.size() > 1 && options.shapes.empty())
    return bad_usage(fmt::format("'{}' holds {} functions, and ONNX one graph", model.path.string(),
                                 model.program->functions.size()),
                     "choose one by its size: '--shapes HxW'");
  const Stopwatch watch;
  TRY(Exported exported, export_model(model, options, what));
  Delivered delivered;
  delivered.warnings = std::move(exported.converted.warnings);
  ConvertResult& result = delivered.result;
  const Stopwatch writing;
  result.written = static_cast<bool>(write);
  if (write) {
    TRY(result.bytes, write(exported.model));
    model.talk.detail(fmt::format("wrote {}: {} bytes in {:.0f} ms", output.string(),
                                  grouped(static_cast<std::int64_t>(result.bytes)), writing.ms()));
  }
  result.output = output.string();
  describe_onnx(exported.model, result);
  result.precision = name(options.precision);
  result.target = fmt::format("opset {}", what.opset);
  describe_conversion(model, std::move(exported.converted), result);
  result.seconds = model.seconds + watch.seconds();
  return delivered;
}

}  // namespace

Result<Delivered> deliver_onnx(const Model& model, const std::filesystem::path& output, const ConvertOptions& options,
                               const ExportOptions& what, bool write) {
  if (!write) return deliver_by(model, output, options, what, {});
  return deliver_by(model, output, options, what,
                    [&](const onnx::Model& exported) { return onnx::exporting::write_onnx(exported, output); });
}

Result<Delivered> deliver_onnx_stream(const Model& model, const ConvertOptions& options, const ExportOptions& what,
                                      const Stream& stream) {
  return deliver_by(model, "-", options, what, [&](const onnx::Model& exported) -> Result<std::uint64_t> {
    TRY(const std::string bytes, onnx::exporting::onnx_bytes(exported));
    stream(bytes);
    return bytes.size();
  });
}

}  // namespace anemone::toolchain

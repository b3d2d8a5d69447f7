// Any bytes as an ONNX file: an error or a model; a model survives writing and reading again, and its graph is built,
// typed, printed and turned back into a file.
#include <cstdlib>

#include "anemone/formats/onnx/spec.h"
#include "anemone/onnx/infer.h"
#include "anemone/onnx/print.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anemone;
  auto model = formats::onnxspec::read_model(Bytes::copy_of(std::span(data, size)), "fuzz");
  if (!model) {
    if (model.error().empty() || model.error()[0].place.empty()) std::abort();
    return 0;
  }
  const auto bytes = formats::onnxspec::write_model(*model);
  if (!bytes) std::abort();
  const auto again = formats::onnxspec::read_model(Bytes::copy_of(std::span(bytes->data(), bytes->size())), "again");
  if (!again) std::abort();
  // Not operator==: an attribute may be NaN.
  const auto repeated = formats::onnxspec::write_model(*again);
  if (!repeated || *repeated != *bytes) std::abort();
  auto graph = onnx::build_model(*std::move(model), "fuzz");
  if (!graph) return 0;
  (void)onnx::infer_types(*graph);
  if (onnx::to_text(*graph).empty()) std::abort();
  const auto spec = onnx::to_spec(*graph);
  const auto written = formats::onnxspec::write_model(spec);
  if (!written && written.error()[0].code == ErrorCode::own_bug)
    return 0;  // a captured output nests one message deeper
  if (!written || !onnx::build_model(spec, "again")) std::abort();
  return 0;
}

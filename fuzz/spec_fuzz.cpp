// Any bytes as a Core ML model file: an error or a model, and a model survives writing and reading again.
#include <cstdlib>

#include "anemone/formats/coreml/spec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anemone;
  const Bytes file = Bytes::copy_of(std::span(data, size));
  const auto model = formats::milspec::read_model(file, "fuzz");
  if (!model) return 0;
  const auto bytes = formats::milspec::write_model(*model);
  if (!bytes) std::abort();
  const auto again = formats::milspec::read_model(Bytes::copy_of(std::span(bytes->data(), bytes->size())), "again");
  if (!again) std::abort();
  // Not operator==: a default value may be NaN.
  const auto repeated = formats::milspec::write_model(*again);
  if (!repeated || *repeated != *bytes) std::abort();
  return 0;
}

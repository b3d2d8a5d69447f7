// NumPy arrays: what is accepted has the size it says.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "anemone/formats/wire/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto array = anemone::formats::read_npy({nullptr, std::as_bytes(std::span(data, size))}, "input");
  if (!array) {
    if (array.error().empty() || array.error()[0].message.empty() || array.error()[0].place.empty()) std::abort();
    return 0;
  }
  std::size_t bytes = byte_size(array->dtype);
  for (const std::int64_t extent : array->shape) bytes *= static_cast<std::size_t>(extent);
  if (bytes != array->bytes.size()) std::abort();
  return 0;
}

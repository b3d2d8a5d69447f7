// Any bytes as a weight file: walking it and reading at any offset ends with blobs inside the file or an error.
#include <cstdlib>
#include <cstring>

#include "anemone/formats/coreml/weight_blob.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anemone;
  const Bytes bytes = Bytes::copy_of(std::span(data, size));
  const auto file = formats::WeightFile::from_bytes(bytes, "fuzz");
  if (!file) return 0;
  const auto check = [&](std::uint64_t offset) {
    const auto blob = file->read(offset);
    if (!blob) return;
    // The elements fill the data, and every byte of it can be touched.
    const auto packed = formats::milspec::packed_size(data_type(blob->type), blob->elements);
    if (!packed || *packed > blob->data.size()) std::abort();
    unsigned sum = 0;
    for (const std::byte byte : blob->data.view) sum += static_cast<unsigned>(byte);
    if (sum == 0x7fffffffu) std::abort();
    if (!file->read(offset, data_type(blob->type), blob->elements)) std::abort();
  };
  (void)file->offsets();
  for (std::uint64_t offset = 0; offset <= size && offset <= 4096; offset += 32) check(offset);
  if (size >= 8) {
    std::uint64_t offset = 0;
    std::memcpy(&offset, data + size - 8, 8);
    check(offset);
  }
  return 0;
}

// Any bytes as the header of an image file: a size, an error, and always an end.
#include <cstdlib>

#include "anemone/formats/image/image_size.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anemone;
  const Bytes file = Bytes::copy_of(std::span(data, size));
  const auto found = formats::size_in_file(file, "fuzz");
  if (!found && found.error().empty()) std::abort();
  (void)formats::is_cut_off(file);
  return 0;
}

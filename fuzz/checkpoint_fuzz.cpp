// Checkpoints of either container; bytes that are a bare pickle are also run as the object of a checkpoint, so that
// damage need not get past the CRC-32 of a zip.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "anemone/formats/torch/checkpoint.h"
#include "anemone/formats/torch/checkpoint_walk.h"
#include "anemone/formats/torch/torch_objects.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

/// An error says something, and blames the file.
void require_reason(const anemone::Diagnostics& diagnostics) {
  require(!diagnostics.empty());
  require(!diagnostics[0].message.empty() && !diagnostics[0].place.empty() &&
          diagnostics[0].code != anemone::ErrorCode::none);
  require(diagnostics[0].blame == anemone::Blame::input);
}

void read_file(const anemone::Bytes& file) {
  const auto checkpoint = anemone::formats::read_checkpoint(file, "input");
  if (!checkpoint) return require_reason(checkpoint.error());
  std::size_t bytes = 0;
  for (const anemone::formats::StoredTensor& tensor : checkpoint->tensors) {
    bytes += static_cast<std::size_t>(tensor.count()) * byte_size(tensor.dtype);
    if (bytes > 1 << 22) break;  // the reader bounds them, but not as tightly as a fuzzer likes
    require(copy_elements(tensor).size() == elements(tensor).size());
  }
  const auto weights = anemone::formats::state_dict(*checkpoint);
  if (!weights) require_reason(weights.error());
}

void run_pickle(std::span<const std::byte> bytes) {
  anemone::formats::pickle::Machine machine(bytes, "input", "");
  anemone::formats::TorchObjects objects;
  std::size_t position = 0;
  const auto object = machine.load(position, objects);
  if (!object) return require_reason(object.error());
  require(position <= bytes.size());
  const auto tensors = anemone::formats::find_tensors(machine.heap(), *object, "input");
  if (!tensors) return require_reason(tensors.error());
  for (const auto& found : *tensors) require(found.tensor < objects.tensors().size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  read_file({nullptr, bytes});
  if (size > 0 && data[0] == 0x80) run_pickle(bytes);
  return 0;
}

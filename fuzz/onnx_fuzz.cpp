// Any bytes as an ONNX file: an error or a model; a model survives writing and reading again, and its graph is built,
// typed, printed, turned back into a file, and lowered to MIL. What is allocated is held against the size of the file.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <new>

#include "anemone/formats/onnx/spec.h"
#include "anemone/frontends/onnx/lower.h"
#include "anemone/onnx/infer.h"
#include "anemone/onnx/print.h"
#include "fuzz/onnx_mutator.h"

namespace {

// Bytes that live from operator new; and how many there may be.
std::atomic<std::size_t> allocated{0}, most_allocated{~std::size_t{0}};
constexpr std::size_t kHeader = alignof(std::max_align_t), kFixed = 64u << 20;

void* allocate(std::size_t size) {
  if (allocated.fetch_add(size) + size > most_allocated) {
    most_allocated = ~std::size_t{0};
    std::cerr << "allocated: " << allocated << " bytes, the last " << size << " at once" << std::endl;
    std::abort();
  }
  auto* memory = static_cast<std::byte*>(std::malloc(size + kHeader));
  if (!memory) std::abort();
  std::memcpy(memory, &size, sizeof size);
  return memory + kHeader;
}
void release(void* pointer) {
  if (!pointer) return;
  std::byte* memory = static_cast<std::byte*>(pointer) - kHeader;
  std::size_t size = 0;
  std::memcpy(&size, memory, sizeof size);
  allocated -= size;
  std::free(memory);
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* pointer) noexcept { release(pointer); }
void operator delete[](void* pointer) noexcept { release(pointer); }
void operator delete(void* pointer, std::size_t) noexcept { release(pointer); }
void operator delete[](void* pointer, std::size_t) noexcept { release(pointer); }
void operator delete(void* pointer, const std::nothrow_t&) noexcept { release(pointer); }
void operator delete[](void* pointer, const std::nothrow_t&) noexcept { release(pointer); }

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anemone;
  struct Limit {
    explicit Limit(std::size_t size) { most_allocated = allocated + 4 * size + kFixed; }
    ~Limit() { most_allocated = ~std::size_t{0}; }
  } const limit(size);
  auto model = formats::onnxspec::read_model(Bytes::copy_of(std::span(data, size)), "fuzz");
  if (!model) {
    require(!model.error().empty() && !model.error()[0].place.empty());
    return 0;
  }
  const auto bytes = formats::onnxspec::write_model(*model);
  require(bytes.has_value());
  const auto again = formats::onnxspec::read_model(Bytes::copy_of(std::span(bytes->data(), bytes->size())), "again");
  require(again.has_value());
  // Not operator==: an attribute may be NaN.
  const auto repeated = formats::onnxspec::write_model(*again);
  require(repeated && *repeated == *bytes);
  auto graph = onnx::build_model(*std::move(model), "fuzz");
  if (!graph) return 0;
  (void)onnx::infer_types(*graph);
  require(!onnx::to_text(*graph).empty());
  const auto spec = onnx::to_spec(*graph);
  const auto written = formats::onnxspec::write_model(spec);
  if (!written && written.error()[0].code == ErrorCode::own_bug)
    return 0;  // a captured output nests one message deeper
  require(written && onnx::build_model(spec, "again"));
  const auto program = onnx::lower(*graph, {.folder = "/nowhere"});
  // The file is to blame, or nobody: a program that does not verify would be a bug of ours.
  if (!program && program.error().at(0).blame == Blame::bug) {
    std::cerr << program.error()[0].message << std::endl;
    std::abort();
  }
  return 0;
}

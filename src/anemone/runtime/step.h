#pragma once
// What a lowered function is made of: places of values, and calls of kernels that read and write them.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "anemone/ir/op_def.h"
#include "anemone/runtime/base/thread_pool.h"

namespace anemone::runtime {

/// Where a value lies. Floats and bools are float32 in the arena or among the constants; integers are Arrays.
struct Ref {
  enum class Space : std::uint8_t { none, arena, constant, integers };
  Space space = Space::none;
  std::size_t index = 0;    ///< of the buffer, constant or Array
  std::int64_t offset = 0;  ///< arena, in floats: a view into a buffer
  std::int64_t count = 0;   ///< elements

  bool operator==(const Ref&) const = default;
};

/// The memory of an engine, as its steps see it.
struct Frame {
  float* arena = nullptr;
  std::vector<std::size_t> offsets;  ///< of each buffer, in floats
  std::vector<const float*> constants;
  std::vector<Array> integers;
  ThreadPool* pool = nullptr;

  float* write(const Ref& ref) const { return arena + offsets[ref.index] + ref.offset; }
  const float* read(const Ref& ref) const {
    return ref.space == Ref::Space::constant ? constants[ref.index] + ref.offset : write(ref);
  }
};

struct Step {
  std::string name;  ///< of the value it makes
  std::string type;  ///< the operations it does: "conv+relu"
  std::int64_t macs = 0;
  bool reference = false;  ///< reference execution, not a kernel
  std::vector<Ref> refs;   ///< everything it reads or writes
  std::function<Result<void>(Frame&)> run;
  double ms = 0;
};

}  // namespace anemone::runtime

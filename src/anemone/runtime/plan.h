#pragma once
// What the engine will do, as data: calls of kernels, where their operands lie, and the memory for them. Made without
// running anything (plan_function), printed by listing.h, carried out by Engine.
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/ir/op_def.h"
#include "anemone/runtime/base/float_buffer.h"
#include "anemone/runtime/base/thread_pool.h"
#include "anemone/runtime/engine.h"
#include "anemone/runtime/parameters.h"

namespace anemone::runtime {

/// Where a value lies. Floats and bools are float32 in the arena or among the constants; integers are Arrays.
struct Ref {
  enum class Space : std::uint8_t { none, arena, constant, integers };
  Space space = Space::none;
  std::size_t index = 0;    ///< of the buffer, constant or Array
  std::int64_t offset = 0;  ///< in floats: a view into a buffer or constant
  std::int64_t count = 0;   ///< elements

  bool operator==(const Ref&) const = default;
};

/// An operand of a call: a role of its kernel ("x", "weight", "out") and its place.
struct Access {
  enum class Use : std::uint8_t {
    read,
    write,
    scratch,  ///< the call's own memory: written before it is read
  };
  std::string_view role;
  Ref ref;  ///< Space::none: this optional operand is not there
  Use use = Use::read;
};

/// How the elements of a call's tensors follow one another.
enum class Layout : std::uint8_t {
  row_major,  ///< as MIL says, NCHW for images
  any,        ///< element by element: every order does, as long as all operands have the same
};

struct Call;

/// A call as the kernel sees it: one pointer an operand, null for one that is not there.
struct Bound {
  const Call& call;
  std::span<float* const> at;
  ThreadPool& pool;

  const float* in(std::size_t operand) const { return at[operand]; }
  float* out(std::size_t operand) const { return at[operand]; }
};

/// A function of cpu/ with the parameters that a plan has for it.
struct Kernel {
  std::string_view name;
  void (*run)(const Bound&) = nullptr;  ///< null: reference execution, see ReferenceCall
};

struct Call {
  const Kernel* kernel = nullptr;
  std::string_view algorithm;  ///< where the kernel has several: "gemm", "depthwise"; else empty
  Parameters parameters;
  std::vector<Access> operands;  ///< in the order of the kernel
  Layout layout = Layout::row_major;
  std::string name;     ///< of the value it makes
  std::string ops;      ///< the operations it does: "conv+relu"
  bool rounds = false;  ///< what it writes is rounded to half afterwards; kernels that round themselves do without
  std::int64_t macs = 0;
  /// Operands whose memory the result may take when nothing needs them afterwards, best first.
  std::vector<std::size_t> overwrites;
  bool elementwise = false;  ///< it reads all its operands at the place that it writes
};

/// An operation that no kernel covers: its own small copy, its operands converted to doubles and its results back.
struct ReferenceCall {
  const Node* node = nullptr;        ///< the copy
  std::vector<const Value*> inputs;  ///< values of the copy: one an operand that is read, in their order
  std::vector<bool> rounds;          ///< one an operand that is written: whether it is rounded to half
};

/// A piece of the arena.
struct Buffer {
  std::int64_t count = 0;
  int first = 0, last = 0;  ///< calls that use it, both included
  std::size_t offset = 0;   ///< in the arena, in floats
};

/// A constant: made by the plan, or a view of the function's own.
struct HeldConstant {
  FloatBuffer owned;
  ConstantPtr shared;
  const float* data = nullptr;
  std::size_t bytes = 0;
};

/// An input or output of the function.
struct Port {
  EnginePort shown;
  Ref ref;
  bool rounds = false;  ///< numbers that come in are rounded to half
};

struct Plan {
  std::vector<Call> calls;
  std::vector<Port> inputs, outputs;
  std::vector<Buffer> buffers;
  std::vector<HeldConstant> constants;
  std::vector<Array> integers;
  std::vector<ReferenceCall> references;
  std::unique_ptr<Program> reference_program;  ///< owns the copies of their nodes
  std::size_t arena_bytes = 0;
  std::size_t constant_bytes = 0;  ///< packed weights and other constants
};

}  // namespace anemone::runtime

#pragma once
// The fast executor: a function of fixed shapes, planned once as a list of kernel calls over one arena.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "anemone/ir/op_def.h"
#include "anemone/runtime/base/thread_pool.h"
#include "anemone/runtime/listing.h"
#include "anemone/support/result.h"

namespace anemone::runtime {

/// Which numbers the values of a graph may take. Sums inside an operation are float32 or wider.
enum class Precision : std::uint8_t {
  as_stored,  ///< what the types say: fp16 values are rounded to half after every operation
  fp32,       ///< nothing is rounded to half; what is stored as half keeps the value it has
  fp16,       ///< every float value, constants included, is rounded to half after every operation
};

/// Which sums are rounded after every term, where the result is rounded to half; other results keep wide sums.
enum class HalfSums : std::uint8_t {
  none,
  reductions,  ///< of reduce_sum and its like: products stay wide, as multiply-accumulate units of engines are
  all,         ///< of convolutions and matrix products too: the pessimistic case, many times slower
};

struct EngineOptions {
  Precision precision = Precision::as_stored;
  HalfSums half_sums = HalfSums::none;
  bool fuse = true;  ///< merge neighbours into one kernel call where that does not change where values are rounded
};

/// An operation of the graph that no kernel covers: it runs by reference execution, which is slow.
struct Fallback {
  std::string name;  ///< of the node's first output
  std::string type;
  double ms = 0;  ///< in the last run
};

/// One kernel call: an operation with what was merged into it.
struct StepTiming {
  std::string name;  ///< of the value it makes
  std::string type;  ///< "conv", "conv+relu", "gather (reference)"
  double ms = 0;     ///< in the last run
  std::int64_t macs = 0;
};

struct EngineMemory {
  std::size_t arena_bytes = 0;     ///< all values of run time
  std::size_t constant_bytes = 0;  ///< packed weights and other constants
};

/// What a value is called and what it looks like, for inputs and outputs.
struct EnginePort {
  std::string name;
  DType dtype = DType::fp32;
  Dims dims;
};

/// Keeps nothing of the function it was made from: the program may be dropped after compile. One run at a time; the
/// pool must outlive the engine. The bits of the results do not depend on the number of threads.
class Engine {
 public:
  /// E0701 an operation that is not understood or cannot be executed, E0703 a value that no memory can hold, E0704 the
  /// payload of a constant is not there, E0712 more memory than this machine has, E0707 nested blocks, E0708 an extent
  /// or a rank that is not known, E0709 a value that is not a tensor of numbers, E0710 an operation that changes a
  /// state.
  static Result<Engine> compile(const Function& function, ThreadPool& pool, const EngineOptions& options = {});
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  const std::vector<EnginePort>& inputs() const;
  const std::vector<EnginePort>& outputs() const;

  /// One array an input, in the function's order: shape as declared, numbers of any dtype (they are rounded to the
  /// declared one as `precision` says). E0705 when they do not fit.
  Result<std::vector<Array>> run(std::span<const Array> inputs);

  /// The same without detours over double, for functions whose inputs and outputs are all floats or bools: one span of
  /// row-major float32 an input. E0705 when they do not fit, E0711 for an integer input.
  Result<void> run_floats(std::span<const std::span<const float>> inputs);
  /// What the last run left for output `index`, valid until the next one. Empty for integer outputs.
  std::span<const float> output_floats(std::size_t index) const;

  std::vector<StepTiming> timings() const;  ///< of the last run, in order
  std::vector<Fallback> fallbacks() const;  ///< what ran by reference execution
  EngineMemory memory() const;
  PlanListing plan() const;  ///< what is called, in order, and where its operands lie
  int threads() const;

 private:
  struct State;
  explicit Engine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The instruction set that the kernels run on here, by Highway's name: "AVX3", "AVX2", "NEON".
std::string instruction_set();

/// Compiles and runs once.
Result<std::vector<Array>> run_fast(const Function& function, std::span<const Array> inputs, ThreadPool& pool,
                                    const EngineOptions& options = {});

}  // namespace anemone::runtime

#pragma once
// Turns the nodes of a function into steps, one after the other. Kernel families (kernels_*.cpp) are written with it.
#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "anemone/runtime/base/float_buffer.h"
#include "anemone/runtime/engine.h"
#include "anemone/runtime/step.h"

namespace anemone::runtime {

/// Whether the results of a step are halves already when its inputs are.
enum class Rounding : std::uint8_t {
  needed,  ///< the step computes: round to half where the value wants it
  exact,   ///< the step moves or selects, or its kernel rounds
};

/// A batch norm, and the relu after it, that the convolution behind it does while it reads: see Prologue.
struct DelayedNorm {
  const Node* norm = nullptr;
  const Node* relu = nullptr;  ///< or null
};

struct ReferenceCall;

class Lowering {
 public:
  Lowering(const Function& function, const EngineOptions& options);

  // What kernel families ask.
  bool fuses() const { return options_.fuse; }
  Precision precision() const { return options_.precision; }
  /// Values of this type are rounded to half after every operation.
  bool rounds(const Type& type) const;
  bool rounds(const Value& value) const { return rounds(value.type); }
  /// The sums of a product that makes this value are rounded too.
  bool half_sums(const Value& value) const { return options_.half_sums && rounds(value); }
  /// The node that is the only (needed) user of the value; null when there is none or more, or it is an output.
  const Node* only_user(const Value& value) const;
  /// Its data operands and outputs are floats or bools without empty extents, its other operands are constants, and its
  /// declared types are those of the type rule: what kernels rely on.
  bool suits_kernels(const Node& node) const;
  /// It has a place already: a constant, an input, or the result of a node before.
  bool is_ready(const Value& value) const;
  /// A constant, or the result of a compressed one.
  bool is_known(const Value* value) const;
  /// The numbers of a known value, rounded as values are; empty when there is none (null). A copy: for what is packed
  /// or combined at once.
  Result<std::vector<float>> known_floats(const Value* value);

  // What kernel families do.
  /// The place of an operand in float memory.
  Result<Ref> read(const Value& value);
  /// Says that `node` is done by the step being made. The node being lowered is absorbed from the start.
  void absorb(const Node& node) { group_.push_back(&node); }
  /// A new buffer for an output.
  Ref define(const Value& out);
  /// The buffer of the first of `over` that nothing needs afterwards, for steps that may write over their input; else a
  /// new one. `elementwise`: the step reads all its operands at the place that it writes.
  Ref define_over(const Value& out, std::initializer_list<const Value*> over, bool elementwise);
  /// `out` is what lies at `ref`: no step, unless it has to be rounded because its type is a narrower one.
  void alias(const Value& out, const Ref& ref);
  /// Memory for one step.
  Ref scratch(std::int64_t count);
  /// A constant made at compile time.
  Ref constant(FloatBuffer data);
  void count_constant_bytes(std::size_t bytes) { constant_bytes_ += bytes; }
  /// Appends the step that makes `out` at `to` from `reads`.
  void add(Step step);
  void add(std::string type, const Value& out, const Ref& to, std::vector<Ref> reads, Rounding rounding,
           std::function<void(Frame&)> run, std::int64_t macs = 0);
  /// The convolution that uses `out` will do the norm.
  void delay(const Value& out, DelayedNorm norm);
  const DelayedNorm* delayed(const Value& value) const;

  // What Engine::compile does.
  Result<void> run();
  std::vector<Step> take_steps() { return std::move(steps_); }
  struct Buffer {
    std::int64_t count = 0;
    int first = 0, last = 0;
    std::int64_t pending = 0;  ///< uses of its values by nodes that are not lowered yet, and as outputs
  };
  const std::vector<Buffer>& buffers() const { return buffers_; }
  struct Held {
    FloatBuffer owned;
    ConstantPtr shared;  ///< or a view of the function's own constant
    const float* data = nullptr;
  };
  std::vector<Held> take_constants() { return std::move(constants_); }
  std::vector<Array> take_integers() { return std::move(integers_); }
  std::unique_ptr<Program> take_references() { return std::move(references_); }
  std::size_t constant_bytes() const { return constant_bytes_; }
  Result<Ref> place(const Value& value);  ///< of any value, integers included

 private:
  void find_needed();
  Result<void> check(const Node& node);
  Result<void> lower(const Node& node);
  Result<void> by_reference(const Node& node);
  Result<Value*> reference_operand(const Value& value, ReferenceCall& call);
  Type reference_type(Type type) const;
  void share(const Value& out, const Ref& ref);
  bool mixes(const Node& node) const;
  bool may_overwrite(const Value& over, const Value& out, bool elementwise) const;
  Ref new_buffer(std::int64_t count, std::int64_t pending);
  std::int64_t pending_uses(const Value& value) const;
  void consume(const Node& node);
  Result<Array> known_array(const Value& value, int depth = 0) const;
  Result<Ref> place_constant(const Value& value);

  const Function* function_;
  EngineOptions options_;
  std::unordered_set<const Node*> needed_, done_;
  std::unordered_set<const Node*> exact_;  ///< the type rule says what is declared
  std::unordered_map<const Value*, Ref> places_;
  std::unordered_map<const Constant*, Ref> constant_places_;
  std::unordered_map<const Value*, DelayedNorm> delayed_;
  std::vector<const Node*> group_;
  bool mixed_ = false;  ///< the node at hand moves floats into a narrower type: nothing about it is exact
  std::vector<Buffer> buffers_;
  std::vector<Held> constants_;
  std::vector<Array> integers_;
  std::vector<Step> steps_;
  std::unique_ptr<Program> references_;  ///< copies of the nodes that run by reference execution
  std::size_t constant_bytes_ = 0;
};

/// True when an extent is 0.
inline bool is_empty(const Value& value) {
  return std::find(value.type.dims.begin(), value.type.dims.end(), 0) != value.type.dims.end();
}

/// An error that blames a node: its description, then the message.
Diagnostic refuse(const Node& node, std::string_view code, std::string message, std::string help = {});
/// That a value of a node is a tensor of numbers with known extents whose bytes can be counted, and a constant has all
/// of its bytes.
Result<void> check_operand(const Value& value, const Node& node);

/// True for values that live as float32: fp16, fp32 and bool.
inline bool is_real(const Value& value) {
  const DType d = value.type.dtype;
  return value.type.is_tensor() && (d == DType::fp16 || d == DType::fp32 || d == DType::boolean);
}

}  // namespace anemone::runtime

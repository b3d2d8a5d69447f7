#pragma once
// What kernel families write their calls with. Values get places here; which of them share memory is decided later
// (place.h).
#include <unordered_map>

#include "anemone/runtime/match.h"
#include "anemone/runtime/plan.h"

namespace anemone::runtime {

/// Whether the results of a call are halves already when its inputs are.
enum class Rounding : std::uint8_t {
  needed,  ///< the call computes: round to half where the value wants it
  exact,   ///< the call moves or selects, or its kernel rounds
};

class Planner {
 public:
  explicit Planner(const GraphView& graph);

  const GraphView& graph() const { return graph_; }
  /// The place of a value in float memory.
  Result<Ref> read(const Value& value);
  /// The same of an operand that may not be there.
  Result<Ref> read_maybe(const Value* value);
  /// The numbers of a known operand; empty when it is not there.
  Result<std::vector<float>> known_floats(const Value* value) const;
  /// A new place for an output.
  Ref define(const Value& out);
  /// `out` is what lies at `ref`: no call, unless it has to be rounded because its type is a narrower one.
  void alias(const Value& out, const Ref& ref);
  /// Memory for one call.
  Ref scratch(std::int64_t count);
  Ref constant(FloatBuffer data);
  Ref constant(const std::vector<float>& data);
  /// Appends a call that makes `out`, its last operand. Name, operations, rounding and work are filled in from the group
  /// at hand.
  void add(const Value& out, Rounding rounding, Call call);
  /// Appends a call that makes something on the way to `out`; nothing is rounded.
  void add_part(const Value& out, Call call);
  /// By reference execution.
  Result<void> add_reference(const Node& node);

  /// Begins a group; what is added belongs to it.
  void begin(const Group& group);
  /// Ports, and the plan as far as this class knows it: all but the memory.
  Result<Plan> finish();

 private:
  Result<Ref> place(const Value& value);
  Result<Ref> place_constant(const Value& value);
  Ref place_integers(const Value& value);
  Ref new_buffer(std::int64_t count);
  Type reference_type(Type type) const;
  Result<Value*> reference_operand(const Value& value, ReferenceCall& reference, Call& call);

  const GraphView& graph_;
  const Group* group_ = nullptr;
  bool narrows_ = false;  ///< the group moves floats into a narrower type: nothing about it is exact
  Plan plan_;
  std::unordered_map<const Value*, Ref> places_;
  std::unordered_map<const Constant*, Ref> constant_places_;
};

inline Access read(std::string_view role, const Ref& ref) { return {role, ref, Access::Use::read}; }
inline Access write(std::string_view role, const Ref& ref) { return {role, ref, Access::Use::write}; }

/// What carries out operations without a kernel: see ReferenceCall.
extern const Kernel kReferenceKernel;
/// Strided copies: CopyParameters, one operand a part, then the result.
extern const Kernel kCopyKernel;

}  // namespace anemone::runtime

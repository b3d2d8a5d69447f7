#pragma once
// The fp16 twins of fp32 values, and back: where add_fp16_cast puts its casts.
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "anemone/ir/graph.h"

namespace anemone::passes {

/// A value that is a tensor of this dtype.
bool is_tensor_of(const Value& value, DType dtype);
bool is_cast_to(const Node& node, std::string_view dtype);
/// A cast that brings fp16 to an fp32 boundary.
bool is_widening(const Node& node);
/// MIL lets an operand be fp32 beside fp16 activations when its dtype group is not that of the first parameter; this is
/// so for scalars such as epsilon from ios17.
bool may_stay_wide(const Node& node, const Operand& operand);
/// The operand must be known at compile time: no cast may stand before it.
bool is_fixed(const Node& node, const Operand& operand);

class HalfValues {
 public:
  explicit HalfValues(Block& body) : body_(body) {}
  /// The fp16 twin of an fp32 value: a rounded constant, what a widening cast came from, or a new cast. Null when it is
  /// a constant that fp16 cannot hold.
  Value* half_of(Value& value);
  /// The same where the twin must be known at compile time: a compressed constant becomes one whose own scales and tables
  /// are fp16. Null when that is not possible.
  Value* static_half_of(Value& value);
  /// Remembers that this value was fp32 before the pass.
  void note_narrowed(Value& value) { narrowed_.insert(&value); }
  /// The node stays fp32: what was narrowed before it gets a cast back, for the blocks inside it too.
  void widen_operands(Node& node);
  /// Takes back what was made for operations that then stayed fp32. True: some of it stays.
  bool drop_unused();

 private:
  struct Made {
    Value *half, *wide;
    bool took_name;
  };
  Value* cast(Value& value, const char* dtype);
  void widen_for(Node& node, Value& value);
  Block& body_;
  std::vector<Made> made_;
  std::unordered_map<const Value*, Value*> half_, static_half_, wide_;
  std::unordered_set<const Value*> narrowed_;
};

}  // namespace anemone::passes

#pragma once
// What the stages of planning ask about a function. It is made by checking everything that they rely on.
#include <algorithm>
#include <unordered_set>

#include "anemone/ir/rewrite.h"
#include "anemone/runtime/engine.h"

namespace anemone::runtime {

class GraphView {
 public:
  /// Refuses what the engine cannot take (codes: see Engine::compile), before any memory is asked for.
  static Result<GraphView> of(const Function& function, const EngineOptions& options);

  const Function& function() const { return *function_; }
  const EngineOptions& options() const { return options_; }
  /// Something that is asked for depends on it.
  bool is_needed(const Node& node) const { return needed_.contains(&node); }
  /// Its declared types are those of the type rule.
  bool is_exact(const Node& node) const { return exact_.contains(&node); }
  /// Values of this type are rounded to half after every operation.
  bool rounds(const Type& type) const;
  bool rounds(const Value& value) const { return rounds(value.type); }
  /// The sums of a product that makes this value are rounded too.
  bool half_sums(const Value& value) const { return options_.half_sums == HalfSums::all && rounds(value); }
  /// As are those of a reduction that makes this value.
  bool half_reductions(const Value& value) const { return options_.half_sums != HalfSums::none && rounds(value); }
  /// The node moves floats into a narrower type than they have: nothing about it is exact.
  bool narrows(const Node& node) const;
  /// The node that is the only (needed) user of the value; null when there is none or more, or it is an output.
  const Node* only_user(const Value& value) const;
  /// Its operands are what kernels rely on: data and results are floats or bools without empty extents, weights are
  /// known, everything else is constant; and the node is exact.
  bool suits_kernels(const Node& node) const;

 private:
  GraphView(const Function& function, const EngineOptions& options) : function_(&function), options_(options) {}
  void find_needed();
  Result<void> check(const Node& node);

  const Function* function_;
  EngineOptions options_;
  std::unordered_set<const Node*> needed_, exact_;
};

struct KernelRow;

/// How a kernel needs a parameter to come: by its role, unless the row says otherwise.
enum class Need : std::uint8_t {
  data,      ///< at run time, as floats
  known,     ///< at compile time, as floats
  constant,  ///< a plain constant
  shape,     ///< only the shape counts
};
Need need_of(const OpDef& def, const KernelRow& row, std::string_view param);

/// True when an extent is 0.
inline bool is_empty(const Value& value) {
  return std::find(value.type.dims.begin(), value.type.dims.end(), 0) != value.type.dims.end();
}
/// True for values that live as float32: fp16, fp32 and bool.
inline bool is_real(const Value& value) {
  const DType d = value.type.dtype;
  return value.type.is_tensor() && (d == DType::fp16 || d == DType::fp32 || d == DType::boolean);
}

/// An error that blames a node: its description, then the message.
Diagnostic refuse(const Node& node, ErrorCode code, std::string message, std::string help = {});
/// That a value of a node is a tensor of numbers with known extents whose bytes can be counted, and a constant has all
/// of its bytes.
Result<void> check_operand(const Value& value, const Node& node);

}  // namespace anemone::runtime

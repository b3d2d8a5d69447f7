#pragma once
// The words that rows raise a MIL operation with: its operands as ONNX values, new nodes, constants, refusals.
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/ir/op_def.h"
#include "anemone/onnx/graph.h"
#include "anemone/support/result.h"

namespace anemone::onnx::exporting {

// The program's own kinds, which have the names of the graph's.
using MilNode = anemone::Node;
using MilValue = anemone::Value;
using MilType = anemone::Type;

struct RaiseOptions {
  std::int64_t opset = 17;  ///< of ai.onnx, kLowestOpset to kHighestOpset
  /// Numbers of fp16 are said as float: digits stay as they are, and nothing is rounded any more.
  bool widen = true;
};
inline constexpr std::int64_t kLowestOpset = 13, kHighestOpset = 21;

/// The element type of a MIL dtype; undefined where ONNX has none.
DataType data_type(DType dtype, const RaiseOptions& options);
onnx::Type tensor_type(const MilType& type, const RaiseOptions& options);

Attribute attr(std::string name, std::int64_t value);
Attribute attr(std::string name, double value);
Attribute attr(std::string name, Dims value);
Attribute attr(std::string name, std::string value);
Attribute attr(std::string name, Tensor value);
using Attrs = std::vector<Attribute>;
using Inputs = std::vector<Value*>;

/// Initialisers that nothing reads and no caller can replace.
std::vector<Value*> unused_initializers(const Graph& graph);

/// A node to be.
struct Call {
  std::string op;
  Inputs inputs;
  Attrs attributes;
};

/// The graph being made, with what its nodes share. The body of a branch or loop has one of its own, which sees what the
/// graph around it has.
class Raising {
 public:
  /// Raises the nodes of a block; raise() gives it.
  using Walk = std::function<Result<void>(Raising&, const Block&)>;
  Raising(Graph& graph, const RaiseOptions& options, Walk walk = {})
      : graph_(graph), options_(options), walk_(std::move(walk)) {}
  Raising(Graph& body, Raising& around)
      : graph_(body), options_(around.options_), around_(&around), walk_(around.walk_) {}

  Result<void> walk(const Block& block) { return walk_(*this, block); }
  Graph& graph() { return graph_; }
  const RaiseOptions& options() const { return options_; }

  /// The numbers of a compressed constant, evaluated.
  void set_dense(const MilValue& value, ConstantPtr numbers) { dense_[&value] = std::move(numbers); }
  ConstantPtr constant_of(const MilValue& value) const;  ///< null when it comes at run time
  /// The ONNX value of a MIL value; constants become initialisers when they are first asked for.
  Value* value_of(const MilValue& value);
  void set(const MilValue& value, Value* raised) { values_[&value] = raised; }
  /// A small initialiser; equal ones are shared.
  Value* constant(DataType dtype, const Dims& dims, const std::vector<double>& values, const std::string& name);
  /// An initialiser with the numbers of a constant, which are copied by finish() and not before: a program that cannot
  /// be raised costs nothing.
  Value* initializer(const std::string& name, ConstantPtr constant);
  void finish();
  /// Of a body: what finish() has to do is done with the graph around it.
  void hand_over();
  /// They are about to be erased.
  void forget(const std::vector<Value*>& values);

 private:
  struct Pending {
    Value* value;
    ConstantPtr constant;
  };
  Graph& graph_;
  const RaiseOptions& options_;
  Raising* around_ = nullptr;
  Walk walk_;
  std::unordered_map<const MilValue*, Value*> values_;
  std::unordered_map<const MilValue*, ConstantPtr> dense_;
  std::map<std::string, Value*> shared_;
  std::vector<Pending> pending_;
};

/// One MIL operation as its row sees it.
class Emit : public ConstantView {
 public:
  Emit(Raising& raising, const MilNode& node) : ConstantView(node), raising_(raising) {}

  std::int64_t opset() const { return raising_.options().opset; }
  Raising& raising() { return raising_; }

  // Operands.
  const Constant* constant(std::string_view param) const override;
  Value* in(std::string_view param);  ///< null when it is absent
  Inputs all(std::string_view param);
  const MilType& type(std::string_view param) const;
  const Dims& dims(std::string_view param) const { return type(param).dims; }
  std::int64_t rank(std::string_view param = "x") const { return type(param).rank(); }
  const MilType& out_type(std::size_t index = 0) const { return node().output(index)->type; }
  /// Of the first output, and of an operand.
  DataType dtype() const { return data_type(out_type().dtype, raising_.options()); }
  DataType dtype(std::string_view param) const { return data_type(type(param).dtype, raising_.options()); }
  /// An axis counted from the front.
  std::int64_t axis(std::string_view param, std::int64_t rank) const;
  Dims axes(std::string_view param, std::int64_t rank) const;  ///< all where absent
  /// Whether the extents of all outputs are known.
  bool is_fixed() const;
  /// The operand in this dtype: programs by others mix fp16 and fp32 where ONNX does not.
  Value* in_as(std::string_view param, DataType wanted);
  /// An integer operand as int64, constant or not.
  Value* in_int64(std::string_view param);
  /// A constant vector over channels, shaped to broadcast over dimension 1 of a tensor of that rank.
  Value* per_channel(std::string_view param, std::int64_t rank);

  // Making.
  /// A node with one new value.
  Value* make(Call call);
  Value* make(std::string op, Inputs inputs, Attrs attributes = {}) {
    return make(Call{std::move(op), std::move(inputs), std::move(attributes)});
  }
  /// A node with several new values.
  Inputs make_several(Call call, std::size_t count);
  /// A node that makes the outputs of the operation.
  Result<void> give(Call call) {
    give_node(std::move(call));
    return {};
  }
  Node& give_node(Call call);
  Result<void> give(std::string op, Inputs inputs, Attrs attributes = {}) {
    return give(Call{std::move(op), std::move(inputs), std::move(attributes)});
  }
  /// The operation does nothing to the value.
  Result<void> give_value(Value* value, std::size_t index = 0);
  Value* cast(Value* value, DataType wanted) {
    return make("Cast", {value}, {attr("to", static_cast<std::int64_t>(wanted))});
  }
  Value* reshape(Value* value, const Dims& to) { return make("Reshape", {value, int64s(to)}); }
  Value* transpose(Value* value, Dims perm) { return make("Transpose", {value}, {attr("perm", std::move(perm))}); }
  Value* unsqueeze(Value* value, const Dims& axes) { return make("Unsqueeze", {value, int64s(axes)}); }
  /// x[..., start:end:step, ...] along these axes.
  Value* slice(Value* value, const Dims& starts, const Dims& ends, const Dims& axes, const Dims& steps = {});
  /// A reduction: axes were attributes until opset 18 (of ReduceSum until 13).
  Call reduction(const std::string& op, Value* value, const Dims& axes, bool keep);
  Value* reduce(const std::string& op, Value* value, const Dims& axes, bool keep) {
    return make(reduction(op, value, axes, keep));
  }

  // Constants.
  Value* int64s(const Dims& values);  ///< a vector
  Value* literal(double value) { return literal(value, dtype()); }
  Value* literal(double value, DataType dtype);  ///< a scalar
  Value* literals(DataType dtype, const Dims& dims, const std::vector<double>& values);

  /// What ONNX cannot say of this operation, and what the user can do.
  Diagnostic refuse(std::string why, std::string help = {}) const;

 private:
  Raising& raising_;
};

}  // namespace anemone::onnx::exporting

#pragma once
// Makes MIL nodes for the lowering functions. What can be computed now is computed now, so that arithmetic on shapes
// never reaches the program.
#include <utility>
#include <vector>

#include "anemone/ir/builder.h"
#include "anemone/ops/ops.h"

namespace anemone::onnx {

using MilValue = anemone::Value;
using MilNode = anemone::Node;

/// Thrown by lowering functions, caught where nodes are walked: why a node cannot be said in MIL.
struct Refused {
  std::string reason, help;
};

class Emit {
 public:
  explicit Emit(Block& block) : block_(&block), builder_(block) {}

  /// A node, or constants where everything it needs is constant and the result is small. Arguments that are null are
  /// left out.
  MilValue* add(std::string_view type, Arguments arguments) { return add_all(type, arguments)[0]; }
  std::vector<MilValue*> add_all(std::string_view type, Arguments arguments);
  MilValue* constant(ConstantPtr constant);
  MilValue* ints(const Dims& values) { return constant(make_ints(values)); }
  /// A scalar of x's dtype.
  ConstantPtr number(const MilValue* x, double value) const { return make_scalar(x->type.dtype, value); }
  /// The content, computed now if that is possible within the budget; null: it comes at run time.
  ConstantPtr known(MilValue* x, int depth = 0);

  // The usual moves. Those that change nothing give x itself.
  MilValue* cast(MilValue* x, DType dtype);
  MilValue* reshape(MilValue* x, const Dims& dims);
  MilValue* transpose(MilValue* x, const Dims& perm);
  MilValue* broadcast(MilValue* x, const Dims& dims);
  /// Elements begin, begin + step … before end along the axis. With a negative step, end −1 includes element 0.
  MilValue* slice(MilValue* x, std::int64_t axis, std::int64_t begin, std::int64_t end, std::int64_t step = 1);
  MilValue* concat(const std::vector<MilValue*>& values, std::int64_t axis);
  /// The slices of x along the axis that `indices` name, all of them known and not negative.
  MilValue* pick(MilValue* x, std::int64_t axis, const Dims& indices);
  MilValue* fill(DType dtype, const Dims& dims, double value);
  MilValue* add2(MilValue* x, MilValue* y) { return add("add", {{"x", x}, {"y", y}}); }
  MilValue* sub(MilValue* x, MilValue* y) { return add("sub", {{"x", x}, {"y", y}}); }
  MilValue* mul(MilValue* x, MilValue* y) { return add("mul", {{"x", x}, {"y", y}}); }
  MilValue* mul(MilValue* x, double y) { return y == 1 ? x : add("mul", {{"x", x}, {"y", number(x, y)}}); }
  MilValue* add2(MilValue* x, double y) { return y == 0 ? x : add("add", {{"x", x}, {"y", number(x, y)}}); }

  /// What the file holds: how many numbers may be computed and operations made in all is in proportion to it, so that a
  /// small file stays small. Beyond it nothing is folded, and more tables and operations are refused.
  void add_budget(std::int64_t numbers, std::int64_t nodes = 0) {
    budget_ += 4 * numbers;
    most_nodes_ += 64 * nodes;
  }
  /// The name and origin of the ONNX node whose translation follows.
  void begin(std::string origin) { builder_.set_origin(std::move(origin)); }
  Block& block() const { return *block_; }

 private:
  bool is_foldable(const MilNode& node, bool large) const;
  std::vector<MilValue*> fold(MilNode& node);
  /// Shapes and the like cost nothing.
  bool is_affordable(std::int64_t table) const;
  void pay(std::int64_t table);

  Block* block_;
  Builder builder_;
  std::int64_t budget_ = 1 << 20, computed_ = 0, tables_ = 0;
  std::int64_t most_nodes_ = 1 << 16, nodes_ = 0;
};

/// The broadcast of two shapes by NumPy's rule; refuses shapes that do not go together.
Dims broadcast_dims(const Dims& a, const Dims& b);
/// All extents are known. Refuses what Core ML cannot count: extents beyond 32 bits, more than 2⁴⁰ elements.
std::int64_t count_of(const Dims& dims);
/// The same for a table that is written down number by number: refuses more than `most`.
std::size_t table_size(const Dims& dims, std::int64_t most = 1 << 20);
/// Refuses sizes that are not those of the parts of `whole`, one behind the other.
void check_parts(const Dims& sizes, std::int64_t whole);

}  // namespace anemone::onnx

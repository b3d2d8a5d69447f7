#pragma once
// What lowering functions see and the table they stand in. Private to frontends/onnx.
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "anemone/frontends/onnx/emit.h"
#include "anemone/frontends/onnx/lower.h"

namespace anemone::onnx {

/// Thrown where an operand is missing because the node that gives it has been refused already.
struct Poisoned {};

/// What an ONNX value has become.
struct Lowered {
  DataType dtype = DataType::undefined;  ///< in the ONNX graph
  std::vector<MilValue*> items;          ///< one; of a sequence its elements, whose number is always known
  bool is_sequence = false;
};

class Lowering;

/// One node on its way to MIL. Integers of every width are int32 in MIL, but for what `quantize` makes; bool is bool;
/// float64 and bfloat16 are fp32.
class Call {
 public:
  Call(Lowering& lowering, const Node& node);

  const Node& node() const { return *node_; }
  std::int64_t opset() const;
  Target target() const;
  Emit& emit() const;
  Lowering& lowering() const { return *lowering_; }
  [[noreturn]] static void refuse(std::string reason, std::string help = {}) {
    throw Refused{std::move(reason), std::move(help)};
  }

  // Inputs.
  std::size_t inputs() const { return node_->input_count(); }
  bool has(std::size_t input) const { return node_->input(input) != nullptr; }
  const Lowered& lowered(std::size_t input) const;  ///< of any kind
  MilValue* raw(std::size_t input) const;           ///< a tensor in the dtype it has, int8 and uint8 among them
  MilValue* in(std::size_t input) const;            ///< the same with every integer as int32
  MilValue* real(std::size_t input) const;          ///< as fp16 or fp32
  DataType dtype(std::size_t input) const;
  const Dims& dims(std::size_t input) const;  ///< refuses extents that are known at run time only
  std::size_t rank(std::size_t input) const { return dims(input).size(); }
  ConstantPtr known(std::size_t input) const;  ///< null: comes at run time, or is left out
  Dims ints(std::size_t input) const;          ///< refuses what comes at run time
  std::vector<double> numbers(std::size_t input) const;
  /// From the input where it is given, else from the attribute; absent: neither.
  std::optional<Dims> ints(std::size_t input, std::string_view attribute) const;
  /// An axis counted from the front; refuses those outside.
  static std::size_t axis(std::int64_t axis, std::size_t rank);

  // Attributes.
  bool has_attribute(std::string_view name) const { return node_->attribute(name) != nullptr; }
  /// Integers of attributes are the nearest that 32 bits hold, as those of tensors are: "to the end" keeps its meaning.
  std::int64_t integer(std::string_view name, std::int64_t fallback) const;
  bool flag(std::string_view name, bool fallback) const { return node_->integer(name, fallback) != 0; }
  /// Of either kind: LpPool's p is a float in opset 1, and an integer since.
  double number(std::string_view name, double fallback) const {
    return has_attribute(name) ? node_->number(name, static_cast<float>(node_->integer(name, 0))) : fallback;
  }
  std::string text(std::string_view name, std::string_view fallback) const { return node_->text(name, fallback); }
  Dims list(std::string_view name) const;
  std::vector<float> floats(std::string_view name) const;
  std::vector<std::string> words(std::string_view name) const;
  const Graph& body(std::string_view name) const;

  // Results.
  std::size_t outputs() const { return node_->output_count(); }
  bool wants(std::size_t output) const;  ///< somebody uses it
  void give(MilValue* value) { give(0, value); }
  void give(std::size_t output, MilValue* value);
  void give(std::size_t output, Lowered lowered);

 private:
  Lowering* lowering_;
  const Node* node_;
};

/// One operation from an opset on. Its function refuses what it cannot say; lists that may be too short it reads with
/// at(), whose exception is a refusal too.
struct Row {
  std::string_view op;
  std::int64_t since = 1;
  void (*lower)(Call&) = nullptr;
  std::string_view limits = {};  ///< for the page: what is refused
  std::string_view domain = {};
};
// The rows by family.
std::span<const Row> activation_lowerings();
std::span<const Row> attention_lowerings();
std::span<const Row> control_lowerings();
std::span<const Row> conv_lowerings();
std::span<const Row> creation_lowerings();
std::span<const Row> elementwise_lowerings();
std::span<const Row> gather_lowerings();
std::span<const Row> loss_lowerings();
std::span<const Row> movement_lowerings();
std::span<const Row> normalization_lowerings();
std::span<const Row> pool_lowerings();
std::span<const Row> product_lowerings();
std::span<const Row> quantize_lowerings();
std::span<const Row> recurrent_lowerings();
std::span<const Row> reduction_lowerings();
std::span<const Row> resize_lowerings();
std::span<const Row> sample_lowerings();
std::span<const Row> sequence_lowerings();
std::span<const Row> slice_lowerings();
std::span<const Row> microsoft_lowerings();
/// The newest row that is not newer than the opset; null: not understood.
const Row* find_lowering(std::string_view domain, std::string_view op, std::int64_t opset);

/// The walk over a graph and what its values have become.
class Lowering {
 public:
  Lowering(const Model& model, const LowerOptions& options, anemone::Function& function);

  const Model& model() const { return *model_; }
  const LowerOptions& options() const { return *options_; }
  Emit& emit() { return emit_; }

  /// Lowers the nodes of a body; its inputs have been set. Refuses what any of them refuses.
  void lower_body(const Graph& graph);
  /// Lowers all nodes that `outputs` need, and notes what is refused.
  void lower_main(const Graph& graph, const std::vector<const Value*>& outputs);
  Lowered* find(const Value& value);
  void set(const Value& value, Lowered lowered) { values_[&value] = std::move(lowered); }
  /// Gives a value the name that the ONNX graph has for it, unless it has got one.
  void take_name(MilValue& value, const std::string& name);
  /// The error that says all that was refused; none when nothing was.
  Diagnostics refusals() const;
  void refuse(const Node& node, const Refused& why);
  std::size_t unrolled = 0;                ///< steps of loops so far
  std::size_t computed = 0, unneeded = 0;  ///< nodes of the main graph that gave constants; that nobody needs

 private:
  void budget(const Graph& graph);
  void lower_node(const Node& node);

  const Model* model_;
  const LowerOptions* options_;
  anemone::Function* function_;
  Emit emit_;
  std::unordered_set<const MilValue*> named_;
  std::unordered_map<const Value*, Lowered> values_;
  struct Group {
    std::string what, reason, help;
    std::vector<std::string> nodes;
  };
  std::vector<Group> refused_;
};

/// MIL's type for an ONNX type; refuses strings, complex numbers and what has none.
DType mil_dtype(DataType dtype);
bool is_integer_type(DataType dtype);
/// Values of an ONNX tensor as a MIL constant of mil_dtype. int64 beyond int32 becomes the nearest int32.
ConstantPtr to_mil(const Tensor& tensor, const std::filesystem::path& folder);
/// A value as a narrow integer type holds it: wrapped. Others stay as they are.
MilValue* wrap(Emit& emit, MilValue* value, DataType dtype);

/// A model without functions of its own: each node that calls one is replaced by its nodes.
Result<Model> inline_functions(const Model& model);

}  // namespace anemone::onnx

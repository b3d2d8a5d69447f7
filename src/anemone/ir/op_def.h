#pragma once
// What the rest of the program may ask about an operation: plain data and function pointers. An operation is a row of a
// table (ops/), not a class; this header knows the shape of a row and no row.
#include <functional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/support/result.h"

namespace anemone {

/// Numbers during reference execution. Every dtype of MIL activations fits a double exactly.
struct Array {
  DType dtype = DType::fp32;
  Dims dims;
  std::vector<double> data;  ///< row-major
  std::int64_t rank() const { return static_cast<std::int64_t>(dims.size()); }
  std::int64_t count() const { return static_cast<std::int64_t>(data.size()); }
};
/// Rounds to the array's dtype: fp16 and fp32 to nearest even, integers truncate toward zero and wrap, bool is != 0.
void round_to_dtype(Array& array);
Array to_array(const Constant& constant);
ConstantPtr to_constant(const Array& array);

/// Sets of dtypes that parameters accept (the letters of the MIL reference).
using DTypeSet = std::uint32_t;
constexpr DTypeSet dtype_bit(DType d) { return DTypeSet{1} << static_cast<int>(d); }
constexpr DTypeSet kFloats = dtype_bit(DType::fp16) | dtype_bit(DType::fp32);  // F
constexpr DTypeSet kNumbers = kFloats | dtype_bit(DType::int32);               // FI
constexpr DTypeSet kNumbersBool = kNumbers | dtype_bit(DType::boolean);        // FIB
constexpr DTypeSet kSmallInts =
    dtype_bit(DType::int8) | dtype_bit(DType::uint8) | dtype_bit(DType::int16) | dtype_bit(DType::uint16);
constexpr DTypeSet kAny17 = kNumbersBool | kSmallInts;                                                       // A17
constexpr DTypeSet kIndices17 = dtype_bit(DType::int8) | dtype_bit(DType::int16) | dtype_bit(DType::int32);  // X17
constexpr DTypeSet kInt32 = dtype_bit(DType::int32);
constexpr DTypeSet kBool = dtype_bit(DType::boolean);
constexpr DTypeSet kString = dtype_bit(DType::string);
constexpr DTypeSet kAnything = ~DTypeSet{0};

/// What an absent parameter means. `kernel(v)`, `eval`, passes and the reference page all read it from the row.
struct Default {
  enum class Kind : std::uint8_t { none, number, flag, word, derived };
  Kind kind = Kind::none;
  bool each = false;           ///< such a number or flag for each dimension: "1…"
  double number = 0;           ///< number, flag
  std::string_view text = {};  ///< word; derived: what people read ("all", "!align_corners")

  constexpr Default() = default;
  constexpr Default(int value) : kind(Kind::number), number(value) {}
  constexpr Default(double value) : kind(Kind::number), number(value) {}
  constexpr Default(bool value) : kind(Kind::flag), number(value) {}
  constexpr Default(const char* word) : kind(Kind::word), text(word) {}
  bool empty() const { return kind == Kind::none; }
};
constexpr Default each(Default one) {
  one.each = true;
  return one;
}
/// A default that depends on other operands; the type rule and the meaning compute it.
constexpr Default derived(const char* phrase) {
  Default out(phrase);
  out.kind = Default::Kind::derived;
  return out;
}
std::string to_string(const Default& fallback);  ///< "1…", "\"valid\"", "1e-05"; empty when there is none

/// What a parameter is to the operation.
enum class Role : std::uint8_t {
  data,    ///< numbers that come at run time
  weight,  ///< numbers that are usually trained: weight, bias, gamma …
  shape,   ///< integers that decide extents of the result
  mode,    ///< how it is done: strides, axes, words, flags, epsilon
};

struct Param {
  std::string_view name;
  DTypeSet types = kFloats;
  char group = 0;         ///< parameters with the same letter share one dtype; 0 = none
  bool constant = false;  ///< must be known at compile time
  bool required = true;
  bool list = false;  ///< takes several values
  Default fallback{};
  Role role = Role::data;
};

class InferView;
class EvalView;

/// One form of an operation: MIL changes a few of them between opsets. The newest form not above the program's opset is
/// the one that applies.
struct Form {
  Target since = Target::ios15;
  std::span<const Param> params;
  /// Checks the operands and computes the output types. Sees known extents; where one is unknown it does what it can.
  Result<std::vector<Type>> (*infer)(const InferView&);
};

/// Sets of operations with a name of their own. A row says which it belongs to; whoever treats several operations alike
/// asks for the set instead of listing them.
using OpSet = std::uint32_t;
enum OpTrait : OpSet {
  kElementwise = 1,  ///< output element depends on the input elements at the same (broadcast) place
  kMovement = 2,     ///< moves or copies elements, computes nothing
  kConstexpr = 4,    ///< a compressed constant: its result is a compile-time value
  kEffect = 8,       ///< must not be removed or reordered (write_state)
  kRandom = 16,      ///< not reproducible
  kActivation = 32,  ///< relu, sigmoid, gelu …: nonlinearities of one operand, element by element
  kEpilogue = 64,    ///< a device can apply it to a product's result on its way to memory
  kPool = 128,
  kNorm = 256,
  kView = 512,  ///< the same elements in the same order: reshape, squeeze, identity …
  kReduction = 1024,
  kProduct = 2048,      ///< sums of products: conv, conv_transpose, linear, matmul, einsum, attention
  kConvolution = 4096,  ///< conv and conv_transpose
  kRecurrent = 8192,    ///< lstm, gru, rnn
  kResize = 16384,      ///< upsample_* and resize*: the last dimensions in another size
};

struct OpDef {
  std::string_view name;
  std::string_view summary;     ///< the formula in a few words
  std::span<const Form> forms;  ///< oldest first
  /// The meaning: reference execution and constant folding. Null: types are known, execution is not.
  Result<void> (*eval)(EvalView&) = nullptr;
  /// Multiply-accumulates, for conv, conv_transpose, linear, matmul, einsum and attention; null = 0.
  std::int64_t (*macs)(const Node&) = nullptr;
  OpSet traits = 0;

  bool is(OpSet any) const { return (traits & any) != 0; }
  const Form* form(Target opset) const;  ///< null when the operation is newer than the opset
};

/// Whether the node's operation is in one of the sets; an opaque one is in none.
inline bool is(const Node& node, OpSet any) { return node.def && node.def->is(any); }

class OpTable {
 public:
  explicit OpTable(std::span<const std::span<const OpDef>> families);
  const OpDef* find(std::string_view name) const;
  const std::vector<const OpDef*>& all() const { return all_; }  ///< by family, in table order

 private:
  std::vector<const OpDef*> all_;
  std::unordered_map<std::string_view, const OpDef*> by_name_;
};

/// Typed access to compile-time operands. Where one is absent the row answers with its default; where the row has none,
/// 0, false or "".
class ConstantView {
 public:
  explicit ConstantView(const Node& node);
  virtual ~ConstantView() = default;
  const Node& node() const { return *node_; }
  virtual bool has(std::string_view param) const { return node_->operand(param) != nullptr; }
  virtual const Constant* constant(std::string_view param) const { return node_->constant(param); }

  std::int64_t integer(std::string_view param) const { return static_cast<std::int64_t>(number(param)); }
  double number(std::string_view param) const;
  bool flag(std::string_view param) const { return number(param) != 0; }
  std::string text(std::string_view param) const;
  Dims ints(std::string_view param) const;                                   ///< empty when absent
  Dims ints(std::string_view param, std::size_t count) const;                ///< the default as often when absent
  std::vector<bool> flags(std::string_view param, std::size_t count) const;  ///< short lists are filled with false
  /// The default of the form that applies, else of the next one that has the parameter: what a later form names is what
  /// the earlier ones did without a word. None for a parameter without one.
  const Default& fallback(std::string_view param) const;

 protected:
  ConstantView(const Node* node, const OpDef* def, const Form* form) : node_(node), def_(def), form_(form) {}
  const Node* node_;
  const OpDef* def_;  ///< null for an opaque operation
  const Form* form_;  ///< the one of its forms that applies; null where none does
};

/// One value bound to a parameter, as a type rule sees it.
struct Given {
  std::string_view param;
  const Type* type = nullptr;
  const Constant* constant = nullptr;  ///< its content, where that is known now
  bool is_static = false;              ///< known before run time
  const Value* value = nullptr;        ///< the value itself; null when there is no graph behind the question
};

/// The question "what would come out?". There need be no node: builders ask before they make one, the executor asks with
/// the shapes that arrived.
struct TypeQuestion {
  const OpDef* def = nullptr;
  Target opset = Target::ios17;
  std::vector<Given> given;    ///< values of a list parameter stand one after the other
  const Node* node = nullptr;  ///< for operations with blocks, and for messages
  std::string_view name = {};  ///< without a node: what it would be called, for messages
};
TypeQuestion question_of(const Node& node, Target opset);

/// An operation as its type rule sees it.
class InferView : public ConstantView {
 public:
  InferView(const TypeQuestion& question, const Form* form)
      : ConstantView(question.node, question.def, form), question_(&question) {}
  Target opset() const { return question_->opset; }
  bool has(std::string_view param) const override { return given(param) != nullptr; }
  const Constant* constant(std::string_view param) const override;
  const Given* given(std::string_view param) const;  ///< the first value bound to it, or null
  std::span<const Given> all(std::string_view param) const;
  std::span<const std::unique_ptr<Block>> blocks() const;
  const Type& type(std::string_view param) const;  ///< of the value bound to it (an empty type if absent)
  std::vector<const Type*> types(std::string_view param) const;
  /// Contents of an integer operand when it is known now (a constant); nothing when it comes at run time.
  std::optional<Dims> known_ints(std::string_view param) const;
  /// Neither known before run time nor about to become so by folding.
  bool comes_at_run_time(std::string_view param) const;
  /// Blames a parameter.
  Diagnostic wrong(std::string_view param, std::string message, std::string help = {}) const;

 private:
  const TypeQuestion* question_;
};

/// A node as its meaning sees it: operands as arrays, outputs to be filled (dims and dtype are set, data is zero).
class EvalView : public ConstantView {
 public:
  using Fetch = std::function<const Array*(const Value&)>;
  EvalView(const Node& node, const Fetch& fetch, std::vector<Array>& outputs)
      : ConstantView(node), fetch_(&fetch), outputs_(&outputs) {}
  const Array& in(std::string_view param) const;  ///< required by the type rule
  const Array* maybe(std::string_view param) const;
  std::vector<const Array*> ins(std::string_view param) const;
  /// An integer operand, constant or computed.
  Dims ints_of(std::string_view param) const;
  Array& out(std::size_t index = 0) { return (*outputs_)[index]; }
  Diagnostic wrong(std::string_view param, std::string message, std::string help = {}) const;

 private:
  const Fetch* fetch_;
  std::vector<Array>* outputs_;
};

/// Checks the operands against the form's parameter list (names, presence, constness, dtypes), then runs the type rule.
/// Execution ignores the dtype groups: packages by others mix dtypes where MIL forbids it (coremltools writes an fp32
/// epsilon beside fp16 statistics), and what they mean is clear.
enum class DTypeGroups : std::uint8_t { checked, ignored };
Result<std::vector<Type>> infer_types(const TypeQuestion& question, DTypeGroups groups = DTypeGroups::checked);
Result<std::vector<Type>> infer_types(const Node& node, Target opset, DTypeGroups groups = DTypeGroups::checked);

/// "conv 'y': " for messages.
std::string describe(const Node& node);

}  // namespace anemone

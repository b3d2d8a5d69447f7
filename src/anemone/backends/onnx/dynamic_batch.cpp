// Follows the samples through the graph. They stay in front: the first extent of what carries them is samples times
// something, which a Reshape may change.
#include "anemone/backends/onnx/dynamic_batch.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "anemone/backends/onnx/emit.h"
#include "anemone/onnx/infer.h"

namespace anemone::onnx::exporting {
namespace {

/// Element by element, with shapes that broadcast.
const std::set<std::string, std::less<>> kElementwise{"Abs",
                                                      "Acos",
                                                      "Add",
                                                      "And",
                                                      "Asin",
                                                      "Atan",
                                                      "Atanh",
                                                      "Cast",
                                                      "Ceil",
                                                      "Clip",
                                                      "Cos",
                                                      "Cosh",
                                                      "Div",
                                                      "Elu",
                                                      "Equal",
                                                      "Erf",
                                                      "Exp",
                                                      "Floor",
                                                      "Gelu",
                                                      "Greater",
                                                      "GreaterOrEqual",
                                                      "HardSigmoid",
                                                      "Identity",
                                                      "LeakyRelu",
                                                      "Less",
                                                      "LessOrEqual",
                                                      "Log",
                                                      "Max",
                                                      "Min",
                                                      "Mod",
                                                      "Mul",
                                                      "Neg",
                                                      "Not",
                                                      "Or",
                                                      "Pow",
                                                      "PRelu",
                                                      "Relu",
                                                      "Round",
                                                      "Sigmoid",
                                                      "Sign",
                                                      "Sin",
                                                      "Sinh",
                                                      "Softplus",
                                                      "Softsign",
                                                      "Sqrt",
                                                      "Sub",
                                                      "Tan",
                                                      "Tanh",
                                                      "Where",
                                                      "Xor",
                                                      "QuantizeLinear",
                                                      "DequantizeLinear"};
/// Sample by sample, whatever their attributes say.
const std::set<std::string, std::less<>> kBySample{
    "AveragePool",  "BatchNormalization",    "Conv",      "ConvTranspose",
    "DepthToSpace", "InstanceNormalization", "LRN",       "LpPool",
    "MaxPool",      "SpaceToDepth",          "GridSample"};
/// With an axis, which must not be that of the samples.
const std::set<std::string, std::less<>> kAlongAxis{
    "ArgMax", "ArgMin", "Concat", "Gather", "GatherElements", "LayerNormalization", "Softmax", "Split", "TopK"};

class Follower {
 public:
  Follower(Model& model, std::string symbol) : model_(model), graph_(*model.graph), symbol_(std::move(symbol)) {}

  Result<void> run() {
    for (Value* input : graph_.inputs()) {
      const auto& shape = input->type.shape;
      if (!shape || shape->size() < 2 || extent(shape->front()) != 1) continue;
      samples_[input] = 1;
      if (!first_) first_ = input;
    }
    if (!first_) {
      return bad_input(ErrorCode::onnx_batch_fixed, "no input has a first extent of 1, which could be the batch", {},
                       "leave '--dynamic-batch' out");
    }
    std::vector<Node*> nodes;
    for (const auto& node : graph_.nodes()) nodes.push_back(node.get());
    for (Node* node : nodes) visit(*node);
    if (!problems_.empty()) return refusal();
    drop_replaced_shapes();
    for (const auto& value : graph_.values()) retype(*value);
    if (Diagnostics problems = infer_types(model_); !problems.empty())
      return own_bug("a batch that varies contradicts the graph: " + problems[0].message, problems[0].place);
    return {};
  }

 private:
  std::int64_t factor(const Value* value) const {  // of the first extent, besides the samples; 0: carries none
    const auto found = samples_.find(value);
    return found == samples_.end() ? 0 : found->second;
  }
  static std::size_t rank(const Value* value) { return value->type.shape ? value->type.shape->size() : 0; }
  static std::int64_t first_extent(const Value* value) { return extent(value->type.shape->front()); }
  Value* ints(const Dims& values) {
    return Raising(graph_, options_)
        .constant(DataType::int64, {static_cast<std::int64_t>(values.size())},
                  std::vector<double>(values.begin(), values.end()), "shape");
  }

  void refuse(const Node& node, const std::string& why) { problems_.push_back({why, node.op_type, node.name}); }

  void visit(Node& node) {
    std::int64_t k = 0;
    for (std::size_t i = 0; i < node.input_count(); ++i) {
      if (!node.input(i)) continue;
      const std::int64_t here = factor(node.input(i));
      if (k != 0 && here != 0 && here != k) return refuse(node, "joins samples that are cut into different pieces");
      k = std::max(k, here);
    }
    if (k == 0) return;
    for (std::size_t i = 0; i < node.output_count(); ++i) samples_[node.output(i)] = k;
    const std::string& op = node.op_type;
    if (kElementwise.contains(op)) {
      check_broadcast(node, k);
    } else if (kAlongAxis.contains(op)) {
      along_axis(node);
    } else if (op == "Reshape") {
      reshape(node, k);
    } else if (op == "Resize") {
      resize(node);
    } else if (!kBySample.contains(op) && !is_by_sample(node)) {
      refuse(node, "is not known to work sample by sample");
    }
  }

  /// What is stretched lies behind the first extent.
  void check_broadcast(const Node& node, std::int64_t k) {
    for (std::size_t i = 0; i < node.input_count(); ++i) {
      const Value* input = node.input(i);
      if (!input) continue;
      if (factor(input) != 0 ? rank(input) != rank(node.output(0))
                             : rank(input) == rank(node.output(0)) && first_extent(input) != 1 && k >= 1)
        return refuse(node, "meets a tensor that fits one sample alone");
    }
  }

  bool is_by_sample(const Node& node) const {
    const auto constants = [&](std::size_t input) {
      const Value* value = node.input(input);
      return value && value->tensor ? read_integers(*value->tensor) : std::nullopt;
    };
    const auto behind = [&](const std::optional<Dims>& axes) {
      return axes && !axes->empty() && std::all_of(axes->begin(), axes->end(), [&](std::int64_t axis) {
               return axis > 0 || (axis < 0 && axis + static_cast<std::int64_t>(rank(node.output(0))) > 0);
             });
    };
    const std::string& op = node.op_type;
    if (op == "Transpose") return node.integers("perm").front() == 0;
    if (op == "Gemm") return node.integer("transA", 0) == 0 && factor(node.input(1)) == 0;
    if (op == "MatMul") return by_sample_matmul(node);
    if (op == "Slice") return behind(constants(3));
    if (op == "Unsqueeze" || op == "Squeeze") return behind(constants(1));
    if (op.starts_with("Reduce")) return behind(node.input(1) ? constants(1) : node.integers("axes"));
    if (op == "CumSum") return behind(constants(1));
    if (op == "Tile") return constants(1) && constants(1)->front() == 1;
    if (op == "Pad") return constants(1) && constants(1)->front() == 0 && (*constants(1))[rank(node.output(0))] == 0;
    return false;
  }
  bool by_sample_matmul(const Node& node) const {
    const Value *a = node.input(0), *b = node.input(1);
    if (factor(b) == 0) return rank(b) <= std::max<std::size_t>(2, rank(a)) && (rank(b) < 3 || first_extent(b) == 1);
    if (factor(a) == 0) return rank(b) > 2 && (rank(a) < rank(b) || first_extent(a) == 1);
    return rank(a) == rank(b) && rank(a) > 2;
  }

  void along_axis(Node& node) {
    const auto n = static_cast<std::int64_t>(rank(node.input(0)));
    const std::int64_t fallback = node.op_type == "LayerNormalization" || node.op_type == "Softmax" ? -1 : 0;
    const std::int64_t axis = node.integer("axis", fallback);
    if (axis == 0 || axis + n == 0) return refuse(node, "works across samples");
    if (node.op_type == "Gather" && factor(node.input(1)) != 0) return refuse(node, "takes its places from samples");
    if (node.op_type == "GatherElements" && factor(node.input(1)) == 0)
      return refuse(node, "has places for one sample");
    if (node.op_type != "Concat") return;
    for (std::size_t i = 0; i < node.input_count(); ++i) {
      if (factor(node.input(i)) == 0) node.set_input(i, repeated(*node.input(i), node));
    }
  }

  /// A constant for as many samples as there are. Its first extent is 1.
  Value* repeated(Value& constant, const Node& before) {
    if (first_extent(&constant) != 1) {
      refuse(before, "joins samples with a constant for several");
      return &constant;
    }
    Value*& known = repeated_[&constant];
    if (known) return known;
    Dims ones(rank(&constant) - 1, 1);
    Value* shape = add("Concat", {count_of_samples(), ints(ones)}, constant.name() + "_shape",
                       {attr("axis", std::int64_t{0})}, &before);
    known = add("Expand", {&constant, shape}, constant.name() + "_repeated", {}, &before);
    known->type = constant.type;
    samples_[known] = 1;
    return known;
  }

  Value* count_of_samples() {
    if (count_) return count_;
    const Node* front = graph_.nodes().front().get();
    Value* shape = add("Shape", {first_}, first_->name() + "_shape", {}, front);
    return count_ = add("Slice", {shape, ints({0}), ints({1})}, symbol_, {}, front);
  }

  Value* add(const std::string& op, Inputs inputs, const std::string& name, Attrs attributes, const Node* before) {
    Value* value = graph_.add_value(graph_.free_name(name));
    Node& node = graph_.add_node(op, std::move(inputs), {value}, before);
    node.name = value->name();
    node.attributes = std::move(attributes);
    return value;
  }

  // Samples are the outermost factor of the elements, so whatever the first extent was, it is that many times as long.
  void reshape(Node& node, std::int64_t k) {
    const auto& shape = node.output(0)->type.shape;
    if (!node.input(1)->tensor || !shape || shape->empty()) return refuse(node, "gives a shape that is no constant");
    Dims to;
    for (const Dimension& d : *shape) to.push_back(extent(d));
    if (std::find(to.begin() + 1, to.end(), -1) != to.end()) return refuse(node, "gives an extent that is not known");
    const std::int64_t pieces = to[0];
    to[0] = pieces == k && first_extent(node.input(0)) == k ? 0 : -1;  // 0: as it came
    samples_[node.output(0)] = pieces;
    node.set_input(1, ints(to));
  }

  // Sizes name the samples; from opset 18 on they may be left out.
  void resize(Node& node) {
    if (node.input(2)) return;
    if (model_.opset() < 18) return refuse(node, "gives sizes of all extents; from opset 18 on it need not");
    const auto sizes = read_integers(*node.input(3)->tensor);
    Dims axes, wanted;
    for (std::size_t d = 1; d < sizes->size(); ++d) {
      axes.push_back(static_cast<std::int64_t>(d));
      wanted.push_back((*sizes)[d]);
    }
    node.set_input(3, ints(wanted));
    node.attributes.push_back(attr("axes", axes));
  }

  void drop_replaced_shapes() {
    std::vector<Value*> unused;
    for (const auto& value : graph_.values()) {
      if (value->is_initializer() && value->uses().empty() && !value->is_input()) unused.push_back(value.get());
    }
    for (Value* value : unused) graph_.erase(*value);
  }

  void retype(Value& value) {
    const std::int64_t k = factor(&value);
    if (k == 0) {
      if (value.producer()) value.type = {};
      return;
    }
    const bool stays = value.is_input() ||
                       std::find(graph_.outputs().begin(), graph_.outputs().end(), &value) != graph_.outputs().end();
    if (!stays) {
      value.type = {};
    } else if (k == 1) {
      value.type.shape->front() = {{}, symbol_, {}};
    } else {
      value.type.shape->front() = {};
    }
  }

  Diagnostic refusal() const {
    Diagnostic d = bad_input(ErrorCode::onnx_batch_fixed,
                             fmt::format("{} operations work for one sample alone", problems_.size()));
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> grouped;
    for (const auto& [why, op, name] : problems_) grouped[{op, why}].push_back(name);
    for (const auto& [what, names] : grouped) {
      d.notes.push_back(fmt::format("{} × {} ({}{}): {}", names.size(), what.first, names[0],
                                    names.size() > 1 ? ", …" : "", what.second));
    }
    d.help = "leave '--dynamic-batch' out; '--opset 18' where sizes are the reason";
    return d;
  }

  struct Problem {
    std::string why, op, name;
  };
  Model& model_;
  Graph& graph_;
  std::string symbol_;
  RaiseOptions options_;
  std::unordered_map<const Value*, std::int64_t> samples_;
  std::unordered_map<const Value*, Value*> repeated_;
  Value *first_ = nullptr, *count_ = nullptr;
  std::vector<Problem> problems_;
};

}  // namespace

Result<void> make_batch_dynamic(Model& model, const std::string& symbol) { return Follower(model, symbol).run(); }

}  // namespace anemone::onnx::exporting

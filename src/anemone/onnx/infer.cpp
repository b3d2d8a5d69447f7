// The walk of the inference: bodies, known integers, and what becomes of declared types.
#include "anemone/onnx/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace anemone::onnx {
namespace {

std::string shown(const Dimension& dimension) {
  if (extent(dimension) >= 0) return std::to_string(extent(dimension));
  return dimension.symbol.empty() ? "?" : dimension.symbol;
}

std::string shown(const Type& type) {
  std::string text(onnxspec::name_of(type.dtype));
  if (!type.shape) return text;
  text += '[';
  for (std::size_t i = 0; i < type.shape->size(); ++i) text += (i > 0 ? "," : "") + shown((*type.shape)[i]);
  return text + ']';
}

/// What is known from either side; absent where they contradict each other.
std::optional<Type> merged(const Type& inferred, const Type& declared) {
  if (inferred.kind == Type::Kind::none) return declared;
  if (declared.kind == Type::Kind::none) return inferred;
  if (inferred.kind != Type::Kind::tensor) return inferred;
  if (declared.kind != Type::Kind::tensor) return std::nullopt;
  Type type = inferred;
  if (type.dtype == DataType::undefined) type.dtype = declared.dtype;
  if (declared.dtype != DataType::undefined && declared.dtype != type.dtype) return std::nullopt;
  type.denotation = declared.denotation;
  if (!type.shape || !declared.shape) {
    if (!type.shape) type.shape = declared.shape;
    return type;
  }
  if (type.shape->size() != declared.shape->size()) return std::nullopt;
  for (std::size_t i = 0; i < type.shape->size(); ++i) {
    Dimension& mine = (*type.shape)[i];
    const Dimension& other = (*declared.shape)[i];
    if (extent(mine) >= 0 && extent(other) >= 0 && extent(mine) != extent(other)) return std::nullopt;
    if (extent(mine) < 0 && (extent(other) >= 0 || mine.symbol.empty())) mine = other;
  }
  return type;
}

class Inference {
 public:
  Inference(Model& model, const InferOptions& options) : model_(model), options_(options) {}

  Diagnostics run() {
    walk(*model_.graph);
    return std::move(problems_);
  }
  Diagnostics run(Node& node) {
    visit(node);
    return std::move(problems_);
  }

 private:
  void walk(Graph& graph) {
    for (const auto& node : graph.nodes()) {
      for (const auto& [name, body] : node->bodies) {
        give_inputs(*node, name, *body);
        walk(*body);
      }
      visit(*node);
    }
  }

  /// What the inputs of a body are, from those of the node. Extents of what a loop carries may change.
  void give_inputs(const Node& node, const std::string& name, Graph& body) {
    if (!node.domain.empty() || name != "body") return;
    const bool loop = node.op_type == "Loop", scan = node.op_type == "Scan";
    for (std::size_t i = 0; i < body.inputs().size() && (loop || scan); ++i) {
      Type& type = body.inputs()[i]->type;
      if (type.kind != Type::Kind::none) continue;
      if (loop && i < 2) {  // the counter and the condition
        type.kind = Type::Kind::tensor;
        type.dtype = i == 0 ? DataType::int64 : DataType::boolean;
        type.shape.emplace();
      } else if (const Value* given = node.input(i)) {
        type = given->type;
        type.shape.reset();
      }
    }
  }

  void visit(Node& node) {
    InferView view(model_, node, known_);
    if (node.domain.empty() && node.op_type == "If") {
      infer_if(node, view);
    } else if (node.domain.empty() && (node.op_type == "Loop" || node.op_type == "Scan")) {
      infer_loop(node, view);
    } else if (const InferRow* row = find_row(node.domain, node.op_type)) {
      row->infer(view);
    }
    if (!view.failure().empty()) {
      problems_.push_back(bad_input(ErrorCode::onnx_node_refused, view.failure(), place(node)));
      return;
    }
    const InferOptions::Told told = options_.told ? options_.told(model_, node) : InferOptions::Told::all;
    for (std::size_t i = 0; i < node.output_count(); ++i) {
      if (!node.output(i) || !view.results()[i]) continue;
      Type type = *view.results()[i];
      if (told == InferOptions::Told::element_type) type.shape.reset();
      if (told == InferOptions::Told::rank && type.shape) type.shape = unknown_shape(type.shape->size());
      accept(node, *node.output(i), type);
    }
    if (!options_.propagate_data || node.output_count() != 1 || !node.output(0)) return;
    if (std::optional<Known> values = compute_known(view); values && values->size() <= kMostKnown)
      known_[node.output(0)] = *std::move(values);
  }

  void accept(const Node& node, Value& value, const Type& inferred) {
    if (std::optional<Type> type = merged(inferred, value.type)) {
      value.type = *std::move(type);
      return;
    }
    Diagnostic warning = bad_input(
        ErrorCode::onnx_type_differs,
        fmt::format("'{}' is declared {} and is {}", value.name(), shown(value.type), shown(inferred)), place(node));
    warning.severity = Severity::warning;
    problems_.push_back(std::move(warning));
    value.type = inferred;
  }

  static void infer_if(const Node& node, InferView& view) {
    if (node.bodies.size() != 2) return;
    const auto& a = node.bodies[0].second->outputs();
    const auto& b = node.bodies[1].second->outputs();
    for (std::size_t i = 0; i < node.output_count() && i < a.size() && i < b.size(); ++i) {
      Type type = a[i]->type;
      const Type& other = b[i]->type;
      if (type.kind != Type::Kind::tensor || other.kind != Type::Kind::tensor || type.dtype != other.dtype) continue;
      if (!type.shape || !other.shape || type.shape->size() != other.shape->size()) {
        type.shape.reset();
      } else {
        for (std::size_t k = 0; k < type.shape->size(); ++k) {
          if ((*type.shape)[k] != (*other.shape)[k]) (*type.shape)[k] = {};
        }
      }
      view.set(i, std::move(type));
    }
  }

  /// Element types only: what a loop carries may change its extents, and how often it runs is not known.
  static void infer_loop(const Node& node, InferView& view) {
    if (node.bodies.empty()) return;
    const auto& outputs = node.bodies[0].second->outputs();
    const std::size_t skip = node.op_type == "Loop" ? 1 : 0;  // the condition
    for (std::size_t i = 0; i < node.output_count() && i + skip < outputs.size(); ++i) {
      const Type& type = outputs[i + skip]->type;
      if (type.kind == Type::Kind::tensor) view.set(i, type.dtype, std::nullopt);
    }
  }

  std::string place(const Node& node) const {
    const std::string& name = !node.name.empty() || !node.output(0) ? node.name : node.output(0)->name();
    return fmt::format("{}: {} '{}'", model_.file, node.op_type, name);
  }

  Model& model_;
  const InferOptions& options_;
  std::unordered_map<const Value*, Known> known_;
  Diagnostics problems_;
};

}  // namespace

Diagnostics infer_types(Model& model, const InferOptions& options) { return Inference(model, options).run(); }

Diagnostics infer_types(Model& model, Node& node, const InferOptions& options) {
  return Inference(model, options).run(node);
}

/// What ONNX Runtime's own operations are like, as far as types go; empty: like none.
static std::string_view standard_name(std::string_view op) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"BiasGelu", "Gelu"},  {"FastGelu", "Gelu"}, {"FusedConv", "Conv"},
      {"FusedGemm", "Gemm"}, {"Gelu", "Gelu"},     {"QuickGelu", "Gelu"},
  };
  const auto found =
      std::find_if(std::begin(kNames), std::end(kNames), [&](const auto& pair) { return pair.first == op; });
  return found == std::end(kNames) ? std::string_view() : found->second;
}

const InferRow* find_row(std::string_view domain, std::string_view op) {
  static const std::unordered_map<std::string_view, const InferRow*> kRows = [] {
    std::unordered_map<std::string_view, const InferRow*> rows;
    for (const auto family :
         {elementwise_rows(), window_rows(), product_rows(), movement_rows(), reduction_rows(), creation_rows()}) {
      for (const InferRow& row : family) rows.emplace(row.op, &row);
    }
    return rows;
  }();
  const bool contributed = domain == "com.microsoft";
  const auto found = kRows.find(contributed ? standard_name(op) : op);
  return (domain.empty() || contributed) && found != kRows.end() ? found->second : nullptr;
}

const Type* InferView::type(std::size_t input) const {
  const Value* value = node_.input(input);
  return value ? &value->type : nullptr;
}

DataType InferView::dtype(std::size_t input) const {
  const Type* t = type(input);
  return t && t->kind == Type::Kind::tensor ? t->dtype : DataType::undefined;
}

const Shape* InferView::shape(std::size_t input) const {
  const Type* t = type(input);
  return t && t->kind == Type::Kind::tensor && t->shape ? &*t->shape : nullptr;
}

const Tensor* InferView::constant(std::size_t input) const {
  const Value* value = node_.input(input);
  if (!value) return nullptr;
  if (value->tensor) return model_.is_constant(*value) && !value->tensor->external ? value->tensor.get() : nullptr;
  const Node* producer = value->producer();
  if (!producer || producer->op_type != "Constant" || !producer->domain.empty()) return nullptr;
  const Attribute* attribute = producer->attribute("value");
  const auto* tensors = attribute ? std::get_if<std::vector<Tensor>>(&attribute->value) : nullptr;
  return tensors && tensors->size() == 1 && !tensors->front().external ? &tensors->front() : nullptr;
}

const Known* InferView::known(std::size_t input) const {
  const Value* value = node_.input(input);
  const auto found = value ? known_.find(value) : known_.end();
  return found == known_.end() ? nullptr : &found->second;
}

std::optional<std::vector<std::int64_t>> InferView::integers(std::size_t input) const {
  if (const Tensor* tensor = constant(input)) return read_integers(*tensor);
  const Known* values = known(input);
  if (!values) return std::nullopt;
  std::vector<std::int64_t> all;
  for (const auto& value : *values) {
    if (!value) return std::nullopt;
    all.push_back(*value);
  }
  return all;
}

std::optional<std::vector<double>> InferView::numbers(std::size_t input) const {
  const Tensor* tensor = constant(input);
  if (tensor) return read_numbers(*tensor);
  const auto whole = integers(input);
  if (!whole) return std::nullopt;
  return std::vector<double>(whole->begin(), whole->end());
}

std::optional<std::vector<std::int64_t>> InferView::integers(std::size_t input, std::string_view attribute) const {
  if (has(input)) return integers(input);
  if (!node_.attribute(attribute)) return std::nullopt;
  return node_.integers(attribute);
}

void InferView::set(std::size_t output, Type type) {
  if (output < outputs_.size()) outputs_[output] = std::move(type);
}

void InferView::set(std::size_t output, DataType dtype, std::optional<Shape> shape) {
  Type type;
  type.kind = Type::Kind::tensor;
  type.dtype = dtype;
  type.shape = std::move(shape);
  set(output, std::move(type));
}

}  // namespace anemone::onnx

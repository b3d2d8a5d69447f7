// What a function must be like for the engine to take it, and what its nodes must be like for kernels.
#include "anemone/runtime/graph_view.h"

#include <fmt/format.h>

#include "anemone/runtime/kernel_table.h"

namespace anemone::runtime {

Diagnostic refuse(const Node& node, ErrorCode code, std::string message, std::string help) {
  return bad_input(code, fmt::format("{} {}", describe(node), message), node.origin, std::move(help));
}

Result<void> check_operand(const Value& value, const Node& node) {
  if (value.constant && value.constant->is_string()) return {};
  if (!value.type.is_tensor() || value.type.dtype == DType::string) {
    return refuse(
        node, ErrorCode::not_a_tensor,
        fmt::format("uses '{}', a {}: only tensors of numbers are executed", value.name, to_string(value.type)));
  }
  if (!value.type.is_fixed()) {
    return refuse(
        node, ErrorCode::extent_unknown,
        fmt::format("uses '{}' of type {}, which is not known before run time", value.name, to_string(value.type)),
        "give all shapes with --shapes");
  }
  const auto count = element_count(value.type.dims);
  if (!count || *count > std::int64_t{1} << 56) {
    return refuse(node, ErrorCode::value_too_large,
                  fmt::format("uses '{}' of type {}, which no memory can hold", value.name, to_string(value.type)));
  }
  const Constant* c = value.constant.get();
  if (!c) return {};
  if (!c->missing.empty()) {
    return refuse(node, ErrorCode::no_value,
                  fmt::format("needs the constant '{}', whose payload should be in '{}'", value.name, c->missing),
                  "copy the whole package");
  }
  const auto bytes = byte_count(c->type.dtype, c->type.dims);
  if (!bytes || static_cast<std::int64_t>(c->data.size()) < *bytes) {
    return refuse(node, ErrorCode::no_value,
                  fmt::format("needs the constant '{}', which has {} bytes instead of {}", value.name, c->data.size(),
                              bytes.value_or(0)));
  }
  return {};
}

Result<GraphView> GraphView::of(const Function& function, const EngineOptions& options) {
  GraphView view(function, options);
  view.find_needed();
  for (const Node& node : function.body.nodes) {
    if (view.is_needed(node)) TRY_VOID(view.check(node));
  }
  return view;
}

void GraphView::find_needed() {
  const Block& body = function_->body;
  std::vector<const Node*> open;
  const auto want = [&](const Value* value) {
    if (value->producer && needed_.insert(value->producer).second) open.push_back(value->producer);
  };
  for (const Value* output : body.outputs()) want(output);
  for (const Node& node : body.nodes) {
    if (node.def && node.def->is(kEffect) && needed_.insert(&node).second) open.push_back(&node);
  }
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    for (const Operand& operand : node->operands()) std::for_each(operand.values.begin(), operand.values.end(), want);
  }
}

Result<void> GraphView::check(const Node& node) {
  if (!node.blocks.empty()) {
    return refuse(node, ErrorCode::nested_blocks,
                  fmt::format("has {} nested blocks: control flow is not executed", node.blocks.size()));
  }
  if (!node.def) {
    return refuse(node, ErrorCode::not_executable, "is not an operation that anemone understands",
                  "'anemone ops' lists those it does");
  }
  if (node.def->is(kEffect)) return refuse(node, ErrorCode::changes_a_state, "changes a state, which is not executed");
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) TRY_VOID(check_operand(*value, node));
  }
  for (const auto& output : node.outputs) TRY_VOID(check_operand(*output, node));
  if (!node.def->eval && !find_kernel(node.type))
    return refuse(node, ErrorCode::not_executable, "can be read and written, but not executed");
  TRY(const std::vector<Type> types, infer_types(node, function_->opset, DTypeGroups::ignored));
  bool exact = true;
  for (std::size_t i = 0; i < std::max(types.size(), node.outputs.size()); ++i) {
    const Type declared = i < node.outputs.size() ? node.outputs[i]->type : Type::tuple({});
    Type type = i < types.size() ? types[i] : Type::tuple({});
    // Packages by others declare another float than the rule gives; the declared one is what they were computed with.
    if (is_float(declared.dtype) && is_float(type.dtype)) type.dtype = declared.dtype;
    if (!compatible(declared, type)) {
      return refuse(node, ErrorCode::result_differs,
                    fmt::format("is declared as {}, and {} comes out", to_string(declared), to_string(type)));
    }
    exact = exact && type == declared;
  }
  if (exact) exact_.insert(&node);
  return {};
}

bool GraphView::rounds(const Type& type) const {
  if (!is_float(type.dtype) || options_.precision == Precision::fp32) return false;
  return type.dtype == DType::fp16 || options_.precision == Precision::fp16;
}

bool GraphView::narrows(const Node& node) const {
  bool wide = false, narrow = false;
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) wide = wide || (is_float(value->type.dtype) && !rounds(*value));
  }
  for (const auto& out : node.outputs) narrow = narrow || rounds(*out);
  return wide && narrow;
}

const Node* GraphView::only_user(const Value& value) const {
  if (value.output_uses > 0) return nullptr;
  const Node* only = nullptr;
  for (const Use& use : value.uses) {
    if (!needed_.contains(use.node)) continue;
    if (only) return nullptr;
    only = use.node;
  }
  return only;
}

namespace {

/// Whether a word is in a list with spaces between.
bool lists(std::string_view words, std::string_view word) {
  for (std::size_t at = 0; at <= words.size();) {
    const std::size_t end = std::min(words.find(' ', at), words.size());
    if (words.substr(at, end - at) == word) return true;
    at = end + 1;
  }
  return false;
}

Role role_of(const OpDef& def, std::string_view param) {
  for (const Form& form : def.forms) {
    for (const Param& p : form.params) {
      if (p.name == param) return p.role;
    }
  }
  return Role::mode;
}

}  // namespace

Need need_of(const OpDef& def, const KernelRow& row, std::string_view param) {
  if (lists(row.constants, param)) return Need::constant;
  if (lists(row.shapes, param)) return Need::shape;
  const Role role = role_of(def, param);
  return role == Role::data ? Need::data : role == Role::weight ? Need::known : Need::constant;
}

bool GraphView::suits_kernels(const Node& node) const {
  const KernelRow* row = find_kernel(node.type);
  if (!row || !node.def || !is_exact(node)) return false;
  const auto fills = [](const Value& value) { return is_real(value) && !is_empty(value); };
  for (const Operand& operand : node.operands()) {
    const Need need = need_of(*node.def, *row, operand.param);
    for (const Value* value : operand.values) {
      if (need == Need::data && !fills(*value)) return false;
      if (need == Need::known && !(is_computed_from_static(value) && fills(*value))) return false;
      if (need == Need::constant && !value->constant) return false;
    }
  }
  return std::all_of(node.outputs.begin(), node.outputs.end(), [&](const auto& out) { return fills(*out); });
}

}  // namespace anemone::runtime

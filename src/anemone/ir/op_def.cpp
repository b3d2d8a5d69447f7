// Lookup of rows and forms, the views that rules and meanings use, and the checks that follow from parameter lists.
#include "anemone/ir/op_def.h"

#include <fmt/format.h>

#include <cmath>

#include "anemone/ir/rewrite.h"
#include "anemone/support/half.h"

namespace anemone {

void round_to_dtype(Array& array) {
  switch (array.dtype) {
    case DType::fp16:
      for (double& x : array.data) x = float_from_half(half_from_double(x));
      return;
    case DType::fp32:
      for (double& x : array.data) x = static_cast<float>(x);
      return;
    case DType::boolean:
      for (double& x : array.data) x = x != 0;
      return;
    case DType::fp64:
    case DType::string:
      return;
    default:
      break;
  }
  // Through the packed form: the one place that knows how each integer wraps.
  array.data = to_doubles(*make_constant(array.dtype, array.dims, array.data));
}

Array to_array(const Constant& constant) { return {constant.type.dtype, constant.type.dims, to_doubles(constant)}; }
ConstantPtr to_constant(const Array& array) { return make_constant(array.dtype, array.dims, array.data); }

const Form* OpDef::form(Target opset) const {
  const Form* best = nullptr;
  for (const Form& f : forms) {
    if (f.since <= opset) best = &f;
  }
  // Programs older than ML Programs themselves do not exist; an opset below ios15 gets the first form.
  return best || forms.empty() || forms.front().since > Target::ios15 ? best : &forms.front();
}

OpTable::OpTable(std::span<const std::span<const OpDef>> families) {
  for (const auto& family : families) {
    for (const OpDef& def : family) {
      all_.push_back(&def);
      by_name_.emplace(def.name, &def);
    }
  }
}

const OpDef* OpTable::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

Dims ConstantView::ints(std::string_view param, Dims fallback) const {
  const Constant* c = node_->constant(param);
  return c ? to_ints(*c) : std::move(fallback);
}
std::int64_t ConstantView::integer(std::string_view param, std::int64_t fallback) const {
  const Constant* c = node_->constant(param);
  return c ? static_cast<std::int64_t>(scalar(*c)) : fallback;
}
double ConstantView::number(std::string_view param, double fallback) const {
  const Constant* c = node_->constant(param);
  return c ? scalar(*c) : fallback;
}
bool ConstantView::flag(std::string_view param, bool fallback) const {
  const Constant* c = node_->constant(param);
  return c ? scalar(*c) != 0 : fallback;
}
std::vector<bool> ConstantView::flags(std::string_view param, std::size_t count) const {
  std::vector<bool> out(count, false);
  const Dims values = ints(param);
  for (std::size_t i = 0; i < values.size() && i < count; ++i) out[i] = values[i] != 0;
  return out;
}
std::string ConstantView::text(std::string_view param, std::string_view fallback) const {
  const Constant* c = node_->constant(param);
  return c && !c->strings.empty() ? c->strings[0] : std::string(fallback);
}

const Type& InferView::type(std::string_view param) const {
  static const Type kNone;
  const Value* value = node().input(param);
  return value ? value->type : kNone;
}

std::vector<const Type*> InferView::types(std::string_view param) const {
  std::vector<const Type*> out;
  if (const Operand* o = node().operand(param)) {
    for (const Value* value : o->values) out.push_back(&value->type);
  }
  return out;
}

std::optional<Dims> InferView::known_ints(std::string_view param) const {
  const Constant* c = node().constant(param);
  if (!c || !c->missing.empty()) return std::nullopt;
  return to_ints(*c);
}

std::string describe(const Node& node) {
  const std::string& name = display_name(node);
  return name.empty() ? node.type : fmt::format("{} '{}'", node.type, name);
}

Diagnostic InferView::wrong(std::string_view param, std::string message, std::string help) const {
  return bad_input("E0200", fmt::format("{}: {}: {}", describe(node()), param, message), node().origin,
                   std::move(help));
}

Diagnostic EvalView::wrong(std::string_view param, std::string message, std::string help) const {
  return bad_input("E0700", fmt::format("{}: {}: {}", describe(node()), param, message), node().origin,
                   std::move(help));
}

const Array& EvalView::in(std::string_view param) const { return *maybe(param); }

const Array* EvalView::maybe(std::string_view param) const {
  const Value* value = node().input(param);
  return value ? (*fetch_)(*value) : nullptr;
}

std::vector<const Array*> EvalView::ins(std::string_view param) const {
  std::vector<const Array*> out;
  if (const Operand* o = node().operand(param)) {
    for (const Value* value : o->values) out.push_back((*fetch_)(*value));
  }
  return out;
}

Dims EvalView::ints_of(std::string_view param, Dims fallback) const {
  const Array* array = maybe(param);
  if (!array) return fallback;
  return Dims(array->data.begin(), array->data.end());
}

namespace {

Result<void> check_operand(const InferView& view, const Param& param, const Operand& operand,
                           std::map<char, DType>& groups) {
  if (!param.list && operand.values.size() != 1) {
    return view.wrong(param.name, fmt::format("takes one value, not {}", operand.values.size()));
  }
  for (const Value* value : operand.values) {
    if (param.constant && !is_static(value)) {
      return view.wrong(param.name, fmt::format("must be known at compile time, and '{}' is not", value->name));
    }
    const Type& type = value->type;
    if (!type.is_tensor()) {
      if (param.types == kAnything) continue;
      return view.wrong(param.name, fmt::format("is {}, not a tensor", to_string(type)));
    }
    if (!(param.types & dtype_bit(type.dtype))) {
      return view.wrong(param.name,
                        fmt::format("{} is not accepted in opset {}", name(type.dtype), opset_name(view.opset())),
                        "insert a cast");
    }
    if (param.group == 0) continue;
    const auto [at, first] = groups.emplace(param.group, type.dtype);
    if (!first && at->second != type.dtype) {
      return view.wrong(param.name,
                        fmt::format("is {}, where the other operands are {}", name(type.dtype), name(at->second)),
                        "insert a cast");
    }
  }
  return {};
}

}  // namespace

Result<std::vector<Type>> infer_types(const Node& node, Target opset, DTypeGroups dtype_groups) {
  const InferView view(node, opset);
  if (!node.def) return own_bug(fmt::format("types of the opaque operation {} asked for", describe(node)));
  const Form* form = node.def->form(opset);
  if (!form) {
    return bad_input("E0201", fmt::format("{} does not exist in opset {}", describe(node), opset_name(opset)),
                     node.origin, fmt::format("it needs {} or newer", name(node.def->forms.front().since)));
  }
  std::map<char, DType> groups;
  for (const Param& param : form->params) {
    const Operand* operand = node.operand(param.name);
    if (!operand || operand->values.empty()) {
      if (param.required) return view.wrong(param.name, "is required and not given");
      continue;
    }
    if (dtype_groups == DTypeGroups::ignored) groups.clear();
    TRY_VOID(check_operand(view, param, *operand, groups));
  }
  for (const Operand& operand : node.operands()) {
    bool known = false;
    for (const Param& param : form->params) known = known || param.name == operand.param;
    if (known) continue;
    std::vector<std::string_view> names;
    for (const Param& param : form->params) names.push_back(param.name);
    return view.wrong(operand.param, fmt::format("is not a parameter of {} in opset {}", node.type, opset_name(opset)),
                      did_you_mean(operand.param, names));
  }
  return form->infer(view);
}

}  // namespace anemone

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

std::string to_string(const Default& fallback) {
  std::string out;
  switch (fallback.kind) {
    case Default::Kind::none:
      return {};
    case Default::Kind::number:
      out = fmt::format("{}", fallback.number);
      break;
    case Default::Kind::flag:
      out = fallback.number != 0 ? "true" : "false";
      break;
    case Default::Kind::word:
      return fmt::format("\"{}\"", fallback.text);
    case Default::Kind::derived:
      return std::string(fallback.text);
  }
  return fallback.each ? out + "…" : out;
}

ConstantView::ConstantView(const Node& node)
    : ConstantView(&node, node.def, node.def ? node.def->form(node.block().function().opset) : nullptr) {}

const Default& ConstantView::fallback(std::string_view param) const {
  static constexpr Default kNone;
  if (!form_) return kNone;
  for (const Form& form : def_->forms.subspan(static_cast<std::size_t>(form_ - def_->forms.data()))) {
    for (const Param& p : form.params) {
      if (p.name == param) return p.fallback;
    }
  }
  return kNone;
}

double ConstantView::number(std::string_view param) const {
  const Constant* c = constant(param);
  return c ? scalar(*c) : fallback(param).number;
}
std::string ConstantView::text(std::string_view param) const {
  const Constant* c = constant(param);
  if (c && !c->strings.empty()) return c->strings[0];
  const Default& own = fallback(param);
  return own.kind == Default::Kind::word ? std::string(own.text) : std::string();
}
Dims ConstantView::ints(std::string_view param) const {
  const Constant* c = constant(param);
  return c ? to_ints(*c) : Dims{};
}
Dims ConstantView::ints(std::string_view param, std::size_t count) const {
  const Constant* c = constant(param);
  return c ? to_ints(*c) : Dims(count, static_cast<std::int64_t>(fallback(param).number));
}
std::vector<bool> ConstantView::flags(std::string_view param, std::size_t count) const {
  std::vector<bool> out(count, false);
  const Dims values = ints(param);
  for (std::size_t i = 0; i < values.size() && i < count; ++i) out[i] = values[i] != 0;
  return out;
}

TypeQuestion question_of(const Node& node, Target opset) {
  TypeQuestion question{node.def, opset, {}, &node};
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      question.given.push_back({operand.param, &value->type, value->constant.get(), is_static(value), value});
    }
  }
  return question;
}

const Given* InferView::given(std::string_view param) const {
  const std::span<const Given> found = all(param);
  return found.empty() ? nullptr : &found.front();
}

std::span<const Given> InferView::all(std::string_view param) const {
  const std::vector<Given>& given = question_->given;
  std::size_t first = 0;
  while (first < given.size() && given[first].param != param) ++first;
  std::size_t end = first;
  while (end < given.size() && given[end].param == param) ++end;
  return std::span(given).subspan(first, end - first);
}

std::span<const std::unique_ptr<Block>> InferView::blocks() const {
  return node_ ? std::span<const std::unique_ptr<Block>>(node_->blocks) : std::span<const std::unique_ptr<Block>>();
}

const Constant* InferView::constant(std::string_view param) const {
  const Given* found = given(param);
  return found ? found->constant : nullptr;
}

const Type& InferView::type(std::string_view param) const {
  static const Type kNone;
  const Given* found = given(param);
  return found ? *found->type : kNone;
}

std::vector<const Type*> InferView::types(std::string_view param) const {
  std::vector<const Type*> out;
  for (const Given& each_given : all(param)) out.push_back(each_given.type);
  return out;
}

std::optional<Dims> InferView::known_ints(std::string_view param) const {
  const Constant* c = constant(param);
  if (!c || !c->missing.empty()) return std::nullopt;
  return to_ints(*c);
}

bool InferView::comes_at_run_time(std::string_view param) const {
  const Given* found = given(param);
  return found && !found->is_static && !is_computed_from_static(found->value);
}

std::string describe(const Node& node) {
  const std::string& name = display_name(node);
  return name.empty() ? node.type : fmt::format("{} '{}'", node.type, name);
}

namespace {
std::string describe(const TypeQuestion& question) {
  if (question.node) return describe(*question.node);
  return question.name.empty() ? std::string(question.def->name)
                               : fmt::format("{} '{}'", question.def->name, question.name);
}

Diagnostic blamed(ErrorCode code, const std::string& who, const Node* node, std::string_view param, std::string message,
                  std::string help) {
  Diagnostic d = bad_input(code, fmt::format("{}: {}: {}", who, param, message), node ? node->origin : std::string(),
                           std::move(help));
  d.param = param;
  return d;
}
}  // namespace

Diagnostic InferView::wrong(std::string_view param, std::string message, std::string help) const {
  return blamed(ErrorCode::operand_wrong, describe(*question_), node_, param, std::move(message), std::move(help));
}

Diagnostic EvalView::wrong(std::string_view param, std::string message, std::string help) const {
  return blamed(ErrorCode::meaning_refused, describe(node()), node_, param, std::move(message), std::move(help));
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

Dims EvalView::ints_of(std::string_view param) const {
  const Array* array = maybe(param);
  if (!array) return {};
  return Dims(array->data.begin(), array->data.end());
}

namespace {

Result<void> check_operand(const InferView& view, const Param& param, std::map<char, DType>& groups) {
  const std::span<const Given> all = view.all(param.name);
  if (!param.list && all.size() != 1) {
    return view.wrong(param.name, fmt::format("takes one value, not {}", all.size()));
  }
  for (const Given& given : all) {
    // A weight may also be the result of static operations, which nobody has folded yet.
    const bool known = given.is_static || (param.role == Role::weight && is_computed_from_static(given.value));
    if (param.constant && !known) {
      return view.wrong(param.name, fmt::format("must be known at compile time, and '{}' is not",
                                                given.value ? given.value->name : std::string(param.name)));
    }
    const Type& type = *given.type;
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
  if (!node.def) return own_bug(fmt::format("types of the opaque operation {} asked for", describe(node)));
  return infer_types(question_of(node, opset), dtype_groups);
}

Result<std::vector<Type>> infer_types(const TypeQuestion& question, DTypeGroups dtype_groups) {
  const Target opset = question.opset;
  const Form* form = question.def->form(opset);
  const InferView view(question, form);
  if (!form) {
    return bad_input(ErrorCode::not_in_opset,
                     fmt::format("{} does not exist in opset {}", describe(question), opset_name(opset)),
                     question.node ? question.node->origin : std::string(),
                     fmt::format("it needs {} or newer", name(question.def->forms.front().since)));
  }
  std::map<char, DType> groups;
  for (const Param& param : form->params) {
    if (!view.has(param.name)) {
      if (param.required) return view.wrong(param.name, "is required and not given");
      // Bound to nothing is not absent: whoever asks the node would take it for given.
      const bool bound = !param.list && question.node && question.node->operand(param.name);
      if (bound) return view.wrong(param.name, "takes one value, not 0", "leave it out");
      continue;
    }
    if (dtype_groups == DTypeGroups::ignored) groups.clear();
    TRY_VOID(check_operand(view, param, groups));
  }
  for (const Given& given : question.given) {
    bool known = false;
    for (const Param& param : form->params) known = known || param.name == given.param;
    if (known) continue;
    std::vector<std::string_view> names;
    for (const Param& param : form->params) names.push_back(param.name);
    return view.wrong(given.param,
                      fmt::format("is not a parameter of {} in opset {}", question.def->name, opset_name(opset)),
                      did_you_mean(given.param, names));
  }
  return form->infer(view);
}

}  // namespace anemone

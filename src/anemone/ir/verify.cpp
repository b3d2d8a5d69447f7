// The checks of verify.h, in three rounds: structure, types, interface.
#include "anemone/ir/verify.h"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

#include "anemone/ir/op_def.h"
#include "anemone/ir/text/print.h"

namespace anemone {
namespace {

struct Finding {
  const Node* node;  ///< null: of the function as a whole
  const Function* function;
  Diagnostic diagnostic;
  bool of_input = false;  ///< whoever asks: Core ML's limits are not ours
};

class Verifier {
 public:
  Verifier(const Program& program, const VerifyOptions& options) : program_(program), options_(options) {}
  Result<void> run();

 private:
  void wrong(ErrorCode code, std::string message, const Node* node = nullptr) {
    found_.push_back({node, function_, bad_input(code, std::move(message)), false});
  }
  bool full() const { return found_.size() >= options_.max_errors; }
  void own(const Block& block, int depth);
  void own(const Value& value, const Node* node);
  void structure(const Block& block);
  void node(const Node& node, const Block& block);
  void use(const Node& node, std::size_t operand, std::size_t item);
  void payload(const Value& constant);
  void extents(const Type& type, std::string_view name, const Node* node);
  void use_lists();
  void types(const Block& block);
  void types(const Node& node);
  void interface(const Function& function);
  void features(std::string_view role, const std::vector<Feature>& features, const std::vector<const Value*>& values);
  Diagnostics report();

  const Program& program_;
  const VerifyOptions& options_;
  const Function* function_ = nullptr;
  std::vector<Finding> found_;
  bool broken_ = false;  ///< pointers lead nowhere: the program cannot be printed

  std::unordered_set<const Value*> owned_;    ///< all values of the function
  std::unordered_set<const Value*> visible_;  ///< defined so far, in this block and those around it
  std::unordered_map<std::string_view, const Value*> names_;
  std::vector<std::string_view> named_;                             ///< the keys of names_ in their order
  std::unordered_map<const Value*, std::size_t> uses_, uses_made_;  ///< found in their list, and made by operands
  std::unordered_map<const Value*, int> output_uses_;
};

constexpr int kMaxDepth = 64;
constexpr std::int64_t kMostDimensions = 5;

// MLMultiArray's types.
bool may_be_an_array(DType dtype, Target opset) {
  return dtype == DType::fp32 || dtype == DType::int32 || dtype == DType::fp64 ||
         (dtype == DType::fp16 && opset >= Target::ios16) || (dtype == DType::int8 && opset > Target::ios18);
}

void Verifier::own(const Value& value, const Node* node) {
  owned_.insert(&value);
  if (value.name.empty()) return wrong(ErrorCode::program_names, "a value has no name", node);
  if (names_.emplace(value.name, &value).second) return named_.push_back(value.name);
  wrong(ErrorCode::program_names,
        fmt::format("the name '{}' is used twice in function '{}'", value.name, function_->name), node);
}

// Extents are counts whose product is a number; an unknown one is -1.
void Verifier::extents(const Type& type, std::string_view name, const Node* node) {
  const Type& tensor = type.tensor_part();
  if (!tensor.is_tensor()) return;
  std::int64_t count = 1;
  for (std::int64_t extent : tensor.dims) {
    const bool good = extent >= kUnknown && !(extent > 0 && __builtin_mul_overflow(count, extent, &count));
    if (good) continue;
    return wrong(ErrorCode::program_types,
                 fmt::format("'{}' is {}, whose extents cannot be counted", name, brief(type)), node);
  }
  if (options_.limits && tensor.rank() > kMostDimensions && !(node && is(*node, kConstexpr))) {
    wrong(ErrorCode::program_limits,
          fmt::format("'{}' is {}, and Core ML takes at most {} dimensions", name, brief(type), kMostDimensions), node);
    found_.back().of_input = true;
  }
}

void Verifier::payload(const Value& constant) {
  if (!constant.constant) {
    broken_ = true;
    return wrong(ErrorCode::program_structure, fmt::format("the constant '{}' has no content", constant.name));
  }
  const Constant& content = *constant.constant;
  if (content.type != constant.type) {
    return wrong(ErrorCode::program_types, fmt::format("'{}' is {}, and its content is {}", constant.name,
                                                       brief(constant.type), brief(content.type)));
  }
  if (!content.type.is_tensor() || !content.missing.empty()) return;
  const auto count = content.type.is_fixed() ? element_count(content.type.dims) : std::nullopt;
  const std::int64_t held = content.is_string() ? static_cast<std::int64_t>(content.strings.size())
                                                : static_cast<std::int64_t>(content.data.size());
  const auto needed = !count || content.is_string() ? count : byte_count(content.type.dtype, content.type.dims);
  if (needed && *needed == held) return;
  wrong(ErrorCode::program_types, fmt::format("the constant '{}' is {} and holds {} {}", constant.name,
                                              brief(content.type), held, content.is_string() ? "strings" : "bytes"));
}

// First round: who owns what, so that no pointer is followed before it is known to lead somewhere.
void Verifier::own(const Block& block, int depth) {
  if (depth > kMaxDepth)
    return wrong(ErrorCode::program_structure, fmt::format("blocks nested deeper than {}", kMaxDepth));
  const auto placed = [&](const Value& value, const Node* producer) {
    own(value, producer);
    if (value.block != &block || value.producer != producer) {
      wrong(ErrorCode::program_structure, fmt::format("'{}' does not know where it is defined", value.name), producer);
    }
  };
  for (const auto& input : block.inputs) {
    placed(*input, nullptr);
    extents(input->type, input->name, nullptr);
  }
  for (const auto& constant : block.constants) {
    placed(*constant, nullptr);
    payload(*constant);
  }
  for (const Node& node : block.nodes) {
    if (&node.block() != &block) wrong(ErrorCode::program_structure, "a node does not know its block", &node);
    for (const auto& output : node.outputs) {
      placed(*output, &node);
      extents(output->type, output->name, &node);
    }
    for (const auto& inner : node.blocks) {
      if (inner->parent() != &node || &inner->function() != function_) {
        wrong(ErrorCode::program_structure, "a nested block does not know its node", &node);
      }
      // What a block defines is not seen outside: blocks beside each other may use the same names.
      const std::size_t outer = named_.size();
      own(*inner, depth + 1);
      for (; named_.size() > outer; named_.pop_back()) names_.erase(named_.back());
    }
  }
}

void Verifier::use(const Node& node, std::size_t at, std::size_t item) {
  const Operand& operand = node.operands()[at];
  const Value* value = operand.values[item];
  if (!value || !owned_.contains(value)) {
    broken_ = true;
    return wrong(ErrorCode::program_structure,
                 fmt::format("{}: {} is no value of function '{}'", describe(node), operand.param, function_->name),
                 &node);
  }
  // A use that its list has, at the slot that it says, is there once: the counts tell the rest.
  const std::size_t slot = item < operand.slots.size() ? operand.slots[item] : value->uses.size();
  if (slot < value->uses.size()) {
    const Use& listed = value->uses[slot];
    uses_[value] += listed.node == &node && listed.operand == at && listed.item == item;
  }
  ++uses_made_[value];
  if (visible_.contains(value)) return;
  wrong(ErrorCode::program_structure,
        fmt::format("{}: {} uses '{}' before it is defined, or outside its block", describe(node), operand.param,
                    value->name),
        &node);
}

void Verifier::node(const Node& node, const Block& block) {
  for (std::size_t o = 0; o < node.operands().size(); ++o) {
    for (std::size_t i = 0; i < node.operands()[o].values.size(); ++i) use(node, o, i);
  }
  if (node.def && options_.types == VerifyOptions::Types::off && node.def->form(function_->opset)) {
    for (const Param& param : node.def->form(function_->opset)->params) {
      const Operand* operand = node.operand(param.name);
      if (!param.required || (operand && !operand->values.empty())) continue;
      wrong(ErrorCode::program_structure, fmt::format("{}: {} is required and not given", describe(node), param.name),
            &node);
    }
  }
  if (node.def != program_.ops->find(node.type)) {
    wrong(ErrorCode::program_structure, fmt::format("{}: its table row is not that of '{}'", describe(node), node.type),
          &node);
  }
  for (const auto& inner : node.blocks) structure(*inner);
  for (const auto& output : node.outputs) visible_.insert(output.get());
  if (node.position() == block.nodes.end() || &*node.position() != &node) {
    wrong(ErrorCode::program_structure, fmt::format("{}: does not know its place", describe(node)), &node);
  }
}

void Verifier::structure(const Block& block) {
  std::vector<const Value*> defined;
  for (const auto& input : block.inputs) visible_.insert(input.get());
  for (const auto& constant : block.constants) visible_.insert(constant.get());
  for (const Node& inner : block.nodes) node(inner, block);
  for (const Value* output : block.outputs()) {
    if (!output || !owned_.contains(output)) {
      broken_ = true;
      wrong(ErrorCode::program_structure, fmt::format("a block output is no value of function '{}'", function_->name),
            block.parent());
      continue;
    }
    ++output_uses_[output];
    if (visible_.contains(output)) continue;
    wrong(ErrorCode::program_structure, fmt::format("the block output '{}' is not defined here", output->name),
          block.parent());
  }
  if (!block.parent()) return;
  for (const auto& input : block.inputs) visible_.erase(input.get());
  for (const auto& constant : block.constants) visible_.erase(constant.get());
  for (const Node& inner : block.nodes) {
    for (const auto& output : inner.outputs) visible_.erase(output.get());
  }
}

void Verifier::use_lists() {
  const auto count_of = [](const auto& counts, const Value* value) {
    const auto at = counts.find(value);
    return at == counts.end() ? std::size_t{0} : at->second;
  };
  for (const Value* value : owned_) {
    const std::size_t listed = value->uses.size(), made = count_of(uses_made_, value);
    if (listed != made) {
      wrong(ErrorCode::program_structure,
            fmt::format("the use list of '{}' has {} uses {}", value->name,
                        listed > made ? listed - made : made - listed, listed > made ? "too many" : "too few"));
    } else if (count_of(uses_, value) != made) {
      wrong(ErrorCode::program_structure, fmt::format("the use list of '{}' does not name its users", value->name));
    }
    const auto at = output_uses_.find(value);
    const int uses = at == output_uses_.end() ? 0 : at->second;
    if (uses != value->output_uses) {
      wrong(ErrorCode::program_structure,
            fmt::format("'{}' is {} times a block output, and counts {}", value->name, uses, value->output_uses));
    }
  }
}

void Verifier::types(const Node& node) {
  if (!node.def) return;
  auto inferred = infer_types(node, function_->opset, options_.groups);
  if (!inferred) {
    for (Diagnostic& d : inferred.error()) found_.push_back({&node, function_, std::move(d), false});
    return;
  }
  if (inferred->size() != node.outputs.size()) {
    return wrong(
        ErrorCode::program_types,
        fmt::format("{}: has {} outputs, and {} are declared", describe(node), inferred->size(), node.outputs.size()),
        &node);
  }
  for (std::size_t i = 0; i < inferred->size(); ++i) {
    const Type& declared = node.outputs[i]->type;
    const Type& actual = (*inferred)[i];
    const auto computed = [](const Type& type) {  // in a dtype that results may have: not in fp8
      return type.is_tensor() && ((kFloats | dtype_bit(DType::fp64)) & dtype_bit(type.dtype)) != 0;
    };
    const bool floats = options_.groups == DTypeGroups::ignored && computed(declared) && computed(actual);
    Type as_declared = actual;
    if (floats) as_declared.dtype = declared.dtype;  // where operands mix floats, the declared one is what comes out
    const bool exact = options_.types == VerifyOptions::Types::exact;
    if (exact ? declared == as_declared : compatible(declared, as_declared)) continue;
    wrong(ErrorCode::program_types,
          fmt::format("{}: '{}' is declared as {}, and the operands give {}", describe(node), node.outputs[i]->name,
                      brief(declared), brief(actual)),
          &node);
  }
}

void Verifier::types(const Block& block) {
  for (const Node& inner : block.nodes) {
    if (full()) return;
    for (const auto& nested : inner.blocks) types(*nested);
    types(inner);
  }
}

// A feature and its value agree in name and in what can be said of both: dtype and rank of arrays.
void Verifier::features(std::string_view role, const std::vector<Feature>& features,
                        const std::vector<const Value*>& values) {
  std::unordered_map<std::string_view, std::vector<const Value*>> returned;
  std::unordered_map<std::string_view, std::size_t> described;
  for (const Value* value : values) returned[value->name].push_back(value);
  for (const Feature& feature : features) ++described[feature.name];
  for (const Value* value : values) {
    if (described.contains(value->name)) continue;
    wrong(ErrorCode::program_interface, fmt::format("the {} '{}' is missing in the interface", role, value->name));
  }
  for (const Feature& feature : features) {
    const auto at = returned.find(feature.name);
    if (at == returned.end() || described[feature.name] > at->second.size()) {
      wrong(ErrorCode::program_interface, fmt::format("the interface has {} '{}'{}, and the function has not", role,
                                                      feature.name, at == returned.end() ? "" : " more than once"));
      continue;
    }
    const bool half_image = feature.kind == Feature::Kind::image && feature.color == Color::gray_fp16;
    if (options_.limits && half_image && function_->opset < Target::ios16) {
      wrong(
          ErrorCode::program_limits,
          fmt::format("the {} '{}' is a grayscale image in fp16, which Core ML has from ios16 on", role, feature.name));
      found_.back().of_input = true;
    }
    const bool array = feature.kind == Feature::Kind::array || feature.kind == Feature::Kind::state;
    const Type& type = at->second.front()->type.tensor_part();
    if (!array || !type.is_tensor()) continue;
    if (role != "output" && type.ranked && feature.shape.size() != type.dims.size()) {
      wrong(ErrorCode::program_interface, fmt::format("the {} '{}' has shape {} in the interface, and is {}", role,
                                                      feature.name, brief(feature.shape), brief(type)));
    } else if (role != "output" && type.ranked && feature.ranges.empty() && feature.shapes.empty() &&
               !compatible(type, Type::tensor(type.dtype, feature.shape))) {
      wrong(ErrorCode::program_interface, fmt::format("the {} '{}' has shape {} in the interface, and is {}", role,
                                                      feature.name, brief(feature.shape), brief(type)));
    }
    if (options_.limits && feature.kind == Feature::Kind::array && !may_be_an_array(type.dtype, function_->opset)) {
      wrong(ErrorCode::program_limits,
            fmt::format("the {} '{}' is {}, which Core ML does not take at the interface of {}", role, feature.name,
                        brief(type), opset_name(function_->opset)));
      found_.back().of_input = true;
      found_.back().diagnostic.help = "cast it to fp32 or int32 inside";
    }
    if (feature.dtype != type.dtype) {
      wrong(ErrorCode::program_interface, fmt::format("the {} '{}' is {} in the interface, and {} in the function",
                                                      role, feature.name, name(feature.dtype), name(type.dtype)));
    }
  }
}

void Verifier::interface(const Function& function) {
  std::vector<const Value*> inputs, states, outputs(function.body.outputs().begin(), function.body.outputs().end());
  for (const auto& input : function.body.inputs) {
    (input->type.kind == Type::Kind::state ? states : inputs).push_back(input.get());
  }
  features("input", function.interface.inputs, inputs);
  features("output", function.interface.outputs, outputs);
  features("state", function.interface.states, states);
}

Diagnostics Verifier::report() {
  Printed printed;
  if (!broken_) printed = print(program_, {}, options_.name);
  Diagnostics errors;
  for (Finding& finding : found_) {
    Diagnostic& d = finding.diagnostic;
    d.blame = finding.of_input ? Blame::input : options_.blame;
    const auto node = printed.nodes.find(finding.node);
    const auto function = printed.functions.find(finding.function);
    if (finding.node && node != printed.nodes.end()) {
      d.span = node->second;
    } else if (function != printed.functions.end()) {
      d.span = function->second;
    }
    if (finding.node && !finding.node->origin.empty()) d.notes.push_back("it comes from " + finding.node->origin);
    if (d.place.empty() && finding.function) d.place = fmt::format("function '{}'", finding.function->name);
    errors.push_back(std::move(d));
    if (errors.size() == options_.max_errors) break;
  }
  return errors;
}

Result<void> Verifier::run() {
  if (program_.functions.empty() || !program_.find(program_.default_function)) {
    wrong(ErrorCode::program_structure,
          fmt::format("the default function '{}' does not exist", program_.default_function));
  }
  std::unordered_set<std::string_view> function_names;
  for (const auto& function : program_.functions) {
    function_ = function.get();
    if (!function_names.insert(function->name).second) {
      wrong(ErrorCode::program_names, fmt::format("there are two functions '{}'", function->name));
    }
    owned_.clear(), visible_.clear(), names_.clear(), named_.clear(), uses_.clear(), uses_made_.clear(),
        output_uses_.clear();
    own(function->body, 0);
    structure(function->body);
    if (found_.empty()) use_lists();
    if (!found_.empty()) continue;  // rules may follow pointers that are wrong
    if (options_.types != VerifyOptions::Types::off) types(function->body);
    if (options_.interface) interface(*function);
  }
  if (found_.empty()) return {};
  return report();
}

}  // namespace

Result<void> verify(const Program& program, const VerifyOptions& options) { return Verifier(program, options).run(); }

}  // namespace anemone

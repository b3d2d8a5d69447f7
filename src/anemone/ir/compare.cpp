// Walks two programs side by side.
#include "anemone/ir/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "anemone/ir/op_def.h"
#include "anemone/ir/text/literal_text.h"

namespace anemone {
namespace {

class Comparison {
 public:
  explicit Comparison(const CompareOptions& options) : options_(options) {}

  bool programs(const Program& a, const Program& b);
  std::string difference;

 private:
  bool differ(std::string message) {
    difference = where_ + std::move(message);
    return false;
  }
  template <class T>
  bool number(std::string_view what, T a, T b) {
    return a == b || differ(fmt::format("{}: {} against {}", what, a, b));
  }
  bool functions(const Function& a, const Function& b);
  bool blocks(const Block& a, const Block& b, bool is_body);
  bool nodes(const Node& a, const Node& b);
  bool values(std::string_view what, const Value* a, const Value* b);
  bool constants(std::string_view what, const Constant& a, const Constant& b);
  bool define(std::string_view what, const Value& a, const Value& b);
  bool attributes(std::string_view what, const Attributes& a, const Attributes& b);
  bool features(std::string_view what, const std::vector<Feature>& a, const std::vector<Feature>& b);
  bool interfaces(const Interface& a, const Interface& b);

  const CompareOptions& options_;
  std::string where_;
  std::unordered_map<const Value*, const Value*> match_;  // of a to b: inputs and outputs of nodes
};

bool Comparison::constants(std::string_view what, const Constant& a, const Constant& b) {
  if (a.type != b.type) return differ(fmt::format("{}: {} against {}", what, brief(a.type), brief(b.type)));
  if (same_content(a, b)) return true;
  if (a.type.is_tensor() && a.missing.empty() && b.missing.empty() && !a.is_string() &&
      a.data.size() == b.data.size()) {
    const std::vector<double> x = to_doubles(a), y = to_doubles(b);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (x[i] != y[i]) return differ(fmt::format("{}: element {}: {} against {}", what, i, x[i], y[i]));
    }
    return differ(fmt::format("{}: equal numbers in other bits", what));
  }
  return differ(fmt::format("{}: another content of {}", what, brief(a.type)));
}

bool Comparison::values(std::string_view what, const Value* a, const Value* b) {
  if (!a || !b) return a == b || differ(fmt::format("{}: bound on one side only", what));
  if (a->constant && b->constant) return constants(what, *a->constant, *b->constant);
  if (a->constant || b->constant) {
    return differ(fmt::format("{}: a constant on one side and '{}' on the other", what, (a->constant ? b : a)->name));
  }
  const auto at = match_.find(a);
  if (at != match_.end() && at->second == b) return true;
  return differ(fmt::format("{}: '{}' against '{}'", what, a->name, b->name));
}

bool Comparison::define(std::string_view what, const Value& a, const Value& b) {
  match_[&a] = &b;
  return a.type == b.type || differ(fmt::format("{} '{}': {} against {}", what, a.name, brief(a.type), brief(b.type)));
}

bool Comparison::attributes(std::string_view what, const Attributes& a, const Attributes& b) {
  const auto find = [](const Attributes& all, const std::string& key) {
    return std::find_if(all.begin(), all.end(), [&](const auto& entry) { return entry.first == key; });
  };
  for (const auto& [key, value] : a) {
    const auto other = find(b, key);
    if (other == b.end()) return differ(fmt::format("{}: '{}' is missing in the second", what, key));
    if (!constants(fmt::format("{} '{}'", what, key), *value, *other->second)) return false;
  }
  for (const auto& [key, value] : b) {
    if (find(a, key) == a.end()) return differ(fmt::format("{}: '{}' is missing in the first", what, key));
  }
  return true;
}

bool Comparison::nodes(const Node& a, const Node& b) {
  if (a.type != b.type) return differ(fmt::format("{} against {}", describe(a), describe(b)));
  const std::string outer = where_;
  where_ += describe(a) + ": ";
  for (const Operand& operand : a.operands()) {
    const Operand* other = b.operand(operand.param);
    const std::string what = fmt::format("operand '{}'", operand.param);
    if (!other) return differ(what + " is missing in the second");
    if (!number(what, operand.values.size(), other->values.size())) return false;
    for (std::size_t i = 0; i < operand.values.size(); ++i) {
      if (!values(what, operand.values[i], other->values[i])) return false;
    }
  }
  for (const Operand& operand : b.operands()) {
    if (!a.operand(operand.param)) return differ(fmt::format("operand '{}' is missing in the first", operand.param));
  }
  if (options_.attributes && !attributes("attribute", a.attributes, b.attributes)) return false;
  if (!number("blocks", a.blocks.size(), b.blocks.size())) return false;
  for (std::size_t i = 0; i < a.blocks.size(); ++i) {
    if (!blocks(*a.blocks[i], *b.blocks[i], false)) return false;
  }
  if (!number("outputs", a.outputs.size(), b.outputs.size())) return false;
  for (std::size_t i = 0; i < a.outputs.size(); ++i) {
    if (!define("output", *a.outputs[i], *b.outputs[i])) return false;
  }
  where_ = outer;
  return true;
}

bool Comparison::blocks(const Block& a, const Block& b, bool is_body) {
  if (!number("inputs", a.inputs.size(), b.inputs.size())) return false;
  for (std::size_t i = 0; i < a.inputs.size(); ++i) {
    if (!define("input", *a.inputs[i], *b.inputs[i])) return false;
    if (is_body && !number(fmt::format("name of input {}", i), a.inputs[i]->name, b.inputs[i]->name)) return false;
  }
  auto other = b.nodes.begin();
  for (auto node = a.nodes.begin(); node != a.nodes.end() && other != b.nodes.end(); ++node, ++other) {
    if (!nodes(*node, *other)) return false;
  }
  if (!number("operations", a.nodes.size(), b.nodes.size())) return false;
  if (!number("block outputs", a.outputs().size(), b.outputs().size())) return false;
  for (std::size_t i = 0; i < a.outputs().size(); ++i) {
    const std::string what = fmt::format("block output {}", i);
    const Value *x = a.outputs()[i], *y = b.outputs()[i];
    if (!values(what, x, y)) return false;
    if (is_body && x && y && !number("name of " + what, x->name, y->name)) return false;
  }
  return !options_.attributes || attributes("block attribute", a.attributes, b.attributes);
}

bool Comparison::features(std::string_view what, const std::vector<Feature>& a, const std::vector<Feature>& b) {
  if (!number(fmt::format("{}s of the interface", what), a.size(), b.size())) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return differ(fmt::format("interface: {} '{}' differs from '{}'", what, a[i].name, b[i].name));
  }
  return true;
}

bool Comparison::interfaces(const Interface& a, const Interface& b) {
  return features("input", a.inputs, b.inputs) && features("output", a.outputs, b.outputs) &&
         features("state", a.states, b.states) &&
         (a == b || differ("interface: another predicted feature or predicted probabilities"));
}

bool Comparison::functions(const Function& a, const Function& b) {
  where_ = a.name + ": ";
  if (!number<std::string_view>("opset", name(a.opset), name(b.opset)) || !blocks(a.body, b.body, true)) return false;
  if (options_.attributes && !attributes("function attribute", a.attributes, b.attributes)) return false;
  return !options_.interface || interfaces(a.interface, b.interface);
}

bool Comparison::programs(const Program& a, const Program& b) {
  if (!number("functions", a.functions.size(), b.functions.size())) return false;
  for (const auto& function : a.functions) {
    where_.clear();
    const Function* other = b.find(function->name);
    if (!other) return differ(fmt::format("function '{}' is missing in the second", function->name));
    if (!functions(*function, *other)) return false;
  }
  where_.clear();
  if (!number("specification", a.specification, b.specification)) return false;
  if (!number("default function", a.default_function, b.default_function)) return false;
  if (!options_.metadata) return true;
  if (a.doc != b.doc) return differ("doc");
  if (!(a.metadata == b.metadata)) return differ("metadata");
  return attributes("program attribute", a.attributes, b.attributes);
}

}  // namespace

bool same_program(const Program& a, const Program& b, std::string* difference, const CompareOptions& options) {
  Comparison comparison(options);
  const bool same = comparison.programs(a, b);
  if (difference) *difference = std::move(comparison.difference);
  return same;
}

}  // namespace anemone

// Writes programs as MIL text.
#include "anemone/ir/text/print.h"
#include "anemone/ir/derive_interface.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "anemone/ir/flexible_shapes.h"
#include "anemone/ir/op_def.h"
#include "anemone/ir/text/interface_text.h"
#include "anemone/ir/text/lexer.h"
#include "anemone/ir/text/literal_text.h"
#include "anemone/ir/verify.h"

namespace anemone {
namespace {

struct Place {
  std::size_t begin, end;
};

bool takes_list(const Node& node, std::string_view name) {
  const Form* form = node.def ? node.def->form(node.block().function().opset) : nullptr;
  for (std::size_t i = 0; form && i < form->params.size(); ++i) {
    if (form->params[i].name == name) return form->params[i].list;
  }
  return false;
}

class Printer {
 public:
  Printer(const PrintOptions& options, bool short_scalars) : options_(options) {
    style_.hex = options.exact;
    style_.short_scalars = short_scalars;
  }

  /// What is printed goes there as it comes; `out`, `nodes` and `functions` mean nothing then.
  void write_to(const std::function<void(std::string_view)>& write) {
    style_.drain = [&write](std::string& text) {
      write(text);
      text.clear();
    };
  }
  void drain() {
    if (out.size() > LiteralStyle::kDrainAt && style_.drain) style_.drain(out);
  }

  void program(const Program& program);
  void head(const Node& node);  ///< a statement up to its nested blocks

  std::string out;
  std::vector<std::pair<const Node*, Place>> nodes;
  std::vector<std::pair<const Function*, Place>> functions;

 private:
  bool folds() const { return options_.fold_constants && !options_.exact; }
  void add(std::string_view text) { out += text; }
  void indent(int levels) { out.append(static_cast<std::size_t>(levels) * (options_.exact ? 4 : 2), ' '); }
  void type(const Type& type) { append_type(out, type, style_); }
  void name(std::string_view name) {
    if (is_plain_identifier(name)) {
      add(name);
    } else {
      add(identifier_text(name));
    }
  }
  void function(const Function& function);
  void block(const Block& block, int level);
  void inputs(const Block& block);
  void names(const std::vector<Value*>& values);
  void attributes(const Attributes& attributes);
  void constant_line(const Value& value, int level);
  void literal(const Constant& constant);
  void typed(const ConstantPtr& constant);
  void statement(const Node& node, int level);
  void operand(const Value* value);
  void operands(const Node& node);
  void node_attributes(const Node& node);
  bool as_attribute(const Node& node, const Operand& operand) const;
  bool at_use(const Value& value) const;
  const Value* last_needed(const Block& block, const Node& node) const;

  const PrintOptions& options_;
  LiteralStyle style_;
};

// Whether a constant stands at its uses and not in a line of its own.
bool Printer::at_use(const Value& value) const {
  if (value.is_inline) return true;
  return folds() && total_elements(*value.constant) <= options_.inline_limit && value.constant->missing.empty();
}

// For people: without the type where the payload says it, and without the payload where it is big.
void Printer::literal(const Constant& constant) {
  if (is_self_typed(constant) && constant.count() <= options_.inline_limit) {
    return append_payload(out, constant, style_);
  }
  if (constant.missing.empty() && total_elements(constant) <= options_.inline_limit) {
    return append_constant(out, constant, style_);
  }
  type(constant.type);
  fmt::format_to(std::back_inserter(out), "({})", summary(constant));
}

void Printer::typed(const ConstantPtr& constant) {
  const bool to_sink = options_.exact && options_.sink && constant->missing.empty() && constant->type.is_tensor() &&
                       !constant->is_string() && constant->count() > options_.blob_above;
  if (folds()) return literal(*constant);
  if (!to_sink) return append_constant(out, *constant, style_);
  const BlobPlace place = options_.sink(constant);
  type(constant->type);
  add("(");
  append_blob(out, place.path, place.offset, style_);
  add(")");
}

void Printer::constant_line(const Value& value, int level) {
  indent(level);
  if (folds()) {
    name(value.name);
    add(" = ");
    type(value.constant->type);
    if (total_elements(*value.constant) > options_.inline_limit || !value.constant->missing.empty()) {
      fmt::format_to(std::back_inserter(out), "({});\n", summary(*value.constant));
    } else {
      add("(");
      append_payload(out, *value.constant, style_);
      add(");\n");
    }
    return;
  }
  type(value.type);
  add(" ");
  name(value.name);
  add(" = const()[name = ");
  append_constant(out, *make_text(value.name), style_);
  add(", val = ");
  typed(value.constant);
  add("];\n");
  drain();
}

void Printer::operand(const Value* value) {
  if (!value) {
    add("/* nothing */");
  } else if (value->constant && at_use(*value)) {
    typed(value->constant);
  } else {
    name(value->name);
  }
}

// Up to ios17 the parameters of constexpr operations are attributes in Core ML's own files.
bool Printer::as_attribute(const Node& node, const Operand& operand) const {
  return options_.exact && node.def && node.def->is(kConstexpr) && node.block().function().opset < Target::ios18 &&
         operand.values.size() == 1 && operand.values[0] && operand.values[0]->constant && operand.values[0]->is_inline;
}

void Printer::operands(const Node& node) {
  add("(");
  bool first = true;
  for (const Operand& operand : node.operands()) {
    if (as_attribute(node, operand)) continue;
    if (!std::exchange(first, false)) add(", ");
    name(operand.param);
    add(" = ");
    const bool list = operand.values.size() != 1 || takes_list(node, operand.param);
    if (list) add("(");
    for (std::size_t i = 0; i < operand.values.size(); ++i) {
      if (i) add(", ");
      this->operand(operand.values[i]);
    }
    if (list) add(")");
  }
  add(")");
}

void Printer::node_attributes(const Node& node) {
  bool first = true;
  const auto begin = [&](std::string_view key) {
    add(std::exchange(first, false) ? "[" : ", ");
    name(key);
    add(" = ");
  };
  for (const Operand& operand : node.operands()) {
    if (!as_attribute(node, operand)) continue;
    begin(operand.param);
    typed(operand.values[0]->constant);
  }
  const std::string& usual = node.outputs.empty() ? std::string() : node.outputs[0]->name;
  const std::string& given = node.name.empty() ? usual : node.name;
  if (options_.exact ? !given.empty() : given != usual) {
    begin("name");
    if (options_.exact) {
      append_constant(out, *make_text(given), style_);
    } else {
      add(quote(given));
    }
  }
  for (const auto& [key, value] : node.attributes) {
    begin(key);
    append_constant(out, *value, style_);
  }
  if (!first) add("]");
}

void Printer::head(const Node& node) {
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (i) add(", ");
    type(node.outputs[i]->type);
    add(" ");
    name(node.outputs[i]->name);
  }
  if (!node.outputs.empty()) add(" = ");
  name(node.type);
  operands(node);
  node_attributes(node);
}

void Printer::statement(const Node& node, int level) {
  indent(level);
  const std::size_t begin = out.size();
  head(node);
  const std::size_t place = nodes.size();
  nodes.push_back({&node, {begin, out.size()}});
  for (std::size_t i = 0; i < node.blocks.size(); ++i) {
    add(i ? ", " : " ");
    if (!node.blocks[i]->inputs.empty()) {
      inputs(*node.blocks[i]);
      add(" ");
    }
    block(*node.blocks[i], level + 1);
  }
  add(";");
  if (node.blocks.empty()) nodes[place].second.end = out.size();
  if (options_.origins && !node.origin.empty()) {
    std::string origin = node.origin;
    std::replace(origin.begin(), origin.end(), '\n', ' ');
    fmt::format_to(std::back_inserter(out), "  // {}", origin);
  }
  add("\n");
  drain();
}

void Printer::inputs(const Block& block) {
  add("(");
  for (std::size_t i = 0; i < block.inputs.size(); ++i) {
    if (i) add(", ");
    type(block.inputs[i]->type);
    add(" ");
    name(block.inputs[i]->name);
  }
  add(")");
}

void Printer::names(const std::vector<Value*>& values) {
  add("(");
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i) add(", ");
    if (values[i]) name(values[i]->name);
  }
  add(")");
}

void Printer::attributes(const Attributes& attributes) {
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    add(i ? ", " : "[");
    name(attributes[i].first);
    add(" = ");
    append_constant(out, *attributes[i].second, style_);
  }
  if (!attributes.empty()) add("]");
}

// "{ … } -> (…)". Constants keep their order and stand as late as that allows: before the first node that needs one of
// them or a later one.
void Printer::block(const Block& block, int level) {
  add("{\n");
  std::unordered_set<const Value*> outputs(block.outputs().begin(), block.outputs().end());
  std::vector<const Value*> lines;
  std::unordered_map<const Value*, std::size_t> line_of;
  for (const auto& constant : block.constants) {
    if (at_use(*constant) && !outputs.contains(constant.get())) continue;
    line_of.emplace(constant.get(), lines.size());
    lines.push_back(constant.get());
  }
  std::size_t next = 0;
  const auto flush = [&](std::size_t end) {
    for (; next < end; ++next) constant_line(*lines[next], level);
  };
  const auto need = [&](const Node& node) {
    for (const Operand& operand : node.operands()) {
      for (const Value* value : operand.values) {
        const auto at = line_of.find(value);
        if (at != line_of.end()) flush(at->second + 1);
      }
    }
  };
  for (const Node& node : block.nodes) {
    need(node);
    for (const auto& inner : node.blocks) {
      for_each_node(static_cast<const Block&>(*inner), need);
      for (const Value* value : inner->outputs()) {
        const auto at = line_of.find(value);
        if (at != line_of.end()) flush(at->second + 1);
      }
    }
    statement(node, level);
  }
  flush(lines.size());
  indent(options_.exact ? std::max(level - 1, 0) : level - 1);
  add("} -> ");
  names(block.outputs());
  attributes(block.attributes);
}

void Printer::function(const Function& function) {
  const int level = 1;
  if (!(function.interface == derive_interface(function))) {
    for (const std::string& line : interface_lines(function)) {
      indent(level);
      fmt::format_to(std::back_inserter(out), "//! {}\n", line);
    }
  }
  indent(level);
  const std::size_t begin = out.size();
  add("func ");
  name(function.name);
  fmt::format_to(std::back_inserter(out), "<{}>", anemone::name(function.opset));
  inputs(function.body);
  functions.push_back({&function, {begin, out.size()}});
  if (!function.attributes.empty()) add(" ");
  attributes(function.attributes);
  add(" ");
  block(function.body, options_.exact ? 3 : 2);
  add(";\n");
}

void Printer::program(const Program& program) {
  add(style_.short_scalars ? "program(1.3)\n" : "program(1.0)\n");
  for (const std::string& line : program_lines(program)) fmt::format_to(std::back_inserter(out), "//! {}\n", line);
  attributes(program.attributes);
  if (!program.attributes.empty()) add("\n");
  add("{\n");
  for (const auto& function : program.functions) this->function(*function);
  add("}\n");
}

// Apple's compiler writes version 1.0, without short scalars, for programs up to ios17.
bool is_new_style(const Program& program, const PrintOptions& options) {
  if (!options.exact) return true;
  return std::any_of(program.functions.begin(), program.functions.end(),
                     [](const auto& function) { return function->opset >= Target::ios18; });
}

}  // namespace

Printed print(const Program& program, const PrintOptions& options, std::string name) {
  Printer printer(options, is_new_style(program, options));
  printer.program(program);
  Printed printed;
  printed.source = std::make_shared<const SourceText>(SourceText{std::move(name), std::move(printer.out)});
  for (const auto& [node, place] : printer.nodes) printed.nodes[node] = {printed.source, place.begin, place.end};
  for (const auto& [function, place] : printer.functions) {
    printed.functions[function] = {printed.source, place.begin, place.end};
  }
  return printed;
}

std::string to_text(const Program& program, const PrintOptions& options) {
  Printer printer(options, is_new_style(program, options));
  printer.program(program);
  return std::move(printer.out);
}

void write_text(const Program& program, const PrintOptions& options,
                const std::function<void(std::string_view)>& write) {
  Printer printer(options, is_new_style(program, options));
  printer.write_to(write);
  printer.program(program);
  if (!printer.out.empty()) write(printer.out);
}

std::string to_text(const Node& node) {
  const PrintOptions options;
  Printer printer(options, true);
  printer.head(node);
  return printer.out + ";";
}

std::string to_text(const Constant& constant) {
  std::string out;
  append_constant(out, constant, {.hex = true, .short_scalars = true});
  return out;
}

}  // namespace anemone

// Statements of MIL text: outputs, operands, constants and the inference of types.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/ir/text/program_reader.h"

namespace anemone {
namespace {

const Param* find_param(const Form* form, std::string_view name) {
  for (std::size_t i = 0; form && i < form->params.size(); ++i) {
    if (form->params[i].name == name) return &form->params[i];
  }
  return nullptr;
}

ConstantPtr converted(const Constant& constant, DType dtype) {
  return make_constant(dtype, constant.type.dims, to_doubles(constant));
}

}  // namespace

// False: the statement was not read to its end; skip_statement() does that.
bool ProgramReader::read_statement(Block& block, int depth) {
  Statement statement;
  if (read_outputs(statement) && read_right_side(statement, block, depth)) return true;
  define_outputs(statement);
  return false;
}

// "tensor<…> a, tensor<…> b =", with the types or without; nothing before an operation without outputs.
bool ProgramReader::read_outputs(Statement& statement) {
  if (text_.peek().kind == Token::Kind::identifier && text_.peek_second().is("(")) return true;
  do {
    Output output;
    output.type_at = text_.peek();
    if (text_.at_declared_type() && !text_.read_type(output.type.emplace())) return false;
    if (!text_.expect_name(output.name, "the name of a value")) return false;
    statement.outputs.push_back(std::move(output));
  } while (text_.accept(","));
  return text_.expect("=", "after the outputs");
}

bool ProgramReader::read_right_side(Statement& statement, Block& block, int depth) {
  if (text_.at_typed_literal()) {
    const Token at = text_.peek();
    ConstantPtr constant;
    if (!text_.read_typed_literal(constant) || !text_.expect(";", "after the statement")) return false;
    return add_constant(statement, block, at, std::move(constant));
  }
  if (!text_.expect_name(statement.op, "an operation")) return false;
  if (statement.op.text == "const") return read_constant(statement, block);
  if (!find_op(statement) || !read_operands(statement, false)) return false;
  std::vector<TextReader::NamedLiteral> attributes;
  if (!text_.read_attributes(attributes)) return false;
  for (const auto& attribute : attributes) {
    if (!add_attribute(statement, attribute)) return false;
  }
  return !statement.poisoned && add_node(statement, block, depth);
}

bool ProgramReader::find_op(Statement& statement) {
  statement.def = ops_.find(statement.op.text);
  if (statement.def) return true;
  const bool typed = std::all_of(statement.outputs.begin(), statement.outputs.end(),
                                 [](const Output& output) { return output.type.has_value(); });
  if (text_.options().trust_types && typed) return true;
  std::vector<std::string_view> names;
  for (const OpDef* def : ops_.all()) names.push_back(def->name);
  return text_.fail(statement.op, ErrorCode::unknown_operation_in_text,
                    fmt::format("there is no operation '{}'", statement.op.text),
                    TextReader::advice(statement.op.text, std::move(names)));
}

// const()[name = …, val = …], or const(val = …); without val the payload is missing.
bool ProgramReader::read_constant(Statement& statement, Block& block) {
  std::vector<TextReader::NamedLiteral> attributes;
  if (!read_operands(statement, true) || !text_.read_attributes(attributes)) return false;
  Literal val;
  Token at = statement.op;
  for (const Bound& operand : statement.operands) {
    at = operand.param;
    if (operand.param.text != "val" || operand.literals.size() != 1 || !operand.literals[0].constant) {
      return text_.fail(at, ErrorCode::text_syntax, "const takes val = a literal");
    }
    val = operand.literals[0];
  }
  for (const auto& [key, literal] : attributes) {
    if (key.text != "val") continue;
    val = literal;
    at = key;
  }
  if (!text_.expect(";", "after the statement")) return false;
  const std::optional<Type> declared = statement.outputs.size() == 1 ? statement.outputs[0].type : std::nullopt;
  if (val.constant && val.loose != Literal::Loose::no) {
    DType dtype = val.loose == Literal::Loose::integer ? DType::int32 : DType::fp32;
    if (declared && declared->is_tensor()) dtype = declared->dtype;
    val.constant = converted(*val.constant, dtype);
  }
  if (!val.constant) {
    if (!declared || !declared->is_fixed()) {
      text_.fail(statement.op, ErrorCode::literal_wrong, "const without val and without a type");
      define_outputs(statement);
      return true;
    }
    auto missing = std::make_shared<Constant>();
    missing->type = *declared;
    missing->missing = source_->name;
    val.constant = std::move(missing);
  }
  return add_constant(statement, block, at, std::move(val.constant));
}

bool ProgramReader::add_constant(Statement& statement, Block& block, const Token& at, ConstantPtr constant) {
  if (statement.outputs.size() != 1) {
    text_.fail(at, ErrorCode::declared_type_differs,
               fmt::format("a constant is one value, and {} are named", statement.outputs.size()));
    define_outputs(statement);
    return true;
  }
  const Output& output = statement.outputs[0];
  if (output.type && !compatible(*output.type, constant->type)) {
    text_.fail(output.type_at, ErrorCode::declared_type_differs,
               fmt::format("'{}' is declared as {}, and its value is {}", output.name.text, brief(*output.type),
                           brief(constant->type)));
    define_outputs(statement);
    return true;
  }
  define(output.name, block.add_constant(std::string(output.name.text), std::move(constant)));
  return true;
}

bool ProgramReader::read_operands(Statement& statement, bool of_const) {
  if (!text_.expect("(", of_const ? "after const" : "after the operation")) return false;
  if (text_.accept(")")) return true;
  do {
    Bound operand;
    if (!text_.expect_name(operand.param, "the name of a parameter")) return false;
    if (!text_.expect("=", "after the name of the parameter")) return false;
    for (const Bound& other : statement.operands) {
      if (other.param.text == operand.param.text) {
        return text_.fail(operand.param, ErrorCode::name_taken_in_text,
                          fmt::format("'{}' is given twice", operand.param.text));
      }
    }
    if (text_.accept("(")) {
      if (!text_.accept(")")) {
        do {
          if (!read_value(statement, operand)) return false;
        } while (text_.accept(","));
        if (!text_.expect(")", "after the values")) return false;
      }
    } else if (!read_value(statement, operand)) {
      return false;
    }
    operand.end = text_.taken_end();
    statement.operands.push_back(std::move(operand));
  } while (text_.accept(","));
  return text_.expect(")", "after the operands");
}

bool ProgramReader::read_value(Statement& statement, Bound& operand) {
  operand.values.push_back(nullptr);
  operand.literals.emplace_back();
  if (text_.at_literal()) return text_.read_literal(operand.literals.back());
  Token name;
  if (!text_.expect_name(name, "a value or a literal")) return false;
  if (!find(name, operand.values.back())) statement.poisoned = true;
  return true;
}

// The older constexpr operations keep their parameters as attributes; here they become operands like all others.
bool ProgramReader::add_attribute(Statement& statement, const TextReader::NamedLiteral& attribute) {
  const auto& [key, literal] = attribute;
  if (key.text == "name" && literal.constant->is_string() && literal.constant->strings.size() == 1) {
    statement.name = literal.constant->strings[0];
    statement.has_name = true;
    return true;
  }
  const auto taken = [&](std::string_view name) {
    for (const Bound& operand : statement.operands) {
      if (operand.param.text == name) return true;
    }
    return false;
  };
  if (statement.def && find_param(statement.def->form(function_->opset), key.text) && !taken(key.text)) {
    statement.operands.push_back({key, {nullptr}, {literal}, key.end});
    return true;
  }
  statement.attributes.emplace_back(key.text, literal.constant);
  return true;
}

// The dtype of a number without one: that of its group, else what the parameter accepts, else int32 or fp32.
DType ProgramReader::settle(const Statement& statement, const Bound& operand, const Literal& literal) const {
  const bool integer = literal.loose == Literal::Loose::integer;
  const DType natural = integer ? DType::int32 : DType::fp32;
  const Form* form = statement.def ? statement.def->form(function_->opset) : nullptr;
  const Param* param = find_param(form, operand.param.text);
  if (!param) return natural;
  const auto suits = [&](DType dtype) {
    return (param->types & dtype_bit(dtype)) != 0 && (is_float(dtype) || (integer && is_integer(dtype)));
  };
  std::optional<DType> first_float;
  for (const Bound& other : statement.operands) {
    const Param* other_param = find_param(form, other.param.text);
    for (std::size_t i = 0; i < other.values.size(); ++i) {
      const Literal& beside = other.literals[i];
      if (beside.constant && beside.loose != Literal::Loose::no) continue;
      const Type& type = beside.constant ? beside.constant->type : other.values[i]->type;
      if (!type.is_tensor()) continue;
      if (param->group && other_param && other_param->group == param->group && suits(type.dtype)) return type.dtype;
      if (is_float(type.dtype) && !first_float) first_float = type.dtype;
    }
  }
  if (!integer && first_float && suits(*first_float)) return *first_float;
  if (suits(natural)) return natural;
  if (first_float && suits(*first_float)) return *first_float;
  for (int i = 0; i < kDTypeCount; ++i) {
    if (suits(static_cast<DType>(i))) return static_cast<DType>(i);
  }
  return natural;
}

bool ProgramReader::add_node(Statement& statement, Block& block, int depth) {
  Node& node = block.insert(block.nodes.end(), std::string(statement.op.text), statement.def);
  node.origin = origin(statement.op);
  node.attributes = std::move(statement.attributes);
  node.name = statement.has_name          ? statement.name
              : statement.outputs.empty() ? std::string()
                                          : std::string(statement.outputs[0].name.text);
  for (Bound& operand : statement.operands) {
    for (std::size_t i = 0; i < operand.values.size(); ++i) {
      const Literal& literal = operand.literals[i];
      if (!literal.constant) continue;
      ConstantPtr constant = literal.constant;
      if (literal.loose != Literal::Loose::no) {
        const DType dtype = settle(statement, operand, literal);
        if (dtype != constant->type.dtype) constant = converted(*constant, dtype);
      }
      operand.values[i] = block.add_constant({}, std::move(constant));
      operand.values[i]->is_inline = true;
      inline_values_.emplace_back(operand.values[i], operand.param.text);
    }
    node.set(operand.param.text, operand.values);
  }
  if (!read_blocks(node, depth) || !text_.expect(";", "after the statement")) return false;
  if (!set_outputs(statement, node)) define_outputs(statement);
  return true;
}

// "{ … } -> (…), (int32 i) { … } -> (…)"
bool ProgramReader::read_blocks(Node& node, int depth) {
  if (!text_.peek().is("{") && !text_.peek().is("(")) return true;
  do {
    Block& inner = node.add_block();
    const std::size_t outer = order_.size();
    if (text_.peek().is("(") && !read_inputs(inner)) return false;
    if (!read_block(inner, depth + 1)) return false;
    for (std::size_t i = outer; i < order_.size(); ++i) names_.at(order_[i]).visible = false;
  } while (text_.accept(","));
  return true;
}

bool ProgramReader::set_outputs(Statement& statement, Node& node) {
  std::vector<Output>& outputs = statement.outputs;
  const bool typed =
      std::all_of(outputs.begin(), outputs.end(), [](const Output& output) { return output.type.has_value(); });
  if (!node.def || (text_.options().trust_types && typed)) {
    for (Output& output : outputs) {
      define(output.name, node.add_output(std::string(output.name.text), *std::move(output.type)));
    }
    return true;
  }
  if (!text_.errors().empty() && node.blocks.empty() == false) return false;  // blocks with errors mislead the rule
  auto inferred = infer_types(node, function_->opset);
  if (!inferred) return blame(statement, std::move(inferred).error());
  if (inferred->size() != outputs.size()) {
    return text_.fail(
        statement.op, ErrorCode::declared_type_differs,
        fmt::format("{} has {} outputs, and {} are named", statement.op.text, inferred->size(), outputs.size()));
  }
  bool good = true;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::optional<Type>& declared = outputs[i].type;
    if (!declared || compatible(*declared, (*inferred)[i])) continue;
    good = text_.fail(outputs[i].type_at, ErrorCode::declared_type_differs,
                      fmt::format("'{}' is declared as {}, and {} gives {}", outputs[i].name.text, brief(*declared),
                                  statement.op.text, brief((*inferred)[i])));
  }
  for (std::size_t i = 0; good && i < outputs.size(); ++i) {
    Type type = outputs[i].type ? *std::move(outputs[i].type) : std::move((*inferred)[i]);
    define(outputs[i].name, node.add_output(std::string(outputs[i].name.text), std::move(type)));
  }
  return good;
}

// The errors of a type rule, placed at the operand that is to blame.
bool ProgramReader::blame(const Statement& statement, Diagnostics errors) {
  for (Diagnostic& d : errors) {
    Token at = statement.op;
    for (const Bound& operand : statement.operands) {
      if (operand.param.text != d.param) continue;
      at = operand.param;
      at.end = operand.end;
    }
    text_.fail(at, Diagnostics{std::move(d)});
  }
  return false;
}

// After an error: the outputs exist for the statements below, with their type where it is written.
void ProgramReader::define_outputs(const Statement& statement) {
  for (const Output& output : statement.outputs) {
    if (names_.contains(output.name.text)) continue;
    Value* value = nullptr;
    if (output.type) {
      placeholders_.push_back(std::make_unique<Value>());
      value = placeholders_.back().get();
      value->name = output.name.text;
      value->type = *output.type;
    }
    names_.emplace(output.name.text, Name{value, true});
    order_.push_back(output.name.text);
  }
}

std::string ProgramReader::origin(const Token& at) {
  const std::string_view text = source_->text;
  if (at.begin > line_offset_) {
    line_ += static_cast<std::size_t>(
        std::count(text.begin() + static_cast<long>(line_offset_), text.begin() + static_cast<long>(at.begin), '\n'));
    line_offset_ = at.begin;
  }
  return fmt::format("{}:{}", source_->name, line_);
}

}  // namespace anemone

// The upper half of the MIL text parser: programs, functions, blocks and their outputs.
#include "anemone/ir/text/program_reader.h"
#include "anemone/ir/derive_interface.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/ir/flexible_shapes.h"
#include "anemone/ir/text/interface_text.h"
#include "anemone/ir/verify.h"

namespace anemone {

bool ProgramReader::read() {
  read_directives();
  bool braces = false;
  if (text_.peek().is_word("program")) {
    if (!read_header()) return false;
    braces = true;
  }
  while (!text_.at_end() && !text_.peek().is("}")) {
    read_directives();
    if (text_.at_end() || text_.peek().is("}")) break;
    if (!read_function()) skip_to_function(braces);
  }
  if (braces) text_.expect("}", "at the end of the program");
  if (!text_.at_end()) text_.fail(text_.peek(), ErrorCode::text_syntax, "the text should end after the program");
  finish_program();
  return text_.errors().empty();
}

bool ProgramReader::read_header() {
  text_.take();
  if (!text_.expect("(", "after program")) return false;
  const Token version = text_.take();
  if (version.kind != Token::Kind::number || version.text.substr(0, 2) != "1.") {
    return text_.fail(version, ErrorCode::text_syntax, "a version of MIL text, 1.0 to 1.3, expected");
  }
  if (!text_.expect(")", "after the version")) return false;
  read_directives();
  std::vector<TextReader::NamedLiteral> attributes;
  if (!text_.read_attributes(attributes)) return false;
  for (auto& [key, literal] : attributes) program_->attributes.emplace_back(key.text, literal.constant);
  read_directives();
  return text_.expect("{", "before the functions");
}

// The //! lines that stand here: of the program at once, of the interface for the next function.
void ProgramReader::read_directives() {
  while (text_.peek().kind == Token::Kind::directive) {
    const Token line = text_.take();
    const std::size_t word = std::min(line.text.find_first_not_of(" \t"), line.text.size());
    const std::string_view key = line.text.substr(word, line.text.find_first_of(" \t", word) - word);
    const bool of_function = key == "input" || key == "output" || key == "state" || key == "empty" ||
                             key == "predicted_feature" || key == "predicted_probabilities";
    if (key == "specification") specification_given_ = true;
    if (key == "default") default_line_ = line;
    if (of_function && !interface_) interface_.emplace();
    auto done = of_function ? read_interface_line(line.text, *interface_) : read_program_line(line.text, *program_);
    if (done) continue;
    Diagnostics errors = std::move(done).error();
    for (Diagnostic& d : errors) {
      const std::size_t begin = line.begin + 3;
      d.span = {source_, begin + d.span.begin, begin + d.span.end};
    }
    text_.fail(line, std::move(errors));
  }
}

void ProgramReader::skip_to_function(bool braces) {
  int depth = 0;
  while (!text_.at_end()) {
    if (depth <= 0 && text_.peek().is_word("func")) return;
    const bool last = braces && text_.peek().is("}") && text_.peek_second().kind == Token::Kind::end;
    if (depth <= 0 && last) return;  // the program's own
    if (text_.peek().is("{")) ++depth;
    if (text_.peek().is("}")) --depth;
    text_.take();
  }
}

bool ProgramReader::read_function() {
  const Token start = text_.peek();
  if (!start.is_word("func")) {
    return text_.fail(start, ErrorCode::text_syntax, "'func' expected",
                      "a function begins like this: func main<ios17>(tensor<…> x) {");
  }
  text_.take();
  Token name;
  if (!text_.expect_name(name, "the name of the function") || !text_.expect("<", "after the name")) return false;
  const Token tag = text_.take();
  std::optional<Target> target = target_from(tag.text);
  if (!target) target = target_from_opset(tag.text);
  if (tag.kind != Token::Kind::identifier || !target) {
    return text_.fail(tag, ErrorCode::text_syntax, fmt::format("'{}' is no opset", tag.text.substr(0, 40)),
                      "ios15, ios16, ios17, ios18");
  }
  if (!text_.expect(">", "after the opset")) return false;
  if (program_->find(name.text)) {
    return text_.fail(name, ErrorCode::name_taken_in_text, fmt::format("there is a function '{}' already", name.text));
  }
  function_ = &program_->add_function(std::string(name.text), *target);
  names_.clear();
  order_.clear();
  inline_values_.clear();
  Block& body = function_->body;
  std::vector<TextReader::NamedLiteral> attributes;
  bool good = read_inputs(body) && text_.read_attributes(attributes) && read_block(body, 0);
  text_.accept(";");
  for (auto& [value, wish] : inline_values_) value->name = function_->unique_name(wish);
  if (good) finish_interface(attributes);
  interface_.reset();
  return good;
}

bool ProgramReader::read_inputs(Block& block) {
  if (!text_.expect("(", "before the inputs")) return false;
  if (text_.accept(")")) return true;
  do {
    Type type;
    Token name;
    if (!text_.read_type(type) || !text_.expect_name(name, "the name of an input")) return false;
    define(name, block.add_input(std::string(name.text), std::move(type)));
  } while (text_.accept(","));
  return text_.expect(")", "after the inputs");
}

// "{ statements } -> (outputs)[attributes]"
bool ProgramReader::read_block(Block& block, int depth) {
  if (depth > kMaxBlocks) {
    return text_.fail(text_.peek(), ErrorCode::text_too_large, fmt::format("blocks nested deeper than {}", kMaxBlocks));
  }
  if (!text_.expect("{", "before the statements")) return false;
  while (!text_.at_end() && !text_.peek().is("}")) {
    if (!read_statement(block, depth)) skip_statement();
  }
  std::vector<Value*> outputs;
  std::vector<TextReader::NamedLiteral> attributes;
  bool good = text_.expect("}", "after the statements") && text_.expect("->", "before the outputs of the block") &&
              text_.expect("(", "before the outputs of the block");
  if (good && !text_.accept(")")) {
    do {
      Token name;
      if (!text_.expect_name(name, "the name of an output")) return false;
      Value* value = nullptr;
      good = find(name, value) && good;
      if (value) outputs.push_back(value);
    } while (text_.accept(","));
    good = text_.expect(")", "after the outputs of the block") && good;
  }
  good = good && text_.read_attributes(attributes);
  for (auto& [key, literal] : attributes) block.attributes.emplace_back(key.text, literal.constant);
  block.set_outputs(std::move(outputs));
  return good;
}

void ProgramReader::skip_statement() {
  int depth = 0;
  while (!text_.at_end()) {
    if (depth == 0 && text_.peek().is("}")) return;
    const Token token = text_.take();
    if (token.is("{")) ++depth;
    if (token.is("}")) --depth;
    if (depth == 0 && token.is(";")) return;
  }
}

void ProgramReader::define(const Token& name, Value* value) {
  const auto [at, fresh] = names_.try_emplace(name.text, Name{value, true});
  if (!fresh && at->second.visible) {
    text_.fail(name, ErrorCode::name_taken_in_text, fmt::format("the name '{}' is taken", name.text),
               "names are unique in a function");
    return;
  }
  at->second = Name{value, true};  // blocks beside each other may use a name twice: packages by others do
  order_.push_back(name.text);
}

// False: there is no such value, or it has an error of its own that was reported (`value` stays null).
bool ProgramReader::find(const Token& name, Value*& value) {
  const auto at = names_.find(name.text);
  if (at != names_.end() && at->second.visible) {
    value = at->second.value;
    return value != nullptr;
  }
  if (at != names_.end()) {
    return text_.fail(name, ErrorCode::unknown_value_in_text,
                      fmt::format("'{}' is defined in another block", name.text));
  }
  std::vector<std::string_view> candidates;
  for (const auto& [known, entry] : names_) {
    if (entry.visible) candidates.push_back(known);
  }
  return text_.fail(name, ErrorCode::unknown_value_in_text, fmt::format("there is no value '{}' here", name.text),
                    TextReader::advice(name.text, std::move(candidates)));
}

void ProgramReader::finish_interface(std::vector<TextReader::NamedLiteral>& attributes) {
  function_->interface = interface_ ? *std::move(interface_) : derive_interface(*function_);
  for (auto& [key, literal] : attributes) {
    const Constant& value = *literal.constant;
    if (key.text == kFlexibleShapes && !interface_ && apply_flexible_shapes(value, function_->interface)) continue;
    function_->attributes.emplace_back(key.text, literal.constant);
  }
}

void ProgramReader::finish_program() {
  if (!text_.errors().empty()) return;
  if (program_->functions.empty()) {
    text_.fail(text_.peek(), ErrorCode::no_function_in_text, "the text holds no function");
    return;
  }
  if (!specification_given_) {
    program_->specification = 0;
    for (const auto& function : program_->functions) {
      program_->specification = std::max(program_->specification, specification_version(function->opset));
    }
  }
  if (program_->find(program_->default_function)) return;
  if (default_line_) {
    text_.fail(*default_line_, ErrorCode::no_function_in_text,
               fmt::format("there is no function '{}'", program_->default_function));
  } else {
    program_->default_function = program_->functions.front()->name;
  }
}

}  // namespace anemone

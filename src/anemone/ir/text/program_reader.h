#pragma once
// The upper half of the MIL text parser, above TextReader.
#include <unordered_map>

#include "anemone/ir/op_def.h"
#include "anemone/ir/text/text_reader.h"

namespace anemone {

class ProgramReader {
 public:
  ProgramReader(std::shared_ptr<const SourceText> source, const OpTable& ops, const ParseOptions& options)
      : source_(std::move(source)), ops_(ops), text_(source_, options), program_(std::make_unique<Program>(ops)) {}

  Result<std::unique_ptr<Program>> run() {
    if (!read()) return std::move(text_.errors());
    return std::move(program_);
  }

 private:
  static constexpr int kMaxBlocks = 32;

  struct Name {
    Value* value;  ///< null: its statement has an error, which was reported
    bool visible;  ///< false: defined in a block that has ended
  };
  struct Output {
    Token name;
    Token type_at;
    std::optional<Type> type;
  };
  struct Bound {
    Token param;
    std::vector<Value*> values;
    std::vector<Literal> literals;  ///< one a value; with a null constant where the value is a name
    std::size_t end = 0;            ///< of its text, which begins with `param`
  };
  struct Statement {
    std::vector<Output> outputs;
    Token op;
    const OpDef* def = nullptr;
    std::vector<Bound> operands;
    std::string name;
    Attributes attributes;
    bool has_name = false, poisoned = false;
  };

  // parse.cpp
  bool read();
  bool read_header();
  void read_directives();
  void skip_to_function(bool braces);
  bool read_function();
  bool read_inputs(Block& block);
  bool read_block(Block& block, int depth);
  void skip_statement();
  void define(const Token& name, Value* value);
  bool find(const Token& name, Value*& value);
  void finish_interface(std::vector<TextReader::NamedLiteral>& attributes);
  void finish_program();

  // parse_statement.cpp
  bool read_statement(Block& block, int depth);
  bool read_outputs(Statement& statement);
  bool read_right_side(Statement& statement, Block& block, int depth);
  bool read_constant(Statement& statement, Block& block);
  bool add_constant(Statement& statement, Block& block, const Token& at, ConstantPtr constant);
  bool read_operands(Statement& statement, bool of_const);
  bool read_value(Statement& statement, Bound& operand);
  bool find_op(Statement& statement);
  bool add_attribute(Statement& statement, const TextReader::NamedLiteral& attribute);
  DType settle(const Statement& statement, const Bound& operand, const Literal& literal) const;
  bool add_node(Statement& statement, Block& block, int depth);
  bool read_blocks(Node& node, int depth);
  bool set_outputs(Statement& statement, Node& node);
  bool blame(const Statement& statement, Diagnostics errors);
  void define_outputs(const Statement& statement);
  std::string origin(const Token& at);

  std::shared_ptr<const SourceText> source_;
  const OpTable& ops_;
  TextReader text_;
  std::unique_ptr<Program> program_;
  std::optional<Interface> interface_;  ///< from the //! lines before the next function
  bool specification_given_ = false;
  std::optional<Token> default_line_;

  // Of the function being read. The keys are parts of the source.
  Function* function_ = nullptr;
  std::unordered_map<std::string_view, Name> names_;
  std::vector<std::string_view> order_;                             ///< of definition
  std::vector<std::pair<Value*, std::string_view>> inline_values_;  ///< named when all written names are known
  std::vector<std::unique_ptr<Value>> placeholders_;                ///< for outputs of statements with errors
  std::size_t line_ = 1, line_offset_ = 0;                          ///< of the last origin()
};

}  // namespace anemone

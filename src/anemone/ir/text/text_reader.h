#pragma once
// The lower half of the MIL text parser: tokens with lookahead, errors with places, types and literals.
#include "anemone/ir/text/lexer.h"
#include "anemone/ir/text/parse.h"

namespace anemone {

/// A literal as an operand. Without a written type its numbers may still become another dtype.
struct Literal {
  enum class Loose : std::uint8_t { no, integer, real };
  ConstantPtr constant;  ///< loose integers are int32, loose reals fp64 until their use decides
  Loose loose = Loose::no;
  Token first;
};

class TextReader {
 public:
  TextReader(std::shared_ptr<const SourceText> source, const ParseOptions& options);

  const Token& peek() const { return token_; }
  const Token& peek_second() const { return second_; }
  Token take();
  std::size_t taken_end() const { return taken_end_; }  ///< where the last taken token ends
  bool at_end() const { return token_.kind == Token::Kind::end; }
  bool accept(std::string_view symbol);
  /// `after` completes the message: "';' expected after the statement".
  bool expect(std::string_view symbol, std::string_view after);
  bool expect_name(Token& name, std::string_view what);

  /// Record an error; always false. After max_errors the text seems to end.
  bool fail(const Token& at, ErrorCode code, std::string message, std::string help = {});
  bool fail(const Token& at, Diagnostics diagnostics);
  /// "did you mean 'x'?", or nothing. Long words and long lists are not searched: the search is quadratic.
  static std::string advice(std::string_view word, std::vector<std::string_view> candidates);
  Diagnostics& errors() { return errors_; }

  /// A type followed by a name (in a declaration), or by '(' (in a typed literal), stands here.
  bool at_declared_type() const;
  bool at_typed_literal() const;
  bool at_literal() const;
  bool read_type(Type& type, int depth = 0);
  bool read_literal(Literal& literal);
  bool read_typed_literal(ConstantPtr& constant);
  /// "[a = literal, b = literal]"
  struct NamedLiteral {
    Token key;
    Literal literal;
  };
  bool read_attributes(std::vector<NamedLiteral>& attributes);

  const ParseOptions& options() const { return options_; }
  const SourceText& source() const { return *source_; }

 private:
  struct Items;
  bool read_extents(Type& type);
  bool read_payload(const Type& type, Constant& constant, int depth);
  bool read_tensor(const Type& type, Constant& constant);
  bool read_dictionary(const Type& type, Constant& constant, int depth);
  bool read_sequence(const Type& type, Constant& constant, int depth);
  bool read_generated(const Type& type, Constant& constant);
  bool generate(const Token& how, const Type& type, std::int64_t count, Constant& constant);
  bool read_blob(const Type& type, Constant& constant);
  bool read_items(Items& items, std::size_t depth);
  bool read_item(Items& items);
  bool read_not_finite(Items& items);
  bool read_loose(Literal& literal);
  bool pack(const Token& at, Type type, Items& items, Constant& constant);
  bool resolve_dims(const Token& at, Type& type, const Items& items);
  bool spend(const Token& at, const Type& type);
  bool spend_container(const Type& type);

  std::shared_ptr<const SourceText> source_;
  const ParseOptions& options_;
  Lexer lexer_;
  Token token_, second_;
  Diagnostics errors_;
  bool stopped_ = false;
  std::size_t taken_end_ = 0;
  std::int64_t budget_;
};

}  // namespace anemone

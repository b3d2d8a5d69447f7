// Tokens, errors and types of the MIL text parser.
#include "anemone/ir/text/text_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace anemone {
namespace {

constexpr int kMaxDepth = 32;            // of types and of containers in literals
constexpr std::size_t kMaxRank = 64;     // constants may exceed Core ML's five dimensions
constexpr std::size_t kMaxTuple = 4096;  // elements of a tuple type

bool is_container(const Token& token) {
  return token.is_word("tensor") || token.is_word("list") || token.is_word("tuple") || token.is_word("dict") ||
         token.is_word("state");
}
bool is_scalar_type(const Token& token) { return token.is_bare() && dtype_from(token.text); }

std::string shown(const Token& token) {
  if (token.kind == Token::Kind::end) return "the end of the text";
  if (token.kind == Token::Kind::directive) return "a //! line";
  if (token.kind == Token::Kind::string) return "a string";
  return fmt::format("'{}'", token.text.substr(0, 40));
}

}  // namespace

TextReader::TextReader(std::shared_ptr<const SourceText> source, const ParseOptions& options)
    : source_(std::move(source)), options_(options), lexer_(source_->text), budget_(options.max_payload) {
  token_ = lexer_.next();
  second_ = lexer_.next();
}

Token TextReader::take() {
  Token taken = token_;
  if (stopped_ || token_.kind == Token::Kind::end) return taken;
  taken_end_ = taken.end;
  token_ = second_;
  second_ = lexer_.next();
  return taken;
}

bool TextReader::accept(std::string_view symbol) {
  if (!token_.is(symbol)) return false;
  take();
  return true;
}

bool TextReader::expect(std::string_view symbol, std::string_view after) {
  if (accept(symbol)) return true;
  return fail(token_, ErrorCode::text_syntax, fmt::format("'{}' expected {}, not {}", symbol, after, shown(token_)));
}

bool TextReader::expect_name(Token& name, std::string_view what) {
  if (token_.kind != Token::Kind::identifier) {
    return fail(token_, ErrorCode::text_syntax, fmt::format("{} expected, not {}", what, shown(token_)));
  }
  name = take();
  return true;
}

bool TextReader::fail(const Token& at, ErrorCode code, std::string message, std::string help) {
  if (stopped_) return false;
  Diagnostic d = bad_input(code, std::move(message), {}, std::move(help));
  if (at.kind == Token::Kind::bad) {
    d.code = ErrorCode::text_syntax;
    d.message = at.text;
    d.help.clear();
  }
  d.span = {source_, at.begin, at.end};
  return fail(at, Diagnostics{std::move(d)});
}

bool TextReader::fail(const Token& at, Diagnostics diagnostics) {
  for (Diagnostic& d : diagnostics) {
    if (stopped_) break;
    if (!d.span.source) d.span = {source_, at.begin, at.end};
    errors_.push_back(std::move(d));
    if (errors_.size() < options_.max_errors) continue;
    errors_.back().notes.push_back(fmt::format("reading stopped after {} errors", errors_.size()));
    stopped_ = true;
    token_ = second_ = Token{Token::Kind::end, {}, source_->text.size(), source_->text.size()};
  }
  return false;
}

std::string TextReader::advice(std::string_view word, std::vector<std::string_view> candidates) {
  constexpr std::size_t kLongest = 64, kMost = 10000;
  std::erase_if(candidates, [](std::string_view candidate) { return candidate.size() > kLongest; });
  if (word.size() > kLongest || candidates.size() > kMost) return {};
  std::sort(candidates.begin(), candidates.end());
  return did_you_mean(word, candidates);
}

bool TextReader::at_declared_type() const {
  return (second_.is("<") && is_container(token_)) ||
         (second_.kind == Token::Kind::identifier && is_scalar_type(token_));
}

bool TextReader::at_typed_literal() const {
  return (second_.is("<") && is_container(token_)) || (second_.is("(") && is_scalar_type(token_));
}

bool TextReader::at_literal() const {
  return token_.kind == Token::Kind::number || token_.kind == Token::Kind::string || token_.is("[") ||
         token_.is_word("true") || token_.is_word("false") || at_typed_literal();
}

bool TextReader::read_extents(Type& type) {
  if (accept("*")) {
    type.ranked = false;
    return true;
  }
  if (!expect("[", "before the extents")) return false;
  if (accept("]")) return true;
  do {
    if (token_.is(".") || token_.is("*")) {  // [...]: not even the rank is known
      while (token_.is(".") || token_.is("*")) take();
      type.ranked = false;
      continue;
    }
    if (accept("?")) {
      type.dims.push_back(kUnknown);
    } else {
      const Token number = take();
      std::int64_t extent = -1;
      const auto [end, error] = std::from_chars(number.text.data(), number.text.data() + number.text.size(), extent);
      if (number.kind != Token::Kind::number || error != std::errc() || extent < 0 ||
          end != number.text.data() + number.text.size()) {
        return fail(number, ErrorCode::text_syntax, fmt::format("an extent expected, not {}", shown(number)));
      }
      type.dims.push_back(extent);
    }
    if (type.dims.size() > kMaxRank) {
      return fail(token_, ErrorCode::text_too_large, fmt::format("more than {} dimensions", kMaxRank));
    }
  } while (accept(","));
  if (!type.ranked) type.dims.clear();
  return expect("]", "after the extents");
}

bool TextReader::read_type(Type& type, int depth) {
  if (depth > kMaxDepth)
    return fail(token_, ErrorCode::text_too_large, fmt::format("types nested deeper than {}", kMaxDepth));
  type = Type();
  const Token word = token_;
  if (is_scalar_type(word)) {
    type.dtype = *dtype_from(take().text);
    return true;
  }
  if (!is_container(word)) {
    const std::string help = word.kind != Token::Kind::identifier
                                 ? std::string()
                                 : advice(word.text, {"tensor", "list", "tuple", "dict", "state", "fp16", "fp32",
                                                      "int32", "bool", "string", "int8", "uint8", "int16"});
    return fail(word, ErrorCode::text_syntax, fmt::format("a type expected, not {}", shown(word)), help);
  }
  take();
  if (!expect("<", "after " + std::string(word.text))) return false;
  if (word.text == "tensor") {
    if (!is_scalar_type(token_)) {
      return fail(token_, ErrorCode::text_syntax, fmt::format("an element type expected, not {}", shown(token_)));
    }
    type.dtype = *dtype_from(take().text);
    if (!expect(",", "after the element type") || !read_extents(type)) return false;
    return expect(">", "at the end of the type");
  }
  type.kind = word.text == "list"    ? Type::Kind::list
              : word.text == "tuple" ? Type::Kind::tuple
              : word.text == "dict"  ? Type::Kind::dictionary
                                     : Type::Kind::state;
  if (type.kind == Type::Kind::list) {
    type.elements.emplace_back();
    if (!read_type(type.elements[0], depth + 1) || !expect(",", "before the length of the list")) return false;
    if (accept("?")) {
      type.length = kUnknown;
    } else {
      const Token number = take();
      const auto [end, error] =
          std::from_chars(number.text.data(), number.text.data() + number.text.size(), type.length);
      if (number.kind != Token::Kind::number || error != std::errc() || type.length < 0 ||
          end != number.text.data() + number.text.size()) {
        return fail(number, ErrorCode::text_syntax,
                    fmt::format("the length of the list expected, not {}", shown(number)));
      }
    }
    return expect(">", "at the end of the type");
  }
  if (!token_.is(">")) {
    do {
      if (type.elements.size() == kMaxTuple) return fail(token_, ErrorCode::text_too_large, "a tuple type is too long");
      type.elements.emplace_back();
      if (!read_type(type.elements.back(), depth + 1)) return false;
    } while (accept(","));
  }
  const std::size_t wanted = type.kind == Type::Kind::dictionary ? 2 : type.kind == Type::Kind::state ? 1 : 0;
  if (wanted && type.elements.size() != wanted) {
    return fail(word, ErrorCode::text_syntax,
                fmt::format("{} takes {} types, not {}", word.text, wanted, type.elements.size()));
  }
  if (type.kind == Type::Kind::state && !type.elements[0].is_tensor()) {
    return fail(word, ErrorCode::text_syntax, "a state wraps a tensor");
  }
  return expect(">", "at the end of the type");
}

bool TextReader::read_attributes(std::vector<NamedLiteral>& attributes) {
  if (!accept("[")) return true;
  if (accept("]")) return true;
  do {
    NamedLiteral attribute;
    if (!expect_name(attribute.key, "the name of an attribute") || !expect("=", "after the name of the attribute") ||
        !read_literal(attribute.literal)) {
      return false;
    }
    attributes.push_back(std::move(attribute));
  } while (accept(","));
  return expect("]", "after the attributes");
}

}  // namespace anemone

// The //! lines: features, their shapes, and the metadata of the program.
#include "anemone/ir/text/interface_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <tuple>

#include "anemone/ir/text/lexer.h"

namespace anemone {
namespace {

// ---- writing ----

std::string dims_text(std::span<const std::int64_t> dims) { return fmt::format("[{}]", fmt::join(dims, ", ")); }

std::string range_text(const SizeRange& range) {
  return range.upper < 0 ? fmt::format("{}..", range.lower) : fmt::format("{}..{}", range.lower, range.upper);
}

constexpr std::array kKinds{Feature::Kind::array,    Feature::Kind::image,  Feature::Kind::int64,
                            Feature::Kind::float64,  Feature::Kind::string, Feature::Kind::dictionary,
                            Feature::Kind::sequence, Feature::Kind::state};
constexpr std::array kColors{Color::gray, Color::rgb, Color::bgr, Color::gray_fp16};

// Whatever differs from a fresh feature is written, whether it suits the kind or not: nothing is lost.
std::string feature_line(std::string_view role, const Feature& f) {
  const Feature plain;
  std::string out = fmt::format("{} {}: {}", role, is_plain_identifier(f.name) ? f.name : quote(f.name), name(f.kind));
  const bool array = f.kind == Feature::Kind::array || f.kind == Feature::Kind::state;
  const bool image = f.kind == Feature::Kind::image;
  const auto add = [&out](const std::string& words) { out += " " + words; };
  if (array || f.dtype != plain.dtype) add(std::string(name(f.dtype)));
  if (array || !f.shape.empty()) add(dims_text(f.shape));
  if (image || f.color != plain.color) add(std::string(name(f.color)));
  if (image || f.width || f.height) add(fmt::format("{}x{}", f.width, f.height));
  if (!f.shapes.empty()) add("shapes");
  for (const Dims& shape : f.shapes) add(dims_text(shape));
  if (!f.ranges.empty()) add("ranges");
  for (const SizeRange& range : f.ranges) add(range_text(range));
  if (!f.sizes.empty()) add("sizes");
  for (const auto& [width, height] : f.sizes) add(fmt::format("{}x{}", width, height));
  if (f.size_range) {
    add(fmt::format("widths {} heights {}", range_text(f.size_range->first), range_text(f.size_range->second)));
  }
  if (f.optional) add("optional");
  if (f.default_value || f.default_type != plain.default_type) {
    add("default " + std::string(name(f.default_type)));
    std::string number;
    if (f.default_value) append_hex(number, *f.default_value);
    if (f.default_value)
      add(static_cast<double>(static_cast<float>(*f.default_value)) == *f.default_value
              ? fmt::format("{}", static_cast<float>(*f.default_value))
              : number);
  }
  if (f.kind == Feature::Kind::dictionary || f.kind == Feature::Kind::sequence || f.string_keys) {
    add(f.string_keys ? "keys string" : "keys int64");
  }
  if (f.length != plain.length) add("length " + range_text(f.length));
  if (!f.description.empty()) add(quote(f.description));
  return out;
}

// ---- reading ----

class LineReader {
 public:
  explicit LineReader(std::string_view line) : line_(line) {}

  // A run without blanks, a quoted string with its quotes, or [a, b].
  std::string_view word() {
    skip();
    begin_ = at_;
    if (at_ >= line_.size()) return {};
    const char c = line_[at_];
    if (c == '"') {
      for (++at_; at_ < line_.size() && line_[at_] != '"'; ++at_) at_ += line_[at_] == '\\' ? 1 : 0;
      at_ = std::min(at_ + 1, line_.size());
    } else if (c == '[') {
      at_ = std::min(line_.find(']', at_), line_.size() - 1) + 1;
    } else {
      while (at_ < line_.size() && line_[at_] != ' ' && line_[at_] != '\t' && line_[at_] != ':') ++at_;
    }
    return line_.substr(begin_, at_ - begin_);
  }
  std::string_view peek() {
    const std::size_t at = at_;
    const std::string_view next = word();
    at_ = at;
    return next;
  }
  bool colon() {
    skip();
    if (at_ >= line_.size() || line_[at_] != ':') return false;
    ++at_;
    return true;
  }
  bool done() {
    skip();
    return at_ >= line_.size();
  }
  Diagnostic wrong(std::string message, std::string help = {}) const {
    Diagnostic d = bad_input(ErrorCode::interface_line_wrong, std::move(message), {}, std::move(help));
    d.span.begin = std::min(begin_, line_.size());
    d.span.end = std::max(at_, d.span.begin);
    return d;
  }

 private:
  void skip() {
    while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t')) ++at_;
  }
  std::string_view line_;
  std::size_t at_ = 0, begin_ = 0;
};

std::optional<std::int64_t> to_int(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<std::string> to_string_value(std::string_view word) {
  if (word.size() < 2 || word.front() != '"' || word.back() != '"') return std::nullopt;
  return unescape(word.substr(1, word.size() - 2));
}

std::optional<Dims> to_dims(std::string_view word) {
  if (word.size() < 2 || word.front() != '[' || word.back() != ']') return std::nullopt;
  Dims dims;
  LineReader items(word.substr(1, word.size() - 2));
  while (!items.done()) {
    std::string_view item = items.word();
    const bool more = !item.empty() && item.back() == ',';
    if (more) item.remove_suffix(1);
    const auto extent = to_int(item);
    if (!extent || more == items.done()) return std::nullopt;
    dims.push_back(*extent);
  }
  return dims;
}

std::optional<SizeRange> to_range(std::string_view word) {
  const std::size_t dots = word.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  const auto lower = to_int(word.substr(0, dots));
  const std::string_view rest = word.substr(dots + 2);
  const auto upper = rest.empty() ? std::optional<std::int64_t>(-1) : to_int(rest);
  if (!lower || !upper || (!rest.empty() && *upper < 0)) return std::nullopt;
  return SizeRange{*lower, *upper};
}

std::optional<std::pair<std::int64_t, std::int64_t>> to_size(std::string_view word) {
  const std::size_t cross = word.find('x');
  if (cross == std::string_view::npos) return std::nullopt;
  const auto width = to_int(word.substr(0, cross)), height = to_int(word.substr(cross + 1));
  if (!width || !height) return std::nullopt;
  return std::pair(*width, *height);
}

// As many words as convert; at least one.
template <class T>
Result<void> read_list(LineReader& line, std::vector<T>& list, std::optional<T> (*convert)(std::string_view),
                       std::string_view what) {
  while (const auto item = convert(line.peek())) {
    line.word();
    list.push_back(*item);
  }
  if (!list.empty()) return {};
  line.word();
  return line.wrong(fmt::format("{} expected", what));
}

Result<SizeRange> read_range(LineReader& line) {
  const auto range = to_range(line.word());
  if (!range) return line.wrong("a range such as 1..8 or 1.. expected");
  return *range;
}

Result<void> read_default(LineReader& line, Feature& f) {
  const auto dtype = dtype_from(line.word());
  if (!dtype) return line.wrong("the dtype of the default value expected");
  f.default_type = *dtype;
  const std::string_view word = line.peek();
  std::optional<double> value = to_double(word);
  if (word == "inf" || word == "-inf") value = word == "inf" ? HUGE_VAL : -HUGE_VAL;
  if (value) line.word();
  f.default_value = value;
  return {};
}

Result<void> read_word(LineReader& line, std::string_view word, Feature& f) {
  if (const auto shape = to_dims(word)) {
    f.shape = *shape;
  } else if (const auto text = to_string_value(word)) {
    f.description = *text;
  } else if (const auto size = to_size(word)) {
    std::tie(f.width, f.height) = *size;
  } else if (const auto dtype = dtype_from(word)) {
    f.dtype = *dtype;
  } else if (word == "optional") {
    f.optional = true;
  } else if (word == "shapes") {
    return read_list<Dims>(line, f.shapes, to_dims, "a shape such as [1, 3, 256, 256]");
  } else if (word == "ranges") {
    return read_list<SizeRange>(line, f.ranges, to_range, "a range such as 1..8 or 1..");
  } else if (word == "sizes") {
    return read_list<std::pair<std::int64_t, std::int64_t>>(line, f.sizes, to_size, "a size such as 256x256");
  } else if (word == "widths" || word == "heights") {
    if (!f.size_range) f.size_range.emplace();
    TRY((word == "widths" ? f.size_range->first : f.size_range->second), read_range(line));
  } else if (word == "default") {
    return read_default(line, f);
  } else if (word == "keys") {
    const std::string_view keys = line.word();
    if (keys != "string" && keys != "int64") return line.wrong("keys are string or int64");
    f.string_keys = keys == "string";
  } else if (word == "length") {
    TRY(f.length, read_range(line));
  } else {
    for (Color color : kColors) {
      if (name(color) != word) continue;
      f.color = color;
      return {};
    }
    return line.wrong(fmt::format("'{}' says nothing about a feature", word));
  }
  return {};
}

Result<std::string> read_string(LineReader& line) {
  auto text = to_string_value(line.word());
  if (!text) return line.wrong("a string in quotes expected");
  return *std::move(text);
}

Result<void> at_end(LineReader& line) {
  if (line.done()) return {};
  line.word();
  return line.wrong("the line should end here");
}

}  // namespace

std::vector<std::string> interface_lines(const Function& function) {
  std::vector<std::string> lines;
  const Interface& interface = function.interface;
  for (const Feature& f : interface.inputs) lines.push_back(feature_line("input", f));
  for (const Feature& f : interface.outputs) lines.push_back(feature_line("output", f));
  for (const Feature& f : interface.states) lines.push_back(feature_line("state", f));
  if (!interface.predicted_feature.empty()) lines.push_back("predicted_feature " + quote(interface.predicted_feature));
  if (!interface.predicted_probabilities.empty()) {
    lines.push_back("predicted_probabilities " + quote(interface.predicted_probabilities));
  }
  if (lines.empty()) lines.push_back("empty");
  return lines;
}

std::vector<std::string> program_lines(const Program& program) {
  std::vector<std::string> lines;
  int usual = 0;
  for (const auto& function : program.functions) usual = std::max(usual, specification_version(function->opset));
  if (program.specification != usual) lines.push_back(fmt::format("specification {}", program.specification));
  if (program.default_function != "main") lines.push_back("default " + quote(program.default_function));
  const auto add = [&lines](std::string_view key, const std::string& text) {
    if (!text.empty()) lines.push_back(fmt::format("{} {}", key, quote(text)));
  };
  add("doc", program.doc);
  add("description", program.metadata.description);
  add("version", program.metadata.version);
  add("author", program.metadata.author);
  add("license", program.metadata.license);
  for (const auto& [key, value] : program.metadata.user) {
    lines.push_back(fmt::format("user {} {}", quote(key), quote(value)));
  }
  return lines;
}

Result<void> read_program_line(std::string_view text, Program& program) {
  LineReader line(text);
  const std::string_view key = line.word();
  Metadata& m = program.metadata;
  std::string* target = key == "doc"           ? &program.doc
                        : key == "default"     ? &program.default_function
                        : key == "description" ? &m.description
                        : key == "version"     ? &m.version
                        : key == "author"      ? &m.author
                        : key == "license"     ? &m.license
                                               : nullptr;
  if (target) {
    TRY(*target, read_string(line));
  } else if (key == "specification") {
    const auto number = to_int(line.word());
    if (!number || *number < 1 || *number > 1000) return line.wrong("a specification version such as 8 expected");
    program.specification = static_cast<int>(*number);
  } else if (key == "user") {
    TRY(std::string name, read_string(line));
    TRY(m.user[name], read_string(line));
  } else {
    static constexpr std::array<std::string_view, 8> kKeys{"doc",    "default", "description",   "version",
                                                           "author", "license", "specification", "user"};
    return line.wrong(fmt::format("'{}' says nothing about a program", key),
                      did_you_mean(key, kKeys, "a comment begins with // alone"));
  }
  return at_end(line);
}

Result<void> read_interface_line(std::string_view text, Interface& interface) {
  LineReader line(text);
  const std::string_view role = line.word();
  if (role == "empty") return at_end(line);
  if (role == "predicted_feature" || role == "predicted_probabilities") {
    TRY((role == "predicted_feature" ? interface.predicted_feature : interface.predicted_probabilities),
        read_string(line));
    return at_end(line);
  }
  if (role != "input" && role != "output" && role != "state") {
    return line.wrong(fmt::format("'{}' says nothing about a function", role),
                      "input, output, state, predicted_feature, predicted_probabilities and empty do; a comment begins "
                      "with // alone");
  }
  Feature f;
  const std::string_view feature_name = line.word();
  if (const auto quoted = to_string_value(feature_name)) {
    f.name = *quoted;
  } else if (is_plain_identifier(feature_name)) {
    f.name = feature_name;
  } else {
    return line.wrong("the name of a feature expected");
  }
  if (!line.colon()) return line.wrong("':' and the kind of the feature expected after its name");
  const std::string_view kind = line.word();
  bool known = false;
  for (Feature::Kind candidate : kKinds) {
    if (name(candidate) != kind) continue;
    f.kind = candidate;
    known = true;
  }
  if (!known) return line.wrong(fmt::format("'{}' is no kind of feature", kind));
  while (!line.done()) TRY_VOID(read_word(line, line.word(), f));
  auto& list = role == "input" ? interface.inputs : role == "output" ? interface.outputs : interface.states;
  list.push_back(std::move(f));
  return {};
}

}  // namespace anemone

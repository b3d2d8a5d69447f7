#pragma once
// What a verb can be told, declared once: the same declaration parses the command line, checks it and writes the help.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anemone/support/result.h"
#include "anemone/support/text.h"

namespace anemone::cli {

/// Limits of an option. Numbers outside are refused with the limits in the message.
struct Rules {
  bool required = false;
  bool distinct = false;  ///< of a list: no value twice
  double at_least = -std::numeric_limits<double>::infinity();
  double at_most = std::numeric_limits<double>::infinity();
};

/// One word of a fixed set, and what it stands for.
template <class E>
struct Choice {
  std::string_view word;
  E value;
  bool listed = true;  ///< else understood and not offered: "macos14" for ios17
};

class Options {
 public:
  /// A word without a dash. Required ones come before optional ones.
  void argument(std::string_view placeholder, std::string& target, std::string_view help, bool required = true);
  /// All remaining words without a dash; declared last.
  void arguments(std::string_view placeholder, std::vector<std::string>& target, std::string_view help,
                 std::size_t at_least = 1);

  /// names: "-o,--output" or "--device". Without a value.
  void flag(std::string_view names, bool& target, std::string_view help);
  /// Counts how often it is given (-v -v).
  void flag(std::string_view names, int& target, std::string_view help);

  /// With a value, given at most once. T: string, int, int64, uint64, double, or an optional of one of them.
  /// A number's value at the time of the call is shown as the default.
  template <class T>
  void value(std::string_view names, std::string_view placeholder, T& target, std::string_view help, Rules rules = {}) {
    add({.names = std::string(names),
         .placeholder = std::string(placeholder),
         .help = std::string(help),
         .shown_default = shown(target),
         .required = rules.required,
         .read = [&target, rules](std::string_view text) { return read(text, target, rules); }});
  }
  /// With a value of a form of its own, which `read` understands or refuses; given at most once.
  void value(std::string_view names, std::string_view placeholder, std::function<Result<void>(std::string_view)> read,
             std::string_view help) {
    add({.names = std::string(names),
         .placeholder = std::string(placeholder),
         .help = std::string(help),
         .read = std::move(read)});
  }
  /// May be repeated; every value is kept as it is ("--input a=x.npy --input b=y.npy").
  void repeated(std::string_view names, std::string_view placeholder, std::vector<std::string>& target,
                std::string_view help, Rules rules = {});
  /// Values between commas; may be repeated ("--shapes 256x256,224x224").
  void list(std::string_view names, std::string_view placeholder, std::vector<std::string>& target,
            std::string_view help, Rules rules = {});
  void list(std::string_view names, std::string_view placeholder, std::vector<double>& target, std::string_view help,
            Rules rules = {});

  /// One word of a set, which must outlive the parse. The placeholder and the default come from the set; an optional
  /// stays empty when the option is not given.
  template <class E, std::size_t N>
  void choice(std::string_view names, E& target, const Choice<E> (&choices)[N], std::string_view help) {
    std::string shown_default;
    for (const Choice<E>& choice : choices) {
      if (choice.listed && choice.value == target) shown_default = std::string(choice.word);
    }
    add_choice(names, target, choices, help, std::move(shown_default));
  }
  template <class E, std::size_t N>
  void choice(std::string_view names, std::optional<E>& target, const Choice<E> (&choices)[N], std::string_view help) {
    add_choice(names, target, choices, help, {});
  }
  /// The value of a word; an error that lists the words.
  template <class E, std::size_t N>
  static Result<E> one_of(std::string_view text, const Choice<E> (&choices)[N]) {
    std::vector<std::string_view> words;
    for (const Choice<E>& choice : choices) {
      if (same_word(choice.word, text)) return choice.value;
      if (choice.listed) words.push_back(choice.word);
    }
    return not_one_of(text, words);
  }

  /// Options declared after this call are listed under this title in the help.
  void group(std::string_view title) { group_ = title; }

  /// Fills the targets. Errors blame the word, and suggest the nearest one.
  Result<void> parse(std::span<const char* const> words);

  struct Option {
    std::string names;        ///< as declared; empty for arguments
    std::string placeholder;  ///< empty for flags
    std::string help;
    std::string shown_default;
    std::string group;
    bool required = false;
    bool repeats = false;
    std::function<Result<void>(std::string_view)> read;  ///< called per value, for a flag with ""
  };
  struct Argument {
    std::string placeholder, help;
    std::size_t at_least = 1, at_most = 1;
    std::function<void(std::string)> take;
  };
  const std::vector<Option>& options() const { return options_; }
  const std::vector<Argument>& arguments() const { return arguments_; }

 private:
  void add(Option option);
  template <class T, class E, std::size_t N>
  void add_choice(std::string_view names, T& target, const Choice<E> (&choices)[N], std::string_view help,
                  std::string shown_default) {
    std::vector<std::string_view> words;
    for (const Choice<E>& choice : choices) {
      if (choice.listed) words.push_back(choice.word);
    }
    add({.names = std::string(names),
         .placeholder = joined(words, "|"),
         .help = std::string(help),
         .shown_default = std::move(shown_default),
         .read = [&target, &choices](std::string_view text) -> Result<void> {
           TRY(target, one_of(text, choices));
           return {};
         }});
  }
  Result<void> take_arguments(const std::vector<std::string>& words);
  Diagnostic option_missing(const Option& option, const std::vector<std::string>& words) const;
  Diagnostic unknown_option(std::string_view word) const;
  Result<void> check_values_present(std::span<const char* const> words) const;
  Diagnostic value_missing(std::string_view name) const;

  static Result<void> read(std::string_view text, std::string& target, const Rules& rules);
  static Result<void> read(std::string_view text, double& target, const Rules& rules);
  static Result<void> read(std::string_view text, std::int64_t& target, const Rules& rules);
  static Result<void> read(std::string_view text, std::uint64_t& target, const Rules& rules);
  static Result<void> read(std::string_view text, int& target, const Rules& rules);
  template <class T>
  static Result<void> read(std::string_view text, std::optional<T>& target, const Rules& rules) {
    T value{};
    TRY_VOID(read(text, value, rules));
    target = std::move(value);
    return {};
  }
  static std::string shown(const std::string& value);
  static std::string shown(double value);
  static std::string shown(std::int64_t value);
  static std::string shown(std::uint64_t value);
  static std::string shown(int value) { return shown(std::int64_t{value}); }
  template <class T>
  static std::string shown(const std::optional<T>& value) {
    return value ? shown(*value) : std::string();
  }
  static std::string joined(std::span<const std::string_view> words, std::string_view separator);
  static Diagnostic not_one_of(std::string_view text, std::span<const std::string_view> words);

  std::vector<Option> options_;
  std::vector<Argument> arguments_;
  std::string group_;
};

}  // namespace anemone::cli

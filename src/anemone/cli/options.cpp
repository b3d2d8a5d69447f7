// Parsing by CLI11, messages by us. The only file that includes CLI11: it costs seconds to compile.
#include "anemone/cli/options.h"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace anemone::cli {
namespace {

Diagnostic wrong(std::string message, std::string help = {}) { return bad_usage(std::move(message), std::move(help)); }

Result<void> check_range(std::string_view text, double value, const Rules& rules) {
  if (value >= rules.at_least && value <= rules.at_most) return {};
  if (std::isinf(rules.at_most)) return wrong(fmt::format("{} is less than {}", text, rules.at_least));
  if (std::isinf(rules.at_least)) return wrong(fmt::format("{} is more than {}", text, rules.at_most));
  return wrong(fmt::format("{} is not between {} and {}", text, rules.at_least, rules.at_most));
}

template <class T>
Result<void> read_integer(std::string_view text, T& target, const Rules& rules) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), target);
  if (error == std::errc::result_out_of_range) return wrong(fmt::format("{} is too large a number", text));
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    return wrong(fmt::format("'{}' is not a whole number", text));
  }
  return check_range(text, static_cast<double>(target), rules);
}

std::vector<std::string_view> split_names(std::string_view names) {
  std::vector<std::string_view> parts;
  for (std::size_t comma; (comma = names.find(',')) != std::string_view::npos; names.remove_prefix(comma + 1)) {
    parts.push_back(names.substr(0, comma));
  }
  parts.push_back(names);
  return parts;
}

/// The name that messages use: the long one where there is one.
std::string shown_name(const Options::Option& option) { return std::string(split_names(option.names).back()); }

Result<void> each_part(std::string_view text, const std::function<Result<void>(std::string_view)>& take) {
  for (std::string_view part : split_names(text)) {
    if (part.empty()) return wrong(fmt::format("'{}' has an empty part between its commas", text));
    TRY_VOID(take(part));
  }
  return {};
}

}  // namespace

void Options::argument(std::string_view placeholder, std::string& target, std::string_view help, bool required) {
  arguments_.push_back({.placeholder = std::string(placeholder),
                        .help = std::string(help),
                        .at_least = required ? std::size_t{1} : 0,
                        .at_most = 1,
                        .take = [&target](std::string word) { target = std::move(word); }});
}

void Options::arguments(std::string_view placeholder, std::vector<std::string>& target, std::string_view help,
                        std::size_t at_least) {
  arguments_.push_back({.placeholder = std::string(placeholder),
                        .help = std::string(help),
                        .at_least = at_least,
                        .at_most = std::numeric_limits<std::size_t>::max(),
                        .take = [&target](std::string word) { target.push_back(std::move(word)); }});
}

void Options::add(Option option) {
  option.group = group_;
  options_.push_back(std::move(option));
}

void Options::flag(std::string_view names, bool& target, std::string_view help) {
  add({.names = std::string(names),
       .help = std::string(help),
       .repeats = true,
       .read = [&target](std::string_view) -> Result<void> {
         target = true;
         return {};
       }});
}

void Options::flag(std::string_view names, int& target, std::string_view help) {
  add({.names = std::string(names),
       .help = std::string(help),
       .repeats = true,
       .read = [&target](std::string_view) -> Result<void> {
         ++target;
         return {};
       }});
}

void Options::repeated(std::string_view names, std::string_view placeholder, std::vector<std::string>& target,
                       std::string_view help, Rules rules) {
  add({.names = std::string(names),
       .placeholder = std::string(placeholder),
       .help = std::string(help),
       .required = rules.required,
       .repeats = true,
       .read = [&target](std::string_view text) -> Result<void> {
         target.emplace_back(text);
         return {};
       }});
}

void Options::list(std::string_view names, std::string_view placeholder, std::vector<std::string>& target,
                   std::string_view help, Rules rules) {
  add({.names = std::string(names),
       .placeholder = std::string(placeholder),
       .help = std::string(help),
       .required = rules.required,
       .repeats = true,
       .read = [&target, rules](std::string_view text) {
         return each_part(text, [&target, rules](std::string_view part) -> Result<void> {
           if (rules.distinct && std::find(target.begin(), target.end(), part) != target.end())
             return wrong(fmt::format("'{}' is given twice", part));
           target.emplace_back(part);
           return {};
         });
       }});
}

void Options::list(std::string_view names, std::string_view placeholder, std::vector<double>& target,
                   std::string_view help, Rules rules) {
  add({.names = std::string(names),
       .placeholder = std::string(placeholder),
       .help = std::string(help),
       .required = rules.required,
       .repeats = true,
       .read = [&target, rules](std::string_view text) {
         return each_part(text, [&target, rules](std::string_view part) -> Result<void> {
           TRY_VOID(read(part, target.emplace_back(), rules));
           return {};
         });
       }});
}

Result<void> Options::read(std::string_view text, std::string& target, const Rules&) {
  if (text.empty()) return wrong("the value is empty");
  target = std::string(text);
  return {};
}
Result<void> Options::read(std::string_view text, double& target, const Rules& rules) {
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {  // 2/255, as everybody writes it
    double over = 1;
    if (!read(text.substr(0, slash), target, {}) || !read(text.substr(slash + 1), over, {}) || over == 0)
      return wrong(fmt::format("'{}' is not a number", text), "fractions are written 2/255");
    target /= over;
    return check_range(text, target, rules);
  }
  const auto [end, error] = fast_float::from_chars(text.data(), text.data() + text.size(), target);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(target)) {
    return wrong(fmt::format("'{}' is not a number", text));
  }
  return check_range(text, target, rules);
}
Result<void> Options::read(std::string_view text, std::int64_t& target, const Rules& rules) {
  return read_integer(text, target, rules);
}
Result<void> Options::read(std::string_view text, std::uint64_t& target, const Rules& rules) {
  return read_integer(text, target, rules);
}
Result<void> Options::read(std::string_view text, int& target, const Rules& rules) {
  return read_integer(text, target, rules);
}

std::string Options::shown(const std::string& value) { return value; }
std::string Options::shown(double value) { return fmt::format("{}", value); }
std::string Options::shown(std::int64_t value) { return fmt::format("{}", value); }
std::string Options::shown(std::uint64_t value) { return fmt::format("{}", value); }

std::string Options::joined(std::span<const std::string_view> words, std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

Diagnostic Options::not_one_of(std::string_view text, std::span<const std::string_view> words) {
  return wrong(fmt::format("'{}' is not one of {}", text, joined(words, ", ")), did_you_mean(text, words));
}

Diagnostic Options::unknown_option(std::string_view word) const {
  const std::string_view name = word.substr(0, word.find('='));
  std::vector<std::string_view> known{"--help", "-h"};
  for (const Option& option : options_) {
    for (std::string_view each : split_names(option.names)) known.push_back(each);
  }
  // What other tools call it. Each name that this verb has is offered.
  struct Synonym {
    std::string_view said;
    std::array<std::string_view, 2> meant;
  };
  constexpr Synonym kSynonyms[] = {
      {"--reference", {"--against"}},
      {"--ref", {"--against"}},
      {"--golden", {"--against"}},
      {"--baseline", {"--against"}},
      {"--tolerance", {"--max-px", "--min-psnr"}},
      {"--atol", {"--max-px", "--min-psnr"}},
      {"--rtol", {"--max-px", "--min-psnr"}},
      {"-i", {"--input"}},
      {"--image", {"--input"}},
      {"--folder", {"--images"}},
      {"--dir", {"--images"}},
      {"--colour", {"--color"}},
      {"--mean", {"--bias"}},
      {"--std", {"--scale"}},
      {"--dtype", {"--precision"}},
      {"--half", {"--precision"}},
      {"--fp16", {"--precision"}},
      {"--fp32", {"--precision"}},
      {"--compute-precision", {"--precision"}},
      {"--size", {"--shapes"}},
      {"--input-shape", {"--shapes"}},
      {"--minimum-deployment-target", {"--target"}},
      {"--os", {"--target"}},
      {"--chip", {"--device"}},
      {"--iterations", {"--runs"}},
      {"--repeat", {"--runs"}},
      {"--dry", {"--dry-run"}},
  };
  std::string meant;
  for (const Synonym& synonym : kSynonyms) {
    if (synonym.said != name) continue;
    for (const std::string_view option : synonym.meant) {
      if (!option.empty() && std::find(known.begin(), known.end(), option) != known.end())
        meant += fmt::format("{}'{}'", meant.empty() ? "" : " or ", option);
    }
  }
  if (!meant.empty())
    return wrong(fmt::format("there is no option '{}'", name), fmt::format("did you mean {}?", meant));
  // One letter is near every other letter: suggesting those would be noise.
  return wrong(fmt::format("there is no option '{}'", name),
               name.size() > 2 ? did_you_mean(name, known) : std::string());
}

Diagnostic Options::value_missing(std::string_view name) const {
  for (const Option& option : options_) {
    const std::vector<std::string_view> names = split_names(option.names);
    if (std::find(names.begin(), names.end(), name) == names.end()) continue;
    return wrong(fmt::format("{} has no value", names.back()),
                 fmt::format("write {} {}, or {}=VALUE for one that starts with '-'", names.back(), option.placeholder,
                             names.back()));
  }
  return wrong(fmt::format("'{}' has no value", name));
}

/// CLI11 reads "--out= x" as "--out x", and "--out --json" as a file of that name: a forgotten value must be told.
Result<void> Options::check_values_present(std::span<const char* const> words) const {
  const auto is_name = [](const Option& option, std::string_view word) {
    const std::vector<std::string_view> names = split_names(option.names);
    return std::find(names.begin(), names.end(), word) != names.end();
  };
  for (std::size_t i = 0; i < words.size() && std::string_view(words[i]) != "--"; ++i) {
    const std::string_view word = words[i];
    if (word.substr(0, 2) == "--" && word.back() == '=') return value_missing(word.substr(0, word.size() - 1));
    const auto valued = std::find_if(options_.begin(), options_.end(), [&](const Option& option) {
      return !option.placeholder.empty() && is_name(option, word);
    });
    if (valued == options_.end() || i + 1 == words.size()) continue;
    const std::string_view next = words[i + 1];
    if (std::any_of(options_.begin(), options_.end(), [&](const Option& option) { return is_name(option, next); })) {
      return value_missing(word);
    }
    ++i;  // the value may look like anything
  }
  return {};
}

Diagnostic Options::option_missing(const Option& option, const std::vector<std::string>& words) const {
  std::size_t expected = 0;
  for (const Argument& argument : arguments_) expected += argument.at_most;
  const std::string_view name = split_names(option.names).front();
  // Many tools take the output as their second argument.
  std::string help;
  if (words.size() > expected) help = fmt::format("did you mean '{} {}'?", name, words[expected]);
  return wrong(fmt::format("{} {} is missing: {}", shown_name(option), option.placeholder, option.help), help);
}

Result<void> Options::take_arguments(const std::vector<std::string>& words) {
  std::size_t next = 0;
  for (const Argument& argument : arguments_) {
    std::size_t taken = 0;
    for (; next < words.size() && taken < argument.at_most; ++taken) argument.take(words[next++]);
    if (taken < argument.at_least) {
      return wrong(taken == 0 ? fmt::format("{} is missing: {}", argument.placeholder, argument.help)
                              : fmt::format("{} needs at least {} values and got {}", argument.placeholder,
                                            argument.at_least, taken));
    }
  }
  if (next == words.size()) return {};
  if (arguments_.empty()) return wrong(fmt::format("no argument is expected, got '{}'", words[next]));
  return wrong(fmt::format("'{}' is one argument too many", words[next]), "a name with spaces needs quotes");
}

Result<void> Options::parse(std::span<const char* const> words) try {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  const auto add_valued = [&](const std::string& names) {
    CLI::Option* added = app.add_option(names, CLI::callback_t([](const CLI::results_t&) { return true; }));
    // One value per mention, and all mentions kept: counting them is up to us.
    return added->type_size(1)->expected(1)->allow_extra_args(false)->multi_option_policy(
        CLI::MultiOptionPolicy::TakeAll);
  };
  std::vector<CLI::Option*> added;
  for (const Option& option : options_) {
    added.push_back(option.placeholder.empty() ? app.add_flag_callback(option.names, [] {}) : add_valued(option.names));
  }
  CLI::Option* rest = add_valued("ARGUMENTS")->expected(0, 1 << 20)->allow_extra_args(true);

  TRY_VOID(check_values_present(words));
  std::vector<std::string> reversed(words.rbegin(), words.rend());  // CLI11 takes its vector from the back
  try {
    app.parse(reversed);
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string message = error.what();  // "--output: 1 required TEXT missing"
    return value_missing(message.substr(0, message.find(':')));
  }
  for (const std::string& extra : app.remaining()) {
    if (extra.size() > 1 && extra[0] == '-' && extra != "--") return unknown_option(extra);
  }
  for (std::size_t i = 0; i < options_.size(); ++i) {
    const Option& option = options_[i];
    const std::vector<std::string> values = added[i]->results();
    if (values.empty() && option.required) return option_missing(option, rest->results());
    if (values.size() > 1 && !option.repeats)
      return wrong(fmt::format("{} is given {} times", shown_name(option), values.size()));
    for (const std::string& value : values) {
      if (Result<void> done = option.read(value); !done) {
        Diagnostics problems = std::move(done).error();
        for (Diagnostic& problem : problems)
          problem.message = fmt::format("{}: {}", shown_name(option), problem.message);
        return problems;
      }
    }
  }
  return take_arguments(rest->results());
} catch (const CLI::Error& error) {
  return wrong(error.what());
}

}  // namespace anemone::cli

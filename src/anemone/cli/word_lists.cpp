// Asks each verb to declare itself.
#include "anemone/cli/word_lists.h"

#include <fmt/format.h>

#include <algorithm>

namespace anemone::cli {
namespace {

std::vector<std::string> parts(std::string_view text, char separator) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(separator, at), text.size());
    out.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

/// "fp16|fp32" is a choice; "NAME", "HxW,…" and "all|final|NAME,…" are not.
std::vector<std::string> choices(const std::string& placeholder) {
  const bool plain = placeholder.find('|') != std::string::npos &&
                     std::none_of(placeholder.begin(), placeholder.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return plain ? parts(placeholder, '|') : std::vector<std::string>();
}

/// roff reads a dash as a hyphen, a dot at the beginning of a line as a request.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::vector<VerbWords> words_of_verbs(std::span<const Verb* const> verbs) {
  std::vector<VerbWords> out;
  Terminal nowhere(-1, -1);
  for (const Verb* verb : verbs) {
    VerbWords words{verb, {}};
    Call call(*verb, nowhere, {});
    call.declare_only([&](const Options& options) {
      for (const Options::Option& option : options.options()) {
        words.options.push_back({parts(option.names, ','), option.placeholder, option.help, !option.placeholder.empty(),
                                 choices(option.placeholder)});
      }
    });
    verb->run(call);
    out.push_back(std::move(words));
  }
  return out;
}

std::string manual_page(std::span<const Verb* const> verbs) {
  std::string out =
      ".\\\" Made by `anemone help --man`.\n.TH ANEMONE 1 \"\" \"anemone " ANEMONE_VERSION
      "\"\n.SH NAME\nanemone \\- gets vision networks onto Apple's Neural Engine, with proof\n.SH SYNOPSIS\n"
      ".B anemone\n.I verb\n[arguments] [options]\n.SH VERBS\n";
  for (const VerbWords& words : words_of_verbs(verbs)) {
    out += fmt::format(".SS {} {}\n{}\n", words.verb->name, roff(words.verb->arguments), roff(words.verb->summary));
    if (!words.verb->details.empty()) out += fmt::format(".PP\n{}\n", roff(words.verb->details));
    for (const OptionWords& option : words.options) {
      out += fmt::format(".TP\n.B {}{}\n{}\n", roff(fmt::format("{}", fmt::join(option.names, ", "))),
                         option.placeholder.empty() ? "" : roff(" " + option.placeholder), roff(option.help));
    }
    if (!words.verb->examples.empty())
      out += fmt::format(".PP\nExamples:\n.PP\n.nf\n{}\n.fi\n", roff(words.verb->examples));
  }
  return out +
         ".SH EXIT STATUS\n.TP\n.B 0\ndone, or the answer is yes\n.TP\n.B 1\nthe answer is no\n.TP\n.B 2\nthe command "
         "line is wrong\n.TP\n.B 3\nthe input is unreadable, corrupt, malicious or not supported\n.TP\n.B 4\nthe "
         "environment failed\n.TP\n.B 70\na bug in anemone\n";
}

}  // namespace anemone::cli

// The verb `completion`: what a shell offers after Tab, made from the table of verbs.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/cli/verbs.h"
#include "anemone/cli/word_lists.h"
#include "anemone/report/json_parts.h"

namespace anemone::cli {
namespace {

enum class Shell : std::uint8_t { bash, zsh, fish };
constexpr Choice<Shell> kShells[] = {{"bash", Shell::bash}, {"zsh", Shell::zsh}, {"fish", Shell::fish}};

std::string for_bash(const std::vector<VerbWords>& verbs) {
  std::string names, cases;
  for (const VerbWords& verb : verbs) {
    names += std::string(verb.verb->name) + ' ';
    std::string words, values;
    for (const OptionWords& option : verb.options) {
      for (const std::string& name : option.names) words += name + ' ';
      if (option.values.empty()) continue;
      values += fmt::format("      {}.{}) words=\"{}\" ;;\n", verb.verb->name, option.names.back(),
                            fmt::join(option.values, " "));
    }
    cases += fmt::format("{}      {}.*) [[ $now == -* ]] && words=\"{}\" ;;\n", values, verb.verb->name, words);
  }
  return fmt::format(
      R"(# anemone completion bash > ~/.local/share/bash-completion/completions/anemone
_anemone() {{
  local now=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} words=
  if ((COMP_CWORD == 1)); then
    words="{0}help"
  elif [[ ${{COMP_WORDS[1]}} == help ]]; then
    words="{0}"
  else
    case ${{COMP_WORDS[1]}}.$before in
{1}    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$now"))
  ((${{#COMPREPLY[@]}})) || COMPREPLY=($(compgen -f -- "$now"))
}}
complete -o filenames -F _anemone anemone
)",
      names, cases);
}

std::string with_backslashes(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

/// In single quotes, as every shell reads them.
std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string for_zsh(const std::vector<VerbWords>& verbs) {
  std::string names, cases;
  for (const VerbWords& verb : verbs) {
    names += fmt::format("    {}\n",
                         in_quotes(fmt::format("{}:{}", verb.verb->name, with_backslashes(verb.verb->summary, ":"))));
    cases += fmt::format("    {})\n      _arguments \\\n", verb.verb->name);
    for (const OptionWords& option : verb.options) {
      for (const std::string& name : option.names) {
        std::string spec = fmt::format("*{}[{}]", name, with_backslashes(option.help, "[]:"));
        if (!option.values.empty()) {
          spec += fmt::format(":value:({})", fmt::join(option.values, " "));
        } else if (option.takes_value) {
          spec += ":value:_files";
        }
        cases += fmt::format("        {} \\\n", in_quotes(spec));
      }
    }
    cases += "        '*:file:_files' ;;\n";
  }
  return fmt::format(R"(#compdef anemone
# anemone completion zsh > a folder of $fpath, as _anemone
_anemone() {{
  local -a verbs=(
{0}    'help:this page, or all about one verb'
  )
  if ((CURRENT == 2)) || [[ $words[2] == help ]]; then
    ((CURRENT > 3)) || _describe verb verbs
    return
  fi
  local verb=$words[2]
  shift words
  ((CURRENT--))
  case $verb in
{1}  esac
}}
_anemone "$@"
)",
                     names, cases);
}

std::string for_fish(const std::vector<VerbWords>& verbs) {
  std::string out =
      "# anemone completion fish > ~/.config/fish/completions/anemone.fish\ncomplete -c anemone -n __fish_use_subcommand "
      "-f -a help -d 'this page, or all about one verb'\n";
  std::string names;
  for (const VerbWords& verb : verbs) names += fmt::format("{}{}", names.empty() ? "" : " ", verb.verb->name);
  out += fmt::format("complete -c anemone -n '__fish_seen_subcommand_from help' -f -a '{}'\n", names);
  for (const VerbWords& verb : verbs) {
    out += fmt::format("complete -c anemone -n __fish_use_subcommand -f -a {} -d {}\n", verb.verb->name,
                       in_quotes(verb.verb->summary));
    for (const OptionWords& option : verb.options) {
      std::string line = fmt::format("complete -c anemone -n '__fish_seen_subcommand_from {}'", verb.verb->name);
      for (const std::string& name : option.names)
        line += name.starts_with("--") ? fmt::format(" -l {}", name.substr(2)) : fmt::format(" -s {}", name.substr(1));
      if (!option.values.empty()) {
        line += fmt::format(" -x -a {}", in_quotes(fmt::format("{}", fmt::join(option.values, " "))));
      } else if (option.takes_value) {
        line += " -r";
      }
      out += fmt::format("{} -d {}\n", line, in_quotes(option.help));
    }
  }
  return out;
}

int run_completion(Call& call) {
  std::string shell;
  call.options.argument("SHELL", shell, "bash, zsh or fish");
  if (const auto over = call.parse()) return *over;
  const auto wanted = Options::one_of(shell, kShells);
  if (!wanted) return call.misused(wanted.error().front());
  const std::vector<VerbWords> verbs = words_of_verbs(all_verbs());
  call.detail(fmt::format("{} verbs", verbs.size()));
  const std::string script = *wanted == Shell::bash  ? for_bash(verbs)
                             : *wanted == Shell::zsh ? for_zsh(verbs)
                                                     : for_fish(verbs);
  call.print(call.json ? report::dump({{"schema", "anemone.completion/1"}, {"shell", shell}, {"script", script}})
                       : script);
  return 0;
}

}  // namespace

const Verb kCompletionVerb{.name = "completion",
                           .arguments = "SHELL",
                           .summary = "a script that completes verbs and options in bash, zsh or fish",
                           .examples = "anemone completion bash\nanemone completion zsh\nanemone completion fish",
                           .run = run_completion};

}  // namespace anemone::cli

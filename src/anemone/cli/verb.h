#pragma once
// How a verb is added: one file with one function and one row, `extern const Verb kNameVerb`, listed in verbs.cpp.
//
//   int run_plan(Call& call) {
//     std::string path;
//     PlanRequest request;
//     call.options.argument("MODEL", path, "the network");
//     call.options.value("--device", "CHIP", request.device, "the chip to plan for");
//     if (const auto over = call.parse()) return *over;
//     const auto model = load(path, {.talk = call.talk()});
//     if (!model) return call.fail(model.error());
//     const auto plan = plan_model(*model, request);
//     if (!plan) return call.fail(plan.error());
//     call.print(call.json ? report::plan_json(*plan) : report::plan_text(*plan, call.color()));
//     return call.answer(plan->fits);
//   }
//   const Verb kPlanVerb{.name = "plan", .arguments = "MODEL", .summary = "…", .run = run_plan};
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "anemone/cli/options.h"
#include "anemone/cli/terminal.h"
#include "anemone/toolchain/talk.h"

namespace anemone::cli {

class Call;

struct Verb {
  std::string_view name;       ///< "convert"
  std::string_view arguments;  ///< "MODEL -o OUT.mlpackage": the shortest useful call
  std::string_view summary;    ///< one line, lower case, no full stop
  std::string_view details;    ///< for --help: what a user should know beyond the options; may have several lines
  std::string_view examples;   ///< for --help: whole command lines, one a line
  std::string_view says_no;    ///< what exit code 1 means: "a number is out of tolerance"; empty: never exits with 1
  int (*run)(Call& call) = nullptr;
};

/// Whether "--json" is among the words: errors may come before the words are understood.
bool asks_for_json(std::span<const char* const> words);

/// One use of a verb: its options, its output, its exit code.
class Call {
 public:
  Call(const Verb& verb, Terminal& terminal, std::span<const char* const> words);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// The verb declares its own here before parse().
  Options options;

  /// For verbs whose `--color` also says the order of an image's channels: words that are no colour mode go to `words`.
  void share_color(std::vector<std::string>& words) { color_words_ = &words; }

  /// Reads the command line. A value means that the call is over with this exit code: help was asked for, or the
  /// command line is wrong (and the user has been told).
  std::optional<int> parse();

  /// What every verb takes; valid after parse().
  bool json = false;
  bool quiet = false;
  int verbosity = 0;
  int threads = 0;  ///< 0: as many as there are cores
  bool color() const { return terminal_.color_on_out(); }

  /// A result, to stdout. With --json it is the whole JSON document.
  /// Results. What a terminal would obey is escaped here whatever came before; JSON has its own escapes.
  void print(std::string_view text);
  /// A line of talk, to stderr: silent with -q and with --json.
  void say(std::string_view line);
  /// What was read, recognised, chosen, timed: only with -v; level 2 only with -vv. Also with --json.
  void detail(std::string_view line, int level = 1);
  /// A warning or note, to stderr; silent with -q.
  void warn(const Diagnostic& diagnostic);
  /// Errors: to stderr, with --json also as an object on stdout. Returns the exit code.
  int fail(const Diagnostics& diagnostics);
  /// The verb's own wrong usage ("--every needs a video"), with a pointer to its help.
  int misused(Diagnostic diagnostic);
  /// 0 for yes, 1 for no.
  int answer(bool yes) const { return yes ? 0 : 1; }
  /// For the library: lines with -v and -vv, and progress on an interactive stderr.
  toolchain::Talk talk();

 private:
  const Verb& verb_;
  Terminal& terminal_;
  Progress progress_;
  std::span<const char* const> words_;
  ColorMode color_mode_ = ColorMode::automatic;
  std::vector<std::string>* color_words_ = nullptr;
  void take_color_modes();
};

}  // namespace anemone::cli

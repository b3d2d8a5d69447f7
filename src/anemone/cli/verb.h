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

/// Where the help page lists a verb.
enum class VerbGroup : std::uint8_t {
  main,   ///< the way from a checkpoint to a package that is proved
  look,   ///< what is in a file, how fast it is
  faces,  ///< pictures and videos of faces
  table,  ///< what is known
};

struct Verb {
  std::string_view name;       ///< "convert"
  std::string_view arguments;  ///< "MODEL -o OUT.mlpackage": the shortest useful call
  std::string_view summary;    ///< one line, lower case, no full stop
  std::string_view details;    ///< for --help: what a user should know beyond the options; may have several lines
  std::string_view examples;   ///< for --help: whole command lines, one a line
  VerbGroup group = VerbGroup::table;
  std::string_view says_no;  ///< what exit code 1 means: "a number is out of tolerance"; empty: never exits with 1
  int (*run)(Call& call) = nullptr;
};

/// Whether "--json" is among the words: errors may come before the words are understood.
bool asks_for_json(std::span<const char* const> words);

/// A word of a command line as a shell takes it.
std::string shell_word(const std::string& word);

/// One use of a verb: its options, its output, its exit code.
class Call {
 public:
  Call(const Verb& verb, Terminal& terminal, std::span<const char* const> words);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// The verb declares its own here before parse().
  Options options;

  /// For verbs whose `--color` also says the order of an image's channels and which declare it themselves: words that
  /// are no colour mode stay in `words`.
  void share_color(std::vector<std::string>& words) { color_words_ = &words; }

  /// parse() hands the options to `listener` and the call is over: for whoever wants to know what a verb takes.
  void declare_only(std::function<void(const Options&)> listener) { listener_ = std::move(listener); }
  /// For pages that are files: help is laid out for this width, not for the terminal's.
  void set_help_width(std::size_t width) { help_width_ = width; }

  /// Reads the command line. A value means that the call is over with this exit code: help was asked for, or the
  /// command line is wrong (and the user has been told).
  std::optional<int> parse();

  /// The call as it can be typed again.
  std::string command_line() const;

  /// What every verb takes; valid after parse().
  bool json = false;
  bool quiet = false;
  int verbosity = 0;
  int threads = 0;  ///< 0: as many as there are cores
  bool color() const { return terminal_.color_on_out(); }

  /// A result, to stdout, as it is: JSON, and text that programs read. With --json it is the whole document.
  /// What a terminal would obey is escaped here whatever came before; JSON has its own escapes.
  void print(std::string_view text);
  /// The same, and it is out when this returns: for results that come one by one.
  /// False: nobody reads them any more.
  bool print_at_once(std::string_view text);
  /// A result for people: folded at the terminal's width, and coloured where that is wanted. With --json as print().
  void page(std::string_view text);
  /// A result that is a file's content, byte by byte: for `-o -`.
  void bytes(std::string_view content) { terminal_.out(content); }
  /// For `-o -` before anything is done: an error where stdout is taken by --json, or is a screen and gets no text.
  Result<void> check_stream(bool text) const;
  /// A line of talk, to stderr: silent with -q and with --json.
  void say(std::string_view line);
  /// What was read, recognised, chosen, timed: only with -v; level 2 only with -vv. Also with --json.
  void detail(std::string_view line, int level = 1);
  /// A warning or note, to stderr; silent with -q.
  void warn(const Diagnostic& diagnostic);
  /// Errors: to stderr, with --json also as an object on stdout. Returns the exit code.
  int fail(const Diagnostics& diagnostics);
  /// Errors of one of several models, to stderr alone: the JSON object is still to come. Returns the exit code.
  int told(const Diagnostics& diagnostics);
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
  std::optional<std::size_t> help_width_;
  std::function<void(const Options&)> listener_;
  std::vector<std::string>* color_words_ = nullptr;
  void take_color_modes();
};

}  // namespace anemone::cli

// The outer shell: exit codes, which stream gets what, exceptions, readers that go away.
#include "anemone/cli/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <new>
#include <stdexcept>

#include "anemone/cli/verbs.h"

namespace anemone::cli {
namespace {

int run_probe(Call& call) {
  std::string what;
  call.options.argument("WHAT", what, "what to do");
  if (const auto over = call.parse()) return *over;
  call.say("talk");
  call.detail("detail");
  call.warn({.severity = Severity::warning, .message = "careful"});
  if (what == "memory") throw std::bad_alloc();
  if (what == "exception") throw std::runtime_error("seventeen");
  if (what == "odd") throw 17;
  if (what == "bad")
    return call.fail({bad_input(ErrorCode::foreign_format, "byte 3 is 'x\xff'", "a.pkl", "send another file")});
  if (what == "misuse") return call.misused(bad_usage("x does not go with y"));
  call.print(call.json ? "{\"schema\": \"probe\"}\n" : "result\n");
  return call.answer(what == "yes");
}

const Verb kProbe{.name = "probe",
                  .arguments = "WHAT",
                  .summary = "a verb for this test",
                  .says_no = "it was not yes",
                  .run = run_probe};
constexpr const Verb* kTable[] = {&kProbe};

struct Outcome {
  int code;
  std::string out, err;
};

std::string drain(int descriptor) {
  std::string text(1 << 16, '\0');
  const ssize_t count = ::read(descriptor, text.data(), text.size());
  text.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  ::close(descriptor);
  return text;
}

/// Runs with both streams on pipes; the texts here are far smaller than a pipe holds.
Outcome run(std::vector<const char*> words) {
  int out[2], err[2];
  EXPECT_EQ(::pipe(out), 0);
  EXPECT_EQ(::pipe(err), 0);
  Outcome outcome;
  {
    Terminal terminal(out[1], err[1]);
    outcome.code = run_program(words, kTable, terminal);
  }
  ::close(out[1]);
  ::close(err[1]);
  outcome.out = drain(out[0]);
  outcome.err = drain(err[0]);
  return outcome;
}

TEST(Program, AnswersWithTheExitCode) {
  EXPECT_EQ(run({"probe", "yes"}).code, 0);
  EXPECT_EQ(run({"probe", "no"}).code, 1);
  EXPECT_EQ(run({"probe"}).code, 2);
  EXPECT_EQ(run({"probe", "misuse"}).code, 2);
  EXPECT_EQ(run({"probe", "bad"}).code, 3);
  EXPECT_EQ(run({"probe", "memory"}).code, 4);
  EXPECT_EQ(run({"probe", "exception"}).code, 70);
  EXPECT_EQ(run({"probe", "odd"}).code, 70);
  EXPECT_EQ(run({}).code, 2);
}

TEST(Program, SeparatesResultsFromTalk) {
  const Outcome plain = run({"probe", "yes"});
  EXPECT_EQ(plain.out, "result\n");
  EXPECT_EQ(plain.err, "talk\nwarning: careful\n");
  const std::string detailed = run({"probe", "yes", "-v"}).err;
  EXPECT_EQ(detailed.rfind("talk\ndetail\nwarning: careful\nprobe took ", 0), 0u) << detailed;
  EXPECT_EQ(run({"probe", "yes", "-q", "-v"}).err, "");
  const Outcome json = run({"probe", "yes", "--json"});
  EXPECT_EQ(json.out, "{\"schema\": \"probe\"}\n");
  EXPECT_EQ(json.err, "warning: careful\n");
}

TEST(Program, ReportsErrorsOnStderrAndAsJson) {
  const Outcome plain = run({"probe", "bad", "-q"});
  EXPECT_EQ(plain.out, "");
  EXPECT_EQ(plain.err, "error[E0508]: byte 3 is 'x\\xff'\n  --> a.pkl\n   = help: send another file\n");
  const Outcome json = run({"probe", "bad", "-q", "--json"});
  EXPECT_EQ(json.code, 3);
  EXPECT_EQ(json.out.substr(0, 38), "{\n  \"schema\": \"anemone.error/1\",\n  \"ex");
  EXPECT_NE(json.out.find("\"code\": \"E0508\""), std::string::npos);
}

TEST(Program, SaysHowToReportABug) {
  const Outcome bug = run({"probe", "exception", "-q"});
  EXPECT_NE(bug.err.find("seventeen"), std::string::npos);
  EXPECT_NE(bug.err.find("please report it"), std::string::npos);
  EXPECT_NE(bug.err.find("the command was: anemone probe exception -q"), std::string::npos);
}

TEST(Program, SuggestsVerbs) {
  EXPECT_EQ(run({"prbe"}).err, "error[E0001]: there is no verb 'prbe'\n   = help: did you mean 'anemone probe'?\n");
  EXPECT_EQ(run({"--json", "probe"}).err,
            "error[E0001]: there is no option '--json' before the verb\n   = help: options come after the verb\n");
}

TEST(Program, HelpIsAResultEvenOnAWrongLine) {
  const Outcome help = run({"help", "probe"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.err, "");
  EXPECT_NE(help.out.find("it was not yes"), std::string::npos);
  EXPECT_EQ(run({"probe", "--nonsense", "--help"}).out, help.out);
  EXPECT_LT(run({"probe", "-h"}).out.size(), help.out.size());
  EXPECT_EQ(run({"probe", "--", "--help"}).code, 1);  // a value that looks like a question
}

TEST(Program, ColoursOnlyWhereAsked) {
  EXPECT_EQ(run({"probe", "bad"}).err.find('\x1b'), std::string::npos);
  EXPECT_NE(run({"probe", "bad", "--color", "always"}).err.find("\x1b[1;31merror[E0508]:"), std::string::npos);
}

TEST(Program, PaintKeepsEveryCharacter) {
  const std::string plain =
      "error[E0200]: a: b\n  --> f.mil:4:18\n   |   %a = add(x=%x)\n   |            ^^\n   = help: c\n";
  std::string painted = paint(plain), stripped;
  EXPECT_GT(painted.size(), plain.size());
  for (std::size_t i = 0; i < painted.size(); ++i) {
    if (painted[i] == '\x1b') {
      i = painted.find('m', i);
    } else {
      stripped += painted[i];
    }
  }
  EXPECT_EQ(stripped, plain);
}

TEST(Terminal, AReaderThatGoesAwayIsNoError) {
  std::signal(SIGPIPE, SIG_IGN);
  int out[2];
  ASSERT_EQ(::pipe(out), 0);
  ::close(out[0]);
  Terminal terminal(out[1], out[1]);
  terminal.out("lost");
  EXPECT_FALSE(terminal.finish());
  ::close(out[1]);
}

TEST(Terminal, AStreamThatCannotBeWrittenIsOne) {
  const int closed = ::open("/dev/null", O_RDONLY);
  Terminal terminal(closed, closed);
  terminal.out("lost");
  const auto problem = terminal.finish();
  ASSERT_TRUE(problem);
  EXPECT_EQ(exit_code(problem->blame), 4);
  ::close(closed);
}

TEST(Verbs, RowsAreCompleteAndSentencesInOneStyle) {
  for (const Verb* verb : all_verbs()) {
    EXPECT_FALSE(verb->name.empty());
    EXPECT_NE(verb->run, nullptr) << verb->name;
    ASSERT_FALSE(verb->summary.empty()) << verb->name;
    EXPECT_NE(verb->summary.back(), '.') << verb->name;
    EXPECT_LE(verb->summary.size(), 100u) << verb->name;
    EXPECT_FALSE(verb->examples.empty()) << verb->name;
    EXPECT_NE(verb->examples.find(verb->name), std::string_view::npos) << verb->name;
  }
}

}  // namespace
}  // namespace anemone::cli

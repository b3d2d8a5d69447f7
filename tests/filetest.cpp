// Golden files: a *.mil or *.txt file says its own commands and shows their answer.
//
//   // RUN: print %s --outputs y        the verb and its arguments; %s is this file, %t a folder that is thrown away;
//                                      COLUMNS=60 before the verb folds the answer
//   func main(%x: f16[1,2]) { ... }     whatever the commands read
//   // ----
//   $ anemone print %s --outputs y      what they print (stdout and stderr) and, if it is not 0, the exit code
//
// ANEMONE_UPDATE=1 rewrites the answers, but never those of a crash. Paths and times are replaced before comparing.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kRun = "// RUN: ";
constexpr std::string_view kCut = "\n// ----\n";
constexpr int kBug = 70;
constexpr int kLimitSeconds = 120;

struct Output {
  std::string text;
  bool crashed = false;
};

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); !from.empty() && at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// Runs `tool args` by the shell, so that quotes work as in a terminal, with both streams on one pipe.
Output run(const std::string& tool, const std::string& args) {
  int ends[2];
  if (::pipe(ends) != 0) return {"cannot make a pipe\n", true};
  const pid_t child = ::fork();
  if (child == 0) {
    ::setpgid(0, 0);
    ::dup2(ends[1], 1);
    ::dup2(ends[1], 2);
    ::close(ends[0]);
    ::close(ends[1]);
    ::dup2(::open("/dev/null", O_RDONLY), 0);
    // Wide, so that no line is folded where the machine's paths would decide; "COLUMNS=60 help" asks for less.
    ::setenv("COLUMNS", "1000", 1);
    const std::size_t word = args.starts_with("COLUMNS=") ? args.find(' ') + 1 : 0;
    const std::string command = "exec env " + args.substr(0, word) + "'" + tool + "' " + args.substr(word);
    ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(ends[1]);
  Output output;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(kLimitSeconds);
  for (char buffer[4096];;) {
    pollfd wait{ends[0], POLLIN, 0};
    if (::poll(&wait, 1, 1000) > 0) {
      const ssize_t count = ::read(ends[0], buffer, sizeof buffer);
      if (count <= 0) break;
      output.text.append(buffer, static_cast<std::size_t>(count));
    } else if (std::chrono::steady_clock::now() > end) {
      ::kill(-child, SIGKILL);
      output.text += "[not done after " + std::to_string(kLimitSeconds) + " seconds]\n";
      break;
    }
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!output.text.empty() && output.text.back() != '\n') output.text += "\n[no newline at the end]\n";
  if (WIFSIGNALED(status)) {
    output.text += "[killed by signal " + std::to_string(WTERMSIG(status)) + "]\n";
    output.crashed = true;
  } else if (const int code = WEXITSTATUS(status); code != 0) {
    output.text += "[exit " + std::to_string(code) + "]\n";
    output.crashed = code >= kBug;  // 70 is our own bug, more come from the shell and the sanitizers
  }
  return output;
}

/// What differs from run to run or from machine to machine.
std::string normalized(std::string text, const fs::path& file, const fs::path& scratch) {
  static const std::regex kSpan("(^|[^A-Za-z0-9_.])[0-9]+(\\.[0-9]+)? (ms|s|seconds|minutes)\\b");
  static const std::regex kJson("\"((?:[a-z0-9]+_)*(?:ms|seconds))\": [0-9][0-9.e+-]*");
  replace_all(text, scratch.string(), "%t");
  replace_all(text, file.parent_path().string() + "/", "");
  replace_all(text, fs::current_path().string() + "/", "");
  text = std::regex_replace(text, kSpan, "$1_ $3");
  return std::regex_replace(text, kJson, "\"$1\": _");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

/// The lines that differ, as a person would mark them: longest common subsequence, with two lines around each change.
std::string difference(const std::string& want, const std::string& got) {
  const std::vector<std::string> a = lines_of(want), b = lines_of(got);
  if (a.size() * b.size() > 4'000'000) return "--- wanted\n" + want + "--- got\n" + got;
  std::vector<std::vector<unsigned>> common(a.size() + 1, std::vector<unsigned>(b.size() + 1));
  for (std::size_t i = a.size(); i-- > 0;) {
    for (std::size_t j = b.size(); j-- > 0;) {
      common[i][j] = a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::vector<std::string> marked;
  for (std::size_t i = 0, j = 0; i < a.size() || j < b.size();) {
    if (i < a.size() && j < b.size() && a[i] == b[j]) {
      marked.push_back("  " + a[i++]);
      ++j;
    } else if (i < a.size() && (j == b.size() || common[i + 1][j] >= common[i][j + 1])) {
      marked.push_back("- " + a[i++]);
    } else {
      marked.push_back("+ " + b[j++]);
    }
  }
  std::string text = "--- wanted (-), got (+)\n";
  bool gap = false;
  for (std::size_t i = 0; i < marked.size(); ++i) {
    const std::size_t first = i < 2 ? 0 : i - 2, last = std::min(marked.size(), i + 3);
    const bool near = std::any_of(marked.begin() + static_cast<long>(first), marked.begin() + static_cast<long>(last),
                                  [](const std::string& line) { return line[0] != ' '; });
    if (near) text += marked[i] + "\n";
    if (!near && !gap && i > 0) text += "  ...\n";
    gap = !near;
  }
  return text;
}

struct Runner {
  std::string tool;
  bool update = false;
  std::size_t passed = 0, failed = 0, commands = 0;

  void fail(const fs::path& path, const std::string& why) {
    ++failed;
    std::cout << "FAIL " << path.string() << "\n" << why << "\n";
  }

  void check(const fs::path& path) {
    std::ifstream in(path);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const std::size_t cut = text.find(kCut);
    const std::string head = cut == std::string::npos ? text : text.substr(0, cut + 1);
    const std::string want = cut == std::string::npos ? "" : text.substr(cut + kCut.size());
    if (!head.starts_with(kRun)) return fail(path, "a golden file starts with '// RUN: ' and a verb");
    if (head.back() != '\n') return fail(path, "the last line before the answer has no end");

    const fs::path scratch = fs::temp_directory_path() / ("anemone-golden-" + std::to_string(::getpid()));
    fs::create_directories(scratch);
    std::string got;
    bool crashed = false;
    for (const std::string& line : lines_of(head)) {
      if (!line.starts_with(kRun)) break;
      std::string args = line.substr(kRun.size());
      got += "$ anemone " + args + "\n";
      replace_all(args, "%s", "'" + path.string() + "'");
      replace_all(args, "%t", scratch.string());
      const Output output = run(tool, args);
      got += normalized(output.text, path, scratch);
      crashed |= output.crashed;
      ++commands;
    }
    fs::remove_all(scratch);

    if (got == want && !crashed) {
      ++passed;
    } else if (update && !crashed) {
      std::ofstream(path) << head << kCut.substr(1) << got;
      std::cout << "updated " << path.string() << "\n";
      ++passed;
    } else {
      fail(path, (crashed ? "a command crashed; this is never an answer\n" : "") + difference(want, got));
    }
  }
};

/// Sabotage of the runner itself, with /bin/sh in the role of the tool.
int self_test(const fs::path& folder) {
  struct Case {
    std::string text;
    bool update, passes, rewritten;
  };
  const Case kCases[] = {
      {"// RUN: -c 'echo hi; echo ho >&2'\n// ----\n$ anemone -c 'echo hi; echo ho >&2'\nhi\nho\n", false, true, false},
      {"// RUN: -c 'echo hi; exit 3'\n// ----\n$ anemone -c 'echo hi; exit 3'\nhi\n[exit 3]\n", false, true, false},
      {"// RUN: -c 'echo %s in %t took 0.123 s'\nx\n// ----\n$ anemone -c 'echo %s in %t took 0.123 s'\ncase.txt in %t "
       "took _ s\n",
       false, true, false},
      {"// RUN: -c 'echo hi'\n// ----\n$ anemone -c 'echo hi'\nho\n", false, false, false},
      {"// RUN: -c 'echo hi'\n// ----\n$ anemone -c 'echo hi'\nho\n", true, true, true},
      {"// RUN: -c 'kill -11 $$'\n// ----\n$ anemone -c 'kill -11 $$'\n[killed by signal 11]\n", false, false, false},
      {"// RUN: -c 'kill -11 $$'\n// ----\nhi\n", true, false, false},
      {"// RUN: -c 'exit 70'\n// ----\n$ anemone -c 'exit 70'\n[exit 70]\n", false, false, false},
      {"// RUN: -c 'exit 70'\n", true, false, false},
      {"// RUN: -c 'printf hi'\n// ----\n$ anemone -c 'printf hi'\nhi\n", false, false, false},
      {"nothing to run\n", true, false, false},
  };
  std::size_t passed = 0, failed = 0;
  for (const Case& each : kCases) {
    fs::remove_all(folder);
    fs::create_directories(folder);
    const fs::path path = fs::absolute(folder) / "case.txt";
    std::ofstream(path) << each.text;
    Runner runner{.tool = "/bin/sh", .update = each.update};
    std::cout.setstate(std::ios::failbit);  // the planted failures are not news
    runner.check(path);
    std::cout.clear();
    std::ifstream in(path);
    const std::string after{std::istreambuf_iterator<char>(in), {}};
    const bool good = (runner.failed == 0) == each.passes && (after != each.text) == each.rewritten;
    good ? ++passed : ++failed;
    if (!good) std::cout << "FAIL the runner judged this wrongly:\n" << each.text << "\n";
  }
  fs::remove_all(folder);
  std::cout << passed << " passed, " << failed << " failed, 0 skipped\n";
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  // A sanitizer's own exit code is 1, which is also the answer "no".
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"}) ::setenv(name, "exitcode=99", 0);
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 2 && words[0] == "--self-test") return self_test(words[1]);
  if (words.size() < 2) {
    std::cerr << "usage: filetest ANEMONE FILE_OR_FOLDER...\n";
    return 2;
  }
  Runner runner{.tool = fs::absolute(words[0]).string(), .update = std::getenv("ANEMONE_UPDATE") != nullptr};
  std::vector<fs::path> files;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (!fs::is_directory(words[i])) files.push_back(fs::absolute(words[i]));
    if (!fs::is_directory(words[i])) continue;
    for (const auto& entry : fs::recursive_directory_iterator(words[i])) {
      const std::string extension = entry.path().extension().string();
      if (entry.is_regular_file() && (extension == ".mil" || extension == ".txt"))
        files.push_back(fs::absolute(entry.path()));
    }
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) runner.check(file);
  if (runner.failed > 0) {
    std::cout << "to accept what is printed now: ANEMONE_UPDATE=1 " << argv[0];
    for (const std::string& word : words) std::cout << ' ' << word;
    std::cout << "\n";
  }
  std::cout << runner.commands << " commands in " << files.size() << " files\n"
            << runner.passed << " passed, " << runner.failed << " failed, 0 skipped\n";
  return runner.failed == 0 && runner.commands > 0 ? 0 : 1;
}

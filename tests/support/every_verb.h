#pragma once
// A model file through every verb that does something with it, in this process and without a word: what each makes of it
// is an answer or a refusal, whatever the file says.
#include <fcntl.h>

#include <filesystem>
#include <string>
#include <vector>

#include "anemone/cli/program.h"
#include "anemone/cli/verbs.h"
#include "tests/support/scratch.h"

namespace anemone::test {

inline int exit_code_of(const std::vector<std::string>& words) {
  static const int nowhere = ::open("/dev/null", O_WRONLY);
  std::vector<const char*> line;
  for (const std::string& word : words) line.push_back(word.c_str());
  cli::Terminal terminal(nowhere, nowhere);
  return cli::run_program(line, cli::all_verbs(), terminal);
}

/// What no file may make of any verb, as a sentence; empty when all is well. Anything but an answer, a "no", a refusal or
/// a lack of memory is a bug of ours, and so is a package of ours that its own reader refuses. `written` counts those.
inline std::string every_verb(const std::string& model, const std::filesystem::path& scratch, int* written = nullptr) {
  const std::string package = (scratch / "written.mlpackage").string();
  std::string complaint;
  const auto tried = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--threads", "1"});
    const int code = exit_code_of(words);
    if (code != 0 && code != 1 && code != 3 && code != 4 && complaint.empty()) {
      complaint = "exit " + std::to_string(code) + " from:";
      for (const std::string& word : words) complaint += " " + word;
    }
    return code;
  };
  tried({"print", model, "--exact"});
  tried({"plan", model, "--json"});
  tried({"analyze", model, "--json"});
  tried({"verify", model, "--against", model});
  for (const char* precision : {"fp16", "fp32"}) {
    std::error_code ignored;
    std::filesystem::remove_all(package, ignored);
    if (tried({"convert", model, "-o", package, "--precision", precision}) != 0) continue;
    if (written) ++*written;
    const std::string made = std::string("what convert --precision ") + precision + " wrote";
    if (tried({"plan", package}) != 0 && complaint.empty()) complaint = made + " is refused by plan";
    if (tried({"verify", package, "--against", model}) == 3 && exit_code_of({"verify", model, "--against", model}) != 3)
      complaint = made + " is refused by verify, and its source is not";
  }
  return complaint;
}

}  // namespace anemone::test

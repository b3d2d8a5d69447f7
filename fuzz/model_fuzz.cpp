// Any bytes as a Core ML model file through the verbs that do something with it: whatever convert, plan, analyze, run and
// verify make of it is an answer or a refusal. Never a crash, and never exit code 70, which is a bug of ours. What convert
// writes is read, planned and verified again.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "anemone/cli/program.h"
#include "anemone/cli/verbs.h"

namespace {

namespace fs = std::filesystem;

/// A folder of this process, gone with it.
struct Scratch {
  fs::path path = fs::temp_directory_path() / ("anemone-fuzz-" + std::to_string(::getpid()));
  Scratch() { fs::create_directories(path); }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
};

/// The exit code; nothing is shown.
int run(const std::vector<std::string>& words) {
  static const int nowhere = ::open("/dev/null", O_WRONLY);
  std::vector<const char*> line;
  for (const std::string& word : words) line.push_back(word.c_str());
  anemone::cli::Terminal terminal(nowhere, nowhere);
  const int code = anemone::cli::run_program(line, anemone::cli::all_verbs(), terminal);
  if (code == 70) std::abort();
  return code;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Scratch scratch;
  if (size > 1 << 16) return 0;
  const std::string model = (scratch.path / "model.mlmodel").string(),
                    package = (scratch.path / "x.mlpackage").string();
  std::ofstream(model, std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  run({"plan", model, "--json", "--threads", "1"});
  run({"analyze", model, "--json", "--threads", "1"});
  run({"verify", model, "--against", model, "--threads", "1"});
  for (const char* precision : {"fp16", "fp32"}) {
    std::error_code ignored;
    fs::remove_all(package, ignored);
    if (run({"convert", model, "-o", package, "--precision", precision, "--threads", "1"}) != 0) continue;
    // A program of ours is always loadable.
    if (run({"plan", package, "--threads", "1"}) == 3) std::abort();
    run({"verify", package, "--against", model, "--threads", "1"});
  }
  return 0;
}

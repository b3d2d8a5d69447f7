// Rules about the source text, kept by a test and not by memory: who may include whom, file length, the opening
// comment, who may print and who may start threads. With --sabotage it breaks each rule in a copy and must notice.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

/// Folder -> the folders it may include besides itself: the architecture in one table (docs/architecture.md).
const std::map<std::string, std::set<std::string>> kMayInclude{
    {"support", {}},
    {"formats", {"support"}},
    {"ir", {"support"}},
    {"ops", {"support", "ir"}},
    {"passes", {"support", "ir", "ops"}},
    {"plan", {"support", "ir", "ops"}},
    {"runtime", {"support", "ir", "ops"}},
    {"frontends", {"support", "ir", "ops", "formats"}},
    {"backends", {"support", "ir", "ops", "formats"}},
    {"face", {"support", "formats", "runtime"}},
    {"toolchain", {"support", "formats", "ir", "ops", "passes", "plan", "runtime", "frontends", "backends", "face"}},
    {"report", {"support", "plan", "toolchain"}},
    {"cli", {"support", "report", "toolchain"}},
};

constexpr std::size_t kLongestFile = 400;
constexpr std::size_t kLongestPass = 150;
/// The table and the runner. Helpers are told from passes by their headers: passes are all declared in pass.h.
const std::set<std::string> kNotAPass{"passes.cpp", "runner.cpp", "pass.cpp", "pipelines.cpp"};

struct Complaint {
  std::string file;
  std::size_t line;
  std::string sentence;
};

struct Text {
  std::vector<std::string> lines;  ///< as they are
  std::vector<std::string> code;   ///< without comments and without what stands in string literals
};

Text read_text(const fs::path& path) {
  Text text;
  std::ifstream in(path);
  bool in_comment = false;
  for (std::string line; std::getline(in, line);) {
    std::string code;
    char quote = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const std::string two = line.substr(i, 2);
      if (in_comment) {
        if (two == "*/") in_comment = false, ++i;
      } else if (quote != 0) {
        if (line[i] == '\\') {
          ++i;
        } else if (line[i] == quote) {
          quote = 0;
        }
      } else if (two == "//") {
        break;
      } else if (two == "/*") {
        in_comment = true, ++i;
      } else {
        // 1'000'000 is not a character literal.
        const bool separator = line[i] == '\'' && i > 0 && std::isalnum(static_cast<unsigned char>(line[i - 1])) != 0;
        if ((line[i] == '"' || line[i] == '\'') && !separator) quote = line[i];
        code += line[i];
      }
    }
    text.lines.push_back(std::move(line));
    text.code.push_back(std::move(code));
  }
  return text;
}

class Checker {
 public:
  explicit Checker(fs::path root) : root_(std::move(root)) {}

  std::vector<Complaint> check() {
    complaints_.clear();
    files_ = 0;
    const fs::path source = root_ / "src" / "anemone";
    std::vector<fs::path> paths;
    for (const auto& entry : fs::recursive_directory_iterator(source)) {
      const std::string extension = entry.path().extension().string();
      if (entry.is_regular_file() && (extension == ".h" || extension == ".cpp" || extension == ".inc"))
        paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths) check_file(path, fs::relative(path, source).begin()->string());
    for (const char* folder : {"tests", "fuzz", "bench"}) {  // no layers there: only what makes a file readable
      if (!fs::exists(root_ / folder)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(root_ / folder)) {
        const fs::path& path = entry.path();
        if (path.extension() != ".h" && path.extension() != ".cpp") continue;
        begin_file(path);
        const Text text = read_text(path);
        check_opening(text, path);
        check_length(text, false);
      }
    }
    return complaints_;
  }
  std::size_t files() const { return files_; }

 private:
  void complain(std::size_t line, std::string sentence) { complaints_.push_back({file_, line, std::move(sentence)}); }

  void begin_file(const fs::path& path) {
    ++files_;
    file_ = fs::relative(path, root_).string();
  }

  void check_file(const fs::path& path, const std::string& folder) {
    begin_file(path);
    const Text text = read_text(path);
    const std::string name = path.filename().string();
    const bool is_test = name.find("_test.") != std::string::npos;
    check_opening(text, path);
    const bool has_header = fs::exists(fs::path(path).replace_extension(".h"));
    check_length(
        text, folder == "passes" && !is_test && !has_header && path.extension() == ".cpp" && !kNotAPass.contains(name));
    check_includes(text, folder);
    if (folder != "cli" && !is_test) check_printing(text);
    if (folder != "runtime" && !is_test) check_threads(text);
  }

  void check_opening(const Text& text, const fs::path& path) {
    // Highway's "-inl.h" files are included once per instruction set and guard themselves.
    const bool header = path.extension() == ".h" && !path.filename().string().ends_with("-inl.h");
    const auto line = [&](std::size_t i) { return i < text.lines.size() ? text.lines[i] : std::string(); };
    const auto is_comment = [](const std::string& s) { return s.starts_with("//") || s.starts_with("/*"); };
    if (header && line(0) != "#pragma once" && line(1) != "#pragma once")
      complain(1, "a header starts with '#pragma once'");
    if (!is_comment(line(0)) && !(header && is_comment(line(1))))
      complain(1, "a file starts with a comment that says its job");
  }

  void check_length(const Text& text, bool is_pass) {
    const std::size_t limit = is_pass ? kLongestPass : kLongestFile;
    if (text.lines.size() >= limit) {
      complain(text.lines.size(), std::string(is_pass ? "a pass" : "a file") + " has fewer than " +
                                      std::to_string(limit) + " lines, this one has " +
                                      std::to_string(text.lines.size()));
    }
  }

  void check_includes(const Text& text, const std::string& folder) {
    static const std::regex kInclude("^\\s*#\\s*include\\s*[<\"]([^>\"]+)[>\"]");
    const auto rule = kMayInclude.find(folder);
    if (rule == kMayInclude.end())
      return complain(1, "folder '" + folder + "' is not in the table of tests/tidy_test.cpp");
    for (std::size_t i = 0; i < text.lines.size(); ++i) {
      std::smatch match;
      if (!std::regex_search(text.lines[i], match, kInclude)) continue;
      const std::string path = match[1];
      if (path.find("..") != std::string::npos)
        complain(i + 1, "'" + path + "' is not written from src/: \"anemone/<folder>/<file>.h\"");
      const bool quoted = text.lines[i].find('"') != std::string::npos;
      if (quoted && !path.starts_with("anemone/") && !path.starts_with("tests/") &&
          !fs::exists(fs::path("/usr/include") / path)) {
        complain(i + 1, "'" + path + "' is not written from src/: \"anemone/<folder>/<file>.h\"");
      }
      if (!path.starts_with("anemone/")) continue;
      const std::string other = path.substr(8, path.find('/', 8) - 8);
      if (other != folder && !rule->second.contains(other))
        complain(i + 1, "'" + folder + "' may not include '" + other + "'");
    }
  }

  void check_printing(const Text& text) {
    static const std::regex kPrint(
        "std::(cout|cerr|clog)\\b|\\b(fmt::print|fmt::println|printf|fprintf|puts|fputs|putchar|vprintf|perror)\\s*\\(|"
        "\\b(stdout|stderr)\\b");
    find_in_code(text, kPrint, "only cli/ prints");
  }

  void check_threads(const Text& text) {
    static const std::regex kThread(
        "std::(thread|jthread|async|execution)\\b|\\bpthread_create\\b|#\\s*include\\s*<(thread|future|execution)>|#"
        "\\s*pragma\\s+omp\\b");
    find_in_code(text, kThread, "only runtime/ has threads");
  }

  void find_in_code(const Text& text, const std::regex& pattern, const std::string& rule) {
    for (std::size_t i = 0; i < text.code.size(); ++i) {
      std::smatch match;
      if (std::regex_search(text.code[i], match, pattern)) complain(i + 1, rule + ": '" + match[0].str() + "'");
    }
  }

  fs::path root_;
  std::vector<Complaint> complaints_;
  std::string file_;
  std::size_t files_ = 0;
};

/// What is planted in a copy of src/, and the sentence that must come of it.
struct Sabotage {
  std::string file, text, sentence;
};

std::string repeated_lines(std::size_t count) {
  std::string text = "// Long.\n";
  for (std::size_t i = 1; i < count; ++i) text += "\n";
  return text;
}

int sabotage(const fs::path& root, const fs::path& copy) {
  const Sabotage kPlanted[] = {
      {"passes/planted.cpp", "// Planted.\n#include \"anemone/runtime/run.h\"\n", "'passes' may not include 'runtime'"},
      {"formats/planted.h", "#pragma once\n// Planted.\n#include \"anemone/ir/graph.h\"\n",
       "'formats' may not include 'ir'"},
      {"runtime/x/planted.cpp", "// Planted.\n#include <anemone/passes/pass.h>\n",
       "'runtime' may not include 'passes'"},
      {"cli/planted.cpp", "// Planted.\n  #  include \"anemone/ir/graph.h\"\n", "'cli' may not include 'ir'"},
      {"ir/planted.cpp", "// Planted.\n#include \"../ops/ops.h\"\n", "'../ops/ops.h' is not written from src/"},
      {"ir/planted.cpp", "// Planted.\n#include \"graph.h\"\n", "'graph.h' is not written from src/"},
      {"widgets/planted.cpp", "// Planted.\n", "folder 'widgets' is not in the table"},
      {"plan/planted.cpp", "int x;\n", "a file starts with a comment"},
      {"plan/planted.h", "// Planted.\nint x;\n", "a header starts with '#pragma once'"},
      {"plan/planted.cpp", repeated_lines(400), "fewer than 400 lines"},
      {"passes/planted.cpp", repeated_lines(150), "fewer than 150 lines"},
      {"ops/planted.cpp", "// Planted.\nvoid f() { std::cout << 1; }\n", "only cli/ prints: 'std::cout'"},
      {"ops/planted.cpp", "// Planted.\nvoid f() { std::printf(\"x\"); }\n", "only cli/ prints: 'printf('"},
      {"ops/planted.cpp", "// Planted.\nvoid f() { fmt::print(\"x\"); }\n", "only cli/ prints: 'fmt::print('"},
      {"ops/planted.cpp", "// Planted.\nvoid f() { std::cerr << \"//\" << 1; }\n", "only cli/ prints: 'std::cerr'"},
      {"toolchain/planted.cpp", "// Planted.\nvoid f() { std::thread t; }\n",
       "only runtime/ has threads: 'std::thread'"},
      {"toolchain/planted.cpp", "// Planted.\nauto f() { return std::async(g); }\n",
       "only runtime/ has threads: 'std::async'"},
      {"runtime/planted.cpp", "// Planted: fine.\n#include <thread>\nstd::thread t;\n", ""},
      {"ops/planted.cpp",
       "// Planted: fine, std::cout.\nconst char* x = \"std::cout\";\nint n = 1'000;  // printf(x)\n", ""},
      {"ops/planted.cpp", "// Planted: fine.\nvoid f() { snprintf(a, b, c); }\n", ""},
      {"plan/planted.cpp", repeated_lines(399), ""},
  };
  std::size_t passed = 0, failed = 0;
  for (const Sabotage& planted : kPlanted) {
    fs::remove_all(copy);
    const fs::path target = copy / "src" / "anemone" / planted.file;
    fs::create_directories(target.parent_path());
    std::ofstream(target) << planted.text;
    const std::vector<Complaint> complaints = Checker(copy).check();
    const bool noticed = std::any_of(complaints.begin(), complaints.end(), [&](const Complaint& complaint) {
      return complaint.sentence.find(planted.sentence) != std::string::npos;
    });
    if (planted.sentence.empty() ? complaints.empty() : noticed) {
      ++passed;
      continue;
    }
    ++failed;
    std::cout << "FAIL " << planted.file << ": expected '" << planted.sentence << "', got "
              << (complaints.empty() ? "nothing" : complaints.front().sentence) << "\n";
  }
  // The same in a full copy: a rule that only works on an empty tree would be worth nothing.
  fs::remove_all(copy);
  fs::create_directories(copy);
  fs::copy(root / "src", copy / "src", fs::copy_options::recursive);
  const std::size_t before = Checker(copy).check().size();
  fs::create_directories(copy / "src/anemone/passes");
  std::ofstream(copy / "src/anemone/passes/planted.cpp") << kPlanted[0].text;
  if (Checker(copy).check().size() == before + 1) {
    ++passed;
  } else {
    ++failed;
    std::cout << "FAIL a forbidden include in a full copy was not noticed\n";
  }
  fs::remove_all(copy);
  std::cout << passed << " passed, " << failed << " failed, 0 skipped\n";
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[2]) == "--sabotage") return sabotage(argv[1], argv[3]);
  if (argc != 2) {
    std::cerr << "usage: tidy_test ROOT [--sabotage EMPTY_FOLDER]\n";
    return 2;
  }
  Checker checker(argv[1]);
  const std::vector<Complaint> complaints = checker.check();
  std::set<std::string> bad;
  for (const Complaint& complaint : complaints) {
    std::cout << complaint.file << ':' << complaint.line << ": " << complaint.sentence << "\n";
    bad.insert(complaint.file);
  }
  std::cout << checker.files() - bad.size() << " passed, " << bad.size() << " failed, 0 skipped\n";
  return complaints.empty() && checker.files() > 0 ? 0 : 1;
}

// What was forgotten: every operation, pass and rule has a golden file; every rule of the planner fires in its own; every
// constraint (C1), (C2) … of an operation is broken by a test; every judge is run. Names come from the reference pages,
// which the program makes. With --sabotage it takes one thing away in a copy and must notice.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/support/source_text.h"

namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// What the page names, line by line, by the first group of the pattern.
std::vector<std::string> named(const fs::path& page, const std::regex& pattern) {
  std::vector<std::string> names;
  std::ifstream in(page);
  std::smatch match;
  for (std::string line; std::getline(in, line);) {
    if (std::regex_search(line, match, pattern)) names.push_back(match[1]);
  }
  return names;
}

class Checker {
 public:
  explicit Checker(fs::path root) : root_(std::move(root)) {}

  std::vector<std::string> check() {
    complaints_.clear();
    things_ = 0;
    check_goldens("ops", "^## ([a-z0-9_]+)$");
    check_goldens("passes", "^\\| ([a-z0-9_]+) \\| (exact|rounding|lossy) ");
    check_rules();
    check_constraints();
    check_judges();
    return complaints_;
  }
  std::size_t things() const { return things_; }

 private:
  /// ./test runs what it may execute, and says nothing of the rest.
  void check_judges() {
    if (!fs::exists(root_ / "tests/judge")) return;
    static const std::regex kFinishes("\n(lib\\.)?finish\\(\\)\n");
    for (const auto& entry : fs::directory_iterator(root_ / "tests/judge")) {
      if (entry.path().extension() != ".py" || !std::regex_search(read(entry.path()), kFinishes)) continue;
      ++things_;
      const bool runs = (entry.status().permissions() & fs::perms::owner_exec) != fs::perms::none;
      if (!runs)
        complaints_.push_back("tests/judge/" + entry.path().filename().string() + " is not executable: it never runs");
    }
  }

  void check_goldens(const std::string& kind, const char* pattern) {
    const std::vector<std::string> names = named(root_ / "docs/reference" / (kind + ".md"), std::regex(pattern));
    if (names.empty()) complaints_.push_back("docs/reference/" + kind + ".md names nothing");
    for (const std::string& name : names) {
      ++things_;
      const fs::path golden = root_ / "tests" / kind / (name + ".mil");
      if (!fs::exists(golden)) complaints_.push_back("no golden file tests/" + kind + "/" + name + ".mil");
    }
    for (const auto& entry : fs::directory_iterator(root_ / "tests" / kind)) {
      // NAME.mil, or NAME-what.mil for a second one.
      std::string name = entry.path().stem().string();
      name.resize(std::min(name.size(), name.find('-')));
      if (std::find(names.begin(), names.end(), name) == names.end())
        complaints_.push_back("tests/" + kind + "/" + entry.path().filename().string() + " is named after nothing");
    }
  }

  /// A rule fires where the answer, after the cut, names its code.
  void check_rules() {
    const std::vector<std::string> codes = named(root_ / "docs/reference/rules.md", std::regex("^## (ANE[0-9]+) "));
    if (codes.empty()) complaints_.push_back("docs/reference/rules.md names no rule");
    for (const std::string& code : codes) {
      ++things_;
      const std::string golden = read(root_ / "tests/plan" / (code + ".mil"));
      const std::size_t cut = golden.find("\n// ----\n");
      if (cut == std::string::npos || golden.find(code, cut) == std::string::npos)
        complaints_.push_back("rule " + code + " does not fire in tests/plan/" + code + ".mil");
    }
  }

  /// Constraints are counted by number in each family: as many functions as carry (Cn) need a test that is named so,
  /// `PreluC2…`, or a golden that says `(Cn)` beside the command it refuses.
  void check_constraints() {
    static const std::regex kLabel("\\(C([0-9]+)\\)");
    static const std::regex kFunction("^[A-Za-z].*[ &*]([a-z_0-9]+)\\(.*\\) \\{$");
    static const std::regex kNamed("C([0-9]+)");
    static const std::regex kOp("\\.name = \"([a-z_0-9]+)\"|^ *\\{\"([a-z_0-9]+)\",");
    for (const auto& entry : fs::directory_iterator(root_ / "src/anemone/ops")) {
      const std::string name = entry.path().filename().string();
      if (entry.path().extension() != ".cpp" || name.ends_with("_test.cpp")) continue;
      std::map<int, std::set<std::string>> labels;
      std::map<int, int> tests;
      std::string function;
      std::smatch match;
      for (const std::string& line : anemone::tidy::read_text(entry.path()).lines) {
        if (std::regex_search(line, match, kFunction)) function = match[1];
        if (line.starts_with("//")) continue;  // a summary of what follows
        for (std::sregex_iterator it(line.begin(), line.end(), kLabel), end; it != end; ++it)
          labels[std::stoi((*it)[1])].insert(function);
        if (std::regex_search(line, match, kOp)) {
          const std::string op = match[1].matched ? match[1] : match[2];
          const std::string program = refusals_of(op);
          for (std::sregex_iterator it(program.begin(), program.end(), kLabel), end; it != end; ++it)
            ++tests[std::stoi((*it)[1])];
        }
      }
      const fs::path test = fs::path(entry.path()).replace_extension("").string() + "_test.cpp";
      for (const std::string& line : anemone::tidy::read_text(test).lines) {
        // In a test's name, in the title of a case, or in a comment beside the line that is refused.
        const std::size_t comment = std::min(line.find("// "), line.find("{\"C"));
        if (!line.starts_with("TEST") && comment == std::string::npos) continue;
        const std::string title = line.starts_with("TEST") ? line : line.substr(comment);
        for (std::sregex_iterator it(title.begin(), title.end(), kNamed), end; it != end; ++it)
          ++tests[std::stoi((*it)[1])];
      }
      int missing = 0;
      std::string which;
      for (const auto& [number, functions] : labels) {
        ++things_;
        const int lacking = static_cast<int>(functions.size()) - tests[number];
        if (lacking <= 0) continue;
        missing += lacking;
        which += " (C" + std::to_string(number) + ")×" + std::to_string(lacking);
      }
      if (missing > 0) complaints_.push_back("ops/" + name + ": constraints that no test breaks:" + which);
    }
  }

  /// What stands before the answer in the files OP-refused.mil and OP-what-refused.mil.
  std::string refusals_of(const std::string& op) const {
    std::string programs;
    for (const auto& entry : fs::directory_iterator(root_ / "tests/ops")) {
      const std::string name = entry.path().stem().string();
      if (!name.starts_with(op + "-") || !name.ends_with("-refused")) continue;
      const std::string text = read(entry.path());
      programs += text.substr(0, text.find("\n// ----\n")) + "\n";
    }
    return programs;
  }

  fs::path root_;
  std::vector<std::string> complaints_;
  std::size_t things_ = 0;
};

int sabotage(const fs::path& root, const fs::path& copy) {
  struct Case {
    std::string what;
    void (*plant)(const fs::path&);
    std::string sentence;
  };
  const Case kCases[] = {
      {"an operation without a golden", [](const fs::path& at) { fs::remove(at / "tests/ops/relu.mil"); },
       "no golden file tests/ops/relu.mil"},
      {"a pass without a golden", [](const fs::path& at) { fs::remove(at / "tests/passes/const_elimination.mil"); },
       "no golden file tests/passes/const_elimination.mil"},
      {"a golden of nothing", [](const fs::path& at) { std::ofstream(at / "tests/ops/reluu.mil") << "x"; },
       "reluu.mil is named after nothing"},
      {"a rule that does not fire",
       [](const fs::path& at) {
         const std::string text = read(at / "tests/plan/ANE003.mil");
         std::ofstream(at / "tests/plan/ANE003.mil") << text.substr(0, text.find("\n// ----\n") + 9);
       },
       "rule ANE003 does not fire"},
      {"a constraint that no test breaks",
       [](const fs::path& at) {
         std::ofstream(at / "src/anemone/ops/activation.cpp", std::ios::app)
             << "Types infer_planted(const InferView& v) {\n  return one(v.type(\"x\"));  // (C9)\n}\n";
       },
       "ops/activation.cpp: constraints that no test breaks"},
      {"a judge that never runs",
       [](const fs::path& at) {
         fs::create_directories(at / "tests/judge");
         std::ofstream(at / "tests/judge/planted.py") << "x = 1\nfinish()\n";
       },
       "planted.py is not executable"},
  };
  std::size_t passed = 0, failed = 0;
  for (const Case& each : kCases) {
    fs::remove_all(copy);
    for (const char* folder : {"src/anemone/ops", "tests/ops", "tests/passes", "tests/plan", "docs/reference"}) {
      fs::create_directories(copy / folder);
      fs::copy(root / folder, copy / folder, fs::copy_options::recursive);
    }
    each.plant(copy);
    const std::vector<std::string> complaints = Checker(copy).check();
    const bool noticed = std::any_of(complaints.begin(), complaints.end(), [&](const std::string& complaint) {
      return complaint.find(each.sentence) != std::string::npos;
    });
    noticed ? ++passed : ++failed;
    if (!noticed) std::cout << "FAIL " << each.what << " was not noticed\n";
  }
  fs::remove_all(copy);
  std::cout << passed << " passed, " << failed << " failed, 0 skipped\n";
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[2]) == "--sabotage") return sabotage(argv[1], argv[3]);
  if (argc != 2) {
    std::cerr << "usage: coverage_test ROOT [--sabotage EMPTY_FOLDER]\n";
    return 2;
  }
  Checker checker(argv[1]);
  const std::vector<std::string> complaints = checker.check();
  for (const std::string& complaint : complaints) std::cout << complaint << "\n";
  std::cout << checker.things() - std::min(checker.things(), complaints.size()) << " passed, " << complaints.size()
            << " failed, 0 skipped\n";
  return complaints.empty() && checker.things() > 0 ? 0 : 1;
}

// Rules about the source text, kept by a test and not by memory: who may include whom, namespaces, headers, file length,
// the opening comment, who may print and who may start threads. With --sabotage it breaks each rule in a copy and must
// notice. The tables are in tests/support/tidy_tables.h.
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

#include "tests/support/source_text.h"
#include "tests/support/tidy_tables.h"

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kLongestFile = 400;
constexpr std::size_t kLongestPass = 150;
constexpr std::size_t kMostNamedInPlan = 25;
/// The table and the runner. Helpers are told from passes by their headers: passes are all declared in pass.h.
const std::set<std::string> kNotAPass{"passes.cpp", "runner.cpp", "pass.cpp", "pipelines.cpp"};

using namespace anemone::tidy;

struct Complaint {
  std::string file;
  std::size_t line;
  std::string sentence;
};

/// The room of a file or folder given from src/anemone/ on: the longest row of the table that leads to it.
std::string room_of(std::string path) {
  while (!path.empty() && !kMayInclude.contains(path)) {
    const std::size_t slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
  }
  return path;
}

bool may_include(const std::string& from, const std::string& to) {
  const std::set<std::string>& rooms = kMayInclude.at(from);
  const std::size_t slash = to.find('/');
  return from == to || rooms.contains(to) || (slash != std::string::npos && rooms.contains(to.substr(0, slash) + "/*"));
}

class Checker {
 public:
  explicit Checker(fs::path root) : root_(std::move(root)) {}

  std::vector<Complaint> check() {
    complaints_.clear();
    files_ = 0;
    named_in_plan_ = 0;
    const fs::path source = root_ / "src" / "anemone";
    std::vector<fs::path> paths;
    for (const auto& entry : fs::recursive_directory_iterator(source)) {
      const std::string extension = entry.path().extension().string();
      if (entry.is_regular_file() && (extension == ".h" || extension == ".cpp" || extension == ".inc"))
        paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths) check_file(path, fs::relative(path, source).string());
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
    check_widths();
    return complaints_;
  }
  std::size_t files() const { return files_; }

 private:
  void complain(std::size_t line, std::string sentence) { complaints_.push_back({file_, line, std::move(sentence)}); }

  void begin_file(const fs::path& path) {
    ++files_;
    file_ = fs::relative(path, root_).string();
  }

  /// `inside`: the path from src/anemone/ on.
  void check_file(const fs::path& path, const std::string& inside) {
    begin_file(path);
    const std::string folder = inside.substr(0, inside.find('/'));
    const Text text = read_text(path);
    const std::string name = path.filename().string();
    const bool is_test = name.find("_test.") != std::string::npos;
    check_opening(text, path);
    const bool has_header = fs::exists(fs::path(path).replace_extension(".h"));
    check_length(
        text, folder == "passes" && !is_test && !has_header && path.extension() == ".cpp" && !kNotAPass.contains(name));
    check_includes(text, inside, is_test);
    check_namespaces(text, inside, is_test || name.find("test") != std::string::npos);
    check_header(path, inside, is_test);
    if (folder != "cli" && !is_test) check_printing(text);
    if (folder != "runtime" && !is_test) check_threads(text);
    if (!is_test) check_op_names(text, inside);
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

  /// Pages and judges; clang-format sees to the rest. Tables, code in pages and what the program makes are left out.
  void check_widths() {
    static const std::set<std::string> kWrapped{".md", ".py"};
    for (const char* folder : {".", "docs", "examples", "tests", "bench"}) {
      if (!fs::exists(root_ / folder)) continue;
      fs::recursive_directory_iterator it(root_ / folder), end;
      for (; it != end; ++it) {
        if (it->is_directory() && std::string(folder) == ".") it.disable_recursion_pending();
        if (it->is_regular_file() && kWrapped.contains(it->path().extension().string())) check_width(it->path());
      }
    }
  }

  void check_width(const fs::path& path) {
    begin_file(path);
    const bool is_page = path.extension() == ".md";
    std::ifstream in(path);
    bool is_code = false;
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
      if (++number == 1 && line.find("Do not edit") != std::string::npos) return;
      if (is_page && line.find("```") != std::string::npos) is_code = !is_code;
      if (is_page && (is_code || line[std::min(line.find_first_not_of(' '), line.size())] == '|')) continue;
      const auto width = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; });
      if (width > 120) complain(number, "a line has at most 120 columns, this one has " + std::to_string(width));
    }
  }

  void check_length(const Text& text, bool is_pass) {
    const std::size_t limit = is_pass ? kLongestPass : kLongestFile;
    if (text.lines.size() >= limit) {
      complain(text.lines.size(), std::string(is_pass ? "a pass" : "a file") + " has fewer than " +
                                      std::to_string(limit) + " lines, this one has " +
                                      std::to_string(text.lines.size()));
    }
  }

  void check_includes(const Text& text, const std::string& inside, bool is_test) {
    static const std::regex kInclude("^\\s*#\\s*include\\s*[<\"]([^>\"]+)[>\"]");
    const std::string room = room_of(inside);
    if (room.empty())
      return complain(
          1, "folder '" + inside.substr(0, inside.rfind('/')) + "' is not in the table of tests/support/tidy_tables.h");
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
      const std::string other = room_of(path.substr(8));
      if (other.empty() || may_include(room, other)) continue;
      // A test may use whatever its folder's program is linked with, inner rooms or not.
      const bool same_floor = room.substr(0, room.find('/')) == other.substr(0, other.find('/'));
      if (!(is_test && same_floor)) complain(i + 1, "'" + room + "' may not include '" + other + "'");
    }
  }

  void check_namespaces(const Text& text, const std::string& inside, bool is_test) {
    static const std::regex kNamespace("^namespace (anemone[a-z_:]*) \\{");
    const std::string folder = inside.substr(0, inside.rfind('/'));
    for (std::size_t i = 0; i < text.code.size(); ++i) {
      std::smatch match;
      if (!std::regex_search(text.code[i], match, kNamespace)) continue;
      const std::string name = match[1];
      if (is_test && name.starts_with("anemone::test")) continue;
      if (!is_namespace_of(name, folder))
        complain(i + 1, "'" + name + "' is not the namespace of src/anemone/" + folder);
    }
  }

  /// anemone::passes is a room's and not merely inside anemone.
  static bool is_of_a_room(const std::string& name) {
    return std::any_of(kMayInclude.begin(), kMayInclude.end(),
                       [&](const auto& row) { return name == "anemone::" + row.first; });
  }

  /// Its own or that of a folder around it, or a namespace inside these.
  static bool is_namespace_of(const std::string& name, std::string folder) {
    for (; !folder.empty(); folder.resize(folder.find('/') == std::string::npos ? 0 : folder.rfind('/'))) {
      const auto row = kNamespaces.find(folder);
      const std::string wanted =
          row == kNamespaces.end() ? "anemone::" + folder.substr(folder.rfind('/') + 1) : row->second;
      if (name == wanted) return true;
      if (name.starts_with(wanted + "::") && !is_of_a_room(name)) return true;
    }
    return false;
  }

  void check_header(const fs::path& path, const std::string& inside, bool is_test) {
    const std::string name = path.stem().string();
    if (path.extension() != ".cpp" || is_test || name == "main" || name.ends_with("_module")) return;
    if (fs::exists(fs::path(path).replace_extension(".h"))) return;
    const bool is_part = std::any_of(kParts.begin(), kParts.end(), [&](const Part& part) {
      return inside.starts_with(part.prefix) && fs::exists(root_ / "src/anemone" / part.header);
    });
    if (is_part) return;
    complain(1, "no header has this name; name it like the header that declares what it holds");
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

  /// Operations are asked for by set, where several are treated alike.
  void check_op_names(const Text& text, const std::string& inside) {
    for (std::size_t i = 0; i < text.code.size(); ++i) {
      const bool by_prefix = text.lines[i].find("starts_with(\"constexpr_") != std::string::npos;
      if (by_prefix && !kAsksByPrefix.contains(inside)) complain(i + 1, "compressed constants are the set kConstexpr");
      const bool by_name = text.code[i].find("type == \"") != std::string::npos;
      if (by_name && inside.starts_with("plan/") && ++named_in_plan_ > kMostNamedInPlan)
        complain(i + 1, "plan/ compares too many names of operations: ask for a set of ir/op_def.h, or make one");
    }
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
  std::size_t files_ = 0, named_in_plan_ = 0;
};

/// What is planted in a copy of src/, and the sentence that must come of it.
struct Sabotage {
  std::string file, text, sentence;
};

std::string repeated(std::size_t count, const std::string& line) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += line;
  return text;
}
std::string repeated_lines(std::size_t count) { return "// Long.\n" + repeated(count - 1, "\n"); }

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
      {"frontends/onnx/planted.h", "#pragma once\n// Planted.\n#include \"anemone/frontends/mlpackage/reader.h\"\n",
       "'frontends/onnx' may not include 'frontends/mlpackage'"},
      {"plan/ort/planted.h", "#pragma once\n// Planted.\n#include \"anemone/plan/ane/device.h\"\n",
       "'plan/ort' may not include 'plan/ane'"},
      {"report/planted.h", "#pragma once\n// Planted.\n#include \"anemone/plan/ort/x.h\"\n",
       "'report' may not include 'plan/ort'"},
      {"formats/torch/planted.h", "#pragma once\n// Planted.\n#include \"anemone/formats/coreml/spec.h\"\n",
       "'formats/torch' may not include 'formats/coreml'"},
      {"toolchain/planted.h", "#pragma once\n// Planted: fine.\n#include \"anemone/plan/ane/device.h\"\n", ""},
      {"runtime/cpu/planted.h", "#pragma once\n// Planted.\n#include \"anemone/runtime/engine.h\"\n",
       "'runtime/cpu' may not include 'runtime'"},
      {"ops/planted.h", "#pragma once\n// Planted.\nnamespace anemone::passes {\n",
       "'anemone::passes' is not the namespace of src/anemone/ops"},
      {"frontends/onnx/planted.h", "#pragma once\n// Planted.\nnamespace anemone {\n",
       "'anemone' is not the namespace of src/anemone/frontends/onnx"},
      {"ir/planted.h", "#pragma once\n// Planted.\nnamespace anemone::passes {\n",
       "'anemone::passes' is not the namespace of src/anemone/ir"},
      {"plan/ane/planted.h", "#pragma once\n// Planted: fine.\nnamespace anemone::plan::ane {\n", ""},
      {"frontends/onnx/planted.h", "#pragma once\n// Planted: fine.\nnamespace anemone::onnx::detail {\n", ""},
      {"plan/planted.cpp", "// Planted.\n", "no header has this name"},
      {"../../docs/planted.md", "# Planted\n" + std::string(121, 'x') + "\n", "at most 120 columns, this one has 121"},
      {"../../tests/planted.py", std::string(121, 'x') + "\n", "at most 120 columns, this one has 121"},
      {"../../docs/planted.md", "# Planted: fine\n| " + std::string(150, 'x') + "|\n", ""},
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
      {"plan/planted.cpp", "// Planted.\n" + repeated(26, "bool b = node.type == \"conv\";\n"), "too many names"},
      {"plan/planted.cpp", "// Planted: fine.\n" + repeated(25, "bool b = node.type == \"conv\";\n"), ""},
      {"ops/planted.cpp", "// Planted.\nbool b = t.starts_with(\"constexpr_\");\n", "are the set kConstexpr"},
  };
  std::size_t passed = 0, failed = 0;
  for (const Sabotage& planted : kPlanted) {
    fs::remove_all(copy);
    const fs::path target = copy / "src" / "anemone" / planted.file;
    fs::create_directories(target.parent_path());
    std::ofstream(target) << planted.text;
    const bool wants_header = target.extension() == ".cpp" && planted.sentence.find("no header") == std::string::npos &&
                              !planted.file.starts_with("passes/");  // one with a header is no pass
    if (wants_header) std::ofstream(fs::path(target).replace_extension(".h")) << "#pragma once\n// Planted.\n";
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
  std::cout << checker.files() - std::min(bad.size(), checker.files()) << " passed, " << bad.size()
            << " failed, 0 skipped\n";
  return bad.empty() && checker.files() > 0 ? 0 : 1;
}

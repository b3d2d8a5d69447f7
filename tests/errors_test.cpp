// The source names errors (ErrorCode::name) and never writes their numbers as text, every row of the table is used, and
// no error stands for two things: its uses lie in one folder, or the row is one of the few that all folders share.
// With --sabotage it breaks the rules in a
// copy and must notice.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "anemone/support/error_code.h"

namespace fs = std::filesystem;

namespace {

/// Codes that say the same wherever they are used.
const std::set<std::string> kShared{
    "E0001", "E0040", "E0070",                             // made by support/diagnostic for everybody
    "E0105",                                               // out of memory
    "E0701", "E0702", "E0703", "E0704", "E0705", "E0709",  // the same refusals by the reference and the fast executor
};

using Uses = std::map<std::string, std::set<std::string>>;  // code -> folders

Uses uses_in(const fs::path& source) {
  static const std::regex kUse("\"(E[0-9]{4})\"|ErrorCode::([a-z0-9_]+)");
  std::map<std::string, std::string> code_of;
  for (const anemone::ErrorRow& row : anemone::error_rows())
    code_of[std::string(row.name)] = std::string(anemone::text_of(row.code));
  Uses uses;
  for (const auto& entry : fs::recursive_directory_iterator(source)) {
    const std::string name = entry.path().filename().string();
    const std::string extension = entry.path().extension().string();
    if ((extension != ".cpp" && extension != ".h") || name.find("_test") != std::string::npos) continue;
    if (name.starts_with("error_code.")) continue;
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) {
      const std::size_t comment = line.starts_with("//") ? 0 : line.find(" //");
      const std::string code = line.substr(0, comment);
      for (std::sregex_iterator at(code.begin(), code.end(), kUse), end; at != end; ++at) {
        const std::string text = (*at)[1].matched ? (*at)[0].str() : code_of[(*at)[2].str()];
        uses[text.empty() ? (*at)[0].str() : text].insert(fs::relative(entry.path(), source).begin()->string());
      }
    }
  }
  return uses;
}

std::set<std::string> complaints_about(const fs::path& source) {
  std::set<std::string> complaints;
  const Uses uses = uses_in(source);
  std::set<std::string> rows;
  int before = 0;
  for (const anemone::ErrorRow& row : anemone::error_rows()) {
    const std::string code(anemone::text_of(row.code));
    rows.insert(code);
    if (static_cast<int>(row.code) <= before) complaints.insert(code + ": the rows are not in order");
    before = static_cast<int>(row.code);
    if (row.meaning.empty() || row.remedy.empty()) complaints.insert(code + ": an empty row");
    if (!uses.contains(code)) complaints.insert(code + " has a row and is not used");
  }
  for (const auto& [code, folders] : uses) {
    if (code == "ErrorCode::none") continue;
    if (code.starts_with('"'))
      complaints.insert(code + " is written as text: ErrorCode::name");
    else if (!rows.contains(code))
      complaints.insert(code + " is used and has no row in support/error_codes.inc");
    if (folders.size() > 1 && !kShared.contains(code))
      complaints.insert(code + " is used in several folders: " + *folders.begin() + ", " + *folders.rbegin());
  }
  return complaints;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[2]) == "--sabotage") {
    const fs::path copy = argv[3];
    fs::remove_all(copy);
    fs::create_directories(copy / "ir");
    std::ofstream(copy / "ir/a.cpp") << "x(\"E0999\"); y(ErrorCode::depends_on_size); z(ErrorCode::no_such_name);\n";
    fs::create_directories(copy / "ops");
    std::ofstream(copy / "ops/b.cpp") << "y(ErrorCode::depends_on_size);\n";
    const std::set<std::string> got = complaints_about(copy);
    fs::remove_all(copy);
    const bool noticed = got.contains("\"E0999\" is written as text: ErrorCode::name") &&
                         got.contains("E0810 is used in several folders: ir, ops") &&
                         got.contains("ErrorCode::no_such_name is used and has no row in support/error_codes.inc") &&
                         got.contains("E0511 has a row and is not used");
    std::cout << (noticed ? "4 passed, 0 failed, 0 skipped\n" : "0 passed, 4 failed, 0 skipped\n");
    return noticed ? 0 : 1;
  }
  if (argc != 2) {
    std::cerr << "usage: errors_test ROOT [--sabotage EMPTY_FOLDER]\n";
    return 2;
  }
  const std::set<std::string> complaints = complaints_about(fs::path(argv[1]) / "src" / "anemone");
  for (const std::string& complaint : complaints) std::cout << complaint << "\n";
  std::cout << anemone::error_rows().size() << " passed, " << complaints.size() << " failed, 0 skipped\n";
  return complaints.empty() ? 0 : 1;
}

// Lying programs: the example of every operation as a package, for every target, in which types, constants, parameters
// and the interface then disagree (tests/support/lies.h). Every verb must answer or refuse. Under sanitizers this is where
// a pass or a kernel that relies on what nobody checked is found.
// usage: lies GOLDENS LIES_PER_OPERATION [FIRST_SEED]      GOLDENS: tests/ops; beside anything else the input is kept
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "anemone/backends/mlpackage/writer.h"
#include "anemone/formats/coreml/package.h"
#include "anemone/ir/text/parse.h"
#include "anemone/ops/interface_edits.h"
#include "anemone/ops/ops.h"
#include "tests/support/every_verb.h"
#include "tests/support/lies.h"

namespace {

namespace fs = std::filesystem;
using namespace anemone;

/// The programs of the golden files that hold one, by name.
std::vector<std::pair<std::string, std::string>> examples(const fs::path& folder) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".mil") continue;
    std::ifstream file(entry.path());
    std::string text{std::istreambuf_iterator<char>(file), {}};
    out.emplace_back(entry.path().stem().string(), text.substr(0, text.find("\n// ----\n")));
  }
  std::sort(out.begin(), out.end());
  return out;
}

void write_file(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

struct Counts {
  int programs = 0, lies = 0, written = 0, failed = 0;
  std::set<std::string> operations;
};

/// One program of the truth, and what `seed` makes of it.
void try_one(const Program& truth, const std::string& name, std::uint64_t seed, const fs::path& scratch,
             const std::vector<std::string>& op_types, Counts& counts) {
  const fs::path package = scratch / "lie.mlpackage", file = package / "Data/com.apple.CoreML/model.mlmodel";
  if (!mlpackage::write_mlpackage(truth, package)) return;  // a bool at the interface, and what else Core ML refuses
  const auto opened = formats::open_package(package);
  if (!opened) return;
  auto model = formats::milspec::read_model(opened->spec, name);
  if (!model) return;
  test::Liar liar(*model, seed);
  for (std::uint64_t i = 0; i <= seed % 3; ++i, ++counts.lies) liar.lie(op_types);
  const auto bytes = formats::milspec::write_model(*model);
  if (!bytes) return;  // a lie that no file can tell
  write_file(file, *bytes);
  ++counts.programs;
  const std::string complaint = test::every_verb(package.string(), scratch, &counts.written);
  if (complaint.empty()) return;
  ++counts.failed;
  const fs::path kept = fs::path("build") / fmt::format("lie-{}-{}.mlpackage", name, seed);
  fs::remove_all(kept);
  fs::copy(package, kept, fs::copy_options::recursive);
  fmt::print("FAIL {} {}: {}\n     kept as {}\n", name, seed, complaint, kept.string());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print("usage: lies GOLDENS LIES_PER_OPERATION [FIRST_SEED]\n");
    return 2;
  }
  const test::Scratch scratch;
  const auto each = std::strtoull(argv[2], nullptr, 10), first = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0;
  std::vector<std::string> op_types;
  for (const OpDef* op : ops::table().all()) op_types.emplace_back(op->name);
  Counts counts;
  constexpr std::array targets{Target::ios15, Target::ios16, Target::ios17, Target::ios18};
  for (const auto& [name, text] : examples(argv[1])) {
    const auto truth = parse(text, ops::table());
    if (!truth) continue;  // the goldens of refusals
    for (std::uint64_t seed = first; seed < first + each; ++seed) {
      const auto program = clone(**truth);
      const bool edited = seed % 2 == 0 && ops::set_target(*program, targets[seed / 2 % targets.size()]).has_value();
      const Program& told = edited ? *program : **truth;
      for (const Node& node : told.main().body.nodes) counts.operations.insert(node.type);
      try_one(told, name, seed * 1000003 + counts.operations.size(), scratch.path, op_types, counts);
    }
  }
  for (const std::string& type : op_types) {
    if (counts.operations.contains(type)) continue;
    ++counts.failed;
    fmt::print("FAIL no lie was told about {}\n", type);
  }
  fmt::print("{} operations, {} programs, {} lies; {} packages were written from them all the same\n",
             counts.operations.size(), counts.programs, counts.lies, counts.written);
  fmt::print("{} passed, {} failed, 0 skipped\n", counts.programs, counts.failed);
  return counts.failed == 0 && counts.programs > 0 ? 0 : 1;
}

// -v says something useful in every verb, on stderr; -vv says more.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "anemone/cli/program.h"
#include "anemone/cli/verbs.h"

namespace anemone::cli {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  int code = 0;
  std::string out, err;
};

std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

class Verbose : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "verbose-XXXXXX").string();
    ASSERT_TRUE(::mkdtemp(pattern.data()));
    folder_ = pattern;
    std::ofstream(folder_ / "m.mil") << "program(1.3) {\n  func main<ios17>(tensor<fp32, [1, 3, 8, 8]> x) {\n    y = "
                                        "relu(x = x);\n    z = sigmoid(x = y);\n  } -> (z);\n}\n";
    std::ofstream npy(folder_ / "x.npy", std::ios::binary);
    std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 8, 8), }";
    header.resize(117, ' ');
    header += '\n';
    npy << std::string("\x93NUMPY\x01\x00\x76\x00", 10) << header << std::string(3 * 64 * 4, '\0');
  }
  void TearDown() override { fs::remove_all(folder_); }

  Outcome run(std::vector<std::string> words) {
    const fs::path out = folder_ / "out.txt", err = folder_ / "err.txt";
    const int out_file = ::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int err_file = ::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    std::vector<const char*> raw;
    for (const std::string& word : words) raw.push_back(word.c_str());
    Outcome outcome;
    {
      Terminal terminal(out_file, err_file);
      outcome.code = run_program(raw, all_verbs(), terminal);
    }
    ::close(out_file);
    ::close(err_file);
    outcome.out = text_of(out);
    outcome.err = text_of(err);
    return outcome;
  }

  fs::path folder_;
};

TEST_F(Verbose, EveryVerbTellsWhatItDoes) {
  const std::string model = folder_ / "m.mil";
  const std::string at = folder_;
  /// The rest of the command line, and what -v must mention besides the time.
  const std::map<std::string, std::pair<std::vector<std::string>, std::vector<std::string>>> table{
      {"analyze", {{model}, {"read ", "analysed: "}}},
      {"convert", {{model, "-o", at + "/c.mlpackage"}, {"read ", "passes in", "wrote "}}},
      {"optimize", {{model, "-o", at + "/o.mil"}, {"read ", "passes in", "wrote "}}},
      {"export", {{model, "-o", at + "/e.onnx"}, {"read ", "passes in", "wrote "}}},
      {"plan", {{model}, {"read ", "planned for M1"}}},
      {"explain", {{"ANE001"}, {"rules"}}},
      {"run", {{model, "--input", at + "/x.npy", "-o", at + "/out"}, {"read ", "compiled ", "executed "}}},
      {"verify", {{model, "--against", model}, {"read ", "compiled ", "on seed 2"}}},
      {"bench", {{model, "--runs", "2"}, {"read ", "compiled "}}},
      {"gate", {{model, "--targets", "targets/star.toml"}, {"read ", "planned for M1"}}},
      {"report", {{model, "-o", at + "/r.html"}, {"read ", "planned for M1"}}},
      {"detect",
       {{"tests/data/face/astronaut.png", "--faces", "tests/data/face/detector.mil", "--landmarks",
         "tests/data/face/points.mil"},
        {"read ", "compiled "}}},
      {"score", {{"tests/data/metrics/pd_98.npy", "--truth", "tests/data/metrics/gt_98.npy"}, {"60 predicted faces"}}},
      {"print", {{model}, {"read "}}},
      {"synth", {{"star", "-o", at + "/s.pkl", "--points", "29"}, {"tensors"}}},
      {"ops", {{}, {"operations"}}},
      {"passes", {{}, {"passes"}}},
      {"rules", {{}, {"rules"}}},
      {"errors", {{}, {"errors"}}},
      {"doctor", {{}, {"checks"}}},
      {"completion", {{"bash"}, {"verbs"}}},
      {"version", {{}, {"executor"}}},
  };
  for (const Verb* verb : all_verbs()) {
    const auto row = table.find(std::string(verb->name));
    ASSERT_NE(row, table.end()) << verb->name << " has no row in this test";
    std::vector<std::string> words{std::string(verb->name)};
    words.insert(words.end(), row->second.first.begin(), row->second.first.end());
    const Outcome plain = run(words);
    if (verb->name == "detect" && plain.code == 4) continue;  // the media module is not built
    words.push_back("-v");
    const Outcome once = run(words);
    words.push_back("-v");
    const Outcome twice = run(words);
    EXPECT_EQ(once.code, plain.code) << once.err;
    EXPECT_LE(plain.code, 1) << plain.err;
    EXPECT_NE(once.err.find(std::string(verb->name) + " took "), std::string::npos) << once.err;
    for (const std::string& mention : row->second.second) {
      EXPECT_NE(once.err.find(mention), std::string::npos) << verb->name << ": " << mention << " in\n" << once.err;
      EXPECT_EQ(plain.err.find(" took "), std::string::npos) << verb->name;
    }
    const auto lines = [](const std::string& s) { return std::count(s.begin(), s.end(), '\n'); };
    EXPECT_GE(lines(once.err), lines(plain.err) + 2) << verb->name;
    EXPECT_GE(lines(twice.err), lines(once.err)) << verb->name;
    words.push_back("-q");
    EXPECT_EQ(run(words).err.find(" took "), std::string::npos) << verb->name;
  }
}

}  // namespace
}  // namespace anemone::cli

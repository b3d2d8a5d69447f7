// Mapping, atomic replacement, full disks and killed writers.
#include "anemone/support/file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <functional>
#include <optional>

#include "anemone/support/mapping.h"

namespace anemone::file_internal {
Result<void> replace_aside(const std::filesystem::path& temporary, const std::filesystem::path& target);
}

namespace anemone {
namespace {

namespace fs = std::filesystem;
using Kind = PendingOutput::Kind;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "anemone-file-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  static void put(const fs::path& path, std::string_view text) { std::ofstream(path, std::ios::binary) << text; }
  static std::string get(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<std::string> names() const {
    std::vector<std::string> result;
    for (const auto& entry : fs::directory_iterator(folder_)) result.push_back(entry.path().filename().string());
    std::sort(result.begin(), result.end());
    return result;
  }
  static std::string manifest(std::string_view root) {
    return "{\"itemInfoEntries\": {}, \"rootModelIdentifier\": \"" + std::string(root) + "\"}";
  }
  void make_package(const std::string& name, std::string_view root) const {
    fs::create_directory(folder_ / name);
    put(folder_ / name / "Manifest.json", manifest(root));
  }

  fs::path folder_;
};

ErrorCode first_code(const Diagnostics& diagnostics) { return diagnostics.at(0).code; }

TEST_F(FileTest, MapsFiles) {
  put(folder_ / "a", "hello");
  const auto bytes = map_file(folder_ / "a");
  ASSERT_TRUE(bytes) << render(bytes.error());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()), "hello");
  put(folder_ / "empty", "");
  const auto empty = map_file(folder_ / "empty");
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->size(), 0u);
}

TEST_F(FileTest, TheMappingOutlivesTheFile) {
  put(folder_ / "a", "hello");
  Bytes part;
  {
    const auto bytes = map_file(folder_ / "a");
    ASSERT_TRUE(bytes);
    part = bytes->part(1, 3);
  }
  fs::remove(folder_ / "a");
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(part.data()), part.size()), "ell");
}

TEST_F(FileTest, RefusesWhatCannotBeMapped) {
  EXPECT_EQ(first_code(map_file(folder_ / "missing").error()), "E0101");
  put(folder_ / "file", "x");
  EXPECT_EQ(first_code(map_file(folder_ / "file" / "below").error()), "E0101");
  EXPECT_EQ(first_code(map_file(folder_).error()), "E0102");
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(first_code(map_file(folder_ / "pipe").error()), "E0102");  // and does not wait for a writer
  EXPECT_EQ(map_file(folder_).error().at(0).blame, Blame::input);
}

TEST_F(FileTest, WritesAndReplacesAFile) {
  ASSERT_TRUE(write_file(folder_ / "out", "one"));
  ASSERT_TRUE(write_file(folder_ / "out", "two"));
  EXPECT_EQ(get(folder_ / "out"), "two");
  EXPECT_EQ(names(), std::vector<std::string>{"out"});
}

TEST_F(FileTest, WritesThroughALink) {
  fs::create_directory(folder_ / "real");
  put(folder_ / "real" / "out", "one");
  fs::create_symlink(folder_ / "real" / "out", folder_ / "link");
  ASSERT_TRUE(write_file(folder_ / "link", "two"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(get(folder_ / "real" / "out"), "two");
}

TEST_F(FileTest, NamesOfAnyLegalLength) {
  const std::string name(255, 'n');
  ASSERT_TRUE(write_file(folder_ / name, "x"));
  EXPECT_EQ(names(), std::vector<std::string>{name});
}

TEST_F(FileTest, ReplacesAPackageAndKeepsTheOldOneWhenDropped) {
  make_package("p.mlpackage", "old");
  {
    auto dropped = PendingOutput::create(folder_ / "p.mlpackage", Kind::folder);
    ASSERT_TRUE(dropped) << render(dropped.error());
    put(dropped->path() / "Manifest.json", "half");
    EXPECT_EQ(get(folder_ / "p.mlpackage" / "Manifest.json"), manifest("old"));
  }
  EXPECT_EQ(names(), std::vector<std::string>{"p.mlpackage"});
  auto output = PendingOutput::create(folder_ / "p.mlpackage/", Kind::folder);
  ASSERT_TRUE(output);
  PendingOutput moved = std::move(*output);
  put(moved.path() / "Manifest.json", manifest("new"));
  fs::create_directory(moved.path() / "Data");
  put(moved.path() / "Data" / "x", "data");
  const auto done = moved.commit();
  ASSERT_TRUE(done) << render(done.error());
  EXPECT_EQ(get(folder_ / "p.mlpackage" / "Manifest.json"), manifest("new"));
  EXPECT_EQ(get(folder_ / "p.mlpackage" / "Data" / "x"), "data");
  EXPECT_EQ(names(), std::vector<std::string>{"p.mlpackage"});
  EXPECT_EQ(moved.commit().error().at(0).blame, Blame::bug);
}

TEST_F(FileTest, ReplacesWithoutExchange) {
  make_package("old", "old");
  make_package("new", "new");
  ASSERT_TRUE(file_internal::replace_aside(folder_ / "new", folder_ / "old"));
  EXPECT_EQ(get(folder_ / "old" / "Manifest.json"), manifest("new"));
  EXPECT_EQ(names(), std::vector<std::string>{"old"});
  // When the new one cannot move in, the old one comes back.
  EXPECT_FALSE(file_internal::replace_aside(folder_ / "missing", folder_ / "old"));
  EXPECT_EQ(get(folder_ / "old" / "Manifest.json"), manifest("new"));
}

// What is not a package alone may be somebody's work: it stays.
TEST_F(FileTest, OnlyPackagesAreReplaced) {
  fs::create_directory(folder_ / "app");
  put(folder_ / "app" / "Manifest.json", "{\"name\": \"a web application\"}");
  EXPECT_FALSE(PendingOutput::create(folder_ / "app", Kind::folder));
  make_package("p", "old");
  put(folder_ / "p" / "README.md", "mine");
  EXPECT_FALSE(PendingOutput::create(folder_ / "p", Kind::folder));
  fs::remove(folder_ / "p" / "README.md");
  EXPECT_TRUE(PendingOutput::create(folder_ / "p", Kind::folder));
  // What the manifest lists, and weights beside it; as Apple's library writes the path.
  put(folder_ / "p" / "Manifest.json", manifest("old\", \"path\": \"a\\/model\", \"path\": \"a\\/weights"));
  fs::create_directories(folder_ / "p" / "Data" / "a" / "weights");
  put(folder_ / "p" / "Data" / "a" / "model", "x");
  put(folder_ / "p" / "Data" / "a" / "weights" / "weight.bin", "x");
  EXPECT_TRUE(PendingOutput::create(folder_ / "p", Kind::folder));
  for (const char* mine : {"thesis.tex", "a/notes.txt", "a/mine.bin", "a/weights/notes.txt"}) {
    put(folder_ / "p" / "Data" / mine, "mine");
    EXPECT_FALSE(PendingOutput::create(folder_ / "p", Kind::folder)) << mine;
    fs::remove(folder_ / "p" / "Data" / mine);
  }
}

// Both began when there was no target: the second finds the first one's package, and both end well.
TEST_F(FileTest, SeveralWritersOfOneNewTargetEndWell) {
  auto first = PendingOutput::create(folder_ / "p", Kind::folder);
  auto second = PendingOutput::create(folder_ / "p", Kind::folder);
  ASSERT_TRUE(first && second);
  put(first->path() / "Manifest.json", manifest("first"));
  put(second->path() / "Manifest.json", manifest("second"));
  EXPECT_TRUE(first->commit());
  EXPECT_TRUE(second->commit());
  EXPECT_EQ(get(folder_ / "p" / "Manifest.json"), manifest("second"));
  EXPECT_EQ(names(), std::vector<std::string>{"p"});
}

TEST_F(FileTest, RefusesTargetsOfAnotherKind) {
  put(folder_ / "file", "x");
  fs::create_directory(folder_ / "photos");
  put(folder_ / "photos" / "a.png", "x");
  fs::create_directory(folder_ / "empty");
  const auto code = [&](const fs::path& target, Kind kind) {
    const auto output = PendingOutput::create(target, kind);
    if (output) return std::string_view("accepted");
    EXPECT_EQ(output.error().at(0).blame, Blame::environment);
    return text_of(first_code(output.error()));
  };
  EXPECT_EQ(code(folder_ / "file", Kind::folder), "E0104");
  EXPECT_EQ(code(folder_ / "photos", Kind::folder), "E0104");
  EXPECT_EQ(code(folder_ / "empty", Kind::folder), "accepted");
  EXPECT_EQ(code(folder_ / "photos", Kind::file), "E0104");
  EXPECT_EQ(code("/dev/null", Kind::file), "E0104");
  EXPECT_EQ(code(folder_ / "missing" / "out", Kind::file), "E0103");
  EXPECT_EQ(code(folder_ / "file" / "out", Kind::file), "E0103");
  EXPECT_EQ(code(folder_ / "file" / "deeper" / "out", Kind::folder), "E0103");
  EXPECT_EQ(PendingOutput::create("/", Kind::folder).error().at(0).blame, Blame::usage);
  EXPECT_EQ(PendingOutput::create("", Kind::file).error().at(0).blame, Blame::usage);
  EXPECT_EQ(get(folder_ / "photos" / "a.png"), "x");
  EXPECT_EQ(names(), (std::vector<std::string>{"empty", "file", "photos"}));
}

TEST_F(FileTest, ATargetThatChangesItsKindMeanwhileIsNotReplaced) {
  auto output = PendingOutput::create(folder_ / "out", Kind::folder);
  ASSERT_TRUE(output);
  put(folder_ / "out", "somebody else's");
  EXPECT_EQ(first_code(output->commit().error()), "E0104");
  EXPECT_EQ(get(folder_ / "out"), "somebody else's");
}

TEST_F(FileTest, TwoPendingOutputsOfOneTargetDoNotDisturbEachOther) {
  auto first = PendingOutput::create(folder_ / "out", Kind::file);
  auto second = PendingOutput::create(folder_ / "out", Kind::file);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->path(), second->path());
  EXPECT_TRUE(fs::exists(first->path()));
  put(first->path(), "1");
  put(second->path(), "2");
  ASSERT_TRUE(second->commit());
  ASSERT_TRUE(first->commit());
  EXPECT_EQ(get(folder_ / "out"), "1");
}

/// Runs `child` in another process that is killed with SIGKILL after it returns, or ends with its exit code.
int run_child(const std::function<int()>& child) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(child());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(FileTest, AKilledWriterLeavesTheOldPackageAndTheNextOneCleansUp) {
  make_package("p", "old");
  const int result = run_child([&] {
    auto output = PendingOutput::create(folder_ / "p", Kind::folder);
    put(output->path() / "Manifest.json", "half");
    ::kill(::getpid(), SIGKILL);
    return 0;
  });
  EXPECT_EQ(result, -1);
  EXPECT_EQ(get(folder_ / "p" / "Manifest.json"), manifest("old"));
  EXPECT_EQ(names().size(), 2u);  // the temporary is there
  // A process number that came back: the lock says that nobody uses it.
  fs::create_directory(folder_ / (".p.anemone-" + std::to_string(::getpid()) + "-7"));
  put(folder_ / ".p.anemone-notanumber-1", "not ours");
  put(folder_ / (".p.anemone-" + std::to_string(::getppid()) + "-1"), "of a living process");
  { ASSERT_TRUE(PendingOutput::create(folder_ / "p", Kind::folder)); }
  EXPECT_EQ(names(), (std::vector<std::string>{".p.anemone-" + std::to_string(::getppid()) + "-1",
                                               ".p.anemone-notanumber-1", "p"}));
}

TEST_F(FileTest, AFullDiskIsTheEnvironmentsFaultAndLeavesNothing) {
  put(folder_ / "out", "old");
  const int result = run_child([&] {
    // Root may write anywhere and small file systems need mounting: a size limit stands for the full disk.
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{8192, 8192};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    const auto written = write_file(folder_ / "out", std::string(100000, 'x'));
    if (written) return 2;
    return exit_code(written.error()) == 4 && !written.error().at(0).help.empty() ? 0 : 3;
  });
  EXPECT_EQ(result, 0);
  EXPECT_EQ(get(folder_ / "out"), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"out"});
}

TEST_F(FileTest, WriterAppendsAndPatches) {
  auto file = FileWriter::create(folder_ / "w");
  ASSERT_TRUE(file);
  const std::array<std::byte, 3> abc{std::byte{'a'}, std::byte{'b'}, std::byte{'c'}};
  ASSERT_TRUE(file->append(abc));
  ASSERT_TRUE(file->append_zeros(5000));
  ASSERT_TRUE(file->patch(1, std::span(abc).first(1)));
  EXPECT_EQ(file->size(), 5003u);
  EXPECT_EQ(file->patch(5001, abc).error().at(0).blame, Blame::bug);
  FileWriter moved = std::move(*file);
  ASSERT_TRUE(moved.close());
  EXPECT_FALSE(moved.append(abc));
  const std::string text = get(folder_ / "w");
  EXPECT_EQ(text.substr(0, 3), "aac");
  EXPECT_EQ(text.size(), 5003u);
  EXPECT_EQ(text.find_first_not_of('\0', 3), std::string::npos);
  EXPECT_EQ(FileWriter::create(folder_ / "no" / "w").error().at(0).blame, Blame::environment);
}

TEST(FullDeviceTest, NoSpaceIsReported) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  auto file = FileWriter::create("/dev/full");
  ASSERT_TRUE(file);
  const std::array<std::byte, 1> one{};
  const auto written = file->append(one);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().at(0).blame, Blame::environment);
  EXPECT_NE(written.error().at(0).message.find("No space"), std::string::npos);
}

TEST_F(FileTest, AFileThatShrinksWhileItIsMappedReadsAsZerosAndKeepsOutputsBack) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  put(folder_ / "in", std::string(8 * page, 'x'));
  // In a process of its own: what is lost stays lost.
  EXPECT_EXIT(
      {
        const Result<Bytes> bytes = map_file(folder_ / "in");
        const Result<Bytes> other = map_file(folder_ / "in");
        auto output = PendingOutput::create(folder_ / "out", Kind::file);
        put(output->path(), "result");
        if (!bytes || !other || lost_file() || ::truncate((folder_ / "in").c_str(), 10) != 0) std::_Exit(1);
        if (bytes->view[5 * page] != std::byte{0} || bytes->view[8 * page - 1] != std::byte{0}) std::_Exit(2);
        if (other->view[3 * page] != std::byte{0} || bytes->view[0] != std::byte{'x'}) std::_Exit(3);
        if (!lost_file() || lost_file()->code != "E0107" || exit_code(lost_file()->blame) != 3) std::_Exit(4);
        const Result<void> committed = output->commit();
        if (committed || committed.error().front().code != "E0107") std::_Exit(5);
        std::_Exit(0);
      },
      testing::ExitedWithCode(0), "");
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(FileTest, AnotherBusErrorStillKills) {
  put(folder_ / "in", "x");
  // By the signal, or by the sanitizer that takes it: in any case it does not go on.
  const auto died = [](int status) { return !WIFEXITED(status) || WEXITSTATUS(status) != 0; };
  EXPECT_EXIT(
      {
        const Result<Bytes> bytes = map_file(folder_ / "in");
        if (bytes) ::raise(SIGBUS);
        std::_Exit(0);
      },
      died, "");
}

}  // namespace
}  // namespace anemone

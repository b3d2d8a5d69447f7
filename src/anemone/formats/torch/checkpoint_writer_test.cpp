// What we write is what torch.save writes, and reads back as it was.
#include "anemone/formats/torch/checkpoint_writer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "anemone/formats/torch/checkpoint.h"
#include "anemone/formats/torch/checkpoint_bytes_test.h"
#include "anemone/formats/wire/sha256.h"
#include "anemone/formats/wire/zip.h"
#include "anemone/support/file.h"

namespace anemone::formats {
namespace {

namespace fs = std::filesystem;

class CheckpointWriter : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("anemone-writer-{}", ::getpid());
    fs::create_directories(folder_);
    path_ = folder_ / "out.pkl";
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string written() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string hash() const {
    const std::string bytes = written();
    return sha256_hex(std::as_bytes(std::span(bytes)));
  }

  fs::path folder_, path_;
};

CheckpointEntry floats(std::string name, std::vector<std::int64_t> shape, float value) {
  std::size_t count = 1;
  for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
  const std::vector<float> values(count, value);
  return {std::move(name), ScalarType::float32, std::move(shape), {}, Bytes::copy_of(std::span<const float>(values))};
}

/// OrderedDict((f'k{i}.weight', torch.full((i % 5,), float(i))) for i in range(count))
std::vector<CheckpointEntry> counted(int count) {
  std::vector<CheckpointEntry> entries;
  for (int i = 0; i < count; ++i)
    entries.push_back(floats(fmt::format("k{}.weight", i), {i % 5}, static_cast<float>(i)));
  return entries;
}

// The hashes are those of files that torch.save of PyTorch 1.13 wrote to an io.BytesIO.
TEST_F(CheckpointWriter, BytesAreThoseOfPyTorch) {
  ASSERT_TRUE(
      write_checkpoint(path_, counted(1001)));  // {'net': ...}; more than one batch of keys, 4-byte memo indices
  EXPECT_EQ(hash(), "e1a28e06b5c25d3fc7e09a8cfdb88bff14b497a35108f8c300119c12302b9c90");
  ASSERT_TRUE(write_checkpoint(path_, counted(2), ""));  // the OrderedDict alone
  EXPECT_EQ(hash(), "7bb6a1c6f8cac4b383ea71db10745bcd6198c3cc7f4de82ee8b14c4afe39fc36");
  ASSERT_TRUE(write_checkpoint(path_, {}));
  EXPECT_EQ(hash(), "ca1117ee9492b9e9917ef9654ab31f28e36415fd893c22113020c11daafe3ff2");

  // Every type in eight shapes: numbers of 1, 2 and 4 bytes, tuples of each kind, empty storages.
  std::vector<CheckpointEntry> entries;
  for (const ScalarType type :
       {ScalarType::float32, ScalarType::float64, ScalarType::float16, ScalarType::bfloat16, ScalarType::int64,
        ScalarType::int32, ScalarType::int16, ScalarType::int8, ScalarType::uint8, ScalarType::boolean,
        ScalarType::complex64, ScalarType::complex128}) {
    for (const std::vector<std::int64_t>& shape : std::vector<std::vector<std::int64_t>>{
             {}, {3}, {2, 3}, {2, 0, 5}, {1, 2, 3, 4}, {300, 2}, {70000}, {5, 1, 1}}) {
      std::size_t size = byte_size(type);
      for (const std::int64_t extent : shape) size *= static_cast<std::size_t>(extent);
      entries.push_back(
          {fmt::format("torch.{}{}", name(type), shape), type, shape, {}, Bytes::owned(std::vector<std::byte>(size))});
    }
  }
  ASSERT_TRUE(write_checkpoint(path_, entries));
  EXPECT_EQ(hash(), "aa31f3471279a8a664ff49346816a51c5360f02563fb1a962e7fe98e06c3a56d");
}

TEST_F(CheckpointWriter, ReadsBackAsItWas) {
  const std::vector<CheckpointEntry> entries = counted(23);
  ASSERT_TRUE(write_checkpoint(path_, entries));
  const auto got = read_state_dict(path_);
  ASSERT_TRUE(got) << render(got.error());
  EXPECT_EQ(got->part, "net");
  ASSERT_EQ(got->tensors.size(), entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const StoredTensor& t = got->tensors[i];
    EXPECT_EQ(t.path, entries[i].name);
    EXPECT_EQ(t.shape, entries[i].shape);
    ASSERT_EQ(elements(t).size(), entries[i].data.size());
    EXPECT_TRUE(t.count() == 0 || std::memcmp(elements(t).data(), entries[i].data.data(), entries[i].data.size()) == 0);
  }
}

TEST_F(CheckpointWriter, StoragesBeginAtMultiplesOf64AndFollowTheirKeysAsStrings) {
  ASSERT_TRUE(write_checkpoint(path_, counted(12)));
  const auto file = map_file(path_);
  ASSERT_TRUE(file);
  const auto zip = ZipArchive::open(*file, "f");
  ASSERT_TRUE(zip) << render(zip.error());
  std::string names;
  for (const ZipEntry& entry : zip->entries()) {
    names += entry.name.substr(8) + " ";
    EXPECT_TRUE(entry.stored);
    const auto bytes = zip->read(entry);
    ASSERT_TRUE(bytes) << render(bytes.error());
    if (bytes->size() == 0) continue;
    EXPECT_EQ((bytes->data() - file->data()) % 64, 0) << entry.name;
  }
  EXPECT_EQ(names,
            "data.pkl data/0 data/1 data/10 data/11 data/2 data/3 data/4 data/5 data/6 data/7 data/8 data/9 version ");
}

TEST_F(CheckpointWriter, DataMayComeInPieces) {
  std::vector<CheckpointEntry> entries{floats("a", {1000, 100}, 1.5f), floats("b", {3}, 2)};
  ASSERT_TRUE(write_checkpoint(path_, entries));
  const std::string whole = written();
  const Bytes data = entries[0].data;
  entries[0].data = {};
  entries[0].produce = [data](const CheckpointEntry::Sink& sink) -> Result<void> {
    for (std::size_t at = 0; at < data.size(); at += 77'777) {
      TRY_VOID(sink(data.view.subspan(at, std::min<std::size_t>(77'777, data.size() - at))));
    }
    return {};
  };
  ASSERT_TRUE(write_checkpoint(path_, entries));
  EXPECT_EQ(written(), whole);
}

TEST_F(CheckpointWriter, AFailureLeavesTheOldFile) {
  ASSERT_TRUE(write_checkpoint(path_, counted(1)));
  const std::string old = written();
  std::vector<CheckpointEntry> entries = counted(2);
  const auto fails_with = [&](std::function<Result<void>(const CheckpointEntry::Sink&)> produce) {
    entries[1].produce = std::move(produce);
    const auto got = write_checkpoint(path_, entries);
    EXPECT_FALSE(got);
    EXPECT_EQ(written(), old);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
    return got ? "" : got.error().front().message;
  };
  const std::byte eight[8]{};
  EXPECT_EQ(fails_with([](const auto&) { return bad_input(ErrorCode::file_shrank, "the source dried up"); }),
            "the source dried up");
  EXPECT_EQ(fails_with([](const auto&) { return Result<void>(); }), "'archive/data/1' should get 4 bytes and got 0");
  EXPECT_EQ(fails_with([&](const auto& sink) { return sink(eight); }), "'archive/data/1' should get 4 bytes and got 8");
  const auto nowhere = write_checkpoint(folder_ / "no" / "such" / "folder.pkl", counted(1));
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().front().blame, Blame::environment);
}

TEST_F(CheckpointWriter, RefusesWhatCannotBeWritten) {
  const auto message = [&](CheckpointEntry entry) {
    const auto got = write_checkpoint(path_, std::vector<CheckpointEntry>{floats("a", {1}, 0), std::move(entry)});
    EXPECT_FALSE(fs::exists(path_));
    return got ? "written" : got.error().front().message;
  };
  EXPECT_EQ(message(floats("a", {1}, 0)), "two entries have this name");
  EXPECT_EQ(message(floats("\xff", {1}, 0)), "the name is not UTF-8");
  CheckpointEntry entry = floats("b", {2, 3}, 0);
  entry.dtype = ScalarType::float8_e5m2;
  EXPECT_EQ(message(entry), "PyTorch has no storage class for float8_e5m2");
  entry.dtype = ScalarType::float16;
  EXPECT_EQ(message(entry), "the data has 24 bytes, but float16 [2, 3] takes 12");
  entry.shape = {-1};
  EXPECT_EQ(message(entry), "the shape [-1] is impossible");
  entry.shape = {1 << 20, 1 << 12};
  entry.produce = [](const auto&) { return Result<void>(); };
  EXPECT_EQ(message(entry), "more than 4293918720 bytes or 65000 tensors do not fit into this zip");
}

}  // namespace
}  // namespace anemone::formats

// Zip archives: views where they can be, and every way in which a directory can lie.
#include "anemone/formats/wire/zip.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "anemone/formats/wire/zip_bytes_test.h"

namespace anemone::formats {
namespace {

using test::bytes_of;
using test::Member;
using test::zip_bytes;

std::string text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// All entries' contents, or the first error as "CODE PLACE: message".
std::string contents(const std::string& zip) {
  const auto shown = [](const Diagnostics& e) {
    return fmt::format("{} {}: {}", text_of(e[0].code), e[0].place, e[0].message);
  };
  const auto archive = ZipArchive::open(bytes_of(zip), "z");
  if (!archive) return shown(archive.error());
  std::string all;
  for (const ZipEntry& entry : archive->entries()) {
    const auto bytes = archive->read(entry);
    if (!bytes) return shown(bytes.error());
    all += fmt::format("{}={};", entry.name, text_of(*bytes));
  }
  return all;
}

TEST(Zip, StoredEntriesAreViewsAndDeflatedOnesAreNot) {
  const Bytes file = bytes_of(zip_bytes({{"a/b", "hello"}, {"a/c", std::string(1000, 'x'), true}, {"empty", ""}}));
  const auto archive = ZipArchive::open(file, "z");
  ASSERT_TRUE(archive) << render(archive.error());
  const auto inside = [&](const Bytes& b) {
    return b.data() >= file.data() && b.data() + b.size() <= file.data() + file.size();
  };
  ASSERT_EQ(archive->entries().size(), 3u);
  EXPECT_EQ(archive->find("nothing"), nullptr);
  for (int again = 0; again < 2; ++again) {  // reading twice gives the same
    const auto stored = archive->read(*archive->find("a/b"));
    ASSERT_TRUE(stored) << render(stored.error());
    EXPECT_EQ(text_of(*stored), "hello");
    EXPECT_TRUE(inside(*stored));
    const auto packed = archive->read(*archive->find("a/c"));
    ASSERT_TRUE(packed) << render(packed.error());
    EXPECT_EQ(text_of(*packed), std::string(1000, 'x'));
    EXPECT_FALSE(inside(*packed));
    const auto empty = archive->read(*archive->find("empty"));
    ASSERT_TRUE(empty) << render(empty.error());
    EXPECT_EQ(empty->size(), 0u);
  }
}

TEST(Zip, BytesOutliveTheArchive) {
  Bytes kept;
  {
    const auto archive = ZipArchive::open(bytes_of(zip_bytes({{"a", "kept"}})), "z");
    ASSERT_TRUE(archive);
    const auto bytes = archive->read(archive->entries()[0]);
    ASSERT_TRUE(bytes);
    kept = *bytes;
  }
  EXPECT_EQ(text_of(kept), "kept");
}

TEST(Zip, ReadsZip64Fields) {
  Member big{"big", "0123456789"};
  big.zip64 = true;
  EXPECT_EQ(contents(zip_bytes({{"small", "s"}, big})), "small=s;big=0123456789;");
}

TEST(Zip, RefusesDamage) {
  const std::string good = zip_bytes({{"a", "hello"}, {"b", "world", true}});
  EXPECT_EQ(contents(good), "a=hello;b=world;");
  std::string flipped = good;
  flipped[good.find("hello")] = 'j';
  EXPECT_EQ(
      contents(flipped),
      "E0515 z: entry 'a': the entry is damaged: its 5 bytes do not have the CRC-32 3610a686 of the zip's directory");
  EXPECT_EQ(contents(good.substr(0, good.size() - 30)),
            fmt::format("E0510 z: byte {0} (its end): the zip is cut off: its {0} bytes hold no directory",
                        good.size() - 30));
  EXPECT_EQ(contents(good.substr(3)).substr(0, 5), "E0510");
  Member wrong_crc{"a", std::string(100, 'x'), true};
  wrong_crc.crc = 1;
  EXPECT_EQ(contents(zip_bytes({wrong_crc})).substr(0, 19), "E0515 z: entry 'a':");
  Member garbage{"a", "this is no deflate stream"};
  garbage.method = 8;
  EXPECT_EQ(contents(zip_bytes({garbage})).substr(0, 19), "E0514 z: entry 'a':");
}

TEST(Zip, RefusesTwoEntriesOfOneName) {
  EXPECT_EQ(contents(zip_bytes({{"a", "1"}, {"b", "2"}, {"a", "3"}})),
            "E0511 z: entry 'a': the zip holds two entries of this name, and readers differ in which one they take");
}

TEST(Zip, RefusesEncryptionAndOtherCompression) {
  Member encrypted{"a", std::string(20, 'x')};
  encrypted.flags = 1;
  EXPECT_EQ(contents(zip_bytes({encrypted})), "E0512 z: entry 'a': the entry is encrypted");
  Member bzip{"a", "x"};
  bzip.method = 12;
  EXPECT_EQ(contents(zip_bytes({bzip})), "E0512 z: entry 'a': compression method 12 is not supported");
}

TEST(Zip, RefusesSizesThatCannotBeTrueBeforeAllocating) {
  Member bomb{"a", "x", true};
  bomb.size = 0xfffffff0;
  EXPECT_EQ(contents(zip_bytes({bomb})).substr(0, 75),
            "E0513 z: entry 'a': sizes that cannot be true: 4294967280 bytes, 3 in the z");
  Member beyond{"a", "x"};
  beyond.size = beyond.compressed_size = 5000;
  EXPECT_EQ(contents(zip_bytes({beyond})).substr(0, 6), "E0513 ");
  Member unequal{"a", "xyz"};
  unequal.size = 2;
  EXPECT_EQ(contents(zip_bytes({unequal})).substr(0, 6), "E0513 ");
  // Each entry fits, but not all together: they share their bytes.
  std::vector<Member> sharing;
  for (char c = 'a'; c < 'z'; ++c) {
    Member m{std::string(1, c), "x"};
    m.size = m.compressed_size = 1000;
    sharing.push_back(m);
  }
  EXPECT_EQ(contents(zip_bytes(sharing)).substr(0, 6), "E0513 ");
}

TEST(Zip, RefusesEntriesThatAreShorterOrLongerThanTheySay) {
  Member longer{"a", std::string(100, 'x'), true};
  longer.size = 50;
  EXPECT_EQ(contents(zip_bytes({longer})).substr(0, 6), "E0514 ");
  Member shorter{"a", std::string(100, 'x'), true};
  shorter.size = 150;
  EXPECT_EQ(contents(zip_bytes({shorter})).substr(0, 6), "E0514 ");
}

TEST(Zip, NamesInMessagesAreClean) {
  Member odd{"a\x1b[31m\xff", "x"};
  odd.flags = 1;
  EXPECT_EQ(contents(zip_bytes({odd})), "E0512 z: entry 'a\\x1b[31m\\xff': the entry is encrypted");
}

}  // namespace
}  // namespace anemone::formats

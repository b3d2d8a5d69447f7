// .npy files: byte for byte what NumPy writes, and every form that it reads.
#include "anemone/formats/wire/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "anemone/formats/wire/sha256.h"
#include "anemone/formats/wire/zip_bytes_test.h"
#include "tests/support/data.h"

namespace anemone::formats {
namespace {

namespace fs = std::filesystem;
using test::bytes_of;
using test::little;

/// A file with this header text, padded as NumPy pads it.
std::string npy(std::string header, std::string_view data, int version = 1) {
  const std::size_t prefix = version == 1 ? 10 : 12;
  header.append(63 - (prefix + header.size()) % 64, ' ').append("\n");
  std::string file = "\x93NUMPY";
  file.append(little(static_cast<std::uint64_t>(version), 2)).append(little(header.size(), version == 1 ? 2 : 4));
  return file.append(header).append(data);
}

/// "TYPE [shape] bytes", or the error.
std::string outcome(const std::string& file) {
  const auto got = read_npy(bytes_of(file), "f");
  if (!got) {
    EXPECT_EQ(got.error().front().blame, Blame::input);
    return fmt::format("{}: {}", text_of(got.error().front().code), got.error().front().message);
  }
  std::string hex;
  for (const std::byte b : got->bytes.view) hex += fmt::format("{:02x}", static_cast<unsigned>(b));
  return fmt::format("{} {} {}", name(got->dtype), got->shape, hex);
}

TEST(Npy, HeadersAreThoseOfNumPy) {
  // np.save of np.array([[1.5, -2]], '<f4'), np.zeros((), '?') and np.arange(3), NumPy 1.24.
  const auto padded = [](std::string text) { return text.append(127 - text.size(), ' ').append("\n"); };
  const std::int64_t matrix[] = {1, 2}, vector[] = {3};
  EXPECT_EQ(
      npy_header(ScalarType::float32, matrix),
      padded(std::string("\x93NUMPY\x01\0v\0", 10) + "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }"));
  EXPECT_EQ(npy_header(ScalarType::boolean, {}),
            padded(std::string("\x93NUMPY\x01\0v\0", 10) + "{'descr': '|b1', 'fortran_order': False, 'shape': (), }"));
  EXPECT_EQ(npy_header(ScalarType::int64, vector), padded(std::string("\x93NUMPY\x01\0v\0", 10) +
                                                          "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }"));
  for (std::size_t rank = 0; rank <= 64; ++rank) {
    EXPECT_EQ(npy_header(ScalarType::uint8, std::vector<std::int64_t>(rank, 1)).size() % 64, 0u);
  }
}

TEST(Npy, ReadsAllTypesAndVersions) {
  const std::string data = "01234567";
  const std::vector<std::pair<std::string, std::string>> types{
      {"|b1", "bool"},    {"|i1", "int8"},    {"<i2", "int16"},   {"<i4", "int32"},  {"<i8", "int64"},
      {"|u1", "uint8"},   {"<u2", "uint16"},  {"<u4", "uint32"},  {"<u8", "uint64"}, {"<f2", "float16"},
      {"<f4", "float32"}, {"<f8", "float64"}, {"=f4", "float32"}, {"<i1", "int8"}};
  for (const auto& [descr, type] : types) {
    const int size = descr[2] - '0';
    for (int version = 1; version <= 3; ++version) {
      EXPECT_EQ(outcome(npy(fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({},), }}", descr, 8 / size),
                            data, version)),
                fmt::format("{} [{}] 3031323334353637", type, 8 / size));
    }
  }
}

TEST(Npy, HeadersMayBeSpacedAndOrderedOtherwise) {
  EXPECT_EQ(outcome(npy("{\"shape\":(2L, 1L),'fortran_order':False,'descr':'<u2'}", "abcd")), "uint16 [2, 1] 61626364");
  EXPECT_EQ(outcome(npy("{ 'descr' : '|u1' , 'fortran_order' : False , 'shape' : ( ) , } ", "a")), "uint8 [] 61");
}

TEST(Npy, ColumnMajorArraysAreTransposed) {
  // np.asfortranarray(np.arange(6, dtype='u1').reshape(2, 3))
  EXPECT_EQ(outcome(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }", std::string("\0\3\1\4\2\5", 6))),
            "uint8 [2, 3] 000102030405");
  EXPECT_EQ(outcome(npy("{'descr': '|u1', 'fortran_order': True, 'shape': (3,), }", "abc")), "uint8 [3] 616263");
}

TEST(Npy, RefusesWhatIsNotAPlainArray) {
  const auto header = [](const std::string& text) { return outcome(npy(text, "abcd")); };
  EXPECT_EQ(outcome("PK\x03\x04").substr(0, 5), "E0560");
  EXPECT_EQ(outcome("\x93NUMPY\x01"), "E0561: the file ends after 7 bytes");
  EXPECT_EQ(outcome(std::string("\x93NUMPY\x02\0\x10\0", 10)), "E0561: the file ends after 10 bytes");
  EXPECT_EQ(outcome(std::string("\x93NUMPY\x01\0\x10\0{", 11)), "E0561: the header has 16 bytes and the file 11");
  EXPECT_EQ(outcome(std::string("\x93NUMPY\x04\0\x10\0{", 11)), "E0562: version 4.0 of the format is not known");
  for (const char* bad :
       {"", "{}", "[]", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), } x",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 2), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}", "{'descr': '<f4"}) {
    EXPECT_EQ(header(bad), "E0563: the header is not that of a plain array") << bad;
  }
  EXPECT_EQ(header("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }"),
            "E0562: arrays of type '>f4' are not supported: big-endian");
  EXPECT_EQ(header("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }"),
            "E0562: arrays of type '<c8' are not supported");
  EXPECT_EQ(header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }").substr(0, 5), "E0562");
  EXPECT_EQ(header("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"),
            "E0564: the array [2] (float32) needs 8 bytes, and 4 bytes follow the header");
  EXPECT_EQ(header("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }").substr(0, 5), "E0564");
  EXPECT_EQ(header("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }").substr(0, 5),
            "E0564");
}

TEST(Npy, WrittenFilesReadBack) {
  const fs::path folder = fs::temp_directory_path() / fmt::format("anemone-npy-{}", ::getpid());
  fs::create_directories(folder);
  const fs::path path = folder / "a.npy";
  const float values[] = {1, 2, 3, 4, 5, 6};
  const NpyArray array{ScalarType::float32, {2, 3}, Bytes::copy_of(std::span<const float>(values))};
  ASSERT_TRUE(write_npy(path, array));
  const auto got = read_npy(path);
  ASSERT_TRUE(got) << render(got.error());
  EXPECT_EQ(got->dtype, array.dtype);
  EXPECT_EQ(got->shape, array.shape);
  EXPECT_TRUE(std::equal(got->bytes.view.begin(), got->bytes.view.end(), array.bytes.view.begin()));
  EXPECT_EQ(fs::file_size(path), 128u + 24u);
  ASSERT_TRUE(write_npy(path, {ScalarType::int8, {0, 7}, {}}));
  EXPECT_EQ(read_npy(path)->shape, (std::vector<std::int64_t>{0, 7}));
  EXPECT_FALSE(write_npy(path, {ScalarType::bfloat16, {}, array.bytes.part(0, 2)}));
  EXPECT_FALSE(write_npy(path, {ScalarType::float32, {2}, array.bytes}));
  EXPECT_EQ(read_npy(path)->dtype, ScalarType::int8);  // what was there is still there
  const auto missing = read_npy(folder / "no.npy");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().front().code, "E0101");
  fs::remove_all(folder);
}

TEST(Npy, GoldenArrays) {
  const fs::path path = test::test_data() / "retinaface/priors_224x224.npy";
  const auto got = read_npy(path);
  ASSERT_TRUE(got) << render(got.error());
  EXPECT_EQ(got->dtype, ScalarType::float32);
  EXPECT_EQ(got->shape, (std::vector<std::int64_t>{2058, 4}));
  // Written again, it is the same file.
  std::ifstream in(path, std::ios::binary);
  const std::string file{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(npy_header(got->dtype, got->shape), file.substr(0, 128));
}

TEST(Npy, DamagedFilesNeverCrash) {
  const std::string good = npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", std::string(24, 'x'));
  std::mt19937 random(5);
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string file = good;
    for (std::size_t i = 1 + random() % 3; i > 0; --i) {
      const std::size_t at = random() % file.size();
      if (random() % 4 == 0) {
        file.erase(at, random() % 4);
      } else {
        file[at] = static_cast<char>(random() % 3 == 0 ? '0' + random() % 10 : random());
      }
    }
    refused += outcome(file)[0] == 'E';
  }
  EXPECT_GT(refused, 2000);
  EXPECT_LT(refused, 5000);
}

}  // namespace
}  // namespace anemone::formats

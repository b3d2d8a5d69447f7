// Weight files: the reference's bytes, sub-byte packing, sharing of equal blobs, and damage.
#include "anemone/formats/coreml/weight_blob.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

namespace anemone::formats {
namespace {

namespace fs = std::filesystem;
using milspec::DataType;

class WeightBlobTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "anemone-blob-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  fs::path file() const { return folder_ / "weight.bin"; }
  fs::path folder_;
};

std::string shown(const Diagnostic& d) { return fmt::format("{} {}", text_of(d.code), d.message); }

std::vector<std::byte> raw(std::initializer_list<int> bytes) {
  std::vector<std::byte> result;
  for (const int byte : bytes) result.push_back(static_cast<std::byte>(byte));
  return result;
}

/// fp16 [1, 2, -0.5] and int4 [-8 7 -1 3 2]: the worked example of the format notes.
std::vector<std::byte> example() {
  std::vector<std::byte> bytes(259);
  const auto put = [&](std::size_t at, std::initializer_list<int> values) {
    for (const int value : values) bytes[at++] = static_cast<std::byte>(value);
  };
  put(0, {2, 0, 0, 0, 2});
  put(64, {0xef, 0xbe, 0xad, 0xde, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0x80});
  put(128, {0x00, 0x3c, 0x00, 0x40, 0x00, 0xb8});
  put(192, {0xef, 0xbe, 0xad, 0xde, 8, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4});
  put(256, {0x78, 0x3f, 0x02});
  return bytes;
}

const std::vector<std::byte> halves() { return raw({0x00, 0x3c, 0x00, 0x40, 0x00, 0xb8}); }

TEST_F(WeightBlobTest, WritesTheReferenceBytes) {
  WeightWriter writer(file());
  EXPECT_EQ(*writer.append(BlobType::float16, 3, halves()), 64u);
  EXPECT_EQ(*writer.append(BlobType::int4, 5, raw({0x78, 0x3f, 0x02})), 192u);
  ASSERT_TRUE(writer.finish());
  const auto bytes = map_file(file());
  ASSERT_TRUE(bytes);
  EXPECT_TRUE(std::ranges::equal(bytes->view, example()));
}

TEST_F(WeightBlobTest, ReadsTheReferenceBytes) {
  const auto file = WeightFile::from_bytes(Bytes::owned(example()), "example");
  ASSERT_TRUE(file) << render(file.error());
  EXPECT_EQ(file->count(), 2u);
  EXPECT_EQ(*file->offsets(), (std::vector<std::uint64_t>{64, 192}));
  const auto blob = file->read(192);
  ASSERT_TRUE(blob);
  EXPECT_EQ(blob->type, BlobType::int4);
  EXPECT_EQ(blob->elements, 5u);
  EXPECT_TRUE(std::ranges::equal(blob->data.view, raw({0x78, 0x3f, 0x02})));
  EXPECT_TRUE(std::ranges::equal(file->read(64, DataType::float16, 3)->view, halves()));
  EXPECT_EQ(file->read(64, DataType::float32, 3).error().at(0).code, "E0309");
  EXPECT_EQ(file->read(64, DataType::float16, 4).error().at(0).code, "E0309");
  EXPECT_EQ(file->read(192, DataType::int4, 7).error().at(0).code, "E0309");
}

TEST_F(WeightBlobTest, EveryTypeComesBack) {
  const DataType types[] = {DataType::float16,    DataType::float32, DataType::uint8,  DataType::int8,
                            DataType::bfloat16,   DataType::int16,   DataType::uint16, DataType::int4,
                            DataType::uint1,      DataType::uint2,   DataType::uint4,  DataType::uint3,
                            DataType::uint6,      DataType::int32,   DataType::uint32, DataType::float8_e4m3fn,
                            DataType::float8_e5m2};
  WeightWriter writer(file());
  struct Expected {
    DataType dtype;
    std::uint64_t offset, elements;
    std::vector<std::byte> data;
  };
  std::vector<Expected> expected;
  std::uint32_t number = 0;
  for (const DataType dtype : types) {
    ++number;
    ASSERT_EQ(static_cast<std::uint32_t>(*blob_type(dtype)), number);  // the numbers of the format
    for (const std::uint64_t elements : {0, 1, 5, 8, 70}) {
      std::vector<std::byte> data(*milspec::packed_size(dtype, elements));
      for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i * 7 + number * 31 + elements);
      const auto offset = writer.append(*blob_type(dtype), elements, data);
      ASSERT_TRUE(offset) << render(offset.error());
      expected.push_back({dtype, *offset, elements, data});
    }
  }
  ASSERT_TRUE(writer.finish());
  const auto read = WeightFile::open(file());
  ASSERT_TRUE(read);
  const auto offsets = read->offsets();
  ASSERT_TRUE(offsets) << render(offsets.error());
  for (const Expected& e : expected) {
    const auto blob = read->read(e.offset);
    ASSERT_TRUE(blob) << render(blob.error());
    EXPECT_EQ(blob->elements, e.elements);
    EXPECT_EQ(data_type(blob->type), e.dtype);
    const auto data = read->read(e.offset, e.dtype, e.elements);
    ASSERT_TRUE(data) << render(data.error());
    EXPECT_TRUE(std::ranges::equal(data->view, e.data));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(data->data()) % 64, 0u);
  }
  EXPECT_FALSE(blob_type(DataType::boolean));
  EXPECT_FALSE(blob_type(DataType::int64));
  EXPECT_FALSE(blob_type(DataType::unused));
}

TEST_F(WeightBlobTest, EqualContentOfEqualTypeIsStoredOnce) {
  WeightWriter writer(file());
  const auto a = writer.append(BlobType::float16, 3, halves());
  EXPECT_EQ(*writer.append(BlobType::float16, 3, halves()), *a);
  EXPECT_NE(*writer.append(BlobType::int16, 3, halves()), *a);
  const auto nibbles = writer.append(BlobType::uint4, 5, raw({1, 2, 3}));
  EXPECT_NE(*writer.append(BlobType::uint4, 6, raw({1, 2, 3})), *nibbles);
  EXPECT_EQ(writer.count(), 4u);
  EXPECT_EQ(writer.shared(), 6u);
  ASSERT_TRUE(writer.finish());
  EXPECT_EQ(WeightFile::open(file())->offsets()->size(), 4u);
}

TEST_F(WeightBlobTest, WithoutBlobsThereIsNoFile) {
  WeightWriter writer(file());
  ASSERT_TRUE(writer.finish());
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(WeightBlobTest, WrongSizesAreBugs) {
  WeightWriter writer(file());
  EXPECT_EQ(writer.append(BlobType::float16, 2, halves()).error().at(0).code, "E0070");
  EXPECT_EQ(writer.append(BlobType::float32, UINT64_MAX, halves()).error().at(0).code, "E0070");
  EXPECT_EQ(writer.append(static_cast<BlobType>(0), 3, halves()).error().at(0).code, "E0070");
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(WeightBlobTest, DamageIsFound) {
  const auto error_of = [](std::size_t at, std::initializer_list<int> bytes, std::uint64_t offset) {
    std::vector<std::byte> damaged = example();
    for (const int byte : bytes) damaged[at++] = static_cast<std::byte>(byte);
    const auto file = WeightFile::from_bytes(Bytes::owned(damaged), "damaged");
    if (!file) return shown(file.error().at(0));
    const auto blob = file->read(offset);
    return blob ? std::string("read") : shown(blob.error().at(0));
  };
  const auto has = [](const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; };
  EXPECT_EQ(error_of(0, {}, 64), "read");
  EXPECT_TRUE(has(error_of(4, {1}, 64), "E0306"));                        // version 1
  EXPECT_TRUE(has(error_of(64, {0}, 64), "0xdeadbe00"));                  // sentinel
  EXPECT_TRUE(has(error_of(68, {18}, 64), "type number 18"));             // type
  EXPECT_TRUE(has(error_of(68, {0}, 64), "type number 0"));               // type
  EXPECT_TRUE(has(error_of(68, {2}, 64), "no whole number of FLOAT32"));  // 6 bytes are no floats
  EXPECT_TRUE(has(error_of(72, {132}, 64), "end behind the file"));       // size
  EXPECT_TRUE(has(error_of(79, {0xff}, 64), "end behind the file"));      // huge size
  EXPECT_TRUE(has(error_of(80, {0x81}, 64), "no multiple of 64"));        // data offset
  EXPECT_TRUE(has(error_of(80, {0x40, 2}, 64), "end behind the file"));   // data offset behind the end
  EXPECT_TRUE(has(error_of(87, {0xff}, 64), "end behind the file"));      // huge data offset
  EXPECT_EQ(error_of(88, {4}, 64), "read");              // whole-byte types: older writers left garbage there
  EXPECT_TRUE(has(error_of(216, {8}, 192), "padding"));  // 8 bits and more
  EXPECT_TRUE(has(error_of(216, {3}, 192), "padding"));  // no whole elements
  EXPECT_TRUE(has(error_of(200, {0}, 192), "padding"));  // padding of nothing
  EXPECT_TRUE(has(error_of(0, {}, 0), "offset 0"));
  EXPECT_TRUE(has(error_of(0, {}, 100), "offset 100"));
  EXPECT_TRUE(has(error_of(0, {}, 256), "begin at offset 256"));
  EXPECT_TRUE(has(error_of(0, {}, 320), "begin at offset 320"));
  EXPECT_TRUE(has(error_of(0, {}, UINT64_MAX - 63), "begin at offset"));
  EXPECT_EQ(WeightFile::from_bytes({}, "empty").error().at(0).code, "E0306");
}

TEST_F(WeightBlobTest, TheCountMustBeTrue) {
  std::vector<std::byte> bytes = example();
  bytes[0] = std::byte{3};
  const auto file = WeightFile::from_bytes(Bytes::owned(bytes), "count");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->offsets().error().at(0).code, "E0306");
}

TEST_F(WeightBlobTest, AWalkNeverGoesBackwards) {
  std::vector<std::byte> bytes = example();
  for (std::size_t i = 0; i < 8; ++i) bytes[192 + 16 + i] = std::byte{0};  // the second blob's data lie at offset 0
  const auto file = WeightFile::from_bytes(Bytes::owned(bytes), "loop");
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->offsets());  // both were seen, and it ended
}

}  // namespace
}  // namespace anemone::formats

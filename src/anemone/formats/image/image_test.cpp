// Images: exact pixels of small files, sizes from headers, bombs and damage refused.
#include "anemone/formats/image/image.h"

#include <gtest/gtest.h>

#include <fstream>

#include "anemone/formats/image/image_size.h"
#include "anemone/support/file.h"

namespace anemone::formats {
namespace {

namespace fs = std::filesystem;

Bytes from_hex(std::string_view hex) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return Bytes::owned(std::move(bytes));
}

// 2x1, red and (10, 20, 30).
constexpr std::string_view kRgb =
    "89504e470d0a1a0a0000000d49484452000000020000000108020000007b40e8dd0000000f4944415478da63f8cfc0c0252207000665013c2b"
    "57"
    "49ac0000000049454e44ae426082";
constexpr std::string_view kGray =
    "89504e470d0a1a0a0000000d4948445200000001000000020800000000bceae9fb0000000c4944415478da636065f80500010d0100d5911148"
    "00"
    "00000049454e44ae426082";
constexpr std::string_view kRgba16 =
    "89504e470d0a1a0a0000000d49484452000000010000000110060000004f8518ca000000114944415478da63103209ab98b5878101000afd02"
    "6b"
    "d89da5d70000000049454e44ae426082";
// Claims 100000x100000 pixels.
constexpr std::string_view kBomb =
    "89504e470d0a1a0a0000000d49484452000186a0000186a0080200000027309c9f000000084944415478da0300000000016fddc99100000000"
    "49"
    "454e44ae426082";

using Pixels = std::vector<std::uint8_t>;

constexpr const char* kSkipped = "SKIPPED: the media module is not built";
template <class T>
bool module_is_missing(const Result<T>& result) {
  return !result && result.error().at(0).code == "E0312";
}

TEST(ImageTest, DecodesExactly) {
  const auto rgb = decode_image(from_hex(kRgb), "rgb.png");
  if (module_is_missing(rgb)) GTEST_SKIP() << kSkipped;
  ASSERT_TRUE(rgb) << render(rgb.error());
  EXPECT_EQ(rgb->width, 2);
  EXPECT_EQ(rgb->height, 1);
  EXPECT_EQ(rgb->channels, 3);
  EXPECT_EQ(rgb->bgr, (Pixels{0, 0, 255, 30, 20, 10}));
  const auto gray = decode_image(from_hex(kGray), "gray.png");
  ASSERT_TRUE(gray);
  EXPECT_EQ(gray->height, 2);
  EXPECT_EQ(gray->bgr, (Pixels{5, 5, 5, 250, 250, 250}));
  const auto wide = decode_image(from_hex(kRgba16), "wide.png");
  ASSERT_TRUE(wide);
  EXPECT_EQ(wide->bgr, (Pixels{0x9a, 0x56, 0x12}));  // alpha 0 changes nothing
}

TEST(ImageTest, WritesWhatItReads) {
  std::string folder = (fs::temp_directory_path() / "anemone-image-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  Image image{16, 8, 3, Pixels(16 * 8 * 3)};
  for (std::size_t i = 0; i < image.bgr.size(); ++i) image.bgr[i] = static_cast<std::uint8_t>(i * 5);
  for (const char* name : {"a.png", "a.bmp", "a.PPM"}) {
    const auto written = write_image(image, fs::path(folder) / name);
    if (module_is_missing(written)) GTEST_SKIP() << kSkipped;
    ASSERT_TRUE(written) << render(written.error());
    const auto again = decode_image(fs::path(folder) / name);
    ASSERT_TRUE(again) << render(again.error());
    EXPECT_EQ(again->bgr, image.bgr) << name;
  }
  for (const char* name : {"a.jpg", "a.webp"}) {
    ASSERT_TRUE(write_image(image, fs::path(folder) / name));
    const auto file = map_file(fs::path(folder) / name);
    ASSERT_TRUE(file);
    const auto size = size_in_file(*file, name);
    ASSERT_TRUE(size) << render(size.error());
    EXPECT_EQ(size->width, 16u);
    EXPECT_EQ(size->height, 8u);
    EXPECT_TRUE(decode_image(*file, name));
    // Cut files: libjpeg would fill the rest with grey.
    EXPECT_EQ(decode_image(file->part(0, file->size() - 40), name).error().at(0).code, "E0314") << name;
  }
  EXPECT_EQ(write_image(image, fs::path(folder) / "a.xyz").error().at(0).blame, Blame::usage);
  image.bgr.pop_back();
  EXPECT_EQ(write_image(image, fs::path(folder) / "b.png").error().at(0).blame, Blame::bug);
  fs::remove_all(folder);
}

TEST(ImageTest, ResizesBilinearly) {
  const Image image{2, 1, 3, {0, 0, 0, 100, 100, 100}};
  const auto wider = resize_image(image, 4, 1);
  if (module_is_missing(wider)) GTEST_SKIP() << kSkipped;
  ASSERT_TRUE(wider) << render(wider.error());
  EXPECT_EQ(wider->bgr, (Pixels{0, 0, 0, 25, 25, 25, 75, 75, 75, 100, 100, 100}));
  EXPECT_EQ(resize_image(image, 0, 1).error().at(0).blame, Blame::bug);
  EXPECT_EQ(resize_image(image, 100000, 100000).error().at(0).code, "E0313");
  EXPECT_EQ(resize_image(Image{2, 2, 3, {0}}, 1, 1).error().at(0).blame, Blame::bug);
}

TEST(ImageTest, RefusesBombsAndDamage) {
  const auto code = [](const Bytes& bytes) {
    const auto image = decode_image(bytes, "test");
    return image ? "decoded" : text_of(image.error().at(0).code);
  };
  EXPECT_EQ(code(from_hex(kBomb)), "E0313");
  EXPECT_EQ(code({}), "E0311");
  EXPECT_EQ(code(from_hex("47494638396101000100")), "E0311");              // GIF
  EXPECT_EQ(code(from_hex("ffd8ffd9")), "E0314");                          // JPEG without a frame
  EXPECT_EQ(code(from_hex("ffd8ffe0000000000000000000000000")), "E0314");  // segment of length 0
  EXPECT_EQ(code(from_hex("50360a30203130200a")), "E0311");                // P6, 0x10 pixels
  EXPECT_EQ(code(from_hex("50360a3939393939393939393939203130200a")), "E0314");
  EXPECT_EQ(decode_image("/does/not/exist.png").error().at(0).code, "E0101");
  const Bytes png = from_hex(kRgb);
  const auto whole = decode_image(png, "whole");
  if (module_is_missing(whole)) GTEST_SKIP() << kSkipped;
  for (std::size_t length = 8; length < png.size(); ++length) {
    EXPECT_EQ(code(png.part(0, length)), "E0314") << length;
  }
}

TEST(ImageTest, SizesOfHeaders) {
  const auto size = [](std::string_view hex) {
    const auto found = size_in_file(from_hex(hex), "test");
    return found ? std::to_string(found->width) + "x" + std::to_string(found->height)
                 : std::string(text_of(found.error().at(0).code));
  };
  EXPECT_EQ(size(kRgb), "2x1");
  EXPECT_EQ(size("ffd8ffe000044a46ffc0001108012c00c803"), "200x300");
  EXPECT_EQ(size("ffd8ffffc2001108000100020300"), "2x1");  // a fill byte, progressive
  EXPECT_EQ(size("524946460000000057454250"
                 "56503858"
                 "0a000000"
                 "00000000"
                 "630000"
                 "310000"),
            "100x50");
  EXPECT_EQ(size("524946460000000057454250"
                 "5650384c"
                 "0a000000"
                 "2f"
                 "63400c00"),
            "100x50");
  EXPECT_EQ(size("424d000000000000000000000000"
                 "28000000"
                 "05000000"
                 "fdffffff"),
            "5x3");
  EXPECT_EQ(size("424d000000000000000000000000"
                 "0c000000"
                 "0500"
                 "0300"),
            "5x3");
  EXPECT_EQ(size("50350a23206e6f74650a3132203334"
                 "0a"),
            "12x34");
}

}  // namespace
}  // namespace anemone::formats

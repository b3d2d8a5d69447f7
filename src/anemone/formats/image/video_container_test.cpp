// Heads of containers, whole and cut off, and what is no video at all.
#include "anemone/formats/image/video_container.h"

#include <gtest/gtest.h>

#include <string>

namespace anemone::formats {
namespace {

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

/// An empty EBML header, then a segment that says it has `size` bytes and has `there`.
std::string matroska(unsigned char size, std::size_t there) {
  return std::string("\x1A\x45\xDF\xA3\x80\x18\x53\x80\x67", 9) + static_cast<char>(0x80 | size) +
         std::string(there, 'x');
}

TEST(VideoContainer, SaysHowItsLengthIsKnown) {
  EXPECT_EQ(video_length(bytes("RIFF....AVI LIST")), VideoLength::counted);
  EXPECT_EQ(video_length(bytes(std::string("\0\0\0\x18", 4) + "ftypisom....")), VideoLength::counted);
  EXPECT_EQ(video_length(bytes(matroska(5, 5))), VideoLength::estimated);
  EXPECT_EQ(video_length(bytes(matroska(5, 9))), VideoLength::estimated);
  EXPECT_EQ(video_length(bytes(matroska(5, 4))), VideoLength::cut_off);
  EXPECT_EQ(video_length(bytes(matroska(0x7f, 4))), VideoLength::estimated) << "a live recording does not know";
  for (std::size_t cut = 0; cut < 10; ++cut)
    EXPECT_EQ(video_length(bytes(matroska(5, 0).substr(0, cut))), VideoLength::estimated) << cut;
}

TEST(VideoContainer, TextIsNoVideo) {
  EXPECT_TRUE(is_text(bytes("# Notes\n\tof \xC3\xA4ll kinds\r\n")));
  EXPECT_FALSE(is_text(bytes(std::string("RIFF\x01\0\0\0AVI ", 12))));
  EXPECT_FALSE(is_text(bytes("")));
}

}  // namespace
}  // namespace anemone::formats

// Well-formed and ill-formed sequences, and how they look in messages.
#include "anemone/formats/wire/utf8.h"

#include <gtest/gtest.h>

namespace anemone {
namespace {

TEST(Utf8, TellsWellFormedTexts) {
  for (const char* good : {"", "plain", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80",
                          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xff"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

TEST(Utf8, PrintableEscapesAndCuts) {
  EXPECT_EQ(printable("n\xc3\xa4h"), "n\xc3\xa4h");
  EXPECT_EQ(printable("a\nb\x1b\x7f\xff"), "a\\x0ab\\x1b\\x7f\\xff");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("ab\xc3\xa4zz", 3), "ab\xc3\xa4...");  // not inside a character
}

}  // namespace
}  // namespace anemone

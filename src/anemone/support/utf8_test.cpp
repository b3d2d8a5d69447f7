// Well-formed and ill-formed sequences, and how they look in messages.
#include "anemone/support/utf8.h"

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

TEST(Utf8, WhatATerminalWouldObeyIsEscaped) {
  EXPECT_EQ(escaped("a\x1b[31mred\x07\nwrote x"), "a\\x1b[31mred\\x07\\x0awrote x");
  EXPECT_EQ(escaped("\u202etxt.exe\u2069"), "\\xe2\\x80\\xaetxt.exe\\xe2\\x81\\xa9");
  EXPECT_EQ(escaped("\u009b31m\u2028\u200f"), "\\xc2\\x9b31m\\xe2\\x80\\xa8\\xe2\\x80\\x8f");
  EXPECT_EQ(escaped("a\u200bb\U000e0041"), "a\\xe2\\x80\\x8bb\\xf3\\xa0\\x81\\x81");  // nobody sees these
  EXPECT_EQ(escaped("n\xc3\xa4h \u4e2d \U0001f600 \u05d0"), "n\xc3\xa4h \u4e2d \U0001f600 \u05d0");
}

TEST(Utf8, JsonKeepsItsMeaning) {
  EXPECT_EQ(escaped_json("{\"a\\u001b\u202e\": \"\x7f n\xc3\xa4h\"}\n"),
            "{\"a\\u001b\\u202e\": \"\\u007f n\xc3\xa4h\"}\n");
  EXPECT_EQ(escaped_json("\"\U000e0041\""), "\"\\udb40\\udc41\"");
}

TEST(Utf8, PagesKeepTheirLinesAndColours) {
  EXPECT_EQ(escaped_page("a\tb\n\x1b[1mbold\x1b[0m\n", true), "a\tb\n\x1b[1mbold\x1b[0m\n");
  EXPECT_EQ(escaped_page("\x1b[1mbold", false), "\\x1b[1mbold");
  EXPECT_EQ(escaped_page("\x1b[2Jclear\x1b]0;title\x07\r", true), "\\x1b[2Jclear\\x1b]0;title\\x07\\x0d");
}

}  // namespace
}  // namespace anemone

// Nothing is cut inside a word, nothing gets lost, and without colour the text is the same.
#include "anemone/report/page.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "anemone/report/words.h"

namespace anemone::report {
namespace {

std::string without_spaces(std::string text) {
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\n'; }), text.end());
  return text;
}

TEST(Page, FoldsUnderTheLastColumn) {
  EXPECT_EQ(folded("  inputs    one two three four five\n", 26), "  inputs    one two three\n            four five\n");
  EXPECT_EQ(folded("  inputs    one two three\n", 20),
            "  inputs    one two\n    three\n");  // half a page stays for the text
  EXPECT_EQ(folded("note: one two three four five\n", 17), "note: one two\n      three four\n      five\n");
  EXPECT_EQ(folded("one two three four five six\n", 16), "one two three\n  four five six\n");
}

TEST(Page, LeavesWholeWhatIsWhole) {
  for (const std::string text :
       {"short\n", "", "\n\n", "no newline here", "  anemone convert a.pkl -o a-name-that-is-long.mlpackage\n",
        "aWordThatIsLongerThanTheLine\n"})
    EXPECT_EQ(folded(text, 20), text);
}

TEST(Page, CutsNoWordAtAnyWidth) {
  const std::string text =
      "model on M1: a prediction\n  617 of 618 operations on the Neural Engine (99.8 %)\n\n  ANE031 warn      12 us  the "
      "epsilon of 'decoder_3_mass' is 1e-05, größer wäre besser (reported)\n";
  for (std::size_t width = 20; width < 130; ++width) {
    const std::string page = folded(text, width);
    EXPECT_EQ(without_spaces(page), without_spaces(text));
    for (std::size_t at = 0; at < page.size();) {
      const std::size_t end = std::min(page.find('\n', at), page.size());
      EXPECT_LE(columns(page.substr(at, end - at)), width) << page;
      at = end + 1;
    }
  }
}

TEST(Page, KeepsAVerdictInOnePiece) {
  const std::string page = folded("  98 landmarks: max 39.8 px (limit 1)  OUT OF TOLERANCE\n", 45);
  EXPECT_EQ(page, "  98 landmarks: max 39.8 px (limit 1)\n    OUT OF TOLERANCE\n");
  EXPECT_NE(painted(page).find("\x1b[1;31m  OUT OF TOLERANCE\x1b[0m"), std::string::npos);
  EXPECT_EQ(folded("   | a place in a text, with its caret below it\n", 20),
            "   | a place in a text, with its caret below it\n");
}

TEST(Page, PaintsVerdictsAndSeverities) {
  EXPECT_EQ(painted("  y  1.0  ok\n"), "  y  1.0\x1b[32m  ok\x1b[0m\n");
  EXPECT_EQ(painted("  y  1.0  OUT OF TOLERANCE\n"), "  y  1.0\x1b[1;31m  OUT OF TOLERANCE\x1b[0m\n");
  EXPECT_EQ(painted("  ANE031 warn  text\n"), "  ANE031 \x1b[1;35mwarn\x1b[0m  text\n");
  EXPECT_EQ(painted("not verified: x\n"), "\x1b[1;31mnot verified:\x1b[0m x\n");
  EXPECT_EQ(painted("a token, okay\n"), "a token, okay\n");
  EXPECT_EQ(painted("\nfindings\n  one\n"), "\n\x1b[1mfindings\x1b[0m\n  one\n");
}

}  // namespace
}  // namespace anemone::report

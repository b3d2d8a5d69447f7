#pragma once
// What the tests of the text form share: reading with a complaint, and the round trips.
#include <gtest/gtest.h>

#include "anemone/ir/compare.h"
#include "anemone/ir/test_ops.h"
#include "anemone/ir/text/parse.h"
#include "anemone/ir/text/print.h"
#include "anemone/ir/verify.h"

namespace anemone::test {

inline std::unique_ptr<Program> read(const std::string& text, const ParseOptions& options = {}) {
  auto program = parse(text, ops(), options);
  if (!program) ADD_FAILURE() << render(program.error());
  return program ? *std::move(program) : nullptr;
}

// Parses, prints exactly, parses again: equal program, equal text. Returns the exact text.
inline std::string round_trip(const Program& program, const ParseOptions& options = {}) {
  std::string text = to_text(program, {.exact = true});
  const auto again = read(text, options);
  if (!again) return text;
  std::string difference;
  EXPECT_TRUE(same_program(program, *again, &difference)) << difference << "\n" << text;
  EXPECT_EQ(to_text(*again, {.exact = true}), text);
  VerifyOptions checks;
  if (options.trust_types) checks.types = VerifyOptions::Types::off;
  const auto valid = verify(*again, checks);
  EXPECT_TRUE(valid) << (valid ? "" : render(valid.error()));
  return text;
}

// The text for people reads back, and prints the same again.
inline void expect_fixpoint(const Program& program) {
  const PrintOptions everything{.inline_limit = 100000};
  std::string text = to_text(program, everything);
  const auto again = read(text);
  ASSERT_TRUE(again) << text;
  EXPECT_EQ(to_text(*again, everything), text);
}

}  // namespace anemone::test

// The real table against text that Apple's compiler wrote: every declared type follows from its operands.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "anemone/ir/compare.h"
#include "anemone/ir/text/parse.h"
#include "anemone/ir/text/print.h"
#include "anemone/ir/verify.h"
#include "anemone/ops/ops.h"
#include "tests/support/data.h"

namespace anemone::ops {
namespace {

TEST(ModelMil, TypesOfACompiledModelFollow) {
  const std::filesystem::path path = test::shared_data() / "zoo/coreml/silero_unified.mlmodelc/model.mil";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "SKIPPED: " << path << " is not here";
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const auto program = parse(text.str(), ops::table());
  ASSERT_TRUE(program) << render(program.error());
  const auto valid = verify(**program, {.types = VerifyOptions::Types::exact, .blame = Blame::input});
  EXPECT_TRUE(valid) << render(valid.error());
  for (bool exact : {true, false}) {
    const PrintOptions options{.inline_limit = 1 << 20, .exact = exact};
    const auto again = parse(to_text(**program, options), ops::table());
    ASSERT_TRUE(again) << render(again.error());
    std::string difference;
    EXPECT_EQ(same_program(**program, **again, &difference), exact)
        << "only the exact form keeps the places of weights";
    EXPECT_EQ(difference.empty(), exact) << difference;
  }
}

}  // namespace
}  // namespace anemone::ops

#pragma once
// Where tests find their files; their programs run in the project's root folder. Judges in Python and shell know the
// same two places: tests/judge/lib.py and common.sh.
#include <cstdlib>
#include <filesystem>

namespace anemone::test {

/// The project's own files, always there: a test that misses one fails.
inline std::filesystem::path test_data() { return "tests/data"; }

/// Files of third parties, which the project does not hold: $ANEMONE_SHARED, else ../shared. A test that needs them is
/// skipped with a line that names them where they are absent.
inline std::filesystem::path shared_data() {
  const char* set = std::getenv("ANEMONE_SHARED");
  return set ? std::filesystem::path(set) : std::filesystem::path("../shared");
}

}  // namespace anemone::test

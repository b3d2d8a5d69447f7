// A row of the table credits a source only with operation types that the source speaks of.
#include "anemone/plan/ane/support_table.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

namespace anemone::plan::ane {
namespace {

using Words = std::set<std::string>;

Words words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

// tests/data/ane/sources.tsv: what each source has, read from its own files.
std::map<std::string, Words> types_by_source() {
  std::map<std::string, Words> types;
  std::ifstream in("tests/data/ane/sources.tsv");
  for (std::string line; std::getline(in, line);) {
    const std::size_t tab = line.find('\t');
    if (!line.starts_with('#')) types[line.substr(0, tab)] = words(line.substr(tab + 1));
  }
  return types;
}

TEST(SupportTable, CreditsASourceOnlyWithWhatItContains) {
  const auto contained = types_by_source();
  EXPECT_GE(contained.size(), 7u);
  for (const SupportRow& row : support_rows()) {
    for (const std::string& source : words(std::string(row.sources))) {
      const auto at = contained.find(source);
      if (at == contained.end()) continue;
      EXPECT_TRUE(at->second.contains(std::string(row.type))) << row.type << ": " << source;
    }
  }
}

TEST(SupportTable, EverySourceIsExplainedAndUsed) {
  Words known, used;
  for (const Source& source : sources()) known.insert(std::string(source.name));
  for (const SupportRow& row : support_rows()) {
    const Words credited = words(std::string(row.sources));
    for (const std::string& source : credited) EXPECT_TRUE(known.contains(source)) << row.type << ": " << source;
    used.insert(credited.begin(), credited.end());
    if (credited.empty()) {
      EXPECT_EQ(row.trust, Trust::guessed) << row.type;
    }
  }
  EXPECT_EQ(known, used);
}

}  // namespace
}  // namespace anemone::plan::ane

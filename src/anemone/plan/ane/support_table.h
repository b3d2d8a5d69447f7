#pragma once
// What is known of each operation type, and who says so.
#include <span>
#include <string_view>

#include "anemone/plan/ane/device.h"

namespace anemone::plan::ane {

struct SupportRow {
  std::string_view type;
  std::string_view takes;  ///< four letters, see support_table.cpp
  Trust trust = Trust::reported;
  std::string_view sources;
};
const SupportRow* find_support(std::string_view type);  ///< null: nothing is known
std::span<const SupportRow> support_rows();
/// What the short names of sources stand for.
struct Source {
  std::string_view name, what;
};
std::span<const Source> sources();
char takes(const SupportRow& row, Generation generation);

}  // namespace anemone::plan::ane

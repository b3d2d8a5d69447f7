// The families in the order of docs/reference/onnx.md.
#include "anemone/backends/onnx/rows.h"

#include <array>
#include <unordered_map>

namespace anemone::onnx::exporting {

std::span<const std::span<const RaiseRow>> raise_families() {
  static const std::array kFamilies = {
      raise_elementwise(), raise_activation(), raise_window(),   raise_product(), raise_recurrent(), raise_norm(),
      raise_reduction(),   raise_shape(),      raise_slice(),    raise_join(),    raise_space(),     raise_index(),
      raise_resize(),      raise_sample(),     raise_constant(), raise_control(),
  };
  return kFamilies;
}

const RaiseRow* find_raise_row(std::string_view mil) {
  static const auto kByName = [] {
    std::unordered_map<std::string_view, const RaiseRow*> rows;
    for (const auto& family : raise_families()) {
      for (const RaiseRow& row : family) rows.emplace(row.mil, &row);
    }
    return rows;
  }();
  const auto found = kByName.find(mil);
  return found == kByName.end() ? nullptr : found->second;
}

}  // namespace anemone::onnx::exporting

// The list of families.
#include "anemone/runtime/kernel_table.h"

#include <array>

namespace anemone::runtime {
namespace {

std::array<std::span<const KernelRow>, 13> families() {
  return {conv_kernels(),  matrix_kernels(),    norm_kernels(),     unary_kernels(), elementwise_kernels(),
          pool_kernels(),  resize_kernels(),    reduce_kernels(),   slice_kernels(), move_kernels(),
          space_kernels(), attention_kernels(), recurrent_kernels()};
}

}  // namespace

std::vector<KernelRow> kernel_rows() {
  std::vector<KernelRow> rows;
  for (const auto& family : families()) rows.insert(rows.end(), family.begin(), family.end());
  return rows;
}

const KernelRow* find_kernel(std::string_view type) {
  for (const auto& family : families()) {
    for (const KernelRow& row : family) {
      if (row.type == type) return &row;
    }
  }
  return nullptr;
}

}  // namespace anemone::runtime

#pragma once
// Which kernels carry out which operation.
#include <span>
#include <string_view>
#include <vector>

#include "anemone/runtime/planner.h"

namespace anemone::runtime {

/// What a kernel does besides its own operation.
enum class Fuses : std::uint8_t {
  nothing,
  relu,  ///< a relu behind it
  tail,  ///< an addition and an activation behind it: see cpu::Epilogue
};

struct KernelRow {
  std::string_view type;
  /// Adds the calls of a group whose node is of this type and covered.
  Result<void> (*plan)(const Group&, Planner&) = nullptr;
  /// Whether the kernel does this form of the operation; null: every form that GraphView::suits_kernels. The others run
  /// by reference execution.
  bool (*covers)(const Node&, const GraphView&) = nullptr;
  Fuses fuses = Fuses::nothing;
  bool (*has_tail)(const Node&, const GraphView&) = nullptr;  ///< whether this form fuses; null: every one
  bool takes_norms = false;                                   ///< a batch norm in front of it or behind it
  /// Parameters that may come at run time and that the kernel needs as plain constants: "begin end".
  std::string_view constants{};
  std::string_view shapes{};  ///< those of which it needs the shape alone
};

// One family, one file kernels_NAME.cpp, listed in kernel_table.cpp.
std::span<const KernelRow> attention_kernels();
std::span<const KernelRow> conv_kernels();
std::span<const KernelRow> elementwise_kernels();
std::span<const KernelRow> matrix_kernels();
std::span<const KernelRow> move_kernels();
std::span<const KernelRow> norm_kernels();
std::span<const KernelRow> pool_kernels();
std::span<const KernelRow> recurrent_kernels();
std::span<const KernelRow> reduce_kernels();
std::span<const KernelRow> resize_kernels();
std::span<const KernelRow> slice_kernels();
std::span<const KernelRow> space_kernels();
std::span<const KernelRow> unary_kernels();

/// All rows, in the order of the list.
std::vector<KernelRow> kernel_rows();
/// Null when no kernel knows the operation.
const KernelRow* find_kernel(std::string_view type);

}  // namespace anemone::runtime

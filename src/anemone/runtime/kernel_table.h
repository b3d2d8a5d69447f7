#pragma once
// Which kernels carry out which operation.
#include <span>
#include <string_view>

#include "anemone/runtime/cpu/epilogue.h"
#include "anemone/runtime/lowering.h"

namespace anemone::runtime {

/// Adds the steps of a node. False, with nothing done: this form of the operation is not covered, it runs by reference
/// execution. Called for nodes that Lowering::suits_kernels.
using Lower = Result<bool> (*)(const Node&, Lowering&);

struct KernelRow {
  std::string_view type;
  Lower lower;
};

// One family, one file kernels_NAME.cpp, listed in kernel_table.cpp.
std::span<const KernelRow> conv_kernels();
std::span<const KernelRow> elementwise_kernels();
std::span<const KernelRow> matrix_kernels();
std::span<const KernelRow> move_kernels();
std::span<const KernelRow> norm_kernels();
std::span<const KernelRow> pool_kernels();
std::span<const KernelRow> reduce_kernels();
std::span<const KernelRow> resize_kernels();
std::span<const KernelRow> shape_kernels();
std::span<const KernelRow> space_kernels();
std::span<const KernelRow> unary_kernels();

/// All rows, in the order of the list.
std::vector<KernelRow> kernel_rows();
/// Null when no kernel knows the operation.
Lower find_kernel(std::string_view type);

// Shared by families that merge their operations.
/// A convolution that conv_kernels() will cover, and with it a normalisation of its input.
bool conv_is_covered(const Node& node, const Lowering& lowering);
struct ChannelAffine {
  FloatBuffer scale, shift;  ///< [channels]
};
/// Of a batch_norm with known parameters: y = scale[c] * x + shift[c].
Result<ChannelAffine> affine_of(const Node& batch_norm, Lowering& lowering);

/// An addition and an activation behind a product, as far as its epilogue can do them. The nodes are absorbed.
struct Tail {
  const Value* out = nullptr;  ///< the last value
  const Value* add = nullptr;  ///< null: none
  cpu::Epilogue epilogue;      ///< all but `add`
  std::string types;           ///< "+add+relu"
};
Tail absorb_tail(const Value& product, Lowering& lowering);

/// Nearest float at or below: parameters of an op as its kernel takes them.
float number(const Node& node, std::string_view param, double fallback);
/// Elements of a shape that is known to be countable.
std::int64_t count_of(std::span<const std::int64_t> dims);

}  // namespace anemone::runtime

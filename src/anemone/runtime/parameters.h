#pragma once
// What kernels are told besides their operands: one plain struct a family, so that a plan can be read, printed and
// compared.
#include <string>
#include <variant>
#include <vector>

#include "anemone/ir/type.h"
#include "anemone/runtime/cpu/conv.h"
#include "anemone/runtime/cpu/elementwise.h"
#include "anemone/runtime/cpu/epilogue.h"
#include "anemone/runtime/cpu/gemm.h"
#include "anemone/runtime/cpu/move.h"
#include "anemone/runtime/cpu/pool.h"
#include "anemone/runtime/cpu/reduce.h"
#include "anemone/runtime/cpu/resize.h"

namespace anemone::runtime {

struct UnaryParameters {
  cpu::Unary function = cpu::Unary::identity;
  float alpha = 0, beta = 0;
};

struct BinaryParameters {
  cpu::Binary function = cpu::Binary::add;
  Dims x, y;
};

struct SelectParameters {
  Dims cond, a, b, out;
};

/// A tensor seen as [outer, extent, inner]; what is done along the extent, or with one number for each of its indices.
struct AxisParameters {
  std::int64_t outer = 1, extent = 1, inner = 1;
  float epsilon = 0;
  bool relu = false;
};

struct ReduceParameters {
  cpu::Reduction function = cpu::Reduction::sum;
  Dims dims, axes;
  bool half_sums = false;  // rounded after every term
};

struct PoolParameters {
  cpu::PoolParams window;
  cpu::PoolShape shape;
  bool exclude_padding = false;
};

struct BilinearParameters {
  cpu::ResizeShape shape;
  cpu::Sampling sampling = cpu::Sampling::default_mode;
};

/// Which row and column of the input each row and column of the output is.
struct NearestParameters {
  cpu::ResizeShape shape;
  Dims rows, columns;  ///< empty: floor(i * in / out)
};

/// Strided copies into one result: operand k of the call is part k.
struct CopyParameters {
  struct Part {
    Dims shape, from, to;  ///< extents, and strides of both sides
    std::int64_t from_offset = 0, to_offset = 0;
  };
  std::vector<Part> parts;
  bool clear = false;  ///< what no part writes is 0
};

struct TileParameters {
  Dims in, out;
};

struct PadParameters {
  Dims in, before, out;
  cpu::PadMode mode = cpu::PadMode::constant;
  float value = 0;
};

/// out[o, k, :] = x[o, picks[k], :] of x seen as [outer, extent, inner].
struct GatherParameters {
  std::int64_t outer = 1, extent = 1, inner = 1;
  Dims picks;
};

struct ConvParameters {
  cpu::ConvForm form;
  std::int64_t batch = 1, height = 1, width = 1;  ///< of the input
  cpu::Epilogue epilogue;                         ///< all but `add`
  bool relu_before = false;                       ///< after the affine map of the input, when that is there
};

/// [m, k] x [k, n], `batch` times.
struct MatmulParameters {
  cpu::MatmulShape shape;
  std::int64_t batch = 1, x_stride = 0, y_stride = 0;  ///< floats from one matrix to the next
  cpu::Epilogue epilogue;                              ///< all but `add`; of packed products
};

/// softmax(query * key / sqrt(depth) + mask) * value, for [batch, queries, depth].
struct AttentionParameters {
  std::int64_t batch = 1, queries = 1, keys = 1, depth = 1, width = 1;
  Dims scores, mask;  ///< extents of the scores with all batch dimensions, and of the mask (empty: none, or a scalar)
  bool selects = false;  ///< the mask is a bool: where it is 0, nothing is looked at
  std::int64_t batches_at_once = 1, rows_at_once = 1;
};

/// One direction of a recurrent operation over [steps, batch, inputs].
struct RecurrentParameters {
  struct Function {
    cpu::Unary function = cpu::Unary::identity;
    float alpha = 0, beta = 0;
  };
  std::int64_t steps = 1, batch = 1, inputs = 1, hidden = 1;
  std::int64_t width = 1, column = 0;  ///< of the outputs: both directions side by side
  bool backward = false, sequence = false;
  Function gate, cell, out;
  float clip = 0;            ///< of an lstm's cell
  bool reset_after = false;  ///< of a gru
};

struct ReferenceParameters {
  std::size_t index = 0;  ///< of Plan::references
};

using Parameters = std::variant<std::monostate, UnaryParameters, BinaryParameters, SelectParameters, AxisParameters,
                                ReduceParameters, PoolParameters, BilinearParameters, NearestParameters, CopyParameters,
                                TileParameters, PadParameters, GatherParameters, ConvParameters, MatmulParameters,
                                AttentionParameters, RecurrentParameters, ReferenceParameters>;

/// One line for a reader: "3x3 64->128 at 32x32, relu".
std::string to_text(const Parameters& parameters);

}  // namespace anemone::runtime

// Which MIL operations each generation of the Neural Engine takes at all, before shapes and types are looked at.
#include "anemone/plan/ane/support_table.h"

#include <algorithm>
#include <array>

namespace anemone::plan::ane {
namespace {

// Columns of `takes`: H13 (A14, M1), H14 (A15, M2, M3), H15 (A16), H16 and later (A17 Pro, M4 …).
// y yes; n no; c under conditions that verdict.cpp checks; l lowered to other operations or to another unit; u unknown.
constexpr std::array kRows{
    SupportRow{"abs", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"acos", "nnnn", Trust::reported, "S1 I1 G1"},
    SupportRow{"add", "yyyy", Trust::reported, "S1 G1 I1 X1"},
    SupportRow{"affine", "nyyy", Trust::guessed, "S1 G1"},
    SupportRow{"argsort", "nnnn", Trust::reported, "S1"},
    SupportRow{"asin", "nnnn", Trust::reported, "S1 I1 G1"},
    SupportRow{"atan", "yyyy", Trust::reported, "S1 I1 G1"},
    SupportRow{"atanh", "nnnn", Trust::reported, "S1 G1"},
    SupportRow{"avg_pool", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"band_part", "nnnn", Trust::reported, "S1 G1"},
    SupportRow{"batch_norm", "yyyy", Trust::reported, "S1 G1 I1 X1"},
    SupportRow{"batch_to_space", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"cast", "cccc", Trust::reported, "S1 G1 I1 X1"},
    SupportRow{"ceil", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"clamped_relu", "yyyy", Trust::reported, "G1"},
    SupportRow{"classify", "nnnn", Trust::guessed, ""},
    SupportRow{"clip", "yyyy", Trust::reported, "S1 G1 I1 X1"},
    SupportRow{"concat", "yyyy", Trust::reported, "S1 G1 X1 I1"},
    SupportRow{"cond", "nnnn", Trust::reported, "G1"},
    SupportRow{"conv", "yyyy", Trust::reported, "A1 S1 G1 X1"},
    SupportRow{"conv_transpose", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"cos", "nnyy", Trust::reported, "S1 G1"},
    SupportRow{"cosh", "nnnn", Trust::reported, "S1 I1 G1"},
    SupportRow{"crop", "yyyy", Trust::guessed, "G1"},
    SupportRow{"crop_resize", "nyyn", Trust::guessed, "S1 G1"},
    SupportRow{"cumsum", "nnnn", Trust::reported, "S1 G1"},
    SupportRow{"depth_to_space", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"dequantize", "yyyy", Trust::reported, "S1 A6 I1 G1"},
    SupportRow{"einsum", "yyyy", Trust::reported, "G1 A1"},
    SupportRow{"elu", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"equal", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"erf", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"exp", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"exp2", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"expand_dims", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"fill", "yyyy", Trust::reported, "G1"},
    SupportRow{"fill_like", "yyyy", Trust::reported, "G1 S1"},
    SupportRow{"flatten2d", "yyyy", Trust::reported, "G1"},
    SupportRow{"floor", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"floor_div", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"gather", "nccc", Trust::reported, "S1 S3 G1 I1"},
    SupportRow{"gather_along_axis", "nccc", Trust::reported, "S1 G1"},
    SupportRow{"gather_nd", "nccc", Trust::reported, "S1 G1"},
    SupportRow{"gelu", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"greater", "yyyy", Trust::reported, "S1 G1 I1 X1"},
    SupportRow{"greater_equal", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"gru", "nnnn", Trust::reported, "S1 G1 H1"},
    SupportRow{"identity", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"instance_norm", "yyyy", Trust::reported, "S1 G1 X1"},
    SupportRow{"inverse", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"l2_norm", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"l2_pool", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"layer_norm", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"leaky_relu", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"less", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"less_equal", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"linear", "yyyy", Trust::reported, "S1 G1 A1"},
    SupportRow{"linear_activation", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"list_gather", "nnnn", Trust::reported, "G1"},
    SupportRow{"list_length", "nnnn", Trust::reported, "G1"},
    SupportRow{"list_read", "nnnn", Trust::reported, "G1"},
    SupportRow{"list_scatter", "nnnn", Trust::reported, "G1"},
    SupportRow{"list_write", "nnnn", Trust::reported, "G1"},
    SupportRow{"local_response_norm", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"log", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"logical_and", "llly", Trust::guessed, "S1 G1 I1"},
    SupportRow{"logical_not", "yyyy", Trust::reported, "G1 I1"},
    SupportRow{"logical_or", "nnnu", Trust::reported, "G1 I1"},
    SupportRow{"logical_xor", "nnnu", Trust::reported, "G1 I1"},
    SupportRow{"lstm", "nnnn", Trust::reported, "S1 G1 A8 H1"},
    SupportRow{"make_list", "nnnn", Trust::reported, "G1"},
    SupportRow{"matmul", "yyyy", Trust::reported, "S1 G1 A1 I1"},
    SupportRow{"max_pool", "yyyy", Trust::reported, "S1 G1 X1"},
    SupportRow{"maximum", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"minimum", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"mod", "nnnn", Trust::reported, "S1 I1 G1"},
    SupportRow{"mul", "yyyy", Trust::reported, "S1 G1 I1 X1"},
    SupportRow{"non_maximum_suppression", "nnnn", Trust::reported, "G1"},
    SupportRow{"non_zero", "nnnn", Trust::reported, "S1 G1"},
    SupportRow{"not_equal", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"one_hot", "nnnn", Trust::reported, "S1 G1"},
    SupportRow{"pad", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"pixel_shuffle", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"pixel_unshuffle", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"pow", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"prelu", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"quantize", "yyyy", Trust::reported, "S1 A6 I1 G1"},
    SupportRow{"random_bernoulli", "nnnn", Trust::reported, "G1"},
    SupportRow{"random_categorical", "nnnn", Trust::reported, "G1"},
    SupportRow{"random_normal", "nnnn", Trust::reported, "S1 G1"},
    SupportRow{"random_uniform", "nnuu", Trust::guessed, "G1"},
    SupportRow{"range_1d", "nnnn", Trust::reported, "S1 G1"},
    SupportRow{"read_state", "yyyy", Trust::reported, "G1 CoreML-LLM"},
    SupportRow{"real_div", "yyyy", Trust::reported, "S1 G1 I1 X1"},
    SupportRow{"reduce_argmax", "llln", Trust::reported, "S1 CoreML-LLM"},
    SupportRow{"reduce_argmin", "llln", Trust::reported, "CoreML-LLM"},
    SupportRow{"reduce_l1_norm", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"reduce_l2_norm", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"reduce_log_sum", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"reduce_log_sum_exp", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"reduce_max", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"reduce_mean", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"reduce_min", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"reduce_prod", "nnnn", Trust::reported, "S1 G1 I1"},
    SupportRow{"reduce_sum", "yyyy", Trust::reported, "S1 G1 I1 X1"},
    SupportRow{"reduce_sum_square", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"relu", "yyyy", Trust::reported, "S1 G1 I1 X1"},
    SupportRow{"relu6", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"resample", "nyyy", Trust::guessed, "S1 G1"},
    SupportRow{"reshape", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"reshape_like", "yyyy", Trust::guessed, "G1"},
    SupportRow{"resize", "lyyy", Trust::reported, "S1 G1"},
    SupportRow{"resize_bilinear", "lyyy", Trust::reported, "S1 G1"},
    SupportRow{"resize_nearest_neighbor", "lyyy", Trust::reported, "S1 G1"},
    SupportRow{"reverse", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"reverse_sequence", "nnnn", Trust::reported, "G1"},
    SupportRow{"rnn", "nnnn", Trust::reported, "S1 G1 A8 H1"},
    SupportRow{"round", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"rsqrt", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"scaled_dot_product_attention", "yyyy", Trust::guessed, "S1 G1 A1 O1"},
    SupportRow{"scaled_tanh", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"scatter", "nnnn", Trust::reported, "S1 G1 I1"},
    SupportRow{"scatter_along_axis", "nnnn", Trust::reported, "S1 G1 I1"},
    SupportRow{"scatter_nd", "nnnn", Trust::reported, "G1 I1"},
    SupportRow{"select", "yyyy", Trust::reported, "S1 G1 I1 X1"},
    SupportRow{"shape", "nnnn", Trust::reported, "G1"},
    SupportRow{"sigmoid", "yyyy", Trust::reported, "S1 G1 I1 X1"},
    SupportRow{"sigmoid_hard", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"sign", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"silu", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"sin", "nnyy", Trust::reported, "S1 G1"},
    SupportRow{"sinh", "nnnn", Trust::reported, "S1 I1 G1"},
    SupportRow{"slice_by_index", "yyyy", Trust::reported, "S1 G1 X1 I1"},
    SupportRow{"slice_by_size", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"slice_update", "nnnc", Trust::reported, "CoreML-LLM G1"},
    SupportRow{"sliding_windows", "nnnn", Trust::reported, "S1 G1"},
    SupportRow{"softmax", "yyyy", Trust::reported, "S1 G1 A1 I1"},
    SupportRow{"softplus", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"softplus_parametric", "yyyy", Trust::reported, "G1"},
    SupportRow{"softsign", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"space_to_batch", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"space_to_depth", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"split", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"sqrt", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"square", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"squeeze", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"stack", "yyyy", Trust::reported, "S1 G1 X1"},
    SupportRow{"sub", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"tan", "nnnn", Trust::reported, "S1 I1 G1"},
    SupportRow{"tanh", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"threshold", "yyyy", Trust::reported, "G1"},
    SupportRow{"thresholded_relu", "yyyy", Trust::reported, "S1 G1"},
    SupportRow{"tile", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"topk", "nnyy", Trust::reported, "S1 S3 R1"},
    SupportRow{"transpose", "yyyy", Trust::reported, "S1 G1 I1"},
    SupportRow{"upsample_bilinear", "yyyy", Trust::reported, "S1 S3"},
    SupportRow{"upsample_nearest_neighbor", "yyyy", Trust::reported, "S1 X1 G1"},
    SupportRow{"while_loop", "nnnn", Trust::reported, "G1"},
    SupportRow{"write_state", "yyyy", Trust::reported, "G1 CoreML-LLM"},
};

constexpr bool sorted() {
  for (std::size_t i = 1; i < kRows.size(); ++i) {
    if (kRows[i - 1].type >= kRows[i].type) return false;
  }
  return true;
}
static_assert(sorted());

}  // namespace

const SupportRow* find_support(std::string_view type) {
  const auto at = std::lower_bound(kRows.begin(), kRows.end(), type,
                                   [](const SupportRow& row, std::string_view t) { return row.type < t; });
  return at != kRows.end() && at->type == type ? &*at : nullptr;
}

std::span<const SupportRow> support_rows() { return kRows; }

char takes(const SupportRow& row, Generation generation) {
  switch (generation) {
    case Generation::h11:
    case Generation::h13:
      return row.takes[0];
    case Generation::h14:
      return row.takes[1];
    case Generation::h15:
      return row.takes[2];
    case Generation::h16:
    case Generation::h17:
    case Generation::h18:
      return row.takes[3];
  }
  return 'u';
}

}  // namespace anemone::plan::ane

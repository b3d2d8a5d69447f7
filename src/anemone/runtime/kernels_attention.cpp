// scaled_dot_product_attention: two products with a softmax between them, as many rows at a time as caches hold.
#include <cmath>
#include <limits>

#include "anemone/ops/infer_util.h"
#include "anemone/runtime/cpu/norm.h"
#include "anemone/runtime/kernel_util.h"

namespace anemone::runtime {
namespace {

enum AttentionOperand : std::size_t { kQuery, kKey, kValue, kMask, kHidden, kScores, kOut };

constexpr std::int64_t kScoreFloats = 512 * 1024;  // what one step makes stays in the last-level cache

/// One step: some rows of one batch, or all rows of some.
struct Step {
  std::int64_t batch, batches, row, rows;
};

/// Where the mask of a batch lies.
std::int64_t mask_offset(const AttentionParameters& p, std::int64_t batch, std::int64_t row) {
  const Dims strides = ops::broadcast_strides(p.mask, p.scores);
  const std::size_t rank = p.scores.size();
  std::int64_t offset = row * strides[rank - 2];
  for (std::size_t d = rank - 2; d-- > 0; batch /= p.scores[d]) offset += batch % p.scores[d] * strides[d];
  return offset;
}

/// scores + mask, or -infinity where a bool mask is 0.
void mask_scores(const Bound& b, const AttentionParameters& p, const Step& s) {
  const float* mask = b.in(kMask);
  if (!mask) return;
  mask += mask_offset(p, s.batch, s.row);
  const std::size_t rank = p.mask.size();
  const auto extent = [&](std::size_t from_end) { return rank < from_end ? 1 : p.mask[rank - from_end]; };
  // Several batches only where the mask has all of them, or none.
  const bool has_batches = s.batches > 1 && count_of(p.mask) > extent(1) * extent(2);
  const Dims shape{s.batches, s.rows, p.keys};
  const Dims mask_shape{has_batches ? s.batches : 1, std::min(s.rows, extent(2)), extent(1)};
  float* scores = b.out(kScores);
  if (p.selects) {
    cpu::select(mask, mask_shape, scores, shape, b.in(kHidden), {}, scores, shape, b.pool);
  } else {
    cpu::binary(cpu::Binary::add, scores, shape, mask, mask_shape, scores, b.pool);
  }
}

void run_step(const Bound& b, const AttentionParameters& p, const Step& s) {
  const std::int64_t first = s.batch * p.queries + s.row;
  float* scores = b.out(kScores);
  cpu::matmul_batched({.m = s.rows, .k = p.depth, .n = p.keys, .transpose_b = true}, s.batches,
                      b.in(kQuery) + first * p.depth, p.queries * p.depth, b.in(kKey) + s.batch * p.keys * p.depth,
                      p.keys * p.depth, scores, b.pool);
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(p.depth)));
  cpu::unary(cpu::Unary::linear, scores, scores, s.batches * s.rows * p.keys, b.pool, scale, 0);
  mask_scores(b, p, s);
  cpu::softmax(scores, scores, s.batches * s.rows, p.keys, 1, b.pool);
  cpu::matmul_batched({.m = s.rows, .k = p.keys, .n = p.width}, s.batches, scores, s.rows * p.keys,
                      b.in(kValue) + s.batch * p.keys * p.width, p.keys * p.width, b.out(kOut) + first * p.width,
                      b.pool);
}

const Kernel kAttention{"attention", [](const Bound& b) {
                          const auto& p = get<AttentionParameters>(b);
                          for (std::int64_t batch = 0; batch < p.batch; batch += p.batches_at_once) {
                            const std::int64_t batches = std::min(p.batches_at_once, p.batch - batch);
                            for (std::int64_t row = 0; row < p.queries; row += p.rows_at_once) {
                              const std::int64_t rows = std::min(p.rows_at_once, p.queries - row);
                              run_step(b, p, {batch, batches, row, rows});
                            }
                          }
                        }};

AttentionParameters parameters_of(const Node& node) {
  const Dims &query = node.input("query")->type.dims, &value = node.input("value")->type.dims;
  const std::size_t n = query.size();
  AttentionParameters p{.batch = count_of(std::span(query).first(n - 2)),
                        .queries = query[n - 2],
                        .keys = value[n - 2],
                        .depth = query[n - 1],
                        .width = value[n - 1]};
  p.scores = query;
  p.scores[n - 1] = p.keys;
  const Value* mask = node.input("attn_mask");
  if (mask) {
    p.mask = mask->type.dims;
    p.selects = mask->type.dtype == DType::boolean;
  }
  p.rows_at_once = std::clamp<std::int64_t>(kScoreFloats / p.keys, 1, p.queries);
  if (p.rows_at_once < p.queries) return p;
  // A mask that is stretched over some of the batch dimensions goes batch by batch.
  const Dims lead(p.mask.begin(), p.mask.end() - std::min<std::ptrdiff_t>(2, std::ssize(p.mask)));
  if (count_of(lead) == 1 || count_of(lead) == p.batch) {
    p.batches_at_once = std::clamp<std::int64_t>(kScoreFloats / (p.queries * p.keys), 1, p.batch);
  }
  return p;
}

Result<void> plan_attention(const Group& g, Planner& p) {
  const Node& node = *g.node;
  const AttentionParameters parameters = parameters_of(node);
  TRY(const Ref query, p.read(*node.input("query")));
  TRY(const Ref key, p.read(*node.input("key")));
  TRY(const Ref value, p.read(*node.input("value")));
  TRY(const Ref mask, p.read_maybe(node.input("attn_mask")));
  Ref hidden;
  if (parameters.selects) hidden = p.constant(std::vector<float>{-std::numeric_limits<float>::infinity()});
  const Ref scores = p.scratch(parameters.batches_at_once * parameters.rows_at_once * parameters.keys);
  p.add(g.out(), Rounding::needed,
        {.kernel = &kAttention,
         .parameters = parameters,
         .operands = {read("query", query),
                      read("key", key),
                      read("value", value),
                      read("attn_mask", mask),
                      read("hidden", hidden),
                      {"scores", scores, Access::Use::scratch},
                      write("out", p.define(g.out()))},
         .macs = node.def->macs(node)});
  return {};
}

constexpr KernelRow kRows[] = {{"scaled_dot_product_attention", plan_attention}};

}  // namespace

std::span<const KernelRow> attention_kernels() { return kRows; }

}  // namespace anemone::runtime

// scaled_dot_product_attention.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr Param kAttention[] = {input("query"), input("key"), input("value"), maybe("attn_mask", kFloats | kBool)};

Types infer_attention(const InferView& v) {
  const Type &q = v.type("query"), &k = v.type("key"), &value = v.type("value");
  if (!q.ranked || !k.ranked || !value.ranked) return one(Type::unranked(q.dtype));
  TRY_VOID(check_rank(v, "query", 3, 5));  // (C1)
  const std::size_t n = q.dims.size();
  if (k.dims.size() != n || value.dims.size() != n) {  // (C2) equal ranks
    return v.wrong("key", fmt::format("ranks {}, {} and {} differ", q.rank(), k.rank(), value.rank()));
  }
  const auto batch = std::span(q.dims).first(n - 2);
  if (!may_equal(batch, std::span(k.dims).first(n - 2)) ||
      !may_equal(batch, std::span(value.dims).first(n - 2))) {  // (C3)
    return v.wrong("key",
                   fmt::format("the batches of {}, {} and {} differ", brief(q.dims), brief(k.dims), brief(value.dims)));
  }
  if (!may_equal(q.dims[n - 1], k.dims[n - 1]) || !may_equal(k.dims[n - 2], value.dims[n - 2])) {  // (C4)
    return v.wrong(
        "key", fmt::format("{} fits neither query {} nor value {}", brief(k.dims), brief(q.dims), brief(value.dims)));
  }
  Dims scores = q.dims;
  scores[n - 1] = k.dims[n - 2];
  const Type& mask = v.type("attn_mask");
  if (v.has("attn_mask") && mask.ranked) {
    const auto all = broadcast(mask.dims, scores);
    if (!all || !may_equal(*all, scores)) {  // (C5)
      return v.wrong("attn_mask", fmt::format("{} does not broadcast into {}", brief(mask.dims), brief(scores)));
    }
    if (mask.dtype != DType::boolean && mask.dtype != q.dtype) {  // (C6)
      return v.wrong("attn_mask", fmt::format("is {}, query is {}", name(mask.dtype), name(q.dtype)));
    }
  }
  Dims out = q.dims;
  out[n - 1] = value.dims[n - 1];
  return one(q.dtype, std::move(out));
}
constexpr Form kAttentionForms[] = {{Target::ios18, kAttention, infer_attention}};

Result<void> eval_attention(EvalView& v) {
  const Array &q = v.in("query"), &k = v.in("key"), &value = v.in("value");
  const Array* mask = v.maybe("attn_mask");
  Array& y = v.out();
  const std::size_t n = q.dims.size();
  const auto depth = static_cast<std::size_t>(q.dims[n - 1]), keys = static_cast<std::size_t>(k.dims[n - 2]);
  const auto width = static_cast<std::size_t>(value.dims[n - 1]), queries = static_cast<std::size_t>(q.dims[n - 2]);
  Dims rows(q.dims.begin(), q.dims.end() - 1), scores = q.dims;
  scores[n - 1] = static_cast<std::int64_t>(keys);
  const Dims mask_strides = mask ? broadcast_strides(mask->dims, scores) : Dims(n, 0);
  std::vector<double> weight(keys);
  for_each_index(rows, [&](const Dims& index, std::size_t row) {
    const std::size_t batch = row / queries;
    double highest = -HUGE_VAL, sum = 0;
    for (std::size_t s = 0; s < keys; ++s) {
      double dot = 0;
      for (std::size_t e = 0; e < depth; ++e) dot += q.data[row * depth + e] * k.data[(batch * keys + s) * depth + e];
      dot /= std::sqrt(static_cast<double>(depth));
      if (mask) {
        Dims at = index;
        at.push_back(static_cast<std::int64_t>(s));
        const double m = mask->data[offset(at, mask_strides)];
        dot = mask->dtype != DType::boolean ? dot + m : m != 0 ? dot : -HUGE_VAL;
      }
      weight[s] = dot;
      highest = std::max(highest, dot);
    }
    for (double& w : weight) sum += w = std::exp(w - highest);
    for (std::size_t c = 0; c < width; ++c) {
      double mixed = 0;
      for (std::size_t s = 0; s < keys; ++s) mixed += weight[s] / sum * value.data[(batch * keys + s) * width + c];
      y.data[row * width + c] = mixed;
    }
  });
  return {};
}

std::int64_t macs_attention(const Node& node) {
  const Dims &q = node.input("query")->type.dims, &value = node.input("value")->type.dims;
  if (q.size() < 2 || value.size() != q.size()) return 0;
  const std::int64_t width = plus(q.back(), value.back());
  const std::int64_t count = times(times(product(std::span(q).first(q.size() - 1)), value[value.size() - 2]), width);
  return count == kUnknown ? 0 : count;
}

constexpr OpDef kOps[] = {
    {.name = "scaled_dot_product_attention",
     .summary = "softmax(query · keyᵀ / √depth + attn_mask) · value",
     .forms = kAttentionForms,
     .eval = eval_attention,
     .macs = macs_attention,
     .traits = kProduct},
};

}  // namespace

std::span<const OpDef> attention() { return kOps; }

}  // namespace anemone::ops

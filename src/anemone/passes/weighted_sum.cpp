// A sum over a map of thousands is taken wide in a matrix product only: engines do not promise that for a reduction.
#include "anemone/passes/weighted_sum.h"

#include <algorithm>

#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"

namespace anemone::passes {
namespace {

// The constant at each position of the map, if it is the same for all channels.
std::optional<std::vector<double>> map_of(const Value* value, const Type& type) {
  const Constant* constant = payload(value);
  if (!constant || !is_float(value->type.dtype) || value->type.rank() > type.rank()) return std::nullopt;
  Dims dims(type.dims.size() - value->type.dims.size(), 1);
  dims.insert(dims.end(), value->type.dims.begin(), value->type.dims.end());
  if (dims[0] != 1 || dims[1] != 1) return std::nullopt;
  std::vector<double> map;
  for (std::int64_t i = 0; i < type.dims[2]; ++i) {
    for (std::int64_t j = 0; j < type.dims[3]; ++j)
      map.push_back(scalar(*constant, (dims[2] == 1 ? 0 : i) * dims[3] + (dims[3] == 1 ? 0 : j)));
  }
  return map;
}

}  // namespace

std::optional<WeightedSum> weighted_sum(Node& node) {
  constexpr std::int64_t kRank = 4;
  Value* x = node.input("x");
  if (node.type != "reduce_sum" || !x->type.is_fixed() || x->type.rank() != kRank || !is_float(x->type.dtype))
    return std::nullopt;
  Dims axes = ConstantView(node).ints("axes");
  for (std::int64_t& axis : axes) axis += axis < 0 ? kRank : 0;
  std::sort(axes.begin(), axes.end());
  if (!payload(node.input("axes")) || axes != Dims{2, 3}) return std::nullopt;
  const auto positions = static_cast<std::size_t>(x->type.dims[2] * x->type.dims[3]);
  const Node* mul = producer(x, "mul");
  if (mul && only_user(x) && same_block(*mul, node)) {
    for (const auto& [side, other] : {std::pair("x", "y"), std::pair("y", "x")}) {
      Value* map = mul->input(side);
      if (map->type != x->type) continue;
      if (auto weights = map_of(mul->input(other), x->type)) return WeightedSum{&node, map, *std::move(weights)};
    }
  }
  return WeightedSum{&node, x, std::vector<double>(positions, 1)};
}

Value* as_matrix_product(Builder& builder, const std::vector<WeightedSum>& sums) {
  Value& x = *sums[0].x;
  const Dims& dims = x.type.dims;
  const std::int64_t positions = dims[2] * dims[3];
  std::vector<double> weights;
  for (std::size_t at = 0; at < static_cast<std::size_t>(positions); ++at) {
    for (const WeightedSum& sum : sums) weights.push_back(sum.weights[at]);
  }
  const Dims matrix{1, positions, static_cast<std::int64_t>(sums.size())};
  Value* flat = builder.add("reshape", {{"x", &x}, {"shape", Dims{dims[0], dims[1], positions}}});
  return builder.add("matmul",
                     {{"x", flat},
                      {"y", make_constant(x.type.dtype, matrix, std::span<const double>(weights))},
                      {"transpose_x", false},
                      {"transpose_y", false}},
                     "sums");
}

Value* columns(Builder& builder, Value* product, std::int64_t first, std::int64_t count, bool squeeze) {
  Dims end = product->type.dims;
  if (end.size() != 3) return product;  // the builder has an error
  end[2] = first + count;
  return builder.add("slice_by_index", {{"x", product},
                                        {"begin", {0, 0, first}},
                                        {"end", end},
                                        {"squeeze_mask", make_bools({false, false, squeeze && count == 1})}});
}

}  // namespace anemone::passes

// Attention and rotary positions of opset 23, in the operations that they are made of.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {
namespace {

// [batch, steps, heads · size] as [batch, heads, steps, size]; what has four dimensions is that already.
MilValue* by_head(Call& c, std::size_t input, std::int64_t heads) {
  const Dims& dims = c.dims(input);
  if (dims.size() == 4) return c.real(input);
  if (dims.size() != 3) Call::refuse(fmt::format("input {} of rank {}", input, dims.size()));
  if (heads < 1 || dims[2] % heads != 0) Call::refuse(fmt::format("{} heads for {}", heads, brief(dims)));
  return c.emit().transpose(c.emit().reshape(c.real(input), {dims[0], dims[1], heads, dims[2] / heads}), {0, 2, 1, 3});
}
MilValue* joined(Emit& emit, MilValue* y) {
  const Dims dims = y->type.dims;
  return emit.reshape(emit.transpose(y, {0, 2, 1, 3}), {dims[0], dims[2], dims[1] * dims[3]});
}

// Each head as often as there are heads of the query for it.
MilValue* repeated(Emit& emit, MilValue* x, std::int64_t heads) {
  const Dims dims = x->type.dims;
  if (dims[1] == heads) return x;
  if (dims[1] < 1 || heads % dims[1] != 0) Call::refuse(fmt::format("{} heads of keys for {}", dims[1], heads));
  const std::int64_t times = heads / dims[1];
  MilValue* wide = emit.broadcast(emit.reshape(x, {dims[0] * dims[1], 1, dims[2], dims[3]}),
                                  {dims[0] * dims[1], times, dims[2], dims[3]});
  return emit.reshape(wide, {dims[0], heads, dims[2], dims[3]});
}

// What is not allowed gets the least number that there is: infinity would make a row without any of NaN.
MilValue* where_allowed(Emit& emit, MilValue* allowed, MilValue* scores) {
  const double least = scores->type.dtype == DType::fp16 ? -65504 : std::numeric_limits<float>::lowest();
  return emit.add("select", {{"cond", allowed}, {"a", scores}, {"b", emit.number(scores, least)}});
}

// Query i sees the keys up to i, behind those of the past.
MilValue* causal(Emit& emit, std::int64_t queries, std::int64_t keys, std::int64_t past) {
  std::vector<double> allowed(table_size({queries, keys}));
  for (std::int64_t i = 0; i < queries; ++i) {
    for (std::int64_t j = 0; j < keys; ++j) allowed[static_cast<std::size_t>(i * keys + j)] = j <= i + past;
  }
  return emit.constant(make_constant(DType::boolean, {queries, keys}, std::span<const double>(allowed)));
}

// softmax(softcap(scale · Q·Kᵀ) + mask) · V
void lower_attention(Call& c) {
  Emit& emit = c.emit();
  if (c.wants(3)) Call::refuse("the products of queries and keys as an output");
  MilValue* q = by_head(c, 0, c.integer("q_num_heads", 0));
  MilValue* k = by_head(c, 1, c.integer("kv_num_heads", 0));
  MilValue* v = by_head(c, 2, c.integer("kv_num_heads", 0));
  std::int64_t past = 0;
  if (c.has(4) && c.has(5)) {
    past = c.dims(4).at(2);
    k = emit.concat({c.real(4), k}, 2);
    v = emit.concat({c.real(5), v}, 2);
  }
  c.give(1, k);
  c.give(2, v);
  const std::int64_t heads = q->type.dims[1], size = q->type.dims[3];
  const double scale = c.number("scale", 1 / std::sqrt(static_cast<double>(std::max<std::int64_t>(size, 1))));
  k = repeated(emit, k, heads);
  MilValue* scores = emit.add("matmul", {{"x", emit.mul(q, scale)}, {"y", k}, {"transpose_y", true}});
  if (const double cap = c.number("softcap", 0); cap != 0)
    scores = emit.mul(emit.add("tanh", {{"x", emit.mul(scores, 1 / cap)}}), cap);
  if (c.has(3)) {
    MilValue* mask = c.in(3);
    const bool is_allowed = mask->type.dtype == DType::boolean;
    scores = is_allowed ? where_allowed(emit, mask, scores) : emit.add2(scores, emit.cast(mask, scores->type.dtype));
  }
  if (c.flag("is_causal", false)) {
    const Dims& dims = scores->type.dims;
    scores = where_allowed(emit, causal(emit, dims[2], dims[3], past), scores);
  }
  MilValue* y = emit.add("matmul", {{"x", emit.add("softmax", {{"x", scores}, {"axis", std::int64_t{-1}}})},
                                    {"y", repeated(emit, v, heads)}});
  c.give(0, c.rank(0) == 3 ? joined(emit, y) : y);
}

// Pairs of numbers turned by an angle of their place: halves of a head side by side, or neighbours.
void lower_rotary_embedding(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = by_head(c, 0, c.integer("num_heads", 0));
  const Dims dims = x->type.dims;
  const std::int64_t said = c.integer("rotary_embedding_dim", 0), turned = said == 0 ? dims[3] : said;
  if (turned < 0 || turned % 2 != 0 || turned > dims[3])
    Call::refuse(fmt::format("{} of {} numbers turned", turned, dims[3]));
  const bool neighbours = c.flag("interleaved", false);
  const std::int64_t half = turned / 2;
  const auto angle = [&](std::size_t input) {  // [batch, 1, steps, half]
    MilValue* table = c.real(input);
    if (c.has(3)) table = emit.add("gather", {{"x", table}, {"indices", c.in(3)}, {"axis", std::int64_t{0}}});
    if (table->type.rank() != 3) Call::refuse(fmt::format("angles of rank {}", table->type.rank()));
    const Dims& rows = table->type.dims;
    return emit.reshape(table, {rows[0], 1, rows[1], rows[2]});
  };
  MilValue *cosine = angle(1), *sine = angle(2);
  const std::int64_t step = neighbours ? 2 : 1;
  MilValue* first = emit.slice(x, 3, 0, neighbours ? turned : half, step);
  MilValue* second = emit.slice(x, 3, neighbours ? 1 : half, turned, step);
  MilValue* real = emit.sub(emit.mul(first, cosine), emit.mul(second, sine));
  MilValue* imaginary = emit.add2(emit.mul(first, sine), emit.mul(second, cosine));
  std::vector<MilValue*> parts{real, imaginary};
  if (neighbours) {
    const auto column = [&](MilValue* part) { return emit.reshape(part, {dims[0], dims[1], dims[2] * half, 1}); };
    MilValue* pairs = emit.concat({column(real), column(imaginary)}, 3);
    parts = {emit.reshape(pairs, {dims[0], dims[1], dims[2], turned})};
  }
  if (turned < dims[3]) parts.push_back(emit.slice(x, 3, turned, dims[3]));
  MilValue* y = emit.concat(parts, 3);
  c.give(c.rank(0) == 3 ? joined(emit, y) : y);
}

constexpr Row kRows[] = {
    {"Attention", 23, lower_attention, "the products of queries and keys as an output"},
    {"RotaryEmbedding", 23, lower_rotary_embedding},
};

}  // namespace

std::span<const Row> attention_lowerings() { return kRows; }

}  // namespace anemone::onnx

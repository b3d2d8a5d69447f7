// Normalisations. Where a parameter comes at run time, which MIL's own operations do not take, their formula.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/frontends/onnx/fused.h"

namespace anemone::onnx {
namespace {

// A vector over the channels, as a tensor that broadcasts against x of that rank.
MilValue* by_channel(Emit& emit, MilValue* vector, std::size_t rank) {
  Dims dims(rank, 1);
  if (rank > 1) dims[1] = count_of(vector->type.dims);
  return emit.reshape(vector, dims);
}

MilValue* mean_of(Emit& emit, MilValue* x, const Dims& axes) {
  return emit.add("reduce_mean", {{"x", x}, {"axes", axes}, {"keep_dims", true}});
}

// gamma · (x − mean) / √(variance + epsilon) + beta, statistics and parameters as vectors over the channels.
void give_normalised(Call& c, MilValue* mean, MilValue* variance) {
  Emit& emit = c.emit();
  const std::size_t rank = c.rank(0);
  MilValue* deviation = emit.add("sqrt", {{"x", emit.add2(variance, c.number("epsilon", 1e-5))}});
  MilValue* centred = emit.sub(c.in(0), by_channel(emit, mean, rank));
  MilValue* normal = emit.add("real_div", {{"x", centred}, {"y", by_channel(emit, deviation, rank)}});
  c.give(0, emit.add2(emit.mul(normal, by_channel(emit, c.in(1), rank)), by_channel(emit, c.in(2), rank)));
}

// With the statistics of the batch, as a network that was exported in training mode computes.
void give_trained(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.in(0);
  Dims axes;
  for (std::size_t d = 0; d < c.rank(0); ++d) {
    if (d != 1) axes.push_back(static_cast<std::int64_t>(d));
  }
  const Dims channels{count_of(c.dims(1))};
  MilValue* mean = mean_of(emit, x, axes);
  MilValue* variance = mean_of(emit, emit.add("square", {{"x", emit.sub(x, mean)}}), axes);
  give_normalised(c, mean, variance);
  const double kept = c.number("momentum", 0.9);
  const auto running = [&](std::size_t input, MilValue* now) {
    return emit.add2(emit.mul(c.in(input), kept), emit.mul(emit.reshape(now, channels), 1 - kept));
  };
  if (c.wants(1)) c.give(1, running(3, mean));
  if (c.wants(2)) c.give(2, running(4, variance));
}

void lower_batch_normalization(Call& c) {
  if (c.flag("training_mode", false)) return give_trained(c);
  if (!c.flag("spatial", true) || (c.opset() < 7 && !c.flag("is_test", true)))
    Call::refuse("statistics of the batch", "export the model in evaluation mode");
  for (std::size_t i = 1; i < c.outputs(); ++i) {
    if (c.wants(i)) Call::refuse("statistics as outputs", "export the model in evaluation mode");
  }
  Emit& emit = c.emit();
  MilValue* x = c.in(0);
  const std::size_t rank = c.rank(0);
  const ConstantPtr gamma = c.known(1), beta = c.known(2), mean = c.known(3), variance = c.known(4);
  if (!gamma || !beta || !mean || !variance || rank < 3 || rank > 5) return give_normalised(c, c.in(3), c.in(4));
  c.give(emit.add("batch_norm", {{"x", x},
                                 {"mean", mean},
                                 {"variance", variance},
                                 {"gamma", gamma},
                                 {"beta", beta},
                                 {"epsilon", emit.number(x, c.number("epsilon", 1e-5))}}));
}

Dims axes_from(std::size_t first, std::size_t rank) {
  Dims axes;
  for (std::size_t d = first; d < rank; ++d) axes.push_back(static_cast<std::int64_t>(d));
  return axes;
}
MilValue* standardised(Emit& emit, MilValue* x, const Dims& axes, double epsilon) {
  return emit.add("layer_norm", {{"x", x}, {"axes", axes}, {"epsilon", emit.number(x, epsilon)}});
}

void lower_instance_normalization(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.in(0);
  const std::size_t rank = c.rank(0);
  const double epsilon = c.number("epsilon", 1e-5);
  const ConstantPtr gamma = c.known(1), beta = c.known(2);
  if (gamma && beta && rank >= 3 && rank <= 4) {
    return c.give(
        emit.add("instance_norm", {{"x", x}, {"gamma", gamma}, {"beta", beta}, {"epsilon", emit.number(x, epsilon)}}));
  }
  MilValue* normal = standardised(emit, x, axes_from(2, rank), epsilon);
  c.give(emit.add2(emit.mul(normal, by_channel(emit, c.in(1), rank)), by_channel(emit, c.in(2), rank)));
}

void lower_layer_normalization(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.in(0);
  const Dims dims = c.dims(0);
  const std::size_t first = Call::axis(c.integer("axis", -1), dims.size());
  const Dims axes = axes_from(first, dims.size());
  const double epsilon = c.number("epsilon", 1e-5);
  const Dims normal_dims(dims.begin() + static_cast<std::ptrdiff_t>(first), dims.end());
  const ConstantPtr gamma = c.known(1), beta = c.known(2);
  const auto fits = [&](const ConstantPtr& p) { return p && p->type.dims == normal_dims; };
  if (fits(gamma) && (fits(beta) || !c.has(2))) {
    c.give(0, emit.add(
                  "layer_norm",
                  {{"x", x}, {"axes", axes}, {"gamma", gamma}, {"beta", beta}, {"epsilon", emit.number(x, epsilon)}}));
  } else {
    MilValue* y = standardised(emit, x, axes, epsilon);
    if (c.has(1)) y = emit.mul(y, c.in(1));
    c.give(0, c.has(2) ? emit.add2(y, c.in(2)) : y);
  }
  if (!c.wants(1) && !c.wants(2)) return;
  MilValue* mean = mean_of(emit, x, axes);
  c.give(1, mean);
  MilValue* variance = mean_of(emit, emit.add("square", {{"x", emit.sub(x, mean)}}), axes);
  c.give(2, emit.add("rsqrt", {{"x", variance}, {"epsilon", emit.number(x, epsilon)}}));
}

// x / √(mean of x² + epsilon) · scale, over the axes from `axis` on.
void lower_rms_normalization(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.in(0);
  const std::size_t rank = c.rank(0);
  const Dims axes = axes_from(Call::axis(c.integer("axis", -1), rank), rank);
  MilValue* power = mean_of(emit, emit.add("square", {{"x", x}}), axes);
  MilValue* scale = emit.add("rsqrt", {{"x", power}, {"epsilon", emit.number(x, c.number("epsilon", 1e-5))}});
  c.give(emit.mul(emit.mul(x, scale), c.in(1)));
}

// Scale and bias: one a group up to opset 20, one a channel after.
void lower_group_normalization(Call& c) {
  Emit& emit = c.emit();
  const Dims x = c.dims(0);
  const std::int64_t groups = c.integer("num_groups", 1);
  if (x.size() < 3 || groups < 1 || x[1] % groups != 0 || count_of(x) == 0)
    Call::refuse(fmt::format("{} groups of {}", groups, brief(x)));
  MilValue* grouped = emit.reshape(c.in(0), {x[0], groups, count_of(x) / x[0] / groups});
  MilValue* normal = standardised(emit, grouped, {2}, c.number("epsilon", 1e-5));
  if (c.opset() < 21 && count_of(c.dims(1)) == groups) {
    const Dims each{1, groups, 1};
    normal = emit.add2(emit.mul(normal, emit.reshape(c.in(1), each)), emit.reshape(c.in(2), each));
    return c.give(emit.reshape(normal, x));
  }
  normal = emit.reshape(normal, x);
  c.give(emit.add2(emit.mul(normal, by_channel(emit, c.in(1), x.size())), by_channel(emit, c.in(2), x.size())));
}

// (x − mean) / (√(mean of x² − mean²) + 1e-9)
void lower_mean_variance_normalization(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.real(0);
  Dims axes = c.list("axes");
  if (axes.empty()) axes = {0, 2, 3};
  MilValue* centred = emit.sub(x, mean_of(emit, x, axes));
  MilValue* deviation = emit.add("sqrt", {{"x", mean_of(emit, emit.add("square", {{"x", centred}}), axes)}});
  c.give(emit.add("real_div", {{"x", centred}, {"y", emit.add2(deviation, 1e-9)}}));
}

void lower_lp_normalization(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.real(0);
  const auto axis = static_cast<std::int64_t>(Call::axis(c.integer("axis", -1), c.rank(0)));
  const std::int64_t p = c.integer("p", 2);
  if (p != 1 && p != 2) Call::refuse(fmt::format("the norm of order {}", p));
  MilValue* size =
      emit.add(p == 1 ? "reduce_l1_norm" : "reduce_l2_norm", {{"x", x}, {"axes", {axis}}, {"keep_dims", true}});
  c.give(emit.add("real_div", {{"x", x}, {"y", size}}));
}

// x / (bias + alpha/size · Σx² over `size` neighbouring channels)^beta
void lower_lrn(Call& c) {
  Emit& emit = c.emit();
  MilValue* x = c.real(0);
  const std::int64_t size = c.integer("size", 1);
  const double alpha = c.number("alpha", 1e-4), beta = c.number("beta", 0.75), bias = c.number("bias", 1);
  const Dims& dims = c.dims(0);
  if (size < 1 || size > 1024) Call::refuse(fmt::format("a window of {} channels", size));
  if (dims.size() == 4 && size % 2 == 1) {
    return c.give(emit.add("local_response_norm", {{"x", x},
                                                   {"size", size},
                                                   {"alpha", emit.number(x, alpha)},
                                                   {"beta", emit.number(x, beta)},
                                                   {"k", emit.number(x, bias)}}));
  }
  if (dims.size() < 2) Call::refuse("no channels");
  // The squares of each channel's neighbours, from (size − 1)/2 before it on, as slices of a padded tensor. Further away
  // than there are channels, all is zero.
  Dims margin = dims;
  const auto zeros = [&](std::int64_t n) {
    margin[1] = n;
    return emit.fill(x->type.dtype, margin, 0);
  };
  std::vector<MilValue*> parts;
  const std::int64_t furthest = std::max<std::int64_t>(dims[1] - 1, 0);
  const std::int64_t before = std::min((size - 1) / 2, furthest), after = std::min(size / 2, furthest);
  if (before > 0) parts.push_back(zeros(before));
  parts.push_back(emit.add("square", {{"x", x}}));
  if (after > 0) parts.push_back(zeros(after));
  MilValue* squares = emit.concat(parts, 1);
  MilValue* sum = nullptr;
  for (std::int64_t i = 0; i <= before + after; ++i) {
    MilValue* shifted = emit.slice(squares, 1, i, i + dims[1]);
    sum = sum ? emit.add2(sum, shifted) : shifted;
  }
  MilValue* base = emit.add2(emit.mul(sum, alpha / static_cast<double>(size)), bias);
  c.give(emit.add("real_div", {{"x", x}, {"y", emit.add("pow", {{"x", base}, {"y", emit.number(x, beta)}})}}));
}

// Softmax of before opset 13: over all dimensions from `axis` on together.
struct Flat {
  MilValue* x;
  Dims dims;          ///< to go back to
  std::int64_t axis;  ///< of the values that belong together
};
Flat flat_from_axis(Call& c) {
  const Dims& dims = c.dims(0);
  MilValue* x = c.real(0);
  if (c.opset() >= 13) return {x, dims, static_cast<std::int64_t>(Call::axis(c.integer("axis", -1), dims.size()))};
  std::int64_t axis = c.integer("axis", 1);
  if (axis < 0) axis += static_cast<std::int64_t>(dims.size());
  if (axis < 0) Call::refuse(fmt::format("there is no axis {} in {}", c.integer("axis", 1), brief(dims)));
  const auto middle = dims.begin() + std::min<std::int64_t>(axis, static_cast<std::int64_t>(dims.size()));
  const bool alone = std::count_if(middle, dims.end(), [](std::int64_t n) { return n != 1; }) <= 1;
  if (alone && middle != dims.end()) {  // one extent that counts: no need to flatten
    std::size_t at = static_cast<std::size_t>(axis);
    for (std::size_t d = at; d < dims.size(); ++d) at = dims[d] != 1 ? d : at;
    return {x, dims, static_cast<std::int64_t>(at)};
  }
  return {c.emit().reshape(x, {count_of(Dims(dims.begin(), middle)), count_of(Dims(middle, dims.end()))}), dims, 1};
}
void lower_softmax(Call& c) {
  const Flat flat = flat_from_axis(c);
  c.give(c.emit().reshape(c.emit().add("softmax", {{"x", flat.x}, {"axis", flat.axis}}), flat.dims));
}
}  // namespace

MilValue* log_softmax(Emit& emit, MilValue* x, std::int64_t axis) {
  MilValue* greatest = emit.add("reduce_max", {{"x", x}, {"axes", {axis}}, {"keep_dims", true}});
  MilValue* shifted = emit.sub(x, greatest);
  return emit.sub(shifted, emit.add("reduce_log_sum_exp", {{"x", shifted}, {"axes", {axis}}, {"keep_dims", true}}));
}
namespace {

void lower_log_softmax(Call& c) {
  const Flat flat = flat_from_axis(c);
  c.give(c.emit().reshape(log_softmax(c.emit(), flat.x, flat.axis), flat.dims));
}
// 1 at the greatest element, the first of equals; 0 elsewhere.
void lower_hardmax(Call& c) {
  Emit& emit = c.emit();
  const Flat flat = flat_from_axis(c);
  MilValue* index = emit.add("reduce_argmax", {{"x", flat.x}, {"axis", flat.axis}, {"keep_dims", false}});
  const std::int64_t size = flat.x->type.dims[static_cast<std::size_t>(flat.axis)];
  MilValue* hot = emit.add("one_hot", {{"indices", index},
                                       {"one_hot_vector_size", size},
                                       {"axis", flat.axis},
                                       {"on_value", emit.number(flat.x, 1)},
                                       {"off_value", emit.number(flat.x, 0)}});
  c.give(emit.reshape(hot, flat.dims));
}

constexpr Row kRows[] = {
    {"BatchNormalization", 1, lower_batch_normalization, "training mode of before opset 14"},
    {"InstanceNormalization", 1, lower_instance_normalization},
    {"LayerNormalization", 17, lower_layer_normalization},
    {"LayerNormalization", 1, lower_layer_normalization, {}, "com.microsoft"},
    {"RMSNormalization", 23, lower_rms_normalization},
    {"GroupNormalization", 18, lower_group_normalization},
    {"MeanVarianceNormalization", 9, lower_mean_variance_normalization},
    {"LpNormalization", 1, lower_lp_normalization},
    {"LRN", 1, lower_lrn},
    {"Softmax", 1, lower_softmax},
    {"LogSoftmax", 1, lower_log_softmax},
    {"Hardmax", 1, lower_hardmax},
};

}  // namespace

std::span<const Row> normalization_lowerings() { return kRows; }

}  // namespace anemone::onnx

// batch_norm, instance_norm, layer_norm, l2_norm, local_response_norm.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

// Up to CoreML6 the parameters share the dtype of x; from CoreML7 they have one of their own.
template <char Group>
struct Params {
  static constexpr Param kBatch[] = {input("x"),
                                     fixed("mean", kFloats, Group),
                                     fixed("variance", kFloats, Group),
                                     option("gamma", kFloats, Group, each(1)),
                                     option("beta", kFloats, Group, each(0)),
                                     option("epsilon", kFloats, Group, 1e-5)};
  static constexpr Param kInstance[] = {input("x"), option("gamma", kFloats, Group, each(1)),
                                        option("beta", kFloats, Group, each(0)),
                                        option("epsilon", kFloats, Group, 1e-5)};
  static constexpr Param kLayer[] = {input("x"), option("axes", kInt32, 0, derived("all")),
                                     option("gamma", kFloats, Group, each(1)), option("beta", kFloats, Group, each(0)),
                                     option("epsilon", kFloats, Group, 1e-5)};
  static constexpr Param kL2[] = {input("x"), option("epsilon", kFloats, Group, 1e-6)};
  static constexpr Param kLocal[] = {input("x"), fixed("size", kInt32), option("alpha", kFloats, Group, 1e-4),
                                     option("beta", kFloats, Group, 0.75), option("k", kFloats, Group, 1)};
};

Types per_channel(const InferView& v, std::int64_t lowest, std::int64_t highest) {
  const Type& x = v.type("x");
  TRY_VOID(check_rank(v, "x", lowest, highest));  // (C1)
  for (const char* param : {"mean", "variance", "gamma", "beta"}) {
    if (x.ranked) TRY_VOID(check_length(v, param, x.dims[1]));  // (C2) one number a channel
  }
  return one(x);
}
Types infer_batch(const InferView& v) { return per_channel(v, 3, 5); }
Types infer_instance(const InferView& v) { return per_channel(v, 3, 4); }

Types infer_layer(const InferView& v) {
  const Type& x = v.type("x");
  if (!x.ranked) return one(x);
  TRY(const Dims axes, axes_in(v, "axes", v.ints("axes"), x.rank()));  // (C1) axes exist, once each
  Dims normalised;
  for (std::int64_t axis : axes) normalised.push_back(x.dims[static_cast<std::size_t>(axis)]);
  if (!v.has("axes")) normalised = x.dims;
  TRY_VOID(check_dims(v, "gamma", normalised));  // (C2) gamma and beta have the shape of what is normalised
  TRY_VOID(check_dims(v, "beta", normalised));
  return one(x);
}

Types infer_l2(const InferView& v) {
  TRY_VOID(check_rank(v, "x", 3, 5));  // (C1)
  return same_as_x(v);
}

Types infer_local(const InferView& v) {
  TRY_VOID(check_rank(v, "x", 3, 5));                                                                       // (C1)
  if (v.integer("size") < 1) return v.wrong("size", fmt::format("{} is not positive", v.integer("size")));  // (C2)
  return same_as_x(v);
}

constexpr Form kBatchForms[] = {{Target::ios15, Params<'T'>::kBatch, infer_batch},
                                {Target::ios17, Params<'U'>::kBatch, infer_batch}};
constexpr Form kInstanceForms[] = {{Target::ios15, Params<'T'>::kInstance, infer_instance},
                                   {Target::ios17, Params<'U'>::kInstance, infer_instance}};
constexpr Form kLayerForms[] = {{Target::ios15, Params<'T'>::kLayer, infer_layer},
                                {Target::ios17, Params<'U'>::kLayer, infer_layer}};
constexpr Form kL2Forms[] = {{Target::ios15, Params<'T'>::kL2, infer_l2}, {Target::ios17, Params<'U'>::kL2, infer_l2}};
constexpr Form kLocalForms[] = {{Target::ios15, Params<'T'>::kLocal, infer_local},
                                {Target::ios17, Params<'U'>::kLocal, infer_local}};

Result<void> eval_batch(EvalView& v) {
  const Array &x = v.in("x"), &mean = v.in("mean"), &variance = v.in("variance");
  const double epsilon = number_of(v, "epsilon");
  const ChannelValues gamma(v, "gamma"), beta(v, "beta");
  const AxisView view(x.dims, 1);
  Array& y = v.out();
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    const std::size_t c = i / static_cast<std::size_t>(view.inner) % static_cast<std::size_t>(view.extent);
    const double normal = (x.data[i] - mean.data[c]) / std::sqrt(variance.data[c] + epsilon);
    y.data[i] = gamma[c] * normal + beta[c];
  }
  return {};
}

// y = (x − mean) / √(variance + epsilon) over `count` elements that `at(i)` names.
template <class At>
void normalise(const Array& x, Array& y, std::int64_t count, double epsilon, At&& at) {
  double mean = 0, variance = 0;
  for (std::int64_t i = 0; i < count; ++i) mean += x.data[at(i)];
  mean /= static_cast<double>(count);
  for (std::int64_t i = 0; i < count; ++i) variance += (x.data[at(i)] - mean) * (x.data[at(i)] - mean);
  variance /= static_cast<double>(count);
  for (std::int64_t i = 0; i < count; ++i) y.data[at(i)] = (x.data[at(i)] - mean) / std::sqrt(variance + epsilon);
}

Result<void> eval_instance(EvalView& v) {
  const Array& x = v.in("x");
  const ChannelValues gamma(v, "gamma"), beta(v, "beta");
  Array& y = v.out();
  const AxisView view(x.dims, 1);
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (std::int64_t c = 0; c < view.extent; ++c) {
      normalise(x, y, view.inner, number_of(v, "epsilon"), [&](std::int64_t i) { return view.at(o, c, i); });
      for (std::int64_t i = 0; i < view.inner; ++i) {
        double& out = y.data[view.at(o, c, i)];
        out = out * gamma[static_cast<std::size_t>(c)] + beta[static_cast<std::size_t>(c)];
      }
    }
  }
  return {};
}

Result<void> eval_layer(EvalView& v) {
  const Array& x = v.in("x");
  const ChannelValues gamma(v, "gamma"), beta(v, "beta");
  Array& y = v.out();
  Dims axes = v.ints("axes");
  if (!v.has("axes")) {
    for (std::int64_t d = 0; d < x.rank(); ++d) axes.push_back(d);
  }
  // Walk the kept dimensions outside, the normalised ones inside, in the order of `axes` (that of gamma).
  const Dims strides = row_major_strides(x.dims);
  Dims kept = x.dims, inner, inner_strides;
  for (std::int64_t axis : axes) {
    const std::size_t a = wrap_axis(axis, x.rank());
    kept[a] = 1;
    inner.push_back(x.dims[a]);
    inner_strides.push_back(strides[a]);
  }
  std::vector<std::size_t> offsets(static_cast<std::size_t>(product(inner)));
  for_each_index(inner, [&](const Dims& index, std::size_t flat) { offsets[flat] = offset(index, inner_strides); });
  const double epsilon = number_of(v, "epsilon");
  for_each_index(kept, [&](const Dims& index, std::size_t) {
    const std::size_t base = offset(index, strides);
    normalise(x, y, static_cast<std::int64_t>(offsets.size()), epsilon,
              [&](std::int64_t i) { return base + offsets[static_cast<std::size_t>(i)]; });
    for (std::size_t i = 0; i < offsets.size(); ++i) {
      double& out = y.data[base + offsets[i]];
      out = out * gamma[i] + beta[i];
    }
  });
  return {};
}

// Over the last three dimensions together.
Result<void> eval_l2(EvalView& v) {
  const Array& x = v.in("x");
  Array& y = v.out();
  const double epsilon = number_of(v, "epsilon");
  const auto block = static_cast<std::size_t>(product(std::span(x.dims).last(3)));
  for (std::size_t begin = 0; begin + block <= x.data.size() && block > 0; begin += block) {
    double sum = 0;
    for (std::size_t i = begin; i < begin + block; ++i) sum += x.data[i] * x.data[i];
    for (std::size_t i = begin; i < begin + block; ++i) y.data[i] = x.data[i] / std::sqrt(sum + epsilon);
  }
  return {};
}

// The window has size / 2 channels before, the rest after. Core ML counts dimensions from the right: the channels of a
// tensor of rank 3 are its first dimension, not, as in PyTorch and ONNX, its second.
Result<void> eval_local(EvalView& v) {
  const Array& x = v.in("x");
  Array& y = v.out();
  const AxisView view(x.dims, x.dims.size() - 3);
  const std::int64_t size = v.integer("size"), before = size / 2;
  const double alpha = number_of(v, "alpha"), beta = number_of(v, "beta"), k = number_of(v, "k");
  for (std::int64_t o = 0; o < view.outer; ++o) {
    for (std::int64_t c = 0; c < view.extent; ++c) {
      for (std::int64_t i = 0; i < view.inner; ++i) {
        double sum = 0;
        const std::int64_t last = std::min(view.extent, c - before + size);
        for (std::int64_t w = std::max<std::int64_t>(0, c - before); w < last; ++w) {
          sum += x.data[view.at(o, w, i)] * x.data[view.at(o, w, i)];
        }
        y.data[view.at(o, c, i)] =
            x.data[view.at(o, c, i)] / std::pow(k + alpha / static_cast<double>(size) * sum, beta);
      }
    }
  }
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "batch_norm",
     .summary = "gamma · (x − mean) / √(variance + epsilon) + beta, per channel",
     .forms = kBatchForms,
     .eval = eval_batch,
     .traits = kEpilogue | kNorm},
    {.name = "instance_norm",
     .summary = "as batch_norm, with the statistics of each channel of each sample",
     .forms = kInstanceForms,
     .eval = eval_instance,
     .traits = kNorm},
    {.name = "layer_norm",
     .summary = "x normalised over axes, times gamma, plus beta",
     .forms = kLayerForms,
     .eval = eval_layer,
     .traits = kNorm},
    {.name = "l2_norm",
     .summary = "x / √(Σx² + epsilon) over the last three dimensions together",
     .forms = kL2Forms,
     .eval = eval_l2,
     .traits = kNorm},
    {.name = "local_response_norm",
     .summary = "x / (k + alpha/size · Σx² over neighbouring channels)^beta",
     .forms = kLocalForms,
     .eval = eval_local,
     .traits = kNorm},
};

}  // namespace

std::span<const OpDef> normalization() { return kOps; }

}  // namespace anemone::ops

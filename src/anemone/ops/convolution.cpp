// conv and conv_transpose over one to three spatial dimensions.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"
#include "anemone/ops/window.h"

namespace anemone::ops {
namespace {

constexpr Param kConv15[] = {input("x"),
                             input("weight"),
                             option("bias", kFloats, 'T'),
                             option("strides", kInt32, 0, each(1)),
                             option("pad_type", kString, 0, "valid"),
                             option("pad", kInt32, 0, each(0)),
                             option("dilations", kInt32, 0, each(1)),
                             option("groups", kInt32, 0, 1)};
// The weight may come at run time, and may have another dtype than x.
constexpr auto kConv17 = with(kConv15, {input("weight", kFloats, 'U'), maybe("bias", kFloats, 'U')});
constexpr Param kConvTranspose15[] = {input("x"),
                                      fixed("weight", kFloats, 'T'),
                                      option("bias", kFloats, 'T'),
                                      option("pad", kInt32, 0, each(0)),
                                      option("output_shape", kInt32),
                                      option("pad_type", kString, 0, "valid"),
                                      option("strides", kInt32, 0, each(1)),
                                      option("dilations", kInt32, 0, each(1)),
                                      option("groups", kInt32, 0, 1)};
constexpr auto kConvTranspose17 = with(kConvTranspose15, {input("weight", kFloats, 'U'), maybe("bias", kFloats, 'U')});

// (C1) rank 3 to 5, (C2) weight of the same rank, (C3) strides, dilations and pad one a spatial dimension and positive,
// (C4) a pad_type of the opset.
Result<void> check_common(const InferView& v, bool transposed) {
  const Type &x = v.type("x"), &w = v.type("weight");
  TRY_VOID(check_rank(v, "x", 3, 5));                                                                 // (C1)
  if (w.ranked) TRY_VOID(check_rank(v, "weight", x.ranked ? x.rank() : 3, x.ranked ? x.rank() : 5));  // (C2)
  const auto spatial = static_cast<std::size_t>((x.ranked ? x : w).rank() - 2);
  if (x.ranked || w.ranked) {  // (C3)
    TRY_VOID(check_numbers(v, "strides", spatial, 1));
    TRY_VOID(check_numbers(v, "dilations", spatial, 1));
    TRY_VOID(check_numbers(v, "pad", 2 * spatial, 0));
  }
  if (!transposed && v.opset() >= Target::ios16) {  // (C4)
    return check_word(v, "pad_type", {"valid", "same", "custom", "same_lower"});
  }
  return check_word(v, "pad_type", {"valid", "same", "custom"});
}

Dims spatial_part(const Dims& dims) { return Dims(dims.begin() + 2, dims.end()); }

Result<void> check_extents(const InferView& v, const Window& window) {
  for (std::size_t d = 0; d < window.out.size(); ++d) {
    if (window.out[d] != kUnknown && window.out[d] <= 0) {
      return v.wrong("x", fmt::format("extent {} with padding {}+{} is smaller than the kernel, which spans {}",
                                      window.in[d], window.before[d], window.after[d], window.span(d)));
    }
  }
  return {};
}

// weight [Cout, Cin/groups, kernel…]
Types infer_conv(const InferView& v) {
  const Type &x = v.type("x"), &w = v.type("weight");
  TRY_VOID(check_common(v, false));
  if (!x.ranked) return one(Type::unranked(x.dtype));
  const std::int64_t groups = v.integer("groups"), channels = x.dims[1];
  if (groups < 1 || (channels != kUnknown && channels % groups != 0)) {  // (C5) groups divide the input channels
    return v.wrong("groups", fmt::format("{} does not divide the {} input channels", groups, channels));
  }
  if (!w.ranked) return one(x.dtype, Dims(x.dims.size(), kUnknown));
  const std::int64_t out_channels = w.dims[0];
  if (out_channels != kUnknown && out_channels % groups != 0) {  // (C6) and the output channels
    return v.wrong("groups", fmt::format("{} does not divide the {} output channels", groups, out_channels));
  }
  if (!may_equal(w.dims[1], channels == kUnknown ? kUnknown : channels / groups)) {  // (C7) Cin/groups
    return v.wrong("weight", fmt::format("{} takes {} channels a group, x has {} in {} groups", brief(w.dims),
                                         w.dims[1], channels, groups));
  }
  TRY_VOID(check_length(v, "bias", out_channels));  // (C8) [Cout]
  const Dims dilations = v.ints("dilations");
  const bool run_time = v.comes_at_run_time("weight");
  if (run_time && std::any_of(dilations.begin(), dilations.end(), [](std::int64_t d) { return d != 1; })) {  // (C9)
    return v.wrong("dilations", "must be 1 where the weight comes at run time");
  }
  const Window window = conv_window(v, spatial_part(x.dims), spatial_part(w.dims));
  TRY_VOID(check_extents(v, window));  // (C10) the kernel fits
  Dims out{x.dims[0], out_channels};
  out.insert(out.end(), window.out.begin(), window.out.end());
  return one(x.dtype, std::move(out));
}

// weight [Cin, Cout/groups, kernel…]
Types infer_conv_transpose(const InferView& v) {
  const Type &x = v.type("x"), &w = v.type("weight");
  TRY_VOID(check_common(v, true));
  if (!x.ranked) return one(Type::unranked(x.dtype));
  if (!w.ranked) return one(x.dtype, Dims(x.dims.size(), kUnknown));
  const std::int64_t groups = v.integer("groups"), channels = x.dims[1];
  if (groups < 1 || (channels != kUnknown && channels % groups != 0)) {  // (C5)
    return v.wrong("groups", fmt::format("{} does not divide the {} input channels", groups, channels));
  }
  if (!may_equal(w.dims[0], channels)) {  // (C7) Cin
    return v.wrong("weight", fmt::format("{} takes {} channels, x has {}", brief(w.dims), w.dims[0], channels));
  }
  const std::int64_t out_channels = times(w.dims[1], groups);
  TRY_VOID(check_length(v, "bias", out_channels));  // (C8)
  const Window window = conv_transpose_window(v, spatial_part(x.dims), spatial_part(w.dims));
  Dims out{x.dims[0], out_channels};
  out.insert(out.end(), window.out.begin(), window.out.end());
  if (const auto wanted = v.known_ints("output_shape")) {  // (C11) the complete shape, with the right N and Cout
    if (wanted->size() != out.size() || !may_equal((*wanted)[0], out[0]) || !may_equal((*wanted)[1], out[1])) {
      return v.wrong("output_shape", fmt::format("{} is given, where {} comes out", brief(*wanted), brief(out)));
    }
  }
  TRY_VOID(check_extents(v, window));  // (C10) something is left
  return one(x.dtype, std::move(out));
}

constexpr Form kConvForms[] = {{Target::ios15, kConv15, infer_conv}, {Target::ios17, kConv17, infer_conv}};
constexpr Form kConvTransposeForms[] = {{Target::ios15, kConvTranspose15, infer_conv_transpose},
                                        {Target::ios17, kConvTranspose17, infer_conv_transpose}};

// Both directions tie an element `small` of the strided side to an element `large` of the dense side, tap by tap:
// large = small · stride + tap · dilation − before. Calls visit(tap, small plane row, large plane row, first, last) for
// every tap and pair of rows, where [first, last) are the small columns whose large column lies inside.
template <class Visit>
void for_each_row(const Window& w, const Dims& small, const Dims& large, Visit&& visit) {
  const auto inside = [&](std::size_t d, std::int64_t s, std::int64_t tap) {
    const std::int64_t at = s * w.strides[d] + tap * w.dilations[d] - w.before[d];
    return at >= 0 && at < large[d] ? at : -1;
  };
  std::int64_t tap = 0;
  for (std::int64_t kz = 0; kz < w.kernel[0]; ++kz) {
    for (std::int64_t ky = 0; ky < w.kernel[1]; ++ky) {
      for (std::int64_t kx = 0; kx < w.kernel[2]; ++kx, ++tap) {
        const std::int64_t shift = kx * w.dilations[2] - w.before[2], stride = w.strides[2];
        const std::int64_t first = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
        const std::int64_t last = large[2] <= shift ? 0 : std::min(small[2], (large[2] - shift + stride - 1) / stride);
        if (first >= last) continue;
        for (std::int64_t sz = 0; sz < small[0]; ++sz) {
          const std::int64_t lz = inside(0, sz, kz);
          for (std::int64_t sy = 0; lz >= 0 && sy < small[1]; ++sy) {
            const std::int64_t ly = inside(1, sy, ky);
            if (ly < 0) continue;
            visit(tap, (sz * small[1] + sy) * small[2], (lz * large[1] + ly) * large[2] + shift, first, last);
          }
        }
      }
    }
  }
}

void fill_with_bias(Array& y, const Array* bias, std::int64_t plane) {
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    y.data[i] = bias ? bias->data[i / static_cast<std::size_t>(plane) % bias->data.size()] : 0;
  }
}

Result<void> eval_conv(EvalView& v) {
  const Array &x = v.in("x"), &weight = v.in("weight");
  Array& y = v.out();
  const Window w = with_three_dimensions(conv_window(v, spatial_part(x.dims), spatial_part(weight.dims)));
  const std::int64_t in_plane = product(w.in), out_plane = product(w.out), taps = product(w.kernel),
                     stride = w.strides[2];
  const std::int64_t groups = v.integer("groups"), in_group = weight.dims[1], out_group = y.dims[1] / groups;
  fill_with_bias(y, v.maybe("bias"), out_plane);
  for (std::int64_t n = 0; n < y.dims[0]; ++n) {
    for (std::int64_t oc = 0; oc < y.dims[1]; ++oc) {
      double* out = y.data.data() + (n * y.dims[1] + oc) * out_plane;
      for (std::int64_t i = 0; i < in_group; ++i) {
        const double* in = x.data.data() + (n * x.dims[1] + oc / out_group * in_group + i) * in_plane;
        const double* tap_weights = weight.data.data() + (oc * in_group + i) * taps;
        for_each_row(
            w, w.out, w.in,
            [&](std::int64_t tap, std::int64_t small, std::int64_t large, std::int64_t first, std::int64_t last) {
              const double factor = tap_weights[tap];
              for (std::int64_t c = first; c < last; ++c) out[small + c] += factor * in[large + c * stride];
            });
      }
    }
  }
  return {};
}

Result<void> eval_conv_transpose(EvalView& v) {
  const Array &x = v.in("x"), &weight = v.in("weight");
  Array& y = v.out();
  const Window w = with_three_dimensions(conv_transpose_window(v, spatial_part(x.dims), spatial_part(weight.dims)));
  const std::int64_t in_plane = product(w.in), out_plane = product(w.out), taps = product(w.kernel),
                     stride = w.strides[2];
  const std::int64_t groups = v.integer("groups"), in_group = x.dims[1] / groups, out_group = weight.dims[1];
  fill_with_bias(y, v.maybe("bias"), out_plane);
  for (std::int64_t n = 0; n < y.dims[0]; ++n) {
    for (std::int64_t oc = 0; oc < y.dims[1]; ++oc) {
      double* out = y.data.data() + (n * y.dims[1] + oc) * out_plane;
      for (std::int64_t i = 0; i < in_group; ++i) {
        const std::int64_t channel = oc / out_group * in_group + i;
        const double* in = x.data.data() + (n * x.dims[1] + channel) * in_plane;
        const double* tap_weights = weight.data.data() + (channel * out_group + oc % out_group) * taps;
        for_each_row(
            w, w.in, w.out,
            [&](std::int64_t tap, std::int64_t small, std::int64_t large, std::int64_t first, std::int64_t last) {
              const double factor = tap_weights[tap];
              for (std::int64_t c = first; c < last; ++c) out[large + c * stride] += factor * in[small + c];
            });
      }
    }
  }
  return {};
}

std::int64_t known_or_zero(std::int64_t count) { return count == kUnknown ? 0 : count; }

std::int64_t macs_conv(const Node& node) {
  const Value* weight = node.input("weight");
  const Dims& w = weight->type.dims;
  if (w.empty()) return 0;
  return known_or_zero(times(product(node.output()->type.dims), product(std::span(w).subspan(1))));
}
std::int64_t macs_conv_transpose(const Node& node) {
  const Dims& w = node.input("weight")->type.dims;
  if (w.empty()) return 0;
  return known_or_zero(times(product(node.input("x")->type.dims), product(std::span(w).subspan(1))));
}

constexpr OpDef kOps[] = {
    {.name = "conv",
     .summary = "cross-correlation of x [N, Cin, …] with weight [Cout, Cin/groups, …], plus bias",
     .forms = kConvForms,
     .eval = eval_conv,
     .macs = macs_conv,
     .traits = kProduct | kConvolution},
    {.name = "conv_transpose",
     .summary = "the transpose of conv; weight is [Cin, Cout/groups, …], pad is cut off the full result",
     .forms = kConvTransposeForms,
     .eval = eval_conv_transpose,
     .macs = macs_conv_transpose,
     .traits = kProduct | kConvolution},
};

}  // namespace

std::span<const OpDef> convolution() { return kOps; }

}  // namespace anemone::ops

// Packing weights, and which algorithm runs a convolution.
#include "anemone/runtime/cpu/conv.h"

#include <algorithm>

#include "anemone/runtime/cpu/conv_kernels.h"
#include "anemone/runtime/cpu/gemm_tile.h"

namespace anemone::cpu {
namespace {

std::int64_t out_extent(std::int64_t in, std::int64_t pads, std::int64_t kernel, std::int64_t stride,
                        std::int64_t dilation) {
  const std::int64_t room = in + pads - ((kernel - 1) * dilation + 1);
  return room < 0 ? 0 : room / stride + 1;
}

// Per group, panels of output channels: [panel][tap][channel of the group][row of the panel]. Taps outside channels, so
// that the input tile is filled channel after channel with the same clipping.
runtime::FloatBuffer pack_gemm(const ConvParams& p, const float* weights, std::int64_t panel_rows) {
  const std::int64_t rows = p.out_channels / p.groups, channels = p.in_channels / p.groups;
  const std::int64_t taps = p.kernel_height * p.kernel_width, depth = channels * taps;
  runtime::FloatBuffer packed(static_cast<std::size_t>(p.out_channels * depth));
  const RowPanels panels(rows, panel_rows);
  float* to = packed.data();
  for (std::int64_t group = 0; group < p.groups; ++group) {
    for (std::int64_t panel = 0; panel < panels.count; ++panel) {
      const std::int64_t size = panels.size(panel);
      const float* from = weights + (group * rows + panels.begin(panel)) * depth;
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        for (std::int64_t c = 0; c < channels; ++c) {
          for (std::int64_t r = 0; r < size; ++r) *to++ = from[r * depth + c * taps + tap];
        }
      }
    }
  }
  return packed;
}

bool is_depthwise(const ConvParams& p) { return p.groups > 1 && p.groups == p.in_channels; }

bool suits_winograd(const ConvParams& p) {
  return p.kernel_height == 3 && p.kernel_width == 3 && p.stride_height == 1 && p.stride_width == 1 &&
         p.dilation_height == 1 && p.dilation_width == 1 && p.groups == 1;
}

}  // namespace

std::int64_t ConvParams::out_height(std::int64_t in_height) const {
  return out_extent(in_height, pad_top + pad_bottom, kernel_height, stride_height, dilation_height);
}

std::int64_t ConvParams::out_width(std::int64_t in_width) const {
  return out_extent(in_width, pad_left + pad_right, kernel_width, stride_width, dilation_width);
}

std::int64_t ConvParams::macs(std::int64_t in_height, std::int64_t in_width) const {
  return out_height(in_height) * out_width(in_width) * out_channels * (in_channels / groups) * kernel_height *
         kernel_width;
}

ConvAlgorithm fastest_algorithm(const ConvParams& p, std::int64_t out_height, std::int64_t out_width) {
  if (is_depthwise(p)) return ConvAlgorithm::depthwise;
  if (!suits_winograd(p) || p.in_channels < 32 || p.out_channels < 32) return ConvAlgorithm::gemm;
  // Tiles reach over the edge, and their weights, four times as many, are made once a call and read once a block.
  const std::int64_t tiles = ((out_height + 3) / 4) * ((out_width + 3) / 4);
  const bool fits = tiles * 16 * 3 <= out_height * out_width * 4;
  return fits && tiles >= 16 ? ConvAlgorithm::winograd : ConvAlgorithm::gemm;
}

PackedConv pack_conv(const ConvParams& params, const float* weights, const float* bias) {
  return pack_conv(params, weights, bias, is_depthwise(params) ? ConvAlgorithm::depthwise : ConvAlgorithm::gemm);
}

PackedConv pack_conv(const ConvParams& params, const float* weights, const float* bias, ConvAlgorithm algorithm) {
  PackedConv packed;
  packed.form.params = params;
  const bool can = algorithm == ConvAlgorithm::winograd ? suits_winograd(params) : params.groups == params.in_channels;
  packed.form.algorithm = can ? algorithm : ConvAlgorithm::gemm;
  packed.bias = runtime::FloatBuffer(static_cast<std::size_t>(params.out_channels));
  if (bias) {
    std::copy_n(bias, params.out_channels, packed.bias.data());
  } else {
    std::fill_n(packed.bias.data(), params.out_channels, 0.0f);
  }
  if (packed.form.algorithm == ConvAlgorithm::depthwise) {
    const std::int64_t size = params.out_channels * params.kernel_height * params.kernel_width;
    packed.weights = runtime::FloatBuffer(static_cast<std::size_t>(size));
    std::copy_n(weights, size, packed.weights.data());
  } else {
    packed.form.panel_rows = gemm_kernels().panel_rows;
    packed.weights = pack_gemm(params, weights, packed.form.panel_rows);
  }
  return packed;
}

void conv2d(const ConvForm& form, const float* weights, const float* bias, const float* in, std::int64_t batch,
            std::int64_t in_height, std::int64_t in_width, float* out, runtime::ThreadPool& pool,
            const Epilogue& epilogue, const Prologue& prologue) {
  const ConvParams& p = form.params;
  const ConvCall call{.form = &form,
                      .weights = weights,
                      .bias = bias,
                      .in = in,
                      .batch = batch,
                      .in_height = in_height,
                      .in_width = in_width,
                      .out_height = p.out_height(in_height),
                      .out_width = p.out_width(in_width),
                      .out = out,
                      .epilogue = &epilogue,
                      .prologue = &prologue};
  if (call.batch <= 0 || call.out_height <= 0 || call.out_width <= 0) return;
  if (form.algorithm == ConvAlgorithm::depthwise) {
    conv2d_depthwise(call, pool);
  } else if (form.algorithm == ConvAlgorithm::winograd) {
    conv2d_winograd(call, pool);
  } else {
    conv2d_gemm(call, pool);
  }
}

void conv2d(const PackedConv& conv, const float* in, std::int64_t batch, std::int64_t in_height, std::int64_t in_width,
            float* out, runtime::ThreadPool& pool, const Epilogue& epilogue, const Prologue& prologue) {
  runtime::FloatBuffer transformed;
  if (conv.form.algorithm == ConvAlgorithm::winograd) {
    transformed = runtime::FloatBuffer(static_cast<std::size_t>(transformed_count(conv.form)));
    transform_weights(conv.form, conv.weights.data(), transformed.data(), pool);
  }
  const float* weights = transformed.data() ? transformed.data() : conv.weights.data();
  conv2d(conv.form, weights, conv.bias.data(), in, batch, in_height, in_width, out, pool, epilogue, prologue);
}

}  // namespace anemone::cpu

#pragma once
// 2-D convolution of NCHW float32 tensors with weights packed once.
#include <cstdint>

#include "anemone/runtime/base/float_buffer.h"
#include "anemone/runtime/base/thread_pool.h"
#include "anemone/runtime/cpu/epilogue.h"

namespace anemone::cpu {

/// Everything about a convolution but the size of its input. A 1-D convolution is one of height 1.
/// All values positive, pads not negative, groups divides both channel counts: the caller has checked.
struct ConvParams {
  std::int64_t in_channels = 1, out_channels = 1, groups = 1;
  std::int64_t kernel_height = 1, kernel_width = 1;
  std::int64_t stride_height = 1, stride_width = 1;
  std::int64_t dilation_height = 1, dilation_width = 1;
  std::int64_t pad_top = 0, pad_bottom = 0, pad_left = 0, pad_right = 0;

  /// floor((in + pads - dilated kernel) / stride) + 1, not below 0.
  std::int64_t out_height(std::int64_t in_height) const;
  std::int64_t out_width(std::int64_t in_width) const;
  /// Multiply-accumulates of one image.
  std::int64_t macs(std::int64_t in_height, std::int64_t in_width) const;
};

enum class ConvAlgorithm : std::uint8_t {
  gemm,       ///< sums over packed panels of weights and of input tiles (implicit im2col)
  depthwise,  ///< one input channel per group
  winograd,   ///< 3x3 without stride: F(4x4, 3x3), a quarter of the products
};

/// How a convolution is done, and so how its weights are packed.
struct ConvForm {
  ConvParams params;
  ConvAlgorithm algorithm = ConvAlgorithm::gemm;
  std::int64_t panel_rows = 0;  ///< gemm: output channels per full panel
};

/// Weights in panels, Winograd's not yet transformed. Independent of the instruction set that runs them later.
struct PackedConv {
  ConvForm form;
  runtime::FloatBuffer weights;
  runtime::FloatBuffer bias;  ///< [out_channels]; zeros when there is none
};

/// The fastest algorithm for an output of this size. Winograd's is chosen for large maps of many channels.
ConvAlgorithm fastest_algorithm(const ConvParams& params, std::int64_t out_height, std::int64_t out_width);

/// `weights`: [out_channels, in_channels / groups, kernel_height, kernel_width]; `bias`: [out_channels] or nullptr. By
/// gemm, or depthwise where that can be.
PackedConv pack_conv(const ConvParams& params, const float* weights, const float* bias);
/// The same with the algorithm chosen by the caller (tests and tuning); one that cannot do `params` becomes gemm.
PackedConv pack_conv(const ConvParams& params, const float* weights, const float* bias, ConvAlgorithm algorithm);

/// Of Winograd's: floats of the transformed weights, a little more than four times as many as before. They are made at
/// every call, in memory that other calls use too: that costs less than reading them from where all of them would lie.
std::int64_t transformed_count(const ConvForm& form);
/// to: [36 places][panel][in channel][row of the panel] with gaps between the places, from the packed weights.
void transform_weights(const ConvForm& form, const float* weights, float* to, runtime::ThreadPool& pool);

/// in: [batch, in_channels, in_height, in_width]; out: [batch, out_channels, out_height, out_width]; in and out are
/// different memory. Sums are float32 in a fixed order (taps, channels inside), in chains of 128 terms:
/// |error| <= 2^-24 * (K + 2) * sum|w*x| in the worst case, about 2^-24 * sqrt(K) of it in practice; K = terms per sum.
/// Winograd's sums are of transformed numbers: about ten times that, of the largest sum|w*x| of a tile.
/// `weights` and `bias` are those of a PackedConv of this form; Winograd's weights what transform_weights made of them.
void conv2d(const ConvForm& form, const float* weights, const float* bias, const float* in, std::int64_t batch,
            std::int64_t in_height, std::int64_t in_width, float* out, runtime::ThreadPool& pool,
            const Epilogue& epilogue = {}, const Prologue& prologue = {});
/// The same, transforming the weights where that is needed.
void conv2d(const PackedConv& conv, const float* in, std::int64_t batch, std::int64_t in_height, std::int64_t in_width,
            float* out, runtime::ThreadPool& pool, const Epilogue& epilogue = {}, const Prologue& prologue = {});

}  // namespace anemone::cpu

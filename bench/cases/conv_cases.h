#pragma once
// One list of convolutions for the tests (are they right) and the benchmarks (are they fast).
#include <cstdint>
#include <string>
#include <vector>

#include "anemone/runtime/cpu/conv.h"

namespace anemone::cpu {

struct ConvCase {
  std::string name;
  ConvParams params;
  std::int64_t batch = 1, height = 1, width = 1;
  int count = 1;  // how often the network does it
};

inline ConvParams square_conv(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride = 1,
                              std::int64_t groups = 1) {
  ConvParams p;
  p.in_channels = in;
  p.out_channels = out;
  p.groups = groups;
  p.kernel_height = p.kernel_width = kernel;
  p.stride_height = p.stride_width = stride;
  p.pad_top = p.pad_bottom = p.pad_left = p.pad_right = kernel / 2;
  return p;
}

inline ConvCase square_case(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t size, int count = 1,
                            std::int64_t stride = 1, std::int64_t groups = 1) {
  std::string name = std::to_string(kernel) + "x" + std::to_string(kernel) + " " + std::to_string(in) + "->" +
                     std::to_string(out) + " at " + std::to_string(size);
  if (stride != 1) name += " stride " + std::to_string(stride);
  if (groups != 1) name += " groups " + std::to_string(groups);
  return {name, square_conv(in, out, kernel, stride, groups), 1, size, size, count};
}

/// The 213 convolutions of STAR's landmark output at 256x256: 17.34 GMAC.
inline std::vector<ConvCase> star_conv_cases() {
  return {
      square_case(6, 64, 7, 256, 1, 2), square_case(64, 64, 1, 128, 1),   square_case(64, 64, 3, 128, 1),
      square_case(64, 128, 1, 128, 2),  square_case(128, 64, 1, 64, 1),   square_case(64, 64, 3, 64, 1),
      square_case(64, 128, 1, 64, 1),   square_case(128, 128, 1, 64, 1),  square_case(128, 128, 3, 64, 9),
      square_case(128, 256, 1, 64, 10), square_case(256, 128, 1, 64, 8),  square_case(256, 256, 1, 64, 7),
      square_case(261, 256, 1, 64, 4),  square_case(256, 98, 1, 64, 8),   square_case(256, 9, 1, 64, 4),
      square_case(98, 256, 1, 64, 6),   square_case(9, 256, 1, 64, 3),    square_case(9, 98, 1, 64, 1),
      square_case(256, 128, 1, 32, 12), square_case(128, 128, 3, 32, 12), square_case(128, 256, 1, 32, 12),
      square_case(256, 128, 1, 16, 12), square_case(128, 128, 3, 16, 12), square_case(128, 256, 1, 16, 12),
      square_case(256, 128, 1, 8, 12),  square_case(128, 128, 3, 8, 12),  square_case(128, 256, 1, 8, 12),
      square_case(256, 128, 1, 4, 12),  square_case(128, 128, 3, 4, 12),  square_case(128, 256, 1, 4, 12),
  };
}

/// Typical convolutions of mobile networks, RetinaFace (mobilenet 0.25, 640x640) among them.
inline std::vector<ConvCase> mobile_conv_cases() {
  return {
      square_case(3, 8, 3, 640, 1, 2),
      square_case(8, 8, 3, 320, 1, 1, 8),
      square_case(8, 16, 1, 320),
      square_case(16, 16, 3, 320, 1, 2, 16),
      square_case(32, 32, 3, 160, 1, 1, 32),
      square_case(32, 32, 1, 160),
      square_case(64, 64, 3, 80, 5, 1, 64),
      square_case(64, 64, 1, 80, 1),
      square_case(128, 128, 3, 40, 5, 1, 128),
      square_case(128, 128, 1, 40, 5),
      square_case(64, 64, 3, 80, 1),
      square_case(960, 960, 3, 7, 1, 1, 960),
      square_case(960, 320, 1, 7, 1),
      square_case(512, 512, 3, 7, 1),
      square_case(3, 64, 7, 224, 1, 2),
  };
}

/// Small ones whose sizes hit every edge of the kernels: partial vectors, panels, tiles, rows; pads beyond the kernel.
inline std::vector<ConvCase> odd_conv_cases() {
  std::vector<ConvCase> cases;
  const auto add = [&](std::string name, ConvParams p, std::int64_t batch, std::int64_t height, std::int64_t width) {
    cases.push_back({std::move(name), p, batch, height, width, 1});
  };
  for (std::int64_t out : {1, 2, 3, 5, 7, 9, 13, 98}) {
    add("1x1 7->" + std::to_string(out), square_conv(7, out, 1), 1, 5, 7);
    add("3x3 5->" + std::to_string(out), square_conv(5, out, 3), 2, 9, 11);
  }
  for (std::int64_t size : {1, 2, 4, 15, 16, 17, 31, 33, 65}) {
    add("3x3 on rows of " + std::to_string(size), square_conv(4, 9, 3), 1, 3, size);
    add("3x3 stride 2 on rows of " + std::to_string(size), square_conv(3, 8, 3, 2), 1, 5, size);
    add("depthwise 3x3 on rows of " + std::to_string(size), square_conv(3, 3, 3, 1, 3), 2, 4, size);
    add("depthwise 3x3 stride 2 on rows of " + std::to_string(size), square_conv(4, 4, 3, 2, 4), 1, 5, size);
  }
  ConvParams p = square_conv(6, 10, 3, 1, 2);
  add("two groups", p, 2, 7, 9);
  add("groups of one output", square_conv(8, 4, 3, 1, 4), 1, 6, 6);
  add("depthwise times 3", square_conv(4, 12, 5, 1, 4), 1, 9, 20);
  add("one channel, one group", square_conv(1, 8, 3), 1, 8, 8);
  p = square_conv(3, 5, 3);
  p.pad_top = 0, p.pad_bottom = 2, p.pad_left = 1, p.pad_right = 3;
  add("asymmetric pads", p, 1, 6, 13);
  p.stride_height = 3, p.stride_width = 2;
  add("asymmetric pads and strides", p, 2, 11, 14);
  p.dilation_height = 2, p.dilation_width = 3;
  add("dilated", p, 1, 12, 19);
  p = square_conv(5, 5, 3, 3, 5);
  p.dilation_width = 2, p.pad_left = 4;
  add("depthwise, stride 3, dilated", p, 1, 10, 40);
  p.dilation_height = 3, p.stride_height = 1, p.pad_top = 4;
  add("depthwise, dilated both ways", p, 2, 11, 40);
  p = square_conv(2, 3, 3);
  p.pad_top = p.pad_bottom = p.pad_left = p.pad_right = 6;
  add("pads larger than kernel and image", p, 1, 2, 3);
  p.groups = 1;
  p.kernel_height = 1, p.kernel_width = 9;
  p.pad_top = p.pad_bottom = 0, p.pad_left = 8, p.pad_right = 0;
  add("causal 1-D", p, 3, 1, 50);
  p = square_conv(9, 6, 2, 2);
  p.pad_top = p.pad_bottom = p.pad_left = p.pad_right = 0;
  add("2x2 stride 2, no pads", p, 1, 8, 34);
  p = square_conv(9, 6, 1, 2);
  add("1x1 stride 2", p, 1, 9, 37);
  p.pad_top = 1, p.pad_right = 2, p.stride_height = p.stride_width = 1;
  add("1x1 padded", p, 1, 3, 5);
  add("kernel as large as the image", square_conv(3, 17, 7), 1, 7, 7);
  add("many tiles", square_conv(16, 19, 3), 1, 50, 61);
  add("deep sums", square_conv(300, 11, 3), 1, 6, 7);
  return cases;
}

}  // namespace anemone::cpu

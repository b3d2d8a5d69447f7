#pragma once
// The algorithms behind conv2d; conv.cpp chooses and packs.
#include "anemone/runtime/cpu/conv.h"

namespace anemone::cpu {

/// One call of conv2d.
struct ConvCall {
  const PackedConv* conv = nullptr;
  const float* in = nullptr;
  std::int64_t batch = 1, in_height = 1, in_width = 1, out_height = 1, out_width = 1;
  float* out = nullptr;
  const Epilogue* epilogue = nullptr;
  const Prologue* prologue = nullptr;
};

void conv2d_gemm(const ConvCall& call, runtime::ThreadPool& pool);
void conv2d_depthwise(const ConvCall& call, runtime::ThreadPool& pool);

}  // namespace anemone::cpu

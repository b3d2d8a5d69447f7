#pragma once
// Half-precision emulation on float32 buffers; bit for bit what support/half.h defines, NaN payloads included.
#include <cstddef>
#include <cstdint>

#include "anemone/runtime/base/thread_pool.h"

namespace anemone::cpu {

/// data[i] = the nearest half, as a float.
void round_to_half(float* data, std::size_t n, runtime::ThreadPool& pool);
/// The same from one buffer to another.
void round_to_half(const float* in, float* out, std::size_t n, runtime::ThreadPool& pool);

void half_from_float(const float* in, std::uint16_t* out, std::size_t n, runtime::ThreadPool& pool);
void float_from_half(const std::uint16_t* in, float* out, std::size_t n, runtime::ThreadPool& pool);

}  // namespace anemone::cpu

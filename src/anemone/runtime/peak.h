#pragma once
// What this machine can do at most, measured.
#include "anemone/runtime/base/thread_pool.h"

namespace anemone::runtime {

/// Floating-point operations in a second, in 10^9, with all threads of the pool: multiply-adds in registers, on the
/// instruction set that the kernels run on. Each thread is timed in short pieces for 0.05 s, so that others who have the
/// processor for a while do not count.
double peak_gflops(ThreadPool& pool);

}  // namespace anemone::runtime

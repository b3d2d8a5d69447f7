#pragma once
// The algorithms behind conv2d; conv.cpp chooses and packs.
#include "anemone/runtime/cpu/conv.h"

namespace anemone::cpu {

/// One call of conv2d.
struct ConvCall {
  const ConvForm* form = nullptr;
  const float *weights = nullptr, *bias = nullptr;
  const float* in = nullptr;
  std::int64_t batch = 1, in_height = 1, in_width = 1, out_height = 1, out_width = 1;
  float* out = nullptr;
  const Epilogue* epilogue = nullptr;
  const Prologue* prologue = nullptr;
};

/// Runs all tasks of a call, each with so many floats of its own.
template <class Run>
void run_tasks(std::int64_t tasks, std::int64_t scratch, runtime::ThreadPool& pool, Run run) {
  pool.reserve_scratch(static_cast<std::size_t>(scratch));
  pool.parallel_for(tasks, [&](std::int64_t task, int worker) { run(task, pool.scratch(worker)); });
}

void conv2d_gemm(const ConvCall& call, runtime::ThreadPool& pool);
void conv2d_depthwise(const ConvCall& call, runtime::ThreadPool& pool);
void conv2d_winograd(const ConvCall& call, runtime::ThreadPool& pool);

}  // namespace anemone::cpu

#pragma once
// What a stopwatch would show: a model of hardware layers, fitted to published latencies of other networks.
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/plan/ane/device.h"
#include "anemone/plan/ane/route.h"

namespace anemone::plan::ane {

struct LayerEstimate {
  double ms = 0;           ///< of one warm call, input and output included
  double io_ms = 0;        ///< of it: copying inputs and outputs of the function
  std::size_t layers = 0;  ///< on the engine, after fusion
};

/// t = call + Σ layers [ max(F/P, images·max(0, in + out − working set)/bandwidth, W/weight bandwidth) + c ]
///   + (runs on the engine − 1)·submission + crossing/4 GB/s + I/O bytes/bandwidth,
/// with in, out and working set for one image of the batch, W the weights as stored. Free are views, an activation or
/// batch_norm behind a producer that nobody else uses (its epilogue), and quantization. Operations elsewhere cost what
/// the planner estimates.
LayerEstimate layer_model(const Function& function, const std::vector<const Node*>& nodes,
                          const std::vector<Step>& steps, const std::vector<Unit>& units, std::int64_t crossing_bytes,
                          const Device& device);

/// Bytes of inputs and outputs as an application hands them over: images as four bytes a pixel.
std::int64_t interface_bytes(const Function& function);

}  // namespace anemone::plan::ane

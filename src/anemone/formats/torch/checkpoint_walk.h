#pragma once
// Finds the tensors in the object that a checkpoint's pickle built.
#include <string>
#include <vector>

#include "anemone/formats/torch/pickle.h"

namespace anemone {

struct FoundTensor {
  std::string path;        ///< keys and list positions joined by '/': "optimizer/state/0/exp_avg"
  std::size_t tensor = 0;  ///< index in TorchObjects::tensors()
};

/// Depth first, in the order of the file; a tensor that stands in two places is found twice. The root must be a dict.
/// Keys that are no strings appear as Python's str() writes them. Refuses objects that contain themselves, or unfold
/// without bound (E0540, E0541).
Result<std::vector<FoundTensor>> find_tensors(const pickle::Heap& heap, pickle::Value root, const std::string& file);

}  // namespace anemone

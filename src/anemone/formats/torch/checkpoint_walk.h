#pragma once
// Finds the tensors in the object that a checkpoint's pickle built.
#include <string>
#include <vector>

#include "anemone/formats/torch/pickle.h"

namespace anemone::formats {

struct FoundTensor {
  std::string path;        ///< keys and list positions joined by '/': "optimizer/state/0/exp_avg"
  std::size_t tensor = 0;  ///< index in TorchObjects::tensors()
};

/// Depth first, in the order of the file; a tensor that stands in two places is found twice. The root is a dict, a list
/// or tuple with tensors in it, or one tensor ("tensor"). Keys that are no strings appear as Python's str() writes them.
/// Tensors within objects of unknown classes are found under the names of their attributes, those of a module as its
/// state dict calls them ("model/conv.weight"). Refuses roots without tensors (E0540), and containers that contain
/// themselves or unfold without bound (E0541).
Result<std::vector<FoundTensor>> find_tensors(const pickle::Heap& heap, pickle::Value root, const std::string& file);

}  // namespace anemone::formats

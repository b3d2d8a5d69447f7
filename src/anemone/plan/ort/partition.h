#pragma once
// How ONNX Runtime cuts a graph: the greedy walk of partitioning_utils.cc, the same from 1.17 to 1.24.
#include <unordered_map>
#include <vector>

#include "anemone/plan/ort/edges.h"

namespace anemone::plan::ort {

/// The nodes of a graph by number, in order, with their edges.
struct Edges {
  std::vector<Node*> nodes;
  std::vector<std::vector<std::size_t>> after;  ///< once an edge
  std::vector<std::size_t> in_degree;
};
Edges edges_of(const Graph& graph);

/// Numbers of the supported nodes of each partition. Everything that is ready joins the open partition; a node that is not
/// supported and reads one of its values waits until it is closed. Time is linear in nodes and edges.
std::vector<std::vector<std::size_t>> partition(const Edges& edges, const std::vector<bool>& supported);

/// Nodes that are not supported and have supported ones on a path before and behind them: as long as one is left, there
/// are several partitions; without them there is one.
std::vector<std::size_t> barriers(const Edges& edges, const std::vector<bool>& supported);

}  // namespace anemone::plan::ort

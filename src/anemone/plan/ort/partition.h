#pragma once
// How ONNX Runtime cuts a graph: the greedy walk of partitioning_utils.cc, the same from 1.17 to 1.24.
#include <span>
#include <vector>

#include "anemone/plan/ort/edges.h"

namespace anemone::plan::ort {

/// The nodes of a graph by number, in order, with their edges: one list for all of them, as the walk is taken often.
struct Edges {
  std::vector<Node*> nodes;
  std::vector<std::size_t> in_degree;
  std::vector<std::size_t> targets;   ///< once an edge
  std::vector<std::size_t> begin{0};  ///< of a node's targets; one more than there are nodes

  std::span<const std::size_t> after(std::size_t node) const {
    return std::span(targets).subspan(begin[node], begin[node + 1] - begin[node]);
  }
};
Edges edges_of(const Graph& graph);

/// Numbers of the supported nodes of each partition. Everything that is ready joins the open partition; a node that is not
/// supported and reads one of its values waits until it is closed. Time is linear in nodes and edges.
std::vector<std::vector<std::size_t>> partition(const Edges& edges, const std::vector<bool>& supported);

/// Nodes that are not supported and have supported ones on a path before and behind them: as long as one is left, there
/// are several partitions; without them there is one.
std::vector<std::size_t> barriers(const Edges& edges, const std::vector<bool>& supported);

}  // namespace anemone::plan::ort

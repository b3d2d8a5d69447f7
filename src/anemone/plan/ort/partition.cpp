// The greedy walk, and what stands between partitions.
#include "anemone/plan/ort/partition.h"

#include <unordered_map>

namespace anemone::plan::ort {

Edges edges_of(const Graph& graph) {
  Edges edges;
  std::unordered_map<const Node*, std::size_t> numbers;
  numbers.reserve(graph.nodes().size());
  for (const auto& node : graph.nodes()) {
    numbers.emplace(node.get(), edges.nodes.size());
    edges.nodes.push_back(node.get());
  }
  edges.in_degree.resize(edges.nodes.size());
  for (std::size_t i = 0; i < edges.nodes.size(); ++i) {
    const Node& node = *edges.nodes[i];
    for (std::size_t k = 0; k < node.output_count(); ++k) {
      if (!node.output(k)) continue;
      for (const Node* reader : readers(*node.output(k))) {
        const std::size_t to = numbers.at(reader);
        edges.targets.push_back(to);
        ++edges.in_degree[to];
      }
    }
    edges.begin.push_back(edges.targets.size());
  }
  return edges;
}

std::vector<std::vector<std::size_t>> partition(const Edges& edges, const std::vector<bool>& supported) {
  std::vector<std::vector<std::size_t>> partitions;
  std::vector<std::size_t> group, waits = edges.in_degree;
  std::vector<std::size_t> border(edges.nodes.size(), 0);  // the wave whose group a node reads
  std::size_t wave = 1;
  std::vector<std::size_t> ready, later;  // in the order in which they became ready
  std::size_t at = 0;
  for (std::size_t i = 0; i < edges.nodes.size(); ++i) {
    if (waits[i] == 0) ready.push_back(i);
  }
  while (at < ready.size()) {
    const std::size_t node = ready[at++];
    if (!supported[node] && border[node] == wave) {
      later.push_back(node);
    } else {
      if (supported[node]) group.push_back(node);
      for (const std::size_t next : edges.after(node)) {
        if (supported[node]) border[next] = wave;
        if (--waits[next] == 0) ready.push_back(next);
      }
    }
    if (at < ready.size()) continue;
    if (!group.empty()) partitions.push_back(std::move(group));
    group.clear();
    ++wave;
    ready.swap(later);
    later.clear();
    at = 0;
  }
  return partitions;
}

std::vector<std::size_t> barriers(const Edges& edges, const std::vector<bool>& supported) {
  const std::size_t count = edges.nodes.size();
  std::vector<bool> before(count), behind(count);  // a supported node is on a path there
  for (std::size_t i = 0; i < count; ++i) {
    for (const std::size_t next : edges.after(i)) before[next] = before[next] || before[i] || supported[i];
  }
  for (std::size_t i = count; i-- > 0;) {
    for (const std::size_t next : edges.after(i)) behind[i] = behind[i] || behind[next] || supported[next];
  }
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < count; ++i) {
    if (!supported[i] && before[i] && behind[i]) found.push_back(i);
  }
  return found;
}

}  // namespace anemone::plan::ort

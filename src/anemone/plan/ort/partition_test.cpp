// The walk, on graphs small enough to do by hand.
#include "anemone/plan/ort/partition.h"

#include "anemone/plan/ort/ort_test_net.h"

namespace anemone::plan::ort::test {
namespace {

/// Operations whose name begins with R are supported.
struct Cut {
  std::vector<std::size_t> sizes;
  std::size_t barriers;
  bool operator==(const Cut&) const = default;
};
Cut cut(const Net& net) {
  const onnx::Model model = net.build();
  const Edges edges = edges_of(*model.graph);
  std::vector<bool> supported;
  for (const Node* node : edges.nodes) supported.push_back(node->op_type[0] == 'R');
  Cut result{{}, barriers(edges, supported).size()};
  for (const auto& group : partition(edges, supported)) result.sizes.push_back(group.size());
  return result;
}

TEST(Partition, ANodeBetweenSplits) {
  EXPECT_EQ(cut(Net().in("x", {4}).op("Relu", {"x"}).op("Tile", {"y0"}).op("Relu", {"y1"})), (Cut{{1, 1}, 1}));
}

TEST(Partition, BranchesJoinAsEarlyAsTheyCan) {
  // The refused node hangs on the input alone: it runs before anything is closed.
  EXPECT_EQ(cut(Net().in("x", {4}).op("Relu", {"x"}).op("Tile", {"x"}).op("RAdd", {"y0", "y1"})), (Cut{{2}, 0}));
  // Unconnected nodes share a partition.
  EXPECT_EQ(cut(Net().in("x", {4}).op("Relu", {"x"}).op("Relu", {"x"}).out("y0")), (Cut{{2}, 0}));
  // The long branch goes on while the short one waits.
  EXPECT_EQ(cut(Net()
                    .in("x", {4})
                    .op("Relu", {"x"})
                    .op("Tile", {"y0"})
                    .op("Relu", {"y0"})
                    .op("Relu", {"y2"})
                    .op("RAdd", {"y1", "y3"})),
            (Cut{{3, 1}, 1}));
}

TEST(Partition, TwoRefusedNodesInARowCostOneCut) {
  EXPECT_EQ(cut(Net().in("x", {4}).op("Relu", {"x"}).op("Tile", {"y0"}).op("Tile", {"y1"}).op("Relu", {"y2"})),
            (Cut{{1, 1}, 2}));
}

TEST(Partition, AValueReadTwiceIsTwoEdges) {
  EXPECT_EQ(cut(Net().in("x", {4}).op("Tile", {"x"}).op("RMul", {"y0", "y0"})), (Cut{{1}, 0}));
}

TEST(Partition, NothingSupportedIsNoPartition) { EXPECT_EQ(cut(Net().in("x", {4}).op("Tile", {"x"})), (Cut{{}, 0})); }

TEST(Partition, WithoutBarriersThereIsOne) {
  // Random graphs: one partition exactly where nothing stands between.
  std::uint32_t seed = 1;
  const auto next = [&](std::uint32_t below) {
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 16) % below;
  };
  for (int round = 0; round < 200; ++round) {
    Net net;
    net.in("x", {4});
    for (std::uint32_t i = 0; i < 12; ++i) {
      const auto operand = [&] { return i == 0 || next(4) == 0 ? std::string("x") : "y" + std::to_string(next(i)); };
      net.op(next(3) == 0 ? "Tile" : "Relu", {operand(), operand()});
    }
    const Cut result = cut(net);
    EXPECT_EQ(result.sizes.size() <= 1, result.barriers == 0) << round;
  }
}

}  // namespace
}  // namespace anemone::plan::ort::test

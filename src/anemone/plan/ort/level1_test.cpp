// Passes of level 1 one by one. Whole networks are compared with ONNX Runtime's own counts by tests/judge/ort.py.
#include "anemone/plan/ort/ort_test_net.h"
#include "anemone/plan/ort/provider_plan.h"

namespace anemone::plan::ort::test {
namespace {

using Types = std::vector<std::string>;
TEST(Level1, ShapeOfKnownExtentsFolds) {
  Net net(13);
  net.in("x", kImage).op("Shape", {"x"}).whole("i", {1}).op("Gather", {"y0", "i"}).op("Reshape", {"x", "y1"});
  EXPECT_EQ(net.after_level1(19), (Types{"Reshape"}));
  Net open(13);
  open.in("x", {-1, 4, 8, 8}).op("Shape", {"x"}).whole("i", {1}).op("Gather", {"y0", "i"}).op("Reshape", {"x", "y1"});
  EXPECT_EQ(open.after_level1(19), (Types{"Shape", "Gather", "Reshape"}));
}

TEST(Level1, ReshapeByItsOwnExtentsBecomesZeroAndMinusOne) {
  Net net(11);
  net.in("x", {-1, 4, -1}).op("Relu", {"x"}).op("Shape", {"y0"});
  net.graph().initializers.push_back(onnx::test::tensor<std::int64_t>("zero", DataType::int64, {}, {0}));
  net.whole("rest", {-1}).op("Gather", {"y1", "zero"}).op("Unsqueeze", {"y2"}, {attribute("axes", Dims{0})});
  net.op("Concat", {"y3", "rest"}, {attribute("axis", 0)}).op("Reshape", {"y0", "y4"});
  EXPECT_EQ(net.after_level1(19), (Types{"Relu", "Reshape"}));
}

TEST(Level1, EqualNodesOfEqualConstantsAreOne) {
  Net net;
  net.in("x", kImage).real("a", {2}).real("b", {2}).op("Mul", {"x", "a"}).op("Mul", {"x", "b"}).op("Add", {"y0", "y1"});
  EXPECT_EQ(net.after_level1(19), (Types{"Mul", "Add"}));
  Net other;
  other.in("x", kImage)
      .real("a", {2})
      .real("b", {3})
      .op("Mul", {"x", "a"})
      .op("Mul", {"x", "b"})
      .op("Add", {"y0", "y1"});
  EXPECT_EQ(other.after_level1(19), (Types{"Mul", "Mul", "Add"}));
}

TEST(Level1, NodesOfOtherAttributesAreNotEqual) {
  Net net;
  net.in("x", kImage).op("Softmax", {"x"}, {attribute("axis", 1)}).op("Softmax", {"x"}, {attribute("axis", 2)});
  net.op("Softmax", {"x"}, {attribute("axis", 1)}).op("Sum", {"y0", "y1", "y2"});
  EXPECT_EQ(net.after_level1(19), (Types{"Softmax", "Softmax", "Sum"}));
}

TEST(Level1, BatchNormIntoConv) {
  Net net;
  net.in("x", kImage).weights("w", {4, 4, 3, 3}).op("Conv", {"x", "w"});
  for (const char* name : {"s", "b", "m", "v"}) net.weights(name, {4});
  net.op("BatchNormalization", {"y0", "s", "b", "m", "v"});
  EXPECT_EQ(net.after_level1(19), (Types{"Conv"}));
  net.out("y0").out("y1");  // the convolution's own result is asked for
  EXPECT_EQ(net.after_level1(19), (Types{"Conv", "BatchNormalization"}));
}

TEST(Level1, NeutralOperandsAndCastsGo) {
  Net net;
  net.in("x", kImage)
      .real("one", {1})
      .op("Relu", {"x"})
      .op("Mul", {"y0", "one"})
      .op("Cast", {"y1"}, {attribute("to", 1)});
  net.op("Relu", {"y2"});
  EXPECT_EQ(net.after_level1(19), (Types{"Relu", "Relu"}));
}

TEST(Level1, ProductsWithABiasByRelease) {
  Net net;
  net.in("x", {2, 3, 4}).weights("w", {4, 8}).weights("b", {8}).op("MatMul", {"x", "w"}).op("Add", {"y0", "b"});
  EXPECT_EQ(net.after_level1(20), (Types{"MatMul", "Add"}));
  EXPECT_EQ(net.after_level1(21), (Types{"Reshape", "Gemm", "Reshape"}));
  Net flat;
  flat.in("x", {3, 4}).weights("w", {4, 8}).weights("b", {8}).op("MatMul", {"x", "w"}).op("Add", {"y0", "b"});
  EXPECT_EQ(flat.after_level1(19), (Types{"Gemm"}));
}

TEST(Level1, ReshapesInARowByRelease) {
  Net net;
  net.in("x", {2, 12}).whole("a", {2, 3, 4}).whole("b", {6, 4}).op("Reshape", {"x", "a"}).op("Reshape", {"y0", "b"});
  net.op("Relu", {"y1"});
  EXPECT_EQ(net.after_level1(20), (Types{"Reshape", "Reshape", "Relu"}));
  EXPECT_EQ(net.after_level1(21), (Types{"Reshape", "Relu"}));
}

TEST(Level1, AReciprocalTimesAValueIsADivision) {
  Net net;
  net.in("x", kImage).weights("zero", {}).whole("n", {1}).op("Cast", {"n"}, {attribute("to", 1)});
  net.op("Div", {"y0", "x"}).op("Relu", {"x"}).op("Mul", {"y1", "y2"});
  EXPECT_EQ(net.after_level1(19), (Types{"Relu", "Div"}));  // an order of execution
}

TEST(Level1, WhatIsNotLoadedIsPlannedAsItStands) {
  EXPECT_EQ(why_not_loaded(Net().in("x", kImage).op("Relu", {"x"}).build()), std::nullopt);
  const auto why = [](const Net& net) { return why_not_loaded(net.build()).value_or("it is"); };
  EXPECT_EQ(why(Net().in("x", kImage).op("Add", {"x"})), "Add 'y0' has no input 1");
  EXPECT_EQ(why(Net().in("x", kImage).op("Add", {"", "x"})), "Add 'y0' has no input 0");
  EXPECT_EQ(why(Net().in("x", kImage).op("Mul", {"x", "x", "x"})), "Mul 'y0' has 3 inputs");
  const ProviderPlan plan = plan_for_provider(Net().in("x", kImage).op("Add", {"x"}).build(), targets().front());
  EXPECT_EQ(plan.nodes, 1U);
  EXPECT_TRUE(plan.notes.at(0).starts_with("ONNX Runtime does not load the file: Add 'y0'")) << plan.notes.at(0);
}

TEST(Level1, HardSwishIsTwoNodes) {
  EXPECT_EQ(Net(14).in("x", kImage).op("HardSwish", {"x"}).after_level1(19), (Types{"HardSigmoid", "Mul"}));
}

TEST(Level1, ConstantsAreNoNodes) {
  Net net;
  net.in("x", kImage);
  onnx::Attribute value{"value_floats", onnx::Attribute::Kind::numbers, std::vector<float>{2, 3}, {}, {}};
  net.op("Constant", {}, {value}, {"c"}).op("Relu", {"x"});
  EXPECT_EQ(net.after_level1(19), (Types{"Relu"}));
}

}  // namespace
}  // namespace anemone::plan::ort::test

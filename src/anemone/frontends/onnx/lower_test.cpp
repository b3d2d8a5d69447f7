// Small ONNX graphs and the programs they become, with numbers worked out by hand.
#include "anemone/frontends/onnx/lower.h"

#include <gtest/gtest.h>

#include <cmath>

#include "anemone/onnx/onnx_test_util.h"
#include "anemone/ops/execute.h"

namespace anemone::onnx {
namespace {

using test::attribute;
using test::build;
using test::integers;
using test::model_of;
using test::node;
using test::tensor;
using test::tensor_type;

struct Graph_ {
  onnxspec::Model spec;
  Graph_(std::vector<onnxspec::Node> nodes, std::int64_t opset = 17) : spec(model_of(std::move(nodes), opset)) {}
  Graph_& input(std::string name, test::Dims dims, DataType dtype = DataType::float32) {
    spec.graph.inputs.push_back({std::move(name), tensor_type(dtype, dims), {}, {}});
    return *this;
  }
  Graph_& output(std::string name) {
    spec.graph.outputs.push_back({std::move(name), {}, {}, {}});
    return *this;
  }
  Graph_& constant(Tensor t) {
    spec.graph.initializers.push_back(std::move(t));
    return *this;
  }
  Result<LoweredModel> lower(const LowerOptions& options = {}) const {
    Model model = build(spec);
    infer_types(model);
    return onnx::lower(model, options);
  }
};

// The only output, executed by definition.
std::vector<double> run(const Graph_& graph, std::vector<Array> inputs) {
  const auto lowered = graph.lower();
  EXPECT_TRUE(lowered) << render(lowered.error());
  if (!lowered) return {};
  const auto results = ops::evaluate(lowered->program->main(), inputs);
  EXPECT_TRUE(results) << render(results.error());
  return results ? (*results)[0].data : std::vector<double>();
}
Array array(anemone::Dims dims, std::vector<double> data, DType dtype = DType::fp32) {
  return {dtype, std::move(dims), std::move(data)};
}
std::vector<std::string> types(const Graph_& graph, const LowerOptions& options = {}) {
  std::vector<std::string> out;
  const auto lowered = graph.lower(options);
  EXPECT_TRUE(lowered) << render(lowered.error());
  if (!lowered) return out;
  for (const anemone::Node& n : lowered->program->main().body.nodes) out.push_back(n.type);
  return out;
}
using Words = std::vector<std::string>;
using Numbers = std::vector<double>;

TEST(OnnxLower, ConvolutionWithAsymmetricPads) {
  Graph_ graph({node("Conv", {"x", "w"}, {"y"}, {attribute("pads", std::vector<std::int64_t>{0, 1, 0, 0})})});
  graph.input("x", {1, 1, 1, 3}).output("y").constant(tensor<float>("w", DataType::float32, {1, 1, 1, 2}, {1, 10}));
  EXPECT_EQ(run(graph, {array({1, 1, 1, 3}, {1, 2, 3})}), (Numbers{10, 21, 32}));
}

TEST(OnnxLower, ArithmeticOnShapesIsGone) {
  Graph_ graph({node("Shape", {"x"}, {"s"}), node("Gather", {"s", "zero"}, {"n"}),
                node("Unsqueeze", {"n", "axes"}, {"v"}),
                node("Concat", {"v", "rest"}, {"target"}, {attribute("axis", std::int64_t{0})}),
                node("Reshape", {"x", "target"}, {"r"}), node("Relu", {"r"}, {"y"})});
  graph.input("x", {-1, 2, 3}).output("y").constant(integers("axes", {0})).constant(integers("rest", {-1}));
  graph.constant(tensor<std::int64_t>("zero", DataType::int64, {}, {0}));
  EXPECT_EQ(types(graph), (Words{"reshape", "relu"}));
  const auto lowered = graph.lower({.batch = 4});
  ASSERT_TRUE(lowered) << render(lowered.error());
  EXPECT_EQ(lowered->program->main().body.outputs()[0]->type.dims, (anemone::Dims{4, 6}));
  EXPECT_EQ(lowered->computed, 4u);
}

TEST(OnnxLower, IntegersAreDividedTowardZero) {
  Graph_ graph({node("Div", {"x", "d"}, {"y"})});
  graph.input("x", {4}, DataType::int64).output("y").constant(integers("d", {2}));
  EXPECT_EQ(run(graph, {array({4}, {-3, 3, -4, 5}, DType::int32)}), (Numbers{-1, 1, -2, 2}));
}

TEST(OnnxLower, ThresholdedReluExcludesItsThreshold) {
  Graph_ graph({node("ThresholdedRelu", {"x"}, {"y"})});
  graph.input("x", {3}).output("y");
  EXPECT_EQ(run(graph, {array({3}, {0.5, 1, 2})}), (Numbers{0, 0, 2}));
}

TEST(OnnxLower, AveragesCountWhatTheNodeSays) {
  // Three elements, windows of two with a stride of two, the last one hanging over: what hangs over is not counted.
  const std::vector<Attribute> attributes{
      attribute("kernel_shape", std::vector<std::int64_t>{2}), attribute("strides", std::vector<std::int64_t>{2}),
      attribute("ceil_mode", std::int64_t{1}), attribute("count_include_pad", std::int64_t{1})};
  Graph_ graph({node("AveragePool", {"x"}, {"y"}, attributes)}, 19);
  graph.input("x", {1, 1, 3}).output("y");
  EXPECT_EQ(run(graph, {array({1, 1, 3}, {1, 3, 5})}), (Numbers{2, 5}));
}

TEST(OnnxLower, NearestNeighbourByEveryRounding) {
  const auto resized = [](std::string mode) {
    Graph_ graph({node("Resize", {"x", "", "", "sizes"}, {"y"},
                       {attribute("coordinate_transformation_mode", std::string("half_pixel")),
                        attribute("nearest_mode", std::move(mode))})});
    graph.input("x", {1, 1, 1, 4}).output("y").constant(integers("sizes", {1, 1, 1, 2}));
    return run(graph, {array({1, 1, 1, 4}, {0, 1, 2, 3})});
  };
  // Positions 0.5 and 2.5.
  EXPECT_EQ(resized("floor"), (Numbers{0, 2}));
  EXPECT_EQ(resized("ceil"), (Numbers{1, 3}));
  EXPECT_EQ(resized("round_prefer_floor"), (Numbers{0, 2}));
  EXPECT_EQ(resized("round_prefer_ceil"), (Numbers{1, 3}));
}

TEST(OnnxLower, SlicesBackwards) {
  Graph_ graph({node("Slice", {"x", "b", "e", "a", "s"}, {"y"})});
  graph.input("x", {5}).output("y").constant(integers("b", {-1})).constant(integers("e", {INT64_MIN}));
  graph.constant(integers("a", {0})).constant(integers("s", {-2}));
  EXPECT_EQ(run(graph, {array({5}, {0, 1, 2, 3, 4})}), (Numbers{4, 2, 0}));
}

TEST(OnnxLower, EinsumTakesDiagonalsAndSums) {
  Graph_ graph({node("Einsum", {"x", "v"}, {"y"}, {attribute("equation", std::string("ii,i->"))})});
  graph.input("x", {2, 2}).output("y").constant(tensor<float>("v", DataType::float32, {2}, {10, 100}));
  EXPECT_EQ(run(graph, {array({2, 2}, {1, 2, 3, 4})}), (Numbers{410}));
}

TEST(OnnxLower, KnownBranchesAreTaken) {
  onnxspec::Graph yes, no;
  yes.nodes = {node("Relu", {"x"}, {"a"})};
  yes.outputs = {{"a", {}, {}, {}}};
  no.nodes = {node("NotAnOperation", {"x"}, {"b"})};
  no.outputs = {{"b", {}, {}, {}}};
  const auto body = [](std::string name, onnxspec::Graph graph) {
    return Attribute{std::move(name), Attribute::Kind::graph, std::vector<onnxspec::Graph>{std::move(graph)}, {}, {}};
  };
  Graph_ graph({node("If", {"c"}, {"y"}, {body("then_branch", yes), body("else_branch", no)})});
  graph.input("x", {2}).output("y").constant(tensor<std::uint8_t>("c", DataType::boolean, {}, {1}));
  EXPECT_EQ(types(graph), (Words{"relu"}));
}

TEST(OnnxLower, FunctionsOfTheFileAreInlined) {
  Graph_ graph({[] {
    onnxspec::Node call = node("Twice", {"x"}, {"y"});
    call.domain = "own";
    return call;
  }()});
  graph.input("x", {2}).output("y");
  onnxspec::Function twice;
  twice.name = "Twice";
  twice.domain = "own";
  twice.inputs = {"a"};
  twice.outputs = {"b"};
  twice.nodes = {node("Add", {"a", "a"}, {"b"})};
  graph.spec.functions = {twice};
  graph.spec.opset_imports.push_back({"own", 1});
  EXPECT_EQ(run(graph, {array({2}, {1, 2})}), (Numbers{2, 4}));
}

TEST(OnnxLower, AFunctionMeansWhatItsOwnOpsetSays) {
  // Up to opset 12 softmax is one over all dimensions from `axis` on, since then over `axis` alone.
  onnxspec::Node call = node("Old", {"x"}, {"y"});
  call.domain = "own";
  Graph_ graph({call}, 13);
  graph.input("x", {1, 2, 2}).output("y");
  onnxspec::Function old;
  old.name = "Old";
  old.domain = "own";
  old.inputs = {"a"};
  old.outputs = {"b"};
  old.nodes = {node("Softmax", {"a"}, {"b"}, {attribute("axis", std::int64_t{1})})};
  graph.spec.opset_imports.push_back({"own", 1});
  for (const auto& [opset, want] : {std::pair(12, 0.25), std::pair(13, 0.5)}) {
    old.opset_imports = {{"", opset}};
    graph.spec.functions = {old};
    EXPECT_EQ(run(graph, {array({1, 2, 2}, {1, 1, 1, 1})}), Numbers(4, want)) << opset;
  }
}

TEST(OnnxLower, WeightsInBlocksHaveAScaleEach) {
  Graph_ graph({node("DequantizeLinear", {"w", "scale", "zero"}, {"d"},
                     {attribute("axis", std::int64_t{1}), attribute("block_size", std::int64_t{2})}),
                node("Mul", {"x", "d"}, {"y"})},
               21);
  graph.input("x", {1, 4}).output("y");
  graph.constant(tensor<std::uint8_t>("w", DataType::int4, {1, 4}, {0x21, 0x83}));  // 1, 2, 3, -8
  graph.constant(tensor<float>("scale", DataType::float32, {1, 2}, {10, 100}));
  graph.constant(tensor<std::uint8_t>("zero", DataType::int4, {1, 2}, {0x01}));
  const Array ones = array({1, 4}, {1, 1, 1, 1});
  EXPECT_EQ(run(graph, {ones}), (Numbers{0, 10, 300, -800}));
  LowerOptions newest;
  newest.target = Target::ios18;
  EXPECT_EQ(types(graph, newest), (Words{"constexpr_blockwise_shift_scale", "mul"}));
  const auto lowered = graph.lower(newest);
  const auto result = ops::evaluate(lowered->program->main(), std::vector<Array>{ones});
  ASSERT_TRUE(result) << render(result.error());
  EXPECT_EQ((*result)[0].data, (Numbers{0, 10, 300, -800}));
}

// MIL walks a reversed sequence and gives it in that order.
TEST(OnnxLower, AReversedSequenceHasTheOrderOfTheInput) {
  for (const char* op : {"RNN", "LSTM"}) {
    const std::int64_t gates = op == std::string("RNN") ? 1 : 4;
    Graph_ graph({node(op, {"x", "w", "r"}, {"y"},
                       {attribute("hidden_size", std::int64_t{1}), attribute("direction", std::string("reverse"))})});
    graph.input("x", {3, 1, 1}).output("y");
    graph.constant(tensor<float>("w", DataType::float32, {1, gates, 1}, std::vector<float>(gates, 1)))
        .constant(tensor<float>("r", DataType::float32, {1, gates, 1}, std::vector<float>(gates, 0)));
    const Numbers y = run(graph, {array({3, 1, 1}, {2, 0, 0})});
    ASSERT_EQ(y.size(), 3u);
    EXPECT_EQ((Numbers{y[1], y[2]}), (Numbers{0, 0})) << op;
    EXPECT_GT(y[0], 0.5) << op;
  }
}

// ONNX: update, reset, candidate. An update gate that is shut takes the candidate whole.
TEST(OnnxLower, TheGatesOfAGruKeepTheirMeaning) {
  Graph_ graph({node("GRU", {"x", "w", "r"}, {"y"}, {attribute("hidden_size", std::int64_t{1})})});
  graph.input("x", {1, 1, 1}).output("y");
  graph.constant(tensor<float>("w", DataType::float32, {1, 3, 1}, {-1000, 0, 1}))
      .constant(tensor<float>("r", DataType::float32, {1, 3, 1}, {0, 0, 0}));
  EXPECT_NEAR(run(graph, {array({1, 1, 1}, {1})}).at(0), std::tanh(1), 1e-6);
}

TEST(OnnxLower, EightBitFloatsOfTheFileAreNumbers) {
  // Least, one and greatest of each form, and what is no number in it.
  for (const auto& [dtype, codes, want] :
       {std::tuple(DataType::float8_e4m3fn, std::vector<std::uint8_t>{0x01, 0xb8, 0x7e}, Numbers{0x1p-9, -1, 448}),
        std::tuple(DataType::float8_e4m3fnuz, std::vector<std::uint8_t>{0x01, 0xc0, 0x7f}, Numbers{0x1p-10, -1, 240}),
        std::tuple(DataType::float8_e5m2, std::vector<std::uint8_t>{0x01, 0xbc, 0x7b}, Numbers{0x1p-16, -1, 57344}),
        std::tuple(DataType::float8_e5m2fnuz, std::vector<std::uint8_t>{0x01, 0xc0, 0x7f},
                   Numbers{0x1p-17, -1, 57344})}) {
    Graph_ graph({node("DequantizeLinear", {"w", "scale"}, {"d"}), node("Mul", {"x", "d"}, {"y"})}, 19);
    graph.input("x", {3}).output("y");
    graph.constant(tensor<std::uint8_t>("w", dtype, {3}, codes))
        .constant(tensor<float>("scale", DataType::float32, {}, {2}));
    Numbers doubled = want;
    for (double& number : doubled) number *= 2;
    EXPECT_EQ(run(graph, {array({3}, {1, 1, 1})}), doubled);
  }
}

TEST(OnnxLower, EverythingRefusedIsSaidAtOnce) {
  Graph_ graph({node("Foo", {"x"}, {"a"}), node("Foo", {"x"}, {"b"}), node("NonMaxSuppression", {"x", "x"}, {"c"}),
                node("Add", {"a", "b"}, {"d"}), node("Add", {"d", "c"}, {"y"})});
  graph.input("x", {1, 2, 4}).output("y");
  const auto lowered = graph.lower();
  ASSERT_FALSE(lowered);
  const std::string text = render(lowered.error());
  EXPECT_EQ(lowered.error().size(), 1u);
  EXPECT_NE(text.find("3 nodes"), std::string::npos) << text;
  EXPECT_NE(text.find("Foo 'a', 'b'"), std::string::npos) << text;
  EXPECT_NE(text.find("NonMaxSuppression 'c'"), std::string::npos) << text;
  EXPECT_EQ(text.find("Add"), std::string::npos) << text;
}

// A small file stays small, however many of its nodes ask for much.
TEST(OnnxLower, TablesAndStepsAreLimitedInAll) {
  Graph_ tables({});
  tables.constant(integers("from", {0})).constant(integers("to", {1'000'000})).constant(integers("by", {1}));
  for (onnxspec::Tensor& each : tables.spec.graph.initializers) each.dims.clear();
  Graph_ steps({});
  steps.input("x", {256, 1, 1}).input("w", {1, 4, 1}).input("r", {1, 4, 1});  // weights that come at run time: unrolled
  for (int i = 0; i < 20; ++i) {
    const std::string y = std::to_string(i);
    tables.spec.graph.nodes.push_back(node("Range", {"from", "to", "by"}, {y}));
    tables.output(y);
    steps.spec.graph.nodes.push_back(node("LSTM", {"x", "w", "r"}, {y}, {attribute("hidden_size", std::int64_t{1})}));
    steps.output(y);
  }
  for (const Graph_* graph : {&tables, &steps}) {
    const auto lowered = graph->lower();
    ASSERT_FALSE(lowered);
    EXPECT_NE(render(lowered.error()).find("in all, made of what the file holds"), std::string::npos)
        << render(lowered.error());
    Graph_ fewer = *graph;
    fewer.spec.graph.nodes.resize(3);
    fewer.spec.graph.outputs.resize(3);
    const auto small = fewer.lower();
    EXPECT_TRUE(small) << render(small.error());
  }
}

TEST(OnnxLower, WhatIsNoTensorAndWhatHasTooManyDimensionsHaveCodes) {
  Graph_ words({node("Identity", {"x"}, {"y"})});
  words.input("x", {2}, DataType::string).output("y");
  Graph_ wide({node("Unsqueeze", {"x", "axes"}, {"y"})});
  wide.input("x", {1, 2, 3, 4, 5}).output("y").constant(integers("axes", {0}));
  Graph_ list({node("SequenceConstruct", {"x"}, {"y"})});
  list.input("x", {2}).output("y");
  for (const auto& [graph, code] :
       {std::pair(&words, ErrorCode::onnx_not_tensors), std::pair(&list, ErrorCode::onnx_not_tensors),
        std::pair(&wide, ErrorCode::onnx_rank)}) {
    const auto lowered = graph->lower();
    ASSERT_FALSE(lowered);
    EXPECT_EQ(lowered.error().at(0).code, code) << render(lowered.error());
  }
}

TEST(OnnxLower, SizesThatAreOpenAreAskedFor) {
  Graph_ graph({node("Relu", {"x"}, {"y"})});
  graph.input("x", {-1, 3, -1, -1}).output("y");
  const auto open = graph.lower();
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().at(0).code, ErrorCode::onnx_shape_open);
  EXPECT_NE(render(open.error()).find("--shapes HxW"), std::string::npos);
  LowerOptions options;
  options.size = std::pair(8, 6);
  const auto fixed = graph.lower(options);
  ASSERT_TRUE(fixed) << render(fixed.error());
  EXPECT_EQ(fixed->program->main().body.inputs[0]->type.dims, (anemone::Dims{1, 3, 8, 6}));
  options.input_shapes["x"] = {2, 4, 8, 8};  // four channels where three are declared
  const auto other = graph.lower(options);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().at(0).code, ErrorCode::onnx_shape_refused);
}

TEST(OnnxLower, TheBoundaryHasTypesThatCoreMlTakes) {
  Graph_ graph({node("Not", {"x"}, {"y"})});
  graph.input("x", {}, DataType::boolean).output("y");
  const auto lowered = graph.lower();
  ASSERT_TRUE(lowered) << render(lowered.error());
  const anemone::Function& main = lowered->program->main();
  EXPECT_EQ(brief(main.body.inputs[0]->type), "int32[1]");
  EXPECT_EQ(brief(main.body.outputs()[0]->type), "int32[1]");
  EXPECT_EQ(lowered->outputs[0].dtype, DataType::boolean);
  EXPECT_TRUE(lowered->outputs[0].dims.empty());
}

TEST(OnnxLower, TheTableIsInOrderAndEveryRowIsFound) {
  const std::vector<SupportRow> table = support_table();
  EXPECT_GT(table.size(), 150u);
  for (std::size_t i = 1; i < table.size(); ++i) {
    EXPECT_LT(std::tie(table[i - 1].domain, table[i - 1].op, table[i - 1].since),
              std::tie(table[i].domain, table[i].op, table[i].since));
  }
}

}  // namespace
}  // namespace anemone::onnx

// The graph: names, uses, order, edits, and the way back to a file.
#include "anemone/onnx/graph.h"

#include <fmt/format.h>

#include "anemone/onnx/onnx_test_util.h"

namespace anemone::onnx {
namespace {

using namespace test;

onnxspec::ValueInfo value(const std::string& name) { return {name, tensor_type(DataType::float32, {1}), {}, {}}; }

onnxspec::Model chain() {
  onnxspec::Model spec =
      model_of({node("Relu", {"x"}, {"a"}), node("Add", {"a", "w"}, {"b"}), node("Mul", {"a", "b"}, {"y"})});
  spec.graph.inputs = {value("x")};
  spec.graph.outputs = {value("y")};
  spec.graph.initializers = {tensor<float>("w", DataType::float32, {1}, {1})};
  return spec;
}

/// "op(inputs)->outputs …" and every use list checked against the operands.
std::string sketch(const Graph& graph) {
  std::string text;
  std::size_t uses = 0, operands = graph.outputs().size();
  for (const auto& v : graph.values()) {
    uses += v->uses().size();
    for (const Use& use : v->uses()) {
      EXPECT_EQ(use.node ? use.node->input(use.index) : graph.outputs()[use.index], v.get()) << v->name();
    }
  }
  for (const auto& n : graph.nodes()) {
    text += n->op_type + "(";
    for (std::size_t i = 0; i < n->input_count(); ++i) {
      text += (i > 0 ? "," : "") + (n->input(i) ? n->input(i)->name() : "");
      operands += n->input(i) != nullptr;
    }
    text += ") ";
  }
  EXPECT_EQ(uses, operands);
  return text;
}

TEST(OnnxGraph, KnowsProducersAndUses) {
  const Model model = build(chain());
  EXPECT_EQ(sketch(*model.graph), "Relu(x) Add(a,w) Mul(a,b) ");
  const Value* a = model.graph->find("a");
  EXPECT_EQ(a->producer()->op_type, "Relu");
  EXPECT_EQ(a->uses().size(), 2u);
  EXPECT_TRUE(model.graph->find("w")->is_initializer());
  EXPECT_TRUE(model.is_constant(*model.graph->find("w")));
  EXPECT_EQ(model.graph->find("absent"), nullptr);
}

TEST(OnnxGraph, EditsKeepUsesRight) {
  Model model = build(chain());
  Graph& g = *model.graph;
  Node& add = *g.find("b")->producer();
  Value* c = g.add_value(g.free_name("b"));
  EXPECT_EQ(c->name(), "b_1");
  g.add_node("Sub", {g.find("a"), g.find("w")}, {c}, &add);
  EXPECT_EQ(sketch(g), "Relu(x) Sub(a,w) Add(a,w) Mul(a,b) ");
  g.replace_uses(*g.find("b"), *c);
  g.erase(add);
  EXPECT_EQ(g.find("b"), nullptr);
  EXPECT_EQ(sketch(g), "Relu(x) Sub(a,w) Mul(a,b_1) ");
  g.replace_uses(*g.find("y"), *g.find("x"));
  EXPECT_EQ(g.outputs()[0]->name(), "x");
  EXPECT_EQ(sketch(g), "Relu(x) Sub(a,w) Mul(a,b_1) ");
}

TEST(OnnxGraph, ReturnsToItsFile) {
  onnxspec::Model spec = chain();
  EXPECT_EQ(to_spec(build(spec)), spec);
}

TEST(OnnxGraph, NodesAreOrdered) {
  onnxspec::Model spec = chain();
  std::swap(spec.graph.nodes[0], spec.graph.nodes[2]);
  EXPECT_EQ(sketch(*build(spec).graph), "Relu(x) Add(a,w) Mul(a,b) ");
}

TEST(OnnxGraph, BodiesCapture) {
  onnxspec::Graph then_branch, else_branch;
  then_branch.nodes = {node("Neg", {"a"}, {"t"})};
  then_branch.outputs = {{"t", std::nullopt, {}, {}}};
  else_branch.outputs = {{"a", std::nullopt, {}, {}}};  // of the graph around it
  onnxspec::Node branch = node("If", {"c"}, {"y"});
  branch.attributes = {{"then_branch", Attribute::Kind::graph, std::vector<onnxspec::Graph>{then_branch}, {}, {}},
                       {"else_branch", Attribute::Kind::graph, std::vector<onnxspec::Graph>{else_branch}, {}, {}}};
  // `a` is defined behind the node whose bodies read it.
  onnxspec::Model spec = model_of({branch, node("Relu", {"x"}, {"a"})});
  spec.graph.inputs = {value("x"), {"c", tensor_type(DataType::boolean, {}), {}, {}}};
  spec.graph.outputs = {{"y", std::nullopt, {}, {}}};
  Model model = build(spec);
  EXPECT_EQ(model.graph->nodes().front()->op_type, "Relu");
  const Value* a = model.graph->find("a");
  EXPECT_EQ(a->uses().size(), 2u);
  EXPECT_TRUE(infer_types(model).empty());
  EXPECT_EQ(to_text(model.graph->find("y")->type), "float[1]");
  int nodes = 0;
  for_each_node(*model.graph, [&](const Node&) { ++nodes; });
  EXPECT_EQ(nodes, 4) << "Relu, If, Neg, and an Identity for the captured output";
  model.graph->replace_uses(*model.graph->find("y"), *model.graph->find("x"));
  model.graph->erase(*model.graph->nodes().back());
  EXPECT_TRUE(a->uses().empty());
  EXPECT_TRUE(build_model(to_spec(build(spec)), "again"));
}

TEST(OnnxGraph, RefusesWhatIsNoGraph) {
  const auto outcome = [](onnxspec::Model spec) {
    const auto model = build_model(std::move(spec), "f");
    return model ? "built" : fmt::format("{}: {}", text_of(model.error().front().code), model.error().front().message);
  };
  onnxspec::Model spec = chain();
  spec.graph.nodes[1].inputs[1] = "nowhere";
  EXPECT_EQ(outcome(spec), "E0410: the Add node reads 'nowhere', which nothing defines");
  spec = chain();
  spec.graph.outputs[0].name = "nowhere";
  EXPECT_EQ(outcome(spec), "E0410: output 'nowhere' of graph 'g' is defined by nothing");
  spec = chain();
  spec.graph.nodes[1].outputs[0] = "a";
  EXPECT_EQ(outcome(spec), "E0411: 'a' is defined twice in graph 'g'");
  spec = chain();
  spec.graph.nodes[0].outputs[0] = "x";
  EXPECT_EQ(outcome(spec), "E0411: 'x' is defined twice in graph 'g'");
  spec = chain();
  spec.graph.nodes[0].inputs[0] = "y";
  EXPECT_EQ(outcome(spec), "E0412: the Relu node waits for itself, through the nodes before it");
}

TEST(OnnxGraph, AnInitialiserThatIsAnInputIsADefault) {
  onnxspec::Model spec = chain();
  spec.graph.inputs.push_back(value("w"));
  Model model = build(spec);
  EXPECT_FALSE(model.is_constant(*model.graph->find("w")));
  model.ir_version = 3;
  EXPECT_TRUE(model.is_constant(*model.graph->find("w")));
}

TEST(OnnxGraph, PrintsAsOnnxText) {
  Model model = build(chain());
  infer_types(model);
  EXPECT_EQ(to_text(model),
            "<\n  ir_version: 8,\n  opset_import: [\"\" : 17]\n>\n"
            "g (float[1] x) => (float[1] y)\n<\n  float[1] w\n>\n{\n"
            "  a = Relu (x)  # float[1]\n  b = Add (a, w)  # float[1]\n  y = Mul (a, b)  # float[1]\n}\n");
}

}  // namespace
}  // namespace anemone::onnx

// The words for rewriting, and the use lists beneath them.
#include "anemone/ir/rewrite.h"

#include <gtest/gtest.h>

#include "anemone/ir/test_ops.h"
#include "anemone/ir/text/parse.h"
#include "anemone/ir/verify.h"

namespace anemone {
namespace {

struct Graph {
  std::unique_ptr<Program> program;
  Block& body;
  explicit Graph(const std::string& text) : program(read(text)), body(program->main().body) {}
  static std::unique_ptr<Program> read(const std::string& text) {
    auto parsed = parse("func main<ios17>(tensor<fp32, [1, 2, 4, 4]> x) {\n" + text, test::ops());
    EXPECT_TRUE(parsed) << render(parsed.error());
    return *std::move(parsed);
  }
  Node& at(std::string_view name) {
    for (Node& node : body.nodes) {
      if (display_name(node) == name) return node;
    }
    ADD_FAILURE() << "no node " << name;
    return body.nodes.front();
  }
  void is_well_formed() {
    const auto good = verify(*program, {.interface = false});
    EXPECT_TRUE(good) << render(good.error());
  }
};

TEST(Uses, KnowTheirPlaceThroughEveryChange) {
  Graph g(R"(
    a = relu(x = x);
    b = concat(values = (a, x, a, a), axis = 1);
    c = add(x = a, y = a);
  } -> (b, c);)");
  Value* a = g.at("a").output();
  Value* x = g.body.inputs[0].get();
  EXPECT_EQ(a->uses.size(), 5u);
  const auto places_agree = [&] {
    for (const Value* value : {a, x}) {
      for (const Use& use : value->uses) {
        EXPECT_EQ(use.node->operands()[use.operand].values[use.item], value);
      }
    }
    g.is_well_formed();
  };
  places_agree();
  g.at("b").replace(a, x);  // in the middle of a's list
  EXPECT_EQ(a->uses.size(), 2u);
  places_agree();
  g.at("b").set("values", std::vector<Value*>{x, a, x, a});
  for (const Use& use : a->uses) {
    if (use.node != &g.at("c")) continue;
    use.node->replace(use, x);
    break;
  }
  places_agree();
  Node& c = g.at("c");  // removing an operand moves those behind it
  c.remove("x");
  for (const Use& use : c.operands()[0].values[0]->uses) {
    EXPECT_EQ(use.node->operands()[use.operand].values[use.item], c.operands()[0].values[0]);
  }
}

TEST(Looking, PayloadsAndWhatIsStatic) {
  Graph g(R"(
    w = tensor<fp32, [2]>([1.0, 2.0]);
    p = constexpr_lut_to_dense(indices = tensor<uint8, [1]>([2]), lut = tensor<fp32, [2]>([0.5, 1.5]), shape = tensor<uint32, [1]>([2]));
    s = add(x = w, y = p);
    t = add(x = x, y = s);
  } -> (t);)");
  const Value* w = g.at("s").input("x");
  const Value *p = g.at("p").output(), *s = g.at("s").output(), *t = g.at("t").output();
  EXPECT_EQ(payload(w), w->constant.get());
  EXPECT_EQ(payload(p), nullptr);
  EXPECT_EQ(payload(nullptr), nullptr);
  EXPECT_TRUE(is_static(w));
  EXPECT_TRUE(is_static(p));
  EXPECT_FALSE(is_static(s));
  EXPECT_FALSE(is_static(nullptr));
  EXPECT_TRUE(is_computed_from_static(s));
  EXPECT_FALSE(is_computed_from_static(t));
  auto gone = std::make_shared<Constant>(*w->constant);
  gone->missing = "weight.bin";
  EXPECT_EQ(payload(g.body.add_constant("gone", gone)), nullptr);
  EXPECT_TRUE(is_static(g.body.constants.back().get()));
}

TEST(Looking, ProducersAndOnlyUsers) {
  Graph g(R"(
    a = relu(x = x);
    b = sigmoid(x = a);
    c = add(x = b, y = b);
  } -> (c);)");
  EXPECT_EQ(producer(g.at("b").input("x"), "relu"), &g.at("a"));
  EXPECT_EQ(producer(g.at("b").input("x"), "sigmoid"), nullptr);
  EXPECT_EQ(producer(g.at("a").input("x"), "relu"), nullptr);
  EXPECT_EQ(producer(nullptr, "relu"), nullptr);
  EXPECT_EQ(find_result(g.body, "a"), g.at("a").output());
  EXPECT_EQ(find_result(g.body, "x"), nullptr);
  EXPECT_EQ(only_user(g.at("a").output()), &g.at("b"));
  EXPECT_EQ(only_user(g.at("b").output()), nullptr);  // two uses, of one node
  EXPECT_EQ(only_user(g.at("c").output()), nullptr);  // an output
  EXPECT_TRUE(same_block(g.at("a"), g.at("b")));
}

TEST(ReplaceWith, KeepsTheNameAndErasesTheNode) {
  Graph g("  a = relu(x = x);\n  b = sigmoid(x = a);\n} -> (b);");
  Value* a = g.at("a").output();
  EXPECT_TRUE(replace_with(g.at("b"), *a));
  EXPECT_EQ(g.body.nodes.size(), 1u);
  EXPECT_EQ(g.body.outputs()[0], a);
  EXPECT_EQ(a->name, "b");
  EXPECT_EQ(display_name(g.body.nodes.front()), "b");
  g.is_well_formed();
}

TEST(ReplaceWith, RefusesWhereAnOutputWouldLoseItsName) {
  Graph g("  a = relu(x = x);\n  b = sigmoid(x = a);\n} -> (a, b);");
  EXPECT_FALSE(replace_with(g.at("b"), *g.at("a").output()));  // already an output
  EXPECT_FALSE(replace_with(g.at("a"), *g.body.inputs[0]));    // an input
  EXPECT_EQ(g.body.nodes.size(), 2u);
  g.is_well_formed();
}

}  // namespace
}  // namespace anemone

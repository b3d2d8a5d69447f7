// A trial that is undone leaves nothing, whatever it did; one that is kept leaves the names.
#include "anemone/ir/trial.h"

#include <gtest/gtest.h>

#include <random>
#include <tuple>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/test_ops.h"
#include "anemone/ir/text/parse.h"
#include "anemone/ir/text/print.h"
#include "anemone/ir/verify.h"

namespace anemone {
namespace {

constexpr const char* kText = R"(func main<ios17>(tensor<fp32, [1, 4, 2, 2]> x, tensor<bool, []> p) {
  two = tensor<fp32, [1, 4, 2, 2]>(splat(2.0));
  a = relu(x = x);
  a_1 = add(x = a, y = a);
  b, c = split(x = a_1, num_splits = 2, axis = 1);
  d = concat(values = (b, c, b), axis = 1);
  e = cond(pred = p) { i = add(x = a_1, y = two); } -> (i), { j = sigmoid(x = a); } -> (j);
  f = add(x = e, y = a_1);
  g = sigmoid(x = f);
} -> (g, d, a);)";

std::unique_ptr<Program> read() {
  auto parsed = parse(kText, test::ops());
  EXPECT_TRUE(parsed) << render(parsed.error());
  return *std::move(parsed);
}
Node& node(Program& program, std::string_view name) { return *find_result(program.main().body, name)->producer; }
double one(const Node&) { return 1; }

// All that can be seen of a program: its text, and beneath it every value's place, type and uses in their order.
struct Picture {
  std::string text;
  std::vector<std::tuple<const Value*, std::string, Type, const Constant*, int>> values;
  std::vector<std::tuple<const Node*, std::uint32_t, std::uint32_t>> uses;

  explicit Picture(const Program& program) : text(to_text(program, {.exact = true})) { look(program.main().body); }
  void look(const Block& block) {
    for (const auto& input : block.inputs) look(*input);
    for (const auto& constant : block.constants) look(*constant);
    for (const Node& n : block.nodes) {
      for (const auto& output : n.outputs) look(*output);
      for (const auto& inner : n.blocks) look(*inner);
    }
  }
  void look(const Value& value) {
    values.emplace_back(&value, value.name, value.type, value.constant.get(), value.output_uses);
    for (const Use& use : value.uses) uses.emplace_back(use.node, use.operand, use.item);
  }
};
void expect_same(const Picture& now, const Picture& before) {
  EXPECT_EQ(now.text, before.text);
  EXPECT_TRUE(now.values == before.values);
  EXPECT_TRUE(now.uses == before.uses);
}
// The names that come next are those of a program in which nothing was ever tried.
void expect_untouched_names(Program& program) {
  const auto fresh = read();
  for (std::string_view wish : {"a", "a", "x", "relu", "relu", "const", "two", "split", "split_1", "new", "new_1"}) {
    EXPECT_EQ(program.main().unique_name(wish), fresh->main().unique_name(wish));
  }
}

using Edit = void (*)(Program&, Trial&);
struct NamedEdit {
  const char* name;
  Edit edit;
};
const NamedEdit kEdits[] = {
    {"nothing", [](Program&, Trial&) {}},
    {"a node",
     [](Program& p, Trial& t) {
       t.builder().add("relu", {{"x", find_result(p.main().body, "a")}}, "a");
     }},
    {"a node with two outputs",
     [](Program& p, Trial& t) {
       t.builder().add_node("split", {{"x", find_result(p.main().body, "f")}, {"num_splits", 2}, {"axis", 1}}, "b");
     }},
    {"a list of operands, the same value twice",
     [](Program& p, Trial& t) {
       Value* f = find_result(p.main().body, "f");
       t.builder().add("concat", {{"values", std::vector<Value*>{f, f}}, {"axis", 1}});
     }},
    {"constants, shared and not",
     [](Program& p, Trial& t) {
       Value* f = find_result(p.main().body, "f");
       t.builder().add("add", {{"x", f}, {"y", make_scalar(DType::fp32, 3)}}, "two");
       t.builder().add("add", {{"x", f}, {"y", make_scalar(DType::fp32, 3)}}, "two");
       const std::vector<double> many(100, 1);
       t.builder().constant(make_constant(DType::fp32, {100}, std::span(many)), "w");
     }},
    {"a use of an old constant",
     [](Program& p, Trial& t) {
       t.builder().add(
           "add", {{"x", find_result(p.main().body, "f")}, {"y", node(p, "e").blocks[0]->nodes.front().input("y")}});
     }},
    {"a chain at two places",
     [](Program& p, Trial& t) {
       Value* y = t.builder().add("relu", {{"x", find_result(p.main().body, "f")}});
       t.builder().move_before(node(p, "e"));
       t.builder().add("sigmoid", {{"x", find_result(p.main().body, "a_1")}});
       t.builder().move_before(node(p, "g"));
       t.replace(*find_result(p.main().body, "g"), *t.builder().add("add", {{"x", y}, {"y", y}}));
     }},
    {"an error of the builder",
     [](Program& p, Trial& t) {
       Value* y = t.builder().add("relu", {{"x", find_result(p.main().body, "f")}});
       y = t.builder().add("add", {{"x", y}}, "half");  // y is missing
       t.replace(*find_result(p.main().body, "g"), *t.builder().add("relu", {{"x", y}}));
     }},
    {"a replacement of another type",
     [](Program& p, Trial& t) { t.replace(*find_result(p.main().body, "g"), *find_result(p.main().body, "b")); }},
};

TEST(Trial, UndoneLeavesNoTraceOfAnyEdit) {
  for (const NamedEdit& edit : kEdits) {
    SCOPED_TRACE(edit.name);
    const auto program = read();
    const Picture before(*program);
    for (int round = 0; round < 3; ++round) {
      Trial trial(node(*program, "g"));
      edit.edit(*program, trial);
      if (round == 0) trial.undo();
      if (round == 1) {
        EXPECT_FALSE(trial.keep_if_cheaper([](const Node& n) { return n.type == "sigmoid" ? 0.0 : 9.0; }));
      }
    }
    expect_same(Picture(*program), before);
    expect_untouched_names(*program);
  }
}

// Any number of operations on any values at any place, replacements of anything, two trials at a time.
TEST(Trial, UndoneLeavesNoTraceOfRandomEdits) {
  const auto program = read();
  Block& body = program->main().body;
  const Picture before(*program);
  std::mt19937 random(1);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  std::vector<Node*> places;
  std::vector<Value*> old_values{body.inputs[0].get()};
  for (Node& n : body.nodes) {
    places.push_back(&n);
    for (const auto& output : n.outputs) old_values.push_back(output.get());
  }
  const auto any_place = [&]() -> Node& { return *places[below(places.size())]; };
  const char* const names[] = {"a", "a_1", "b", "new", "", "two"};
  for (int round = 0; round < 2000; ++round) {
    Trial first(any_place()), second(any_place());
    std::vector<Value*> values_of_first = old_values, values_of_second = old_values;
    for (std::size_t edits = below(12); edits > 0; --edits) {
      const bool of_first = below(2);
      Trial& trial = of_first ? first : second;
      std::vector<Value*>& values = of_first ? values_of_first : values_of_second;
      const auto any = [&] { return values[below(values.size())]; };
      Builder& b = trial.builder();
      const char* name = names[below(6)];
      switch (below(6)) {
        case 0:
          values.push_back(b.add("relu", {{"x", any()}}, name));
          break;
        case 1:
          values.push_back(
              b.add("add", {{"x", any()}, {"y", make_scalar(DType::fp32, static_cast<double>(below(3)))}}, name));
          break;
        case 2:
          values.push_back(b.add("concat", {{"values", std::vector<Value*>{any(), any()}}, {"axis", 1}}, name));
          break;
        case 3:
          b.add_node("split", {{"x", any()}, {"num_splits", 2}, {"axis", static_cast<int>(below(5))}}, name);
          break;
        case 4:
          b.move_before(any_place());
          break;
        default:
          trial.replace(*any(), *any());
      }
    }
    (below(2) ? first : second).undo();
  }
  expect_same(Picture(*program), before);
  expect_untouched_names(*program);
}

TEST(Trial, KeptTakesTheNameAndErasesWhatDies) {
  const auto program = read();
  Node& g = node(*program, "g");
  Trial trial(g);
  Value* y = trial.builder().add("relu", {{"x", find_result(program->main().body, "a")}});
  trial.replace(*g.output(), *y);
  EXPECT_EQ(trial.cost_of_new(one), 1);
  EXPECT_EQ(trial.cost_of_old(one), 2);  // g and f; e holds blocks, and others read a_1
  ASSERT_TRUE(trial.keep_if_cheaper(one));
  EXPECT_EQ(program->main().body.outputs()[0]->name, "g");
  EXPECT_EQ(find_result(program->main().body, "g")->producer->type, "relu");
  EXPECT_EQ(find_result(program->main().body, "f"), nullptr);
  const auto good = verify(*program);
  EXPECT_TRUE(good) << render(good.error());
}

TEST(Trial, ANewReaderKeepsTheOldOneAlive) {
  const auto program = read();
  Node& g = node(*program, "g");
  Trial trial(g);
  trial.replace(*g.output(), *trial.builder().add("relu", {{"x", g.input("x")}}));
  EXPECT_EQ(trial.cost_of_old(one), 1);
  EXPECT_FALSE(trial.keep_if_cheaper(one));  // no cheaper than before
}

TEST(Trial, TwoOutputsCannotShareAValue) {
  const auto program = read();
  const Picture before(*program);
  {
    Trial trial(node(*program, "b"));  // before it stand the only nodes of that type
    Value* y = trial.builder().add("relu", {{"x", program->main().body.inputs[0].get()}});
    trial.replace(*find_result(program->main().body, "a"), *y);
    trial.replace(*find_result(program->main().body, "g"), *y);
    EXPECT_FALSE(trial.keep());
  }
  expect_same(Picture(*program), before);
}

}  // namespace
}  // namespace anemone

// The reference executor: whole functions, states, control flow, and what it refuses.
#include "anemone/ops/execute.h"

#include "anemone/ir/declared_test_util.h"
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

Array vector_of(std::vector<double> data) {
  const auto n = static_cast<std::int64_t>(data.size());
  return {DType::fp32, {n}, std::move(data)};
}

struct Fixture {
  Program program{table()};
  Function& function = program.add_function("main", Target::ios18);
  Builder builder{function.body};
  Value* input(const char* name, Type type) { return function.body.add_input(name, std::move(type)); }
  Result<std::vector<Array>> run(std::vector<Value*> outputs, std::vector<Array> inputs,
                                 std::vector<Array>* states = nullptr) {
    TRY_VOID(builder.finish());
    function.body.set_outputs(std::move(outputs));
    return evaluate(function, inputs, states);
  }
};

TEST(Execute, RunsNodesInOrder) {
  Fixture f;
  Value* x = f.input("x", Type::tensor(DType::fp32, {2}));
  Value* sum = f.builder.add("add", {{"x", x}, {"y", x}});
  Value* y = f.builder.add("mul", {{"x", sum}, {"y", x}});
  const auto result = f.run({y, x, sum, y}, {vector_of({1, 3})});
  expect(result, {2}, {2, 18});
  expect_array((*result)[1], {2}, {1, 3});
  expect_array((*result)[2], {2}, {2, 6});
  expect_array((*result)[3], {2}, {2, 18});
}

TEST(Execute, OutputsMayBeConstants) {
  Fixture f;
  expect(f.run({f.builder.scalar(DType::fp16, 0.5)}, {}), {}, {0.5});
}

TEST(Execute, InputsMustFit) {
  Fixture f;
  Value* x = f.input("x", Type::tensor(DType::fp32, {2}));
  expect_refused(f.run({x}, {}), "takes 1 inputs, 0 are given");
  expect_refused(f.run({x}, {vector_of({1, 2, 3})}), "input 'x' takes fp32[2]");
  expect_refused(f.run({x}, {{DType::fp32, {2}, {1}}}), "given are 1 elements of fp32[2]");
}

TEST(Execute, OpaqueOperationsAreNamed) {
  Fixture f;
  Value* x = f.input("x", Type::tensor(DType::fp32, {2}));
  Node& node =
      test::insert_declared(f.function.body, "fold_paper", {{"x", {x}}}, {{"folded", Type::tensor(DType::fp32, {2})}});
  const auto result = f.run({node.output()}, {vector_of({1, 2})});
  expect_refused(result, "E0701");
  expect_refused(result, "operation 'fold_paper' (node 'folded') cannot be executed");
}

TEST(Execute, DeclaredTypesMustBeTrue) {
  Fixture f;
  Value* x = f.input("x", Type::tensor(DType::fp32, {2}));
  Node& node = test::insert_declared(f.function.body, "relu", {{"x", {x}}}, {{"y", Type::tensor(DType::fp32, {3})}});
  expect_refused(f.run({node.output()}, {vector_of({1, 2})}), "is declared as fp32[3], and fp32[2] comes out");
  Fixture g;
  x = g.input("x", Type::tensor(DType::fp32, {2}));
  Node& two = test::insert_declared(g.function.body, "relu", {{"x", {x}}}, {{"y", x->type}, {"z", x->type}});
  expect_refused(g.run({two.output()}, {vector_of({1, 2})}), "has 2 outputs where 1 come out");
}

TEST(Execute, MissingPayloadsAreNamed) {
  Fixture f;
  auto gone = std::make_shared<Constant>();
  gone->type = Type::tensor(DType::fp32, {2});
  gone->missing = "weight.bin";
  Value* y = f.builder.add("add", {{"x", f.input("x", gone->type)}, {"y", ConstantPtr(gone)}});
  expect_refused(f.run({y}, {vector_of({1, 2})}), "its file weight.bin is missing");
  Fixture g;
  Value* z =
      g.builder.add("add", {{"x", g.input("x", gone->type)}, {"y", make_constant(gone->type, Bytes::owned({}))}});
  expect_refused(g.run({z}, {vector_of({1, 2})}), "is fp32[2] and has 0 bytes");
}

TEST(Execute, StatesAreReadAndWritten) {
  Fixture f;
  Value* state = f.input("s", Type::state(Type::tensor(DType::fp16, {2})));
  Value* x = f.input("x", Type::tensor(DType::fp16, {2}));
  Value* before = f.builder.add("read_state", {{"input", state}});
  f.builder.add_node("write_state", {{"input", state}, {"data", f.builder.add("add", {{"x", before}, {"y", x}})}});
  Value* after = f.builder.add("read_state", {{"input", state}});
  std::vector<Array> states;
  const auto result = f.run({before, after}, {{DType::fp16, {2}, {1, 2}}, {DType::fp16, {2}, {10, 20}}}, &states);
  expect(result, {2}, {1, 2});
  expect_array((*result)[1], {2}, {11, 22});
  ASSERT_EQ(states.size(), 1u);
  expect_array(states[0], {2}, {11, 22});
}

TEST(State, C1C2) {
  Case c(Target::ios18);
  Value* state = c.typed(Type::state(Type::tensor(DType::fp16, {2})));
  expect_refused(c.infer("read_state", {{"input", c.typed({2})}}), "not a state");
  expect_refused(c.infer("write_state", {{"input", c.typed({2})}, {"data", c.typed({2})}}), "not a state");
  expect_refused(c.infer("write_state", {{"input", state}, {"data", c.typed(Type::tensor(DType::fp16, {3}))}}),
                 "the state holds fp16[2]");
}

// pred ? x + 1 : x − 1
Node& add_cond(Fixture& f, Value* pred, Value* x) {
  Node& node = f.function.body.insert(f.function.body.nodes.end(), "cond", table().find("cond"));
  node.set("pred", pred);
  for (const char* op : {"add", "sub"}) {
    Block& block = node.add_block();
    Builder inner(block);
    block.set_outputs({inner.add(op, {{"x", x}, {"y", inner.scalar(DType::fp32, 1)}})});
  }
  return node;
}
TEST(Control, CondRunsOneBlock) {
  for (const bool pred : {true, false}) {
    Fixture f;
    Value* p = f.input("p", Type::tensor(DType::boolean, {}));
    Node& node = add_cond(f, p, f.input("x", Type::tensor(DType::fp32, {1})));
    node.add_output("y", (*infer_types(node, Target::ios18))[0]);
    expect(f.run({node.output()}, {{DType::boolean, {}, {pred ? 1.0 : 0.0}}, vector_of({5})}), {1}, {pred ? 6.0 : 4.0});
  }
}

// while (i < limit) i = i · 2
Node& add_loop(Fixture& f, Value* start, double limit) {
  Node& node = f.function.body.insert(f.function.body.nodes.end(), "while_loop", table().find("while_loop"));
  node.set("loop_vars", start);
  Block& condition = node.add_block();
  Builder in_condition(condition);
  Value* i = condition.add_input("i", start->type);
  condition.set_outputs({in_condition.add("less", {{"x", i}, {"y", in_condition.scalar(DType::fp32, limit)}})});
  Block& body = node.add_block();
  Builder in_body(body);
  Value* j = body.add_input("j", start->type);
  body.set_outputs({in_body.add("mul", {{"x", j}, {"y", in_body.scalar(DType::fp32, 2)}})});
  return node;
}
TEST(Control, LoopsRunUntilTheirConditionFails) {
  Fixture f;
  Value* start = f.input("start", Type::tensor(DType::fp32, {1}));
  Node& node = add_loop(f, start, 100);
  node.add_output("y", (*infer_types(node, Target::ios18))[0]);
  expect(f.run({node.output(), start}, {vector_of({3})}), {1}, {192});
  expect_refused(f.run({node.output()}, {vector_of({0})}), "has not ended after 100000 turns");
}
TEST(Control, C1C2) {
  Fixture f;
  Value* x = f.input("x", Type::tensor(DType::fp32, {1}));
  Node& cond = f.function.body.insert(f.function.body.nodes.end(), "cond", table().find("cond"));
  cond.set("pred", f.input("p", Type::tensor(DType::boolean, {})));
  expect_refused(infer_types(cond, Target::ios18), "does not choose between two blocks");
  cond.add_block().set_outputs({x});
  cond.add_block().set_outputs({cond.input("pred")});
  expect_refused(infer_types(cond, Target::ios18), "the type fp32[1] or bool[]");
  Node& loop = f.function.body.insert(f.function.body.nodes.end(), "while_loop", table().find("while_loop"));
  loop.set("loop_vars", x);
  expect_refused(infer_types(loop, Target::ios18), "there is no body that gives as many");
  loop.add_block().set_outputs({x});
  loop.add_block().set_outputs({x});
  expect_refused(infer_types(loop, Target::ios18), "the condition is not one bool");
}

}  // namespace
}  // namespace anemone::ops

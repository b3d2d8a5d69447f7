// Fixed shapes out of flexible ones.
#include "anemone/ops/specialize.h"

#include "anemone/ir/declared_test_util.h"
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

// y = reshape(x, [shape(x)[0] · 2, −1]) for x [?, 4]
struct Flexible {
  Program program{table()};
  Flexible() {
    Function& function = program.add_function("main", Target::ios17);
    Value* x = function.body.add_input("x", Type::tensor(DType::fp32, {kUnknown, 4}));
    Builder b(function.body);
    Value* rows = b.add("slice_by_index", {{"x", b.add("shape", {{"x", x}})}, {"begin", {0}}, {"end", {1}}});
    Value* doubled = b.add("mul", {{"x", rows}, {"y", make_ints({2})}});
    Value* rest = b.constant(make_ints({-1}));
    Value* shape = b.add("concat", {{"values", std::vector<Value*>{doubled, rest}}, {"axis", 0}});
    Value* y = b.add("reshape", {{"x", x}, {"shape", shape}}, "result");
    EXPECT_TRUE(b.finish());
    function.body.set_outputs({y});
    Feature in, out;
    in.name = "x";
    in.shape = {1, 4};
    in.ranges = {{1, 8}, {4, 4}};
    out.name = "result";
    function.interface = {{in}, {out}, {}, {}, {}};
    program.add_function("other", Target::ios17);
  }
};

TEST(Specialize, FoldsArithmeticOnShapes) {
  const Flexible flexible;
  const auto fixed = specialize(flexible.program, "main", {{"x", {3, 4}}});
  ASSERT_TRUE(fixed) << render(fixed.error());
  const Function& main = (*fixed)->main();
  ASSERT_EQ(main.body.nodes.size(), 1u);
  EXPECT_EQ(main.body.nodes.front().type, "reshape");
  EXPECT_EQ(main.body.outputs()[0]->type, Type::tensor(DType::fp32, {6, 2}));
  EXPECT_EQ(main.body.outputs()[0]->name, "result");
  // The original is as it was.
  EXPECT_EQ(flexible.program.main().body.nodes.size(), 5u);
  EXPECT_EQ(flexible.program.main().body.inputs[0]->type.dims[0], kUnknown);
}
TEST(Specialize, LeavesOneFunctionWithAFixedInterface) {
  const Flexible flexible;
  const auto fixed = specialize(flexible.program, "main", {{"x", {3, 4}}});
  ASSERT_TRUE(fixed);
  EXPECT_EQ((*fixed)->functions.size(), 1u);
  const Interface& interface = (*fixed)->main().interface;
  EXPECT_EQ(interface.inputs[0].shape, (Dims{3, 4}));
  EXPECT_FALSE(interface.inputs[0].is_flexible());
  EXPECT_EQ(interface.outputs[0].shape, (Dims{6, 2}));
}
TEST(Specialize, KeepsTheMeaning) {
  const Flexible flexible;
  const Array x{DType::fp32, {1, 4}, {1, 2, 3, 4}};
  const auto before = evaluate(flexible.program.main(), std::span(&x, 1));
  expect(before, {2, 2}, {1, 2, 3, 4});
  const auto fixed = specialize(flexible.program, "main", {{"x", {1, 4}}});
  ASSERT_TRUE(fixed);
  expect(evaluate((*fixed)->main(), std::span(&x, 1)), {2, 2}, {1, 2, 3, 4});
}
TEST(Specialize, WhatCannotBeIsSaid) {
  const Flexible flexible;
  expect_refused(specialize(flexible.program, "nain", {}), "no function 'nain'");
  expect_refused(specialize(flexible.program, "main", {{"z", {1}}}), "no input 'z'");
  expect_refused(specialize(flexible.program, "main", {{"x", {3, 5}}}), "is declared as fp32[?,4]");
  expect_refused(specialize(flexible.program, "main", {{"x", {kUnknown, 4}}}), "cannot have the shape");
}
TEST(Specialize, OpaqueOperationsKeepDeclaredTypes) {
  Program program(table());
  Function& function = program.add_function("main", Target::ios17);
  Value* x = function.body.add_input("x", Type::tensor(DType::fp32, {kUnknown}));
  Node& opaque =
      test::insert_declared(function.body, "custom", {{"x", {x}}}, {{"t", Type::tensor(DType::fp32, {2, kUnknown})}});
  Node& relu = test::insert_declared(function.body, "relu", {{"x", {opaque.output()}}},
                                     {{"y", Type::tensor(DType::fp32, {kUnknown, 7})}});
  function.body.set_outputs({relu.output()});
  const auto fixed = specialize(program, "main", {{"x", {5}}});
  ASSERT_TRUE(fixed) << render(fixed.error());
  EXPECT_EQ((*fixed)->main().body.nodes.front().output()->type.dims, (Dims{2, kUnknown}));
  EXPECT_EQ((*fixed)->main().body.outputs()[0]->type.dims, (Dims{2, 7}));  // what either side knows
}
TEST(Specialize, ErrorsOfRulesAreHandedOn) {
  Program program(table());
  Function& function = program.add_function("main", Target::ios17);
  Value* x = function.body.add_input("x", Type::tensor(DType::fp32, {kUnknown}));
  Node& add = test::insert_declared(function.body, "reshape",
                                    {{"x", {x}}, {"shape", {function.body.add_constant("s", make_ints({2, 2}))}}},
                                    {{"y", Type::tensor(DType::fp32, {2, 2})}});
  function.body.set_outputs({add.output()});
  expect_refused(specialize(program, "main", {{"x", {5}}}), "does not hold the 5 elements");
}

TEST(AtDefaultSize, TakesTheShapesOfTheInterface) {
  const Flexible flexible;
  EXPECT_FALSE(is_fixed(flexible.program.main()));
  const auto sized = at_default_size(flexible.program);
  ASSERT_TRUE(sized) << render(sized.error());
  ASSERT_TRUE(sized->program);
  EXPECT_TRUE(is_fixed(sized->program->main()));
  EXPECT_EQ(sized->defaults, (std::map<std::string, Dims>{{"x", {1, 4}}}));
  EXPECT_EQ(sized->program->main().body.outputs()[0]->type.dims, (Dims{2, 2}));
  const auto again = at_default_size(*sized->program);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->program, nullptr);  // nothing to choose
}

TEST(AtDefaultSize, TakesGivenShapesAndNamesWhatHasNone) {
  Flexible flexible;
  const auto given = at_default_size(flexible.program, {{"x", {3, 4}}});
  ASSERT_TRUE(given && given->program);
  EXPECT_TRUE(given->defaults.empty());
  EXPECT_EQ(given->program->main().body.outputs()[0]->type.dims, (Dims{6, 2}));
  flexible.program.main().interface.inputs.clear();
  const auto open = at_default_size(flexible.program);
  ASSERT_TRUE(open);
  EXPECT_EQ(open->program, nullptr);
  EXPECT_EQ(open->without_default, "x");
}

}  // namespace
}  // namespace anemone::ops

// What the engine refuses, and by which code.
#include "anemone/ir/declared_test_util.h"
#include "anemone/runtime/engine_test_util.h"

namespace anemone::runtime {
namespace {

std::string_view code_of(const Result<Engine>& engine) { return engine ? "compiled" : text_of(engine.error()[0].code); }
std::string_view code_of(const TestGraph& g, const Function& f) {
  ThreadPool pool(1);
  auto result = run_fast(f, g.inputs(), pool);
  return result ? "ran" : text_of(result.error()[0].code);
}

/// A graph that is one declared node on an input of `type`.
struct Declared {
  TestGraph g{DType::fp32};
  Value* x;
  Node* node = nullptr;
  explicit Declared(const Type& type = Type::tensor(DType::fp32, {2, 3})) : x(g.function().body.add_input("x", type)) {}
  Declared& put(const char* op, const Type& out, std::vector<Operand> more = {}) {
    more.insert(more.begin(), Operand{"x", {x}});
    node = &test::insert_declared(g.function().body, op, std::move(more), {{"y", out}});
    g.function().body.set_outputs({node->output()});
    return *this;
  }
  std::string_view code() {
    ThreadPool pool(1);
    return code_of(Engine::compile(g.function(), pool));
  }
};

TEST(EngineRefuses, WhatItCannotExecute) {
  const Type type = Type::tensor(DType::fp32, {2, 3});
  EXPECT_EQ(Declared().put("relu", type).code(), "compiled");
  EXPECT_EQ(Declared().put("mystery", type).code(), "E0701");
  Declared nested;
  nested.put("relu", type).node->add_block();
  EXPECT_EQ(nested.code(), "E0707");
  EXPECT_EQ(
      Declared(Type::tensor(DType::fp32, {kUnknown, 3})).put("relu", Type::tensor(DType::fp32, {kUnknown, 3})).code(),
      "E0708");
  EXPECT_EQ(Declared(Type::unranked(DType::fp32)).put("relu", Type::unranked(DType::fp32)).code(), "E0708");
  EXPECT_EQ(Declared(Type::list(type, 2)).put("identity", Type::list(type, 2)).code(), "E0709");
  // A declared type that lies would be a write behind the end of a buffer.
  EXPECT_EQ(Declared().put("relu", Type::tensor(DType::fp32, {2, 2})).code(), "E0702");
  EXPECT_EQ(Declared().put("relu", Type::tensor(DType::boolean, {2, 3})).code(), "E0702");
}

TEST(EngineRefuses, MissingAndShortPayloads) {
  for (bool missing : {true, false}) {
    Declared d;
    Constant constant{
        Type::tensor(DType::fp32, {2, 3}), Bytes::owned(std::vector<std::byte>(missing ? 24 : 20)), {}, {}, {}};
    if (missing) constant.missing = "weights/weight.bin";
    Value* y = d.g.function().body.add_constant("w", std::make_shared<const Constant>(constant));
    EXPECT_EQ(d.put("add", Type::tensor(DType::fp32, {2, 3}), {{"y", {y}}}).code(), "E0704");
  }
}

TEST(EngineRefuses, MoreMemoryThanThereIs) {
  const Type large = Type::tensor(DType::fp32, {std::int64_t{1} << 48});
  EXPECT_EQ(Declared(large).put("relu", large).code(), "E0712");
  const Type larger = Type::tensor(DType::fp32, {std::int64_t{1} << 60});
  EXPECT_EQ(Declared(larger).put("relu", larger).code(), "E0703");
}

TEST(EngineRefuses, InputsThatDoNotFit) {
  ThreadPool pool(1);
  TestGraph g(DType::fp32);
  Value* x = g.input({2, 3});
  Value* index = g.input_of({DType::int32, {1}, {1}});
  ASSERT_TRUE(g.finish({g.add("gather", {{"x", x}, {"indices", index}, {"axis", 1}})}));
  EXPECT_EQ(code_of(g, g.function()), "ran");
  auto engine = Engine::compile(g.function(), pool);
  ASSERT_TRUE(engine);
  EXPECT_EQ(engine->run({}).error()[0].code, "E0705");
  g.replace_input(0, {DType::fp32, {3, 2}, std::vector<double>(6)});
  const auto wrong = engine->run(g.inputs());
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error()[0].message, "input 'in0' takes fp32[2,3], [3,2] is given");
  const std::vector<float> six(6), one(1);
  const std::span<const float> floats[] = {six, one};
  EXPECT_EQ(engine->run_floats(floats).error()[0].code, "E0711");
  EXPECT_EQ(engine->run_floats({}).error()[0].code, "E0705");
  // An index that only the run can judge.
  g.replace_input(0, {DType::fp32, {2, 3}, std::vector<double>(6)});
  g.replace_input(1, {DType::int32, {1}, {7}});
  EXPECT_EQ(engine->run(g.inputs()).error()[0].code, "E0700");
}

}  // namespace
}  // namespace anemone::runtime

// The verifier finds what is broken on purpose, and the comparison sees every difference.
#include "anemone/ir/verify.h"
#include "anemone/ir/derive_interface.h"

#include <gtest/gtest.h>

#include "anemone/ir/compare.h"
#include "anemone/ir/test_ops.h"
#include "anemone/ir/text/parse.h"

namespace anemone {
namespace {

constexpr const char* kText = R"(program(1.3)
{
  func main<ios17>(tensor<fp16, [1, 3, 8, 8]> x) {
    w = tensor<fp16, [4, 3, 1, 1]>(random(seed = 7));
    y = conv(x = x, weight = w, strides = [1, 1]);
    p = less(x = 1, y = 2);
    c = cond(pred = p) {
      t = relu(x = y);
    } -> (t), {
    } -> (y);
    z = sigmoid(x = c);
  } -> (z, y);
}
)";

std::unique_ptr<Program> read(const std::string& text = kText) {
  auto program = parse(text, test::ops());
  if (!program) ADD_FAILURE() << render(program.error());
  return *std::move(program);
}

Node& node(Program& program, std::string_view type) {
  Node* found = nullptr;
  for_each_node(program.main().body, [&](Node& n) {
    if (n.type == type) found = &n;
  });
  return *found;
}

std::string errors_of(const Program& program, const VerifyOptions& options = {}) {
  const auto result = verify(program, options);
  return result ? "no error" : render(result.error());
}

TEST(Verify, AcceptsWhatIsGood) {
  const auto program = read();
  EXPECT_EQ(errors_of(*program), "no error");
  EXPECT_EQ(errors_of(*program, {.types = VerifyOptions::Types::exact}), "no error");
  EXPECT_EQ(errors_of(*clone(*program)), "no error");
}

TEST(Verify, LimitsOfCoreMl) {
  const auto refused = [](const char* dims, const char* target, const char* feature) {
    const auto program =
        read(std::string("//! input x: array fp16 [") + dims + "]\n//! output y: " + feature + "\nfunc main<" + target +
             ">(tensor<fp16, [" + dims + "]> x) { y = relu(x = x); } -> (y);");
    EXPECT_EQ(errors_of(*program), "no error");
    return errors_of(*program, {.limits = true});
  };
  EXPECT_NE(refused("1, 1, 1, 1, 1, 2", "ios17", "array fp16 []").find("at most 5 dimensions"), std::string::npos);
  EXPECT_NE(refused("1, 1, 8, 8", "ios15", "image gray-fp16 8x8").find("from ios16 on"), std::string::npos);
  EXPECT_EQ(refused("1, 1, 8, 8", "ios16", "image gray-fp16 8x8"), "no error");
}

TEST(Verify, WrongTypeIsShownInThePrintedText) {
  const auto program = read();
  node(*program, "sigmoid").output()->type = Type::tensor(DType::fp16, {1, 4, 8, 9});
  program->main().interface = derive_interface(program->main());
  const auto result = verify(*program);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error()[0].blame, Blame::bug);
  EXPECT_EQ(render(result.error()),
            "error[E0222]: sigmoid 'z': 'z' is declared as fp16[1,4,8,9], and the operands give fp16[1,4,8,8]\n"
            "  --> program.mil:11:5\n"
            "   |     tensor<fp16, [1, 4, 8, 9]> z = sigmoid(x = c);\n"
            "   |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
            "   = note: it comes from text.mil:11\n");
  EXPECT_EQ(errors_of(*program, {.types = VerifyOptions::Types::off}), "no error");
}

TEST(Verify, UnknownExtentsAreCompatibleButNotExact) {
  const auto program = read();
  node(*program, "sigmoid").output()->type = Type::tensor(DType::fp16, {1, 4, kUnknown, 8});
  program->main().interface = derive_interface(program->main());
  EXPECT_EQ(errors_of(*program), "no error");
  EXPECT_NE(errors_of(*program, {.types = VerifyOptions::Types::exact}).find("E0222"), std::string::npos);
}

TEST(Verify, UseBeforeDefinition) {
  const auto program = read();
  Block& body = program->main().body;
  body.nodes.splice(body.nodes.begin(), body.nodes, std::prev(body.nodes.end()));
  EXPECT_NE(errors_of(*program).find("E0220]: sigmoid 'z': x uses 'c' before it is defined"), std::string::npos)
      << errors_of(*program);
}

TEST(Verify, UseFromOutsideABlock) {
  const auto program = read();
  node(*program, "sigmoid").set("x", node(*program, "cond").blocks[0]->nodes.front().output());
  EXPECT_NE(errors_of(*program).find("x uses 't' before it is defined, or outside its block"), std::string::npos);
}

TEST(Verify, ForeignValueAndForeignOutput) {
  const auto program = read(), other = read();
  node(*program, "sigmoid").set("x", other->main().body.inputs[0].get());
  EXPECT_NE(errors_of(*program).find("sigmoid 'z': x is no value of function 'main'"), std::string::npos);
  node(*program, "sigmoid").set("x", program->main().body.inputs[0].get());
  program->main().body.set_outputs({other->main().body.inputs[0].get()});
  EXPECT_NE(errors_of(*program).find("a block output is no value of function 'main'"), std::string::npos);
  program->main().body.set_outputs({});
}

TEST(Verify, NamesAndUseLists) {
  {
    const auto program = read();
    node(*program, "sigmoid").output()->name = "y";
    EXPECT_NE(errors_of(*program).find("E0221]: the name 'y' is used twice"), std::string::npos);
    node(*program, "sigmoid").output()->name = "t";  // as a value inside the blocks before it, which nobody else sees
    EXPECT_EQ(errors_of(*program).find("E0221"), std::string::npos);
  }
  {
    const auto program = read();
    program->main().body.inputs[0]->uses.clear();
    EXPECT_NE(errors_of(*program).find("the use list of 'x' has 1 uses too few"), std::string::npos);
  }
  {
    const auto program = read();
    program->main().body.inputs[0]->uses.push_back({&node(*program, "sigmoid"), 0, 0});
    EXPECT_NE(errors_of(*program).find("the use list of 'x' has 1 uses too many"), std::string::npos);
  }
  {
    const auto program = read();
    ++node(*program, "sigmoid").output()->output_uses;
    EXPECT_NE(errors_of(*program).find("'z' is 1 times a block output, and counts 2"), std::string::npos);
  }
}

TEST(Verify, RequiredOperandsEvenWithoutTypes) {
  const auto program = read();
  node(*program, "conv").remove("weight");
  EXPECT_NE(errors_of(*program).find("E0200]: conv 'y': weight: is required and not given"), std::string::npos);
  EXPECT_NE(errors_of(*program, {.types = VerifyOptions::Types::off}).find("E0220]: conv 'y': weight is required"),
            std::string::npos);
}

TEST(Verify, InterfaceMatchesTheFunction) {
  const auto wrong = [](auto change) {
    const auto program = read();
    change(program->main().interface);
    return errors_of(*program);
  };
  EXPECT_NE(wrong([](Interface& i) { i.inputs.clear(); }).find("E0223]: the input 'x' is missing in the interface"),
            std::string::npos);
  EXPECT_NE(wrong([](Interface& i) { i.outputs[0].name = "q"; }).find("has output 'q', and the function has not"),
            std::string::npos);
  EXPECT_NE(wrong([](Interface& i) { i.inputs[0].dtype = DType::fp32; }).find("fp32 in the interface, and fp16"),
            std::string::npos);
  EXPECT_NE(wrong([](Interface& i) {
              i.inputs[0].shape = {1, 3, 8};
            }).find("has shape [1,3,8] in the interface"),
            std::string::npos);
  EXPECT_NE(wrong([](Interface& i) {
              i.inputs[0].shape = {1, 3, 8, 9};
            }).find("has shape [1,3,8,9]"),
            std::string::npos);
  EXPECT_EQ(wrong([](Interface& i) { i.inputs[0].kind = Feature::Kind::image; }), "no error");
}

TEST(Verify, DefaultFunctionExists) {
  const auto program = read();
  program->default_function = "other";
  EXPECT_NE(errors_of(*program).find("the default function 'other' does not exist"), std::string::npos);
}

TEST(Derive, InterfaceOfAllKinds) {
  const auto program = read(R"(func main<ios18>(tensor<fp32, [?, 3]> x, state<tensor<fp16, [1, 8]>> s) {
    c = dict<string, fp64>({{"a", 1}});
    l = string("label");
    y = relu(x = x);
  } -> (c, l, y);)");
  const Interface& i = program->main().interface;
  EXPECT_EQ(i.inputs.at(0).shape, (Dims{1, 3}));
  EXPECT_EQ(i.inputs.at(0).ranges, (std::vector<SizeRange>{{1, -1}, {3, 3}}));
  EXPECT_EQ(i.states.at(0).kind, Feature::Kind::state);
  EXPECT_EQ(i.outputs.at(0).kind, Feature::Kind::dictionary);
  EXPECT_TRUE(i.outputs.at(0).string_keys);
  EXPECT_EQ(i.outputs.at(1).kind, Feature::Kind::string);
  EXPECT_TRUE(i.outputs.at(2).shape.empty());
}

// Each change to the text of the second program, and what the comparison says about it.
TEST(Compare, SeesEveryDifference) {
  const auto program = read();
  struct Case {
    const char *from, *to, *says;
  };
  const Case cases[] = {
      {"<ios17>", "<ios16>", "main: opset: ios17 against ios16"},
      {"[1, 3, 8, 8]> x", "[1, 3, 8, 9]> x", "main: input 'x': fp16[1,3,8,8] against fp16[1,3,8,9]"},
      {"random(seed = 7)", "random(seed = 8)", "main: conv 'y': operand 'weight': element 0: "},
      {"strides = [1, 1]", "strides = [1, 2]", "main: conv 'y': operand 'strides': element 1: 1 against 2"},
      {", strides = [1, 1]", "", "main: conv 'y': operand 'strides' is missing in the second"},
      {"sigmoid(x = c)", "relu(x = c)", "main: sigmoid 'z' against relu 'z'"},
      {"sigmoid(x = c)", "sigmoid(x = y)", "main: sigmoid 'z': operand 'x': 'c' against 'y'"},
      {"relu(x = y)", "relu(x = y); u = relu(x = t)", "main: cond 'c': operations: 1 against 2"},
      {"} -> (z, y)", "} -> (y, z)", "main: block output 0: 'z' against 'y'"},
      {"} -> (z, y)", "} -> (z)", "main: block outputs: 2 against 1"},
      {"} -> (z, y)", "} -> (z, y)[k = int32(1)]", "main: block attribute: 'k' is missing in the first"},
      {"func", "//! input x: array fp16 [1, 3, 8, 8] \"d\"\nfunc", "main: interface: input 'x' differs from 'x'"},
      {"program(1.3)", "program(1.3)\n//! specification 77", "specification: 8 against 77"},
      {"program(1.3)", "program(1.3)\n//! author \"me\"", "metadata"},
      {"program(1.3)", "program(1.3)\n[buildInfo = int32(1)]",
       "program attribute: 'buildInfo' is missing in the first"},
      {"func main", "func other", "function 'main' is missing in the second"},
  };
  for (const Case& c : cases) {
    std::string text = kText;
    const std::size_t at = text.find(c.from);
    ASSERT_NE(at, std::string::npos) << c.from;
    const auto other = read(text.replace(at, std::string(c.from).size(), c.to));
    std::string difference;
    EXPECT_FALSE(same_program(*program, *other, &difference)) << c.to;
    EXPECT_EQ(difference.substr(0, std::string(c.says).size()), c.says);
  }
}

TEST(Compare, NamesInsideDoNotCount) {
  std::string text = kText;
  for (std::size_t at = text.find("t = relu"); at != std::string::npos; at = text.find("t = relu")) text[at] = 'q';
  text.replace(text.find("-> (t)"), 6, "-> (q)");
  std::string difference;
  EXPECT_TRUE(same_program(*read(), *read(text), &difference)) << difference;
}

}  // namespace
}  // namespace anemone

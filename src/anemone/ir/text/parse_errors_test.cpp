// Every error of the text parser: its code, its place and its advice.
#include <gtest/gtest.h>

#include "anemone/ir/test_ops.h"
#include "anemone/ir/text/parse.h"

namespace anemone {
namespace {

std::string errors_of(const std::string& text, const ParseOptions& options = {}) {
  const auto program = parse(text, test::ops(), options);
  return program ? "no error" : render(program.error());
}

// `statements` inside a function with an input x.
std::string errors_in(const std::string& statements, const ParseOptions& options = {}) {
  return errors_of("func main<ios17>(tensor<fp16, [1, 4, 8, 8]> x) {\n" + statements + "\n} -> (x);\n", options);
}

TEST(ParseErrors, UnknownOperationIsShownWithAdvice) {
  EXPECT_EQ(errors_in("  y = sigmoidd(x = x);"),
            "error[E0211]: there is no operation 'sigmoidd'\n"
            "  --> text.mil:2:7\n"
            "   |   y = sigmoidd(x = x);\n"
            "   |       ^^^^^^^^\n"
            "   = help: did you mean 'sigmoid'?\n");
}

TEST(ParseErrors, UnknownParameterAndValue) {
  EXPECT_EQ(errors_in("  y = conv(x = x, weight = tensor<fp16, [4, 4, 1, 1]>(splat(1)), stride = [1, 1]);"),
            "error[E0200]: conv 'y': stride: is not a parameter of conv in opset CoreML7\n"
            "  --> text.mil:2:66\n"
            "   |   y = conv(x = x, weight = tensor<fp16, [4, 4, 1, 1]>(splat(1)), stride = [1, 1]);\n"
            "   |                                                                  ^^^^^^^^^^^^^^^\n"
            "   = help: did you mean 'strides'?\n");
  EXPECT_EQ(errors_in("  image = relu(x = x);\n  y = relu(x = imagee);"),
            "error[E0212]: there is no value 'imagee' here\n"
            "  --> text.mil:3:16\n"
            "   |   y = relu(x = imagee);\n"
            "   |                ^^^^^^\n"
            "   = help: did you mean 'image'?\n");
}

// What cannot be an output does not take the program's own brace with it.
TEST(ParseErrors, OneMistakeIsOneError) {
  for (const char* body : {"y = relu(z = x); } -> (y);", "y = relu(x = z); } -> (y);", "y = relu(x = x) } -> (y);"}) {
    const std::string text = errors_of(std::string("program(1.0) { func main<ios17>(fp16 x) { ") + body + " }");
    EXPECT_EQ(text.find("at the end of the program"), std::string::npos) << text;
  }
}

TEST(ParseErrors, EveryBrokenStatementIsReportedOnce) {
  const std::string text = errors_in(
      "  a = nonsense(x = x);\n"
      "  b = relu(x = a);\n"  // silent: a is to blame
      "  c = relu(y = x);\n"
      "  tensor<fp16, [2]> d = relu(x = x);\n"
      "  e = relu(x = d);\n"
      "  f = relu(x = x;\n"
      "  g = relu(x = x)");
  EXPECT_NE(text.find("'nonsense'\n  --> text.mil:2:7"), std::string::npos) << text;
  EXPECT_EQ(text.find("text.mil:3:"), std::string::npos) << text;
  EXPECT_NE(text.find("relu 'c': x: is required and not given\n  --> text.mil:4:7"), std::string::npos) << text;
  EXPECT_NE(text.find("'d' is declared as fp16[2], and relu gives fp16[1,4,8,8]\n  --> text.mil:5:3"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("')' expected after the operands, not ';'\n  --> text.mil:7:17"), std::string::npos) << text;
  EXPECT_NE(text.find("';' expected after the statement, not '}'\n  --> text.mil:9:1"), std::string::npos) << text;
}

TEST(ParseErrors, StopsAfterMaxErrors) {
  std::string statements;
  for (int i = 0; i < 100; ++i) statements += "  y = nonsense(x = x);\n";
  ParseOptions options;
  options.max_errors = 3;
  const auto program = parse("func main<ios17>(fp16 x) {" + statements + "} -> (x);", test::ops(), options);
  ASSERT_FALSE(program);
  ASSERT_EQ(program.error().size(), 3u);
  EXPECT_EQ(program.error().back().notes.at(0), "reading stopped after 3 errors");
}

struct Case {
  const char* text;
  const char* code;
  const char* message;
};

TEST(ParseErrors, OfLiterals) {
  const Case cases[] = {
      {"y = tensor<fp16, [2]>([1, 2, 3]);", "E0214", "3 elements in brackets [3] do not make a fp16[2]"},
      {"y = tensor<fp16, [2, 2]>([[1, 2], [3]]);", "E0214", "differ in length"},
      {"y = tensor<fp16, [2]>([[1], 2]);", "E0214", "differ in length"},
      {"y = tensor<int8, [2]>([1, 128]);", "E0214", "'128' is no int8"},
      {"y = uint8(-1);", "E0214", "'-1' is no uint8"},
      {"y = uint64(18446744073709551616);", "E0214", "is no uint64"},
      {"y = int32(1.5);", "E0214", "'1.5' is no int32"},
      {"y = bool(1);", "E0214", "true or false expected"},
      {"y = string(1);", "E0214", "a string expected"},
      {"y = string(\"\\q\");", "E0214", "bad escape"},
      {"y = string(\"open);", "E0210", "this string has no end"},
      {"y = fp16(0x1.8q);", "E0214", "is no number"},
      {"y = fp16(1.2.3);", "E0214", "is no number"},
      {"y = tensor<fp17, [2]>([1, 2]);", "E0210", "an element type expected, not 'fp17'"},
      {"y = tensor<fp16, [-2]>([1, 2]);", "E0210", "an extent expected"},
      {"y = tensor<fp16, [?]>(splat(1));", "E0214", "needs numbers of a known shape"},
      {"y = tensor<string, [2]>(iota());", "E0214", "needs numbers of a known shape"},
      {"y = tensor<int8, [200]>(iota());", "E0214", "int8 does not count up to 199"},
      {"y = tensor<fp16, [2]>(random(sed = 1));", "E0210", "random takes seed"},
      {"y = tensor<fp32, [100000, 100000]>(splat(0));", "E0216", "more than this text may ask for"},
      {"y = tensor<fp32, [9223372036854775807, 2]>(splat(0));", "E0214", "needs numbers of a known shape"},
      {"y = list<int32, 2>([1]);", "E0214", "1 elements, where the type has 2"},
      {"y = tuple<int32>((1, 2));", "E0214", "more elements than the type has"},
      {"y = dict<int32>({});", "E0210", "dict takes 2 types, not 1"},
      {"y = state<fp16>(1);", "E0214", "a state has no literal"},
      {"y = state<list<fp16, 1>>(1);", "E0210", "a state wraps a tensor"},
      {"y = dict<string, int32>({{\"a\", int8(1)}});", "E0214", "a tensor<int32, []> expected, not a tensor<int8, []>"},
      {"y = fp16(nan(0x12345));", "E0214", "the 16 bits of a NaN expected"},
      {"y = tensor<fp16, [4]>(BLOBFILE(offset = 64));", "E0210", "BLOBFILE without a path"},
      {"y = tensor<fp16, [4]>(BLOBFILE(pat = \"x\"));", "E0210", "not 'pat'"},
      {"y = tensor<fp16, [?]>(BLOBFILE(path = \"x\"));", "E0214", "a BLOBFILE cannot be a"},
      {"y = relu(x = [1, true]);", "E0214", "a number expected"},
      {"fp16 y = const()[val = int32(1)];", "E0215", "'y' is declared as fp16[], and its value is int32[]"},
      {"y = const();", "E0214", "const without val and without a type"},
      {"y, z = int32(1);", "E0215", "a constant is one value, and 2 are named"},
      {"y = const(x = x);", "E0210", "const takes val = a literal"},
  };
  for (const Case& c : cases) {
    const std::string text = errors_in(c.text);
    EXPECT_NE(text.find(std::string("error[") + c.code + "]"), std::string::npos) << c.text << "\n" << text;
    EXPECT_NE(text.find(c.message), std::string::npos) << c.text << "\n" << text;
    EXPECT_NE(text.find("--> text.mil:2:"), std::string::npos) << c.text << "\n" << text;
  }
}

TEST(ParseErrors, OfStructure) {
  const Case cases[] = {
      {"", "E0219", "holds no function"},
      {"module {}", "E0210", "'func' expected"},
      {"program(2.0) {}", "E0210", "a version of MIL text"},
      {"program(1.0) { func main<ios17>() {} -> (); } junk", "E0210", "the text should end"},
      {"program(1.0) { func main<ios17>() {} -> ();", "E0210", "'}' expected at the end of the program"},
      {"func main<ios99>() {} -> ();", "E0210", "'ios99' is no opset"},
      {"func f<ios17>() {} -> (); func f<ios17>() {} -> ();", "E0213", "there is a function 'f' already"},
      {"func f<ios17>(fp16 x, fp16 x) {} -> ();", "E0213", "the name 'x' is taken"},
      {"func f<ios17>(fp16 x) { x = relu(x = x); } -> (x);", "E0213", "the name 'x' is taken"},
      {"func f<ios17>(fp16 x) { y = relu(x = x, x = x); } -> (x);", "E0213", "'x' is given twice"},
      {"func f<ios17>(fp16 x) { y, z = relu(x = x); } -> (x);", "E0215", "relu has 1 outputs, and 2 are named"},
      {"func f<ios17>(fp16 x) { } -> (y);", "E0212", "there is no value 'y'"},
      {"func f<ios17>(fp16 x) { } ;", "E0210", "'->' expected"},
      {"func f<ios17>(bool p) { y = cond(pred = p) { a = int32(1); } -> (a), { b = int32(2); } -> (a); } -> (y);",
       "E0212", "'a' is defined in another block"},
      {"func f<ios17>(fp16 x) { y = read_state(input = x); } -> (y);", "E0201", "does not exist in opset CoreML7"},
      {"//! default \"g\"\nfunc f<ios17>() {} -> ();", "E0219", "there is no function 'g'"},
      {"//! authr \"g\"\nfunc f<ios17>() {} -> ();", "E0218", "did you mean 'author'?"},
      {"//! input x array\nfunc f<ios17>(fp16 x) {} -> ();", "E0218", "':' and the kind"},
      {"//! input x: arry\nfunc f<ios17>(fp16 x) {} -> ();", "E0218", "'arry' is no kind"},
      {"//! input x: array fp16 [1, b]\nfunc f<ios17>(fp16 x) {} -> ();", "E0218", "'[1, b]' says nothing"},
      {"//! input x: array ranges foo\nfunc f<ios17>(fp16 x) {} -> ();", "E0218", "a range such as"},
      {"//! specification zero\nfunc f<ios17>(fp16 x) {} -> ();", "E0218", "a specification version"},
      {"//! version 1\nfunc f<ios17>(fp16 x) {} -> ();", "E0218", "a string in quotes"},
      {"func f<ios17>(fp16 x) {\n//! version \"1\"\n} -> ();", "E0210", "a //! line"},
      {"func f<ios17>(fp16 x) { y = relu(x = $); } -> ();", "E0210", "this character has no meaning here"},
  };
  for (const Case& c : cases) {
    const std::string text = errors_of(c.text);
    EXPECT_NE(text.find(std::string("error[") + c.code + "]"), std::string::npos) << c.text << "\n" << text;
    EXPECT_NE(text.find(c.message), std::string::npos) << c.text << "\n" << text;
  }
}

TEST(ParseErrors, InterfaceLinesHaveACaret) {
  EXPECT_EQ(errors_of("//! input x: array fp61 [1]\nfunc f<ios17>(fp16 x) {} -> ();"),
            "error[E0218]: 'fp61' says nothing about a feature\n"
            "  --> text.mil:1:20\n"
            "   | //! input x: array fp61 [1]\n"
            "   |                    ^^^^\n");
}

TEST(ParseErrors, TrustedTypesAreKept) {
  ParseOptions trust;
  trust.trust_types = true;
  const std::string text =
      "func f<ios17>(fp16 x) { tensor<fp32, [7]> y = relu(x = x); fp16 z = unheard_of(a = y)[mode = \"m\"]; } -> (z);";
  const auto program = parse(text, test::ops(), trust);
  ASSERT_TRUE(program) << render(program.error());
  const Node& relu = (*program)->main().body.nodes.front();
  EXPECT_EQ(brief(relu.output()->type), "fp32[7]");
  const Node& opaque = (*program)->main().body.nodes.back();
  EXPECT_EQ(opaque.def, nullptr);
  EXPECT_EQ(opaque.attributes.at(0).first, "mode");
  EXPECT_NE(errors_of(text).find("E0211"), std::string::npos);
}

TEST(ParseErrors, HostileLiteralsAreRefused) {
  ParseOptions small;
  small.max_payload = 1 << 20;
  std::string types = "int32", lists = "[]";
  for (int i = 0; i < 1000; ++i) {
    types += ", int32";
    lists += ", []";
  }
  EXPECT_NE(errors_in("y = list<list<tuple<" + types + ">, 0>, ?>([" + lists + "]);", small).find("E0216"),
            std::string::npos);
  EXPECT_NE(errors_in("y = tensor<uint1, [1048576]>(splat(0));", small).find("E0216"), std::string::npos);
  const std::string name(1 << 20, 'n');
  EXPECT_NE(errors_in(name + " = relu(x = x); y = relu(x = " + name + "m);").find("E0212"), std::string::npos);
}

TEST(ParseErrors, HostileNestingIsRefused) {
  const auto repeated = [](const std::string& part, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += part;
    return out;
  };
  const std::string deep[] = {
      "y = " + repeated("list<", 100000) + "int32",
      "y = relu(x = " + repeated("[", 100000),
      "y = tensor<fp16, [" + repeated("1, ", 100000) + "1]>(splat(0));",
      repeated("y = cond(pred = x) {", 100000),
      "y = list<int32, ?>(" + repeated("list<int32, ?>(", 100000),
      "y = tuple<" + repeated("int32, ", 100000) + "int32>",
  };
  for (const std::string& text : deep) {
    EXPECT_NE(errors_in(text).find("error["), std::string::npos) << text.substr(0, 40);
  }
}

}  // namespace
}  // namespace anemone

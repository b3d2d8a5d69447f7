// Verdicts that must not be yes: numbers that are not finite, constant, empty, or that the input does not reach.
#include "anemone/toolchain/verify.h"

#include <gtest/gtest.h>

#include <fstream>

namespace anemone::toolchain {
namespace {

namespace fs = std::filesystem;

class Verify : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "verify-XXXXXX").string();
    ASSERT_TRUE(::mkdtemp(pattern.data()));
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  Model model(const std::string& inputs, const std::string& body, const std::string& outputs,
              const std::string& name = "model") {
    const fs::path path = folder_ / (name + ".mil");
    std::ofstream(path) << "program(1.3) {\n  func main<ios17>(" << inputs << ") {\n"
                        << body << "  } -> (" << outputs << ");\n}\n";
    auto loaded = load(path);
    EXPECT_TRUE(loaded) << (loaded ? "" : render(loaded.error()));
    return loaded ? *std::move(loaded) : Model{};
  }

  VerifyResult verified(const Model& candidate, const Model& reference, const VerifyRequest& request = {}) {
    auto result = verify_models(candidate, reference, request);
    EXPECT_TRUE(result) << (result ? "" : render(result.error()));
    return result ? *std::move(result) : VerifyResult{};
  }
  VerifyResult against_itself(const Model& model) { return verified(model, model); }

  fs::path folder_;
};

const std::string kX = "tensor<fp32, [1, 4]> x";

TEST_F(Verify, SaysYesToEqualNumbers) {
  const VerifyResult r = against_itself(model(kX, "    y = sigmoid(x = x);\n", "y"));
  EXPECT_TRUE(r.pass) << r.reason;
  EXPECT_EQ(r.outputs[0].verdict, "ok");
  EXPECT_TRUE(r.outputs[0].reacts);
}

TEST_F(Verify, NotFiniteIsNoAgreement) {
  const Model nan = model(kX, "    s = sub(x = x, y = fp32(2));\n    y = sqrt(x = s);\n", "y", "nan");
  const VerifyResult both = against_itself(nan);
  EXPECT_FALSE(both.pass);
  EXPECT_EQ(both.outputs[0].verdict, "NOT FINITE");
  EXPECT_EQ(both.outputs[0].not_finite, 8);
  EXPECT_FALSE(both.outputs[0].finite) << "so that its differences are none";
  EXPECT_EQ(both.outputs[0].not_finite_reference, 8);
  EXPECT_EQ(both.reason, "1 of 1 output is not finite");
  ASSERT_FALSE(both.causes.empty());
  EXPECT_NE(both.causes[0].find("'y' (sqrt) is the first that is not finite"), std::string::npos) << both.causes[0];
  const Model sound = model(kX, "    y = sub(x = x, y = fp32(2));\n", "y", "sound");
  EXPECT_FALSE(verified(nan, sound).pass);
  EXPECT_FALSE(verified(sound, nan).pass);
  // The same infinities are the same numbers; alone they say nothing.
  const Model infinite =
      model(kX, "    z = mul(x = x, y = fp32(0));\n    a = abs(x = z);\n    y = inverse(x = a, epsilon = fp32(0));\n",
            "y", "inf");
  EXPECT_FALSE(against_itself(infinite).pass);
}

TEST_F(Verify, SaysHowOutputsAreMatchedAndWhichAreNot) {
  const std::string two = "    y = sigmoid(x = x);\n    z = relu(x = x);\n";
  const Model both = model(kX, two, "y, z", "both");
  EXPECT_TRUE(against_itself(both).notes.size() == 1) << "of the one file alone";
  const VerifyResult more = verified(both, model(kX, two, "y", "one"));
  EXPECT_TRUE(more.pass);
  ASSERT_EQ(more.notes.size(), 1u);
  EXPECT_EQ(more.notes[0], "not compared, as the other side has no such output: 'z' of the candidate");
  const VerifyResult fewer = verified(model(kX, two, "z", "other"), both);
  ASSERT_EQ(fewer.notes.size(), 1u);
  EXPECT_EQ(fewer.notes[0], "not compared, as the other side has no such output: 'y' of the reference");
  const VerifyResult renamed =
      verified(both, model(kX, "    a = sigmoid(x = x);\n    b = relu(x = x);\n", "a, b", "renamed"));
  EXPECT_TRUE(renamed.pass);
  ASSERT_EQ(renamed.notes.size(), 1u);
  EXPECT_NE(renamed.notes[0].find("matched by position: 'y' against 'a' …"), std::string::npos) << renamed.notes[0];
}

TEST_F(Verify, TheVerdictStandsWhereNothingCanBeSaved) {
  const Model mine = model(kX, "    y = sigmoid(x = x);\n", "y", "mine");
  const Model theirs = model(kX, "    y = relu(x = x);\n", "y", "theirs");
  VerifyRequest request;
  request.save = folder_ / "mine.mil" / "kept";  // below a file
  const VerifyResult r = verified(mine, theirs, request);
  EXPECT_FALSE(r.pass);
  EXPECT_EQ(r.reason, "the numbers differ");
  EXPECT_TRUE(r.saved.empty());
  ASSERT_FALSE(r.save_problem.empty());
  EXPECT_NE(render(r.save_problem).find("choose another one with --save"), std::string::npos) << render(r.save_problem);
}

TEST_F(Verify, ConstantsAreNoEvidence) {
  const Model zero = model(kX, "    y = mul(x = x, y = fp32(0));\n    z = relu(x = y);\n", "z");
  const VerifyResult r = against_itself(zero);
  EXPECT_FALSE(r.pass);
  EXPECT_TRUE(r.outputs[0].constant);
  EXPECT_TRUE(r.outputs[0].pass);  // they agree, which is not the question
  EXPECT_NE(r.reason.find("says nothing"), std::string::npos) << r.reason;
  EXPECT_TRUE(r.causes.empty()) << r.causes[0];  // of a difference that there is not
  // Beside an output that means something a constant one is only named.
  const Model beside = model(kX, "    y = mul(x = x, y = fp32(0));\n    z = sigmoid(x = x);\n", "y, z");
  const VerifyResult both = against_itself(beside);
  EXPECT_TRUE(both.pass) << both.reason;
  EXPECT_EQ(both.outputs[0].verdict.substr(0, 8), "constant");
}

TEST_F(Verify, SaysWhichOutputsDoNotReact) {
  const std::string body =
      "    z = mul(x = x, y = fp32(0));\n    y = add(x = z, y = tensor<fp32, [1, 4]>([1, 2, 3, 4]));\n";
  const VerifyResult r = against_itself(model(kX, body, "y"));
  EXPECT_FALSE(r.outputs[0].reacts);
  EXPECT_FALSE(r.pass);
  EXPECT_NE(r.reason.find("reacts"), std::string::npos) << r.reason;
}

TEST_F(Verify, NamesTheOperationThatOverflows) {
  const std::string body =
      "    h = cast(x = x, dtype = \"fp16\");\n    a = add(x = h, y = fp16(300));\n    sq = mul(x = a, y = a);\n"
      "    i = inverse(x = sq, epsilon = fp16(0));\n    y = cast(x = i, dtype = \"fp32\");\n";
  const Model candidate = model(kX, body, "y", "half");
  const std::string wide =
      "    a = add(x = x, y = fp32(300));\n    sq = mul(x = a, y = a);\n    y = inverse(x = sq, epsilon = fp32(0));\n";
  const VerifyResult r = verified(candidate, model(kX, wide, "y", "wide"));
  EXPECT_FALSE(r.pass);
  ASSERT_FALSE(r.causes.empty());
  EXPECT_NE(r.causes[0].find("'sq' (mul)"), std::string::npos) << r.causes[0];
  EXPECT_NE(r.causes[0].find("65504"), std::string::npos) << r.causes[0];
}

TEST_F(Verify, NamesTheFirstValueThatDiffers) {
  const auto chain = [](const std::string& bias) {
    std::string body = "    v0 = sigmoid(x = x);\n";
    for (int i = 1; i < 40; ++i)
      body += "    v" + std::to_string(i) + " = " +
              (i == 23 ? "add(x = v22, y = fp32(" + bias + "));\n" : "tanh(x = v" + std::to_string(i - 1) + ");\n");
    return body;
  };
  const VerifyResult r =
      verified(model(kX, chain("0"), "v39", "dropped"), model(kX, chain("0.25"), "v39", "reference"));
  EXPECT_FALSE(r.pass);
  ASSERT_EQ(r.causes.size(), 2u);
  EXPECT_NE(r.causes[0].find("rounding is not the cause"), std::string::npos) << r.causes[0];
  EXPECT_NE(r.causes[1].find("the first value that differs is 'v23' (add"), std::string::npos) << r.causes[1];
  EXPECT_NE(r.causes[1].find("before it 'v22' still agrees"), std::string::npos) << r.causes[1];
  EXPECT_NE(r.next.find("'v23'"), std::string::npos) << r.next;
}

TEST_F(Verify, SaysWhenTheProofIsEmpty) {
  const Model one = model(kX, "    y = sigmoid(x = x);\n", "y");
  const VerifyResult r = against_itself(one);
  ASSERT_FALSE(r.notes.empty());
  EXPECT_NE(r.notes[0].find("both are the same file"), std::string::npos);
  EXPECT_TRUE(verified(one, model(kX, "    y = sigmoid(x = x);\n", "y", "other")).notes.empty());
}

TEST_F(Verify, InputsGoByName) {
  const std::string a = "tensor<fp32, [1, 4]> a", b = "tensor<fp32, [1, 4]> b";
  const std::string body = "    y = sub(x = a, y = b);\n";
  EXPECT_TRUE(verified(model(a + ", " + b, body, "y", "ab"), model(b + ", " + a, body, "y", "ba")).pass);
  const auto other =
      verify_models(model(a, "    y = relu(x = a);\n", "y", "one"), model(a + ", " + b, body, "y", "two"), {});
  ASSERT_FALSE(other);
  EXPECT_EQ(exit_code(other.error()), 2);
}

TEST_F(Verify, PointsAreOnlyWhatSomebodySaysArePoints) {
  const VerifyResult r =
      against_itself(model("tensor<fp32, [1, 1680, 2]> x", "    conf = softmax(x = x, axis = -1);\n", "conf"));
  EXPECT_TRUE(r.pass) << r.reason;
  EXPECT_FALSE(r.landmarks);
}

TEST_F(Verify, OnlyTheOrderOfEqualsMayDiffer) {
  const std::string ties =
      "    z = mul(x = x, y = fp32(0));\n    s = add(x = z, y = tensor<fp32, [1, 4]>([1, 1, 0, 0]));\n";
  const std::string take =
      "    v, i = topk(x = s, k = 2, axis = 1, ascending = false, sort = true, return_indices = true, output_indices_dtype = \"int32\");\n    f = cast(x = i, dtype = \"fp32\");\n";
  const Model straight = model(kX, ties + take, "f", "straight");
  // The same two indices, the other way round.
  const Model swapped = model(kX, ties + take + "    g = reverse(x = f, axes = [1]);\n", "g", "swapped");
  const VerifyResult r = verified(swapped, straight);
  ASSERT_EQ(r.outputs.size(), 1u);
  EXPECT_TRUE(r.outputs[0].reordered);
  EXPECT_TRUE(r.outputs[0].pass);
  const Model wrong = model(kX, ties + take + "    g = add(x = f, y = fp32(1));\n", "g", "wrong");
  EXPECT_EQ(verified(wrong, straight).outputs[0].verdict, "OUT OF TOLERANCE");
}

TEST_F(Verify, NearlyEqualScoresThatChangedPlacesAreTheCause) {
  const std::string take =
      "    v, i = topk(x = s, k = 2, axis = 1, ascending = false, sort = true, return_indices = true, "
      "output_indices_dtype = \"int32\");\n    f = cast(x = i, dtype = \"fp32\");\n";
  const auto with = [&](const std::string& scores, const std::string& after, const std::string& name) {
    return model(kX,
                 "    z = mul(x = x, y = fp32(0));\n    s = add(x = z, y = tensor<fp32, [1, 4]>([" + scores + "]));\n" +
                     take + after,
                 after.empty() ? "f" : "g", name);
  };
  const Model reference = with("1, 0.999999, 0, 1", "", "reference");
  // Another of the three comes second: nothing but a rounding.
  const VerifyResult r = verified(with("1, 1.000001, 0, 1", "", "rounded"), reference);
  EXPECT_FALSE(r.pass);
  ASSERT_EQ(r.causes.size(), 1u);
  EXPECT_NE(r.causes[0].find("put equal ones elsewhere"), std::string::npos) << r.causes[0];
  const Model wrong = with("1, 0.999999, 0, 1", "    g = add(x = f, y = fp32(1));\n", "wrong");
  for (const std::string& cause : verified(wrong, reference).causes)
    EXPECT_EQ(cause.find("equal ones"), std::string::npos) << cause;
}

TEST_F(Verify, SizesThatDifferMeetWhereBothCan) {
  const auto pooled = [&](const std::string& side, const std::string& name) {
    return model("tensor<fp32, [1, 2, " + side + ", " + side + "]> x", "    y = tanh(x = x);\n", "y", name);
  };
  const Model small = pooled("4", "small"), large = pooled("8", "large");
  std::ofstream(folder_ / "any.mil")
      << "program(1.3) {\n  //! input x: array fp32 [1, 2, 8, 8] shapes [1, 2, 8, 8] [1, 2, 4, 4]\n  //! output y: array fp32\n"
         "  func main<ios17>(tensor<fp32, [1, 2, ?, ?]> x) {\n    y = tanh(x = x);\n  } -> (y);\n}\n";
  const auto any = load(folder_ / "any.mil");
  ASSERT_TRUE(any) << render(any.error());
  for (const auto& [candidate, reference] : {std::pair(&*any, &small), std::pair(&small, &*any)}) {
    const VerifyResult r = verified(*candidate, *reference);
    EXPECT_TRUE(r.pass) << r.reason;
    EXPECT_EQ(r.notes.back(), "compared at 4x4 (height x width), which both take");
  }
  EXPECT_TRUE(verified(*any, large).pass);
  EXPECT_FALSE(verify_models(small, large, {}));
}

}  // namespace
}  // namespace anemone::toolchain

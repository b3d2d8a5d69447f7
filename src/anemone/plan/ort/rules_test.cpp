// Every rule refuses a node made for it, and not the one beside it that is just inside.
#include <functional>
#include <set>

#include "anemone/plan/ort/ort_test_net.h"

namespace anemone::plan::ort::test {
namespace {

struct Case {
  std::string_view code, target;
  std::function<Net()> refused, taken;
};

const std::string_view kNn = "1.19/neuralnetwork", kMl = "1.22/mlprogram";
const std::vector<Case>& cases() {
  static const std::vector<Case> kCases{
      {"ORT001", kNn, [] { return one("Abs", kImage); }, [] { return one("Relu", kImage); }},
      {"ORT002", kNn, [] { return transposed(kEqualPads); },
       [] {
         return conv(kImage, {2, 4, 3, 3});
       }},
      {"ORT003", kNn, [] { return one("Relu", kImage, {}, 1); }, [] { return one("Relu", kImage, {}, 6); }},
      {"ORT004", kNn,
       [] {
         return Net(14)
             .in("x", kImage)
             .op("GreaterOrEqual", {"x", "x"})
             .op("Cast", {"y0"}, {attribute("to", 1)})
             .op("Relu", {"y1"});
       },
       [] {
         return Net(14)
             .in("x", kImage)
             .op("Greater", {"x", "x"})
             .op("Cast", {"y0"}, {attribute("to", 1)})
             .op("Relu", {"y1"});
       }},
      {"ORT005", kNn,
       [] {
         return one("Relu", {1, 0});
       },
       [] {
         return one("Relu", {1, 1});
       }},
      {"ORT006", kNn,
       [] {
         return one("Relu", {1, 1, 1, 1, 1, 1});
       },
       [] {
         return one("Relu", {1, 1, 1, 1, 1});
       }},
      {"ORT007", kNn, [] { return one("Relu", {16385}); }, [] { return one("Relu", {16384}); }},
      {"ORT008", "1.23/neuralnetwork",
       [] {
         return conv({1, 4, 16387, 8}, {2, 4, 3, 3});
       },
       [] {
         return conv({1, 4, 16384, 8}, {2, 4, 3, 3});
       }},
      {"ORT009", kMl, [] { return Net().in("x", kImage, DataType::float16).op("Relu", {"x"}); },
       [] { return one("Relu", kImage); }},
      {"ORT010", kNn,
       [] {
         Net net = conv(kImage, {2, 4, 3, 3});
         net.graph().initializers[0].external = formats::onnxspec::ExternalData{"weights", 0, {}};
         return net;
       },
       [] {
         return conv(kImage, {2, 4, 3, 3});
       }},
      {"ORT020", kNn,
       [] {
         return with_list("Reshape", {-1, 4}, {{2, 2}});
       },
       [] {
         return with_list("Reshape", {1, 4}, {{2, 2}});
       }},
      {"ORT021", kNn,
       [] {
         return one("Softmax", {-1, 4});
       },
       [] {
         return one("Softmax", {1, 4});
       }},
      {"ORT022", kMl,
       [] {
         return one("DepthToSpace", {-1, 4, 8, 8}, {attribute("mode", "CRD"), attribute("blocksize", 2)});
       },
       [] {
         return one("DepthToSpace", kImage, {attribute("mode", "CRD"), attribute("blocksize", 2)});
       }},
      {"ORT023", kNn,
       [] {
         return one("GlobalAveragePool", {1, 4, 8});
       },
       [] { return one("GlobalAveragePool", kImage); }},
      {"ORT024", kNn,
       [] {
         return one("LRN", {1, 4}, {attribute("size", 3)});
       },
       [] {
         return one("LRN", {1, 4, 8}, {attribute("size", 3)});
       }},
      {"ORT025", kNn,
       [] {
         return conv({1, 4, 8, 8, 8}, {2, 4, 3, 3, 3});
       },
       [] {
         return conv({1, 4, 8}, {2, 4, 3});
       }},
      {"ORT026", kMl,
       [] {
         return two("MatMul", {4}, {4, 2}, true);
       },
       [] {
         return two("MatMul", {3, 4}, {4, 2}, true);
       }},
      {"ORT027", kNn,
       [] {
         return Net().in("x", {4, 4}).in("i", {}, DataType::int64).op("Gather", {"x", "i"});
       },
       [] {
         return Net().in("x", {4, 4}).in("i", {1}, DataType::int64).op("Gather", {"x", "i"});
       }},
      {"ORT028", kMl,
       [] {
         return with_list("Unsqueeze", {1, 1, 1, 1, 1}, {{0}});
       },
       [] {
         return with_list("Unsqueeze", {1, 1, 1, 1}, {{0}});
       }},
      {"ORT029", kNn, [] { return two("Concat", kImage, kImage, false, {attribute("axis", 2)}); },
       [] { return two("Concat", kImage, kImage, false, {attribute("axis", -3)}); }},
      {"ORT030", kMl, [] { return one("Concat", kImage, {attribute("axis", 1)}); },
       [] { return two("Concat", kImage, kImage, false, {attribute("axis", 1)}); }},
      {"ORT031", kNn,
       [] {
         return two("PRelu", kImage, {8, 8}, true);
       },
       [] {
         return two("PRelu", kImage, {4, 1, 1}, true);
       }},
      {"ORT032", kMl,
       [] {
         return with_list("Split", {1, 4}, {{2, 1}}, {attribute("axis", 1)});
       },
       [] {
         return with_list("Split", {1, 4}, {{2, 2}}, {attribute("axis", 1)});
       }},
      {"ORT033", kNn,
       [] {
         return gemm(true, {2, 8});
       },
       [] {
         return gemm(true, {1, 8});
       }},
      {"ORT040", kNn,
       [] {
         return two("Conv", kImage, {2, 4, 3, 3}, false);
       },
       [] {
         return two("Conv", kImage, {2, 4, 3, 3}, true);
       }},
      {"ORT041", kMl, [] { return transposed(kEqualPads, false); }, [] { return transposed(kEqualPads); }},
      {"ORT042", kNn,
       [] {
         return image().weights("w", {2, 4, 3, 3}).in("b", {2}).op("Conv", {"x", "w", "b"});
       },
       [] {
         return image().weights("w", {2, 4, 3, 3}).weights("b", {2}).op("Conv", {"x", "w", "b"});
       }},
      {"ORT043", kNn, [] { return gemm(false, {8}); }, [] { return gemm(true, {8}); }},
      {"ORT044", kMl, [] { return norm(false); }, [] { return norm(true); }},
      {"ORT045", kNn, [] { return batch_norm(kImage, false); }, [] { return batch_norm(kImage, true); }},
      {"ORT046", kNn,
       [] {
         return with_list("Reshape", {1, 4}, {});
       },
       [] {
         return with_list("Reshape", {1, 4}, {{4, 1}});
       }},
      {"ORT047", kNn,
       [] {
         return image().in("s", {1}, DataType::int64).whole("e", {2}).op("Slice", {"x", "s", "e"});
       },
       [] { return slice({0}, {1}); }},
      {"ORT048", kNn,
       [] {
         return with_list("ReduceSum", {4, 4}, {});
       },
       [] {
         return with_list("ReduceSum", {4, 4}, {{1}});
       }},
      {"ORT049", "1.21/neuralnetwork",
       [] {
         return with_list("Split", {1, 4}, {}, {attribute("axis", 1)}).out("y0");
       },
       [] {
         return with_list("Split", {1, 4}, {{2, 2}}, {attribute("axis", 1)});
       }},
      {"ORT050", kNn,
       [] {
         return two("PRelu", kImage, {4, 1, 1}, false);
       },
       [] {
         return two("PRelu", kImage, {4, 1, 1}, true);
       }},
      {"ORT051", kNn,
       [] {
         return image().in("m", {}).op("Clip", {"x", "m"});
       },
       [] {
         return image().weights("m", {}).op("Clip", {"x", "m"});
       }},
      {"ORT052", kNn,
       [] {
         return pad({0, 0, 1, 1, 0, 0, 1, 1}, false);
       },
       [] {
         return pad({0, 0, 1, 1, 0, 0, 1, 1}, true);
       }},
      {"ORT053", kNn,
       [] {
         return image().weights("r", {0}).in("s", {4}).op("Resize", {"x", "r", "s"},
                                                          {attribute("nearest_mode", "floor")});
       },
       [] {
         return resize({1, 1, 2, 2}, kAsymmetric);
       }},
      {"ORT060", kNn,
       [] { return image().op("Relu", {"x"}).op("Shape", {"y0"}).op("Cast", {"y1"}, {attribute("to", 6)}); },
       [] { return image().op("ArgMax", {"x"}).op("Cast", {"y0"}, {attribute("to", 6)}); }},
      {"ORT061", kNn, [] { return one("ArgMax", kImage, {attribute("select_last_index", 1)}); },
       [] { return one("ArgMax", kImage); }},
      {"ORT062", kNn,
       [] {
         return image().weights("w", {2, 4, 3, 3}).op("Conv", {"x", "w"}, {attribute("kernel_shape", Dims{5, 5})});
       },
       [] {
         return image().weights("w", {2, 4, 3, 3}).op("Conv", {"x", "w"}, {attribute("kernel_shape", Dims{3, 3})});
       }},
      {"ORT063", kMl,
       [] {
         return transposed({attribute("pads", Dims{1, 1, 0, 0})});
       },
       [] { return transposed(kEqualPads); }},
      {"ORT064", kNn,
       [] {
         return one("MaxPool", kImage, {attribute("kernel_shape", Dims{2, 2}), attribute("ceil_mode", 1)});
       },
       [] {
         return one("MaxPool", kImage, {attribute("kernel_shape", Dims{2, 2})});
       }},
      {"ORT065", kNn, [] { return gemm(true, {8}, {number("alpha", 2)}); },
       [] { return gemm(true, {8}, {number("alpha", 1)}); }},
      {"ORT066", kMl,
       [] {
         return norm(true, {}, {"y0", "mean"});
       },
       [] { return norm(true); }},
      {"ORT067", kMl, [] { return norm(true, {attribute("stash_type", 10)}); },
       [] { return norm(true, {attribute("stash_type", 1)}); }},
      {"ORT068", kMl,
       [] {
         return image().weights("m", {}).op("Clip", {"x", "m", "m"});
       },
       [] {
         return image().weights("m", {}).op("Clip", {"x", "m"});
       }},
      {"ORT069", "1.20/neuralnetwork", [] { return one("ReduceSum", kImage, {attribute("noop_with_empty_axes", 1)}); },
       [] { return one("ReduceSum", kImage); }},
      {"ORT070", kNn, [] { return slice({1}, {1}); }, [] { return slice({0}, {1}); }},
      {"ORT071", kNn,
       [] {
         return with_list("Reshape", {1, 4}, {{1, 1, 1, 1, 2, 2}});
       },
       [] {
         return with_list("Reshape", {1, 4}, {{1, 1, 1, 2, 2}});
       }},
      {"ORT072", kNn, [] { return one("Shape", kImage, {attribute("start", 1)}, 15); },
       [] { return one("Shape", kImage, {}, 15); }},
      {"ORT073", kNn,
       [] {
         return one("DepthToSpace", kImage, {attribute("mode", "CRD"), attribute("blocksize", 2)});
       },
       [] { return one("DepthToSpace", kImage, {attribute("blocksize", 2)}); }},
      {"ORT074", kMl,
       [] {
         return Net(16)
             .in("x", kImage)
             .in("g", {1, 4, 4, 2})
             .op("GridSample", {"x", "g"}, {attribute("mode", "nearest")});
       },
       [] {
         return Net(16).in("x", kImage).in("g", {1, 4, 4, 2}).op("GridSample", {"x", "g"});
       }},
      {"ORT075", kNn,
       [] {
         return pad({0, 1, 0, 0, 0, 0, 0, 0}, true);
       },
       [] {
         return pad({0, 0, 0, 1, 0, 0, 0, 0}, true);
       }},
      {"ORT076", kNn, [] { return batch_norm(kImage, true, {attribute("spatial", 0)}); },
       [] { return batch_norm(kImage, true); }},
      {"ORT080", kNn,
       [] {
         return resize({1, 1, 2}, kAsymmetric, {1, 4, 8});
       },
       [] {
         return resize({1, 1, 2, 2}, kAsymmetric);
       }},
      {"ORT081", kNn,
       [] {
         return resize({1, 1, 2, 2}, {attribute("mode", "cubic")});
       },
       [] {
         return resize({1, 1, 2, 2}, kAsymmetric);
       }},
      {"ORT082", kNn,
       [] {
         return resize({1, 1, 1.5f, 2}, kAsymmetric);
       },
       [] {
         return resize({1, 1, 3, 2}, kAsymmetric);
       }},
      {"ORT083", kNn,
       [] {
         return resize({1, 1, 2, 2}, {attribute("coordinate_transformation_mode", "half_pixel")});
       },
       [] {
         return resize({1, 1, 2, 2}, kAsymmetric);
       }},
  };
  return kCases;
}

TEST(OrtRules, EachRefusesItsCaseAndNotTheNextOne) {
  for (const Case& c : cases()) {
    const Answer refused = c.refused().judge(c.target), taken = c.taken().judge(c.target);
    ASSERT_NE(refused.rule, nullptr) << c.code;
    EXPECT_EQ(refused.rule->text.code, c.code) << refused.reason;
    EXPECT_FALSE(refused.reason.empty()) << c.code;
    EXPECT_EQ(taken.rule, nullptr) << c.code << ": " << taken.reason;
  }
}

TEST(OrtRules, EveryRuleHasACase) {
  std::set<std::string_view> tried;
  for (const Case& c : cases()) tried.insert(c.code);
  for (const Rule* rule : rules()) EXPECT_TRUE(tried.contains(rule->text.code)) << rule->text.code;
}

TEST(OrtRules, CodesAreUniqueAndFound) {
  for (std::size_t i = 1; i < rules().size(); ++i) EXPECT_LT(rules()[i - 1]->text.code, rules()[i]->text.code);
  EXPECT_EQ(find_rule("ORT009")->text.name, "element-type");
  EXPECT_EQ(find_rule("ORT999"), nullptr);
}

/// What a Mac's build of each release takes of half precision: the fault of 1.22 and 1.23 is one of their builds.
TEST(OrtRules, HalfPrecisionByRelease) {
  const Net half = Net().in("x", kImage, DataType::float16).op("Relu", {"x"});
  for (const std::string_view target : {"1.20/mlprogram", "1.21/mlprogram", "1.24/mlprogram"})
    EXPECT_EQ(half.judge(target).rule, nullptr) << target;
  for (const std::string_view target : {"1.19/mlprogram", "1.22/mlprogram", "1.23/mlprogram", "1.24/neuralnetwork"})
    EXPECT_NE(half.judge(target).rule, nullptr) << target;
}

TEST(OrtRules, MalformedNodesAreRefusedAndNothingWorse) {
  for (const char* op :
       {"Conv", "Gemm", "Reshape", "Resize", "Slice", "PRelu", "Split", "Pad", "Clip", "Gather", "Cast"}) {
    for (const Target target : targets()) {
      Net().in("x", kImage).op(op, {}).judge(to_text(target));
      Net().in("x", kImage).op(op, {"x"}).judge(to_text(target));
      Net().in("x", {}).op(op, {"x", "x", "x"}).judge(to_text(target));
    }
  }
}

}  // namespace
}  // namespace anemone::plan::ort::test

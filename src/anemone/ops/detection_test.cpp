// non_maximum_suppression, and the type rule of classify.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

TEST(Nms, LayoutsOfBothForms) {
  Case c(Target::ios16);
  auto types = c.infer("non_maximum_suppression", {{"boxes", c.typed({1, 50, 4})},
                                                   {"scores", c.typed({1, 50, 3})},
                                                   {"iou_threshold", c.number(0.5)},
                                                   {"score_threshold", c.number(0.1)},
                                                   {"max_boxes", 7}});
  ASSERT_TRUE(types) << render(types.error());
  EXPECT_EQ(*types, (std::vector<Type>{Type::tensor(DType::fp32, {1, 7, 4}), Type::tensor(DType::fp32, {1, 7, 3}),
                                       Type::tensor(DType::int32, {1, 7}), Type::tensor(DType::int32, {1})}));
  Case d(Target::ios17);
  types = d.infer("non_maximum_suppression", {{"boxes", d.typed({1, 4, 50})},
                                              {"scores", d.typed({1, 3, 50})},
                                              {"iou_threshold", d.number(0.5)},
                                              {"max_boxes", 7}});
  ASSERT_TRUE(types) << render(types.error());
  EXPECT_EQ(*types, (std::vector<Type>{Type::tensor(DType::fp32, {1, 4, 7}), Type::tensor(DType::fp32, {1, 3, 7}),
                                       Type::tensor(DType::int32, {1, 7})}));
}
TEST(Nms, C1C2C3) {
  const auto infer = [](Dims boxes, Dims scores, int most) {
    Case c;
    return c.infer("non_maximum_suppression", {{"boxes", c.typed(boxes)},
                                               {"scores", c.typed(scores)},
                                               {"iou_threshold", c.number(0.5)},
                                               {"max_boxes", most}});
  };
  expect_refused(infer({4, 50}, {1, 3, 50}, 7), "rank 3 is needed");
  expect_refused(infer({1, 4, 50}, {1, 3, 50}, 0), "0 is not positive");
  expect_refused(infer({1, 50, 4}, {1, 50, 3}, 7), "do not fit boxes");
}
// Boxes 0 and 1 share 3 of 5 squares, 2 is a copy of 1 in another class, 3 lies apart.
Result<std::vector<Array>> suppressed(double iou, double score, bool per_class) {
  Case c(Target::ios16);
  return c.run("non_maximum_suppression",
               {{"boxes", c.in({1, 4, 4}, {0, 0, 2, 2, 0.5, 0, 2, 2, 0.5, 0, 2, 2, 5, 5, 1, 1})},
                {"scores", c.in({1, 4, 2}, {0.8, 0.2, 0.9, 0.1, 0.1, 0.7, 0.3, 0.2})},
                {"iou_threshold", c.number(iou)},
                {"score_threshold", c.number(score)},
                {"max_boxes", 4},
                {"per_class_suppression", per_class}});
}
TEST(Nms, TheBestBoxesThatDoNotOverlap) {
  auto out = suppressed(0.5, 0.1, false);
  ASSERT_TRUE(out) << render(out.error());
  expect_array((*out)[2], {1, 4}, {1, 3, -1, -1});
  expect_array((*out)[0], {1, 4, 4}, {0.5, 0, 2, 2, 5, 5, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0});
  expect_array((*out)[1], {1, 4, 2}, {0.9, 0.1, 0.3, 0.2, 0, 0, 0, 0});
  expect_array((*out)[3], {1}, {2});
  out = suppressed(0.65, 0.1, false);  // 0.6 is not too much
  ASSERT_TRUE(out);
  expect_array((*out)[2], {1, 4}, {1, 0, 3, -1});
}
TEST(Nms, ClassesApartAndTheThreshold) {
  auto out = suppressed(0.5, 0.1, true);
  ASSERT_TRUE(out);
  expect_array((*out)[2], {1, 4}, {1, 2, 3, -1});
  out = suppressed(0.5, 0.5, false);
  ASSERT_TRUE(out);
  expect_array((*out)[2], {1, 4}, {1, -1, -1, -1});
  out = suppressed(0.5, 0.95, false);  // none is good enough: the best one stays
  ASSERT_TRUE(out);
  expect_array((*out)[2], {1, 4}, {1, -1, -1, -1});
  expect_array((*out)[3], {1}, {1});
}

Value* labels(Case& c, std::int64_t length) {
  auto list = std::make_shared<Constant>();
  list->type = Type::list(Type::tensor(DType::string, {}), length);
  return c.function().body.add_constant("classes", list);
}
TEST(Classify, LabelAndDictionary) {
  Case c;
  const auto types = c.infer("classify", {{"probabilities", c.typed({1, 3})}, {"classes", labels(c, 3)}});
  ASSERT_TRUE(types) << render(types.error());
  const Type label = Type::tensor(DType::string, {});
  EXPECT_EQ(*types, (std::vector<Type>{label, Type::dictionary(label, Type::tensor(DType::fp64, {}))}));
}
TEST(Classify, C1C2) {
  Case c;
  expect_refused(c.infer("classify", {{"probabilities", c.typed({3})}, {"classes", c.number(1)}}),
                 "not a list of labels");
  expect_refused(c.infer("classify", {{"probabilities", c.typed({3})}, {"classes", labels(c, 4)}}),
                 "4 labels for 3 probabilities");
}

}  // namespace
}  // namespace anemone::ops

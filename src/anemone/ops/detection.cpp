// non_maximum_suppression and classify: types alone. The first leaves open how equal scores are ordered, the second
// makes strings and dictionaries, which arrays do not hold.
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr Param kNms15[] = {input("boxes"),
                            input("scores"),
                            fixed("iou_threshold", kFloats, 'T'),
                            fixed("score_threshold", kFloats, 'T'),
                            fixed("max_boxes", kInt32),
                            option("per_class_suppression", kBool, 0, false)};
constexpr Param kNms17[] = {input("boxes"), input("scores"), fixed("iou_threshold", kFloats),
                            fixed("max_boxes", kInt32), option("per_class_suppression", kBool, 0, false)};

// Up to iOS16 boxes are [n,B,4] and scores [n,B,K]; from iOS17 [n,4,B] and [n,K,B], and no count comes out.
Types infer_nms(const InferView& v, bool boxes_last) {
  TRY_VOID(check_rank(v, "boxes", 3, 3));  // (C1)
  TRY_VOID(check_rank(v, "scores", 3, 3));
  const Type &boxes = v.type("boxes"), &scores = v.type("scores");
  const std::int64_t most = v.integer("max_boxes");
  if (most < 1) return v.wrong("max_boxes", fmt::format("{} is not positive", most));  // (C2)
  Dims b = boxes.ranked ? boxes.dims : Dims(3, kUnknown), s = scores.ranked ? scores.dims : Dims(3, kUnknown);
  const std::size_t count = boxes_last ? 2 : 1, width = boxes_last ? 1 : 2;
  if (!may_equal(b[width], 4) || !may_equal(b[0], s[0]) || !may_equal(b[count], s[count])) {  // (C3)
    return v.wrong("scores", fmt::format("{} do not fit boxes {}", brief(s), brief(b)));
  }
  b[count] = s[count] = most;
  std::vector<Type> types{Type::tensor(boxes.dtype, b), Type::tensor(scores.dtype, s),
                          Type::tensor(DType::int32, {b[0], most})};
  if (!boxes_last) types.push_back(Type::tensor(DType::int32, {b[0]}));
  return types;
}
Types infer_nms15(const InferView& v) { return infer_nms(v, false); }
Types infer_nms17(const InferView& v) { return infer_nms(v, true); }
constexpr Form kNmsForms[] = {{Target::ios15, kNms15, infer_nms15}, {Target::ios17, kNms17, infer_nms17}};

constexpr Param kClassify[] = {input("probabilities", dtype_bit(DType::fp32), 0), {"classes", kAnything, 0, true}};
Types infer_classify(const InferView& v) {
  const Type &classes = v.type("classes"), &probabilities = v.type("probabilities");
  if (classes.kind != Type::Kind::list || classes.elements.empty()) {  // (C1)
    return v.wrong("classes", fmt::format("is {}, not a list of labels", to_string(classes)));
  }
  if (probabilities.ranked && !may_equal(product(probabilities.dims), classes.length)) {  // (C2)
    return v.wrong("classes",
                   fmt::format("{} labels for {} probabilities", classes.length, product(probabilities.dims)));
  }
  const Type& label = classes.elements[0];
  return std::vector<Type>{label, Type::dictionary(label, Type::tensor(DType::fp64, {}))};
}
constexpr Form kClassifyForms[] = {{Target::ios15, kClassify, infer_classify}};

constexpr OpDef kOps[] = {
    {.name = "non_maximum_suppression",
     .summary = "the boxes that no better box overlaps by more than iou_threshold",
     .forms = kNmsForms},
    {.name = "classify",
     .summary = "the label of the greatest probability, and a dictionary of all",
     .forms = kClassifyForms},
};

}  // namespace

std::span<const OpDef> detection() { return kOps; }

}  // namespace anemone::ops

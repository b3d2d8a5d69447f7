// non_maximum_suppression, and the types of classify, which makes strings and dictionaries: arrays do not hold them.
#include <algorithm>
#include <array>

#include "anemone/ops/eval_util.h"
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

// A box is [centre x, centre y, width, height].
double overlap_of(const std::array<double, 4>& a, const std::array<double, 4>& b) {
  double shared = 1;
  for (std::size_t d = 0; d < 2; ++d) {
    const double low = std::max(a[d] - a[d + 2] / 2, b[d] - b[d + 2] / 2);
    shared *= std::max(0.0, std::min(a[d] + a[d + 2] / 2, b[d] + b[d + 2] / 2) - low);
  }
  const double all = a[2] * a[3] + b[2] * b[3] - shared;
  return all > 0 ? shared / all : 0;
}

// A box's score is that of its best class. Best first, of equals the one that comes first; a box stays when none of
// those that stay (of its class, with per_class_suppression) overlaps it by more than iou_threshold. The best box of all
// stays even when its score is below the threshold. Places without a box hold 0, index −1.
Result<void> eval_nms(EvalView& v) {
  const Array &boxes = v.in("boxes"), &scores = v.in("scores");
  const bool boxes_last = v.node().outputs.size() == 3;
  const auto count = boxes.dims[boxes_last ? 2 : 1], classes = scores.dims[boxes_last ? 1 : 2];
  const auto most = v.integer("max_boxes");
  const double threshold = v.has("score_threshold") ? number_of(v, "score_threshold") : -HUGE_VAL;
  const bool per_class = v.flag("per_class_suppression");
  const auto at = [&](std::int64_t n, std::int64_t item, std::int64_t c, std::int64_t items, std::int64_t width) {
    return static_cast<std::size_t>(boxes_last ? (n * width + c) * items + item : (n * items + item) * width + c);
  };
  struct Candidate {
    std::array<double, 4> box{};
    double score = -HUGE_VAL;
    std::int64_t index = 0, best = 0;
  };
  for (std::int64_t n = 0; n < boxes.dims[0]; ++n) {
    std::vector<Candidate> order(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
      Candidate& candidate = order[static_cast<std::size_t>(i)];
      candidate.index = i;
      for (std::int64_t c = 0; c < 4; ++c) {
        candidate.box[static_cast<std::size_t>(c)] = boxes.data[at(n, i, c, count, 4)];
      }
      for (std::int64_t c = 0; c < classes; ++c) {
        const double score = scores.data[at(n, i, c, count, classes)];
        if (score > candidate.score) candidate.score = score, candidate.best = c;
      }
    }
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
    std::vector<Candidate> kept;
    for (const Candidate& candidate : order) {
      if (static_cast<std::int64_t>(kept.size()) == most) break;
      if (!kept.empty() && candidate.score < threshold) break;
      const bool covered = std::any_of(kept.begin(), kept.end(), [&](const Candidate& better) {
        return (!per_class || better.best == candidate.best) &&
               overlap_of(better.box, candidate.box) > number_of(v, "iou_threshold");
      });
      if (!covered) kept.push_back(candidate);
    }
    for (std::int64_t k = 0; k < most; ++k) {
      const bool filled = k < static_cast<std::int64_t>(kept.size());
      const std::int64_t from = filled ? kept[static_cast<std::size_t>(k)].index : 0;
      for (std::int64_t c = 0; filled && c < 4; ++c)
        v.out(0).data[at(n, k, c, most, 4)] = boxes.data[at(n, from, c, count, 4)];
      for (std::int64_t c = 0; filled && c < classes; ++c) {
        v.out(1).data[at(n, k, c, most, classes)] = scores.data[at(n, from, c, count, classes)];
      }
      v.out(2).data[static_cast<std::size_t>(n * most + k)] = filled ? static_cast<double>(from) : -1;
    }
    if (!boxes_last) v.out(3).data[static_cast<std::size_t>(n)] = static_cast<double>(kept.size());
  }
  return {};
}

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
     .forms = kNmsForms,
     .eval = eval_nms},
    {.name = "classify",
     .summary = "the label of the greatest probability, and a dictionary of all",
     .forms = kClassifyForms},
};

}  // namespace

std::span<const OpDef> detection() { return kOps; }

}  // namespace anemone::ops

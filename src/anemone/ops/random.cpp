// Random tensors. Core ML does not say which numbers a seed gives, so ours are only of the same distribution; the same
// program gives the same ones every time.
#include <algorithm>
#include <numbers>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr Param kBernoulli[] = {input("shape", kInt32, 0), option("prob", kFloats, 0, 0.5),
                                option("seed", kInt32, 0, -1)};
constexpr Param kNormal[] = {input("shape", kInt32, 0), option("mean", kFloats, 'T', 0),
                             option("stddev", kFloats, 'T', 1), option("seed", kInt32, 0, -1)};
constexpr Param kUniform[] = {input("shape", kInt32, 0), option("low", kFloats, 'T', 0),
                              option("high", kFloats, 'T', 1), option("seed", kInt32, 0, -1)};
constexpr Param kCategorical[] = {input("x"), option("mode", kString, 0, "logits"), option("size", kInt32, 0, 1),
                                  option("seed", kInt32, 0, -1)};

// SplitMix64 (Steele, Lea, Flood 2014).
class Generator {
 public:
  explicit Generator(std::int64_t seed) : state_(static_cast<std::uint64_t>(seed)) {}
  /// In (0, 1).
  double next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (static_cast<double>((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
  }

 private:
  std::uint64_t state_;
};

template <char First>
Types infer_shape(const InferView& v) {
  constexpr std::string_view kParam = First == 'p' ? "prob" : First == 'm' ? "mean" : "low";
  const DType dtype = v.has(kParam) ? v.type(kParam).dtype : DType::fp32;
  TRY_VOID(check_rank(v, "shape", 1, 1));  // (C1)
  const Type& operand = v.type("shape");
  const auto shape = v.known_ints("shape");
  if (!shape && (!operand.ranked || operand.dims[0] == kUnknown)) return one(Type::unranked(dtype));
  if (!shape) return one(dtype, Dims(static_cast<std::size_t>(operand.dims[0]), kUnknown));
  if (std::any_of(shape->begin(), shape->end(), [](std::int64_t e) { return e < 0; })) {  // (C2)
    return v.wrong("shape", fmt::format("{} has a negative extent", brief(*shape)));
  }
  return one(dtype, *shape);
}
Types infer_categorical(const InferView& v) {
  Type type = v.type("x");
  TRY_VOID(check_word(v, "mode", {"logits", "probs"}));                                                     // (C1)
  TRY_VOID(check_rank(v, "x", 1, 5));                                                                       // (C2)
  if (v.integer("size") < 1) return v.wrong("size", fmt::format("{} is not positive", v.integer("size")));  // (C3)
  if (type.ranked) type.dims.back() = v.integer("size");
  return one(std::move(type));
}
constexpr Form kBernoulliForms[] = {{Target::ios15, kBernoulli, infer_shape<'p'>}};
constexpr Form kNormalForms[] = {{Target::ios15, kNormal, infer_shape<'m'>}};
constexpr Form kUniformForms[] = {{Target::ios15, kUniform, infer_shape<'l'>}};
constexpr Form kCategoricalForms[] = {{Target::ios15, kCategorical, infer_categorical}};

Result<void> eval_bernoulli(EvalView& v) {
  Generator random(v.integer("seed"));
  const double prob = number_of(v, "prob");
  for (double& y : v.out().data) y = random.next() < prob;
  return {};
}
Result<void> eval_normal(EvalView& v) {
  Generator random(v.integer("seed"));
  const double mean = number_of(v, "mean"), deviation = number_of(v, "stddev");
  for (double& y : v.out().data) {  // Box and Muller
    const double radius = std::sqrt(-2 * std::log(random.next()));
    y = mean + deviation * radius * std::cos(2 * std::numbers::pi * random.next());
  }
  return {};
}
Result<void> eval_uniform(EvalView& v) {
  Generator random(v.integer("seed"));
  const double low = number_of(v, "low"), high = number_of(v, "high");
  for (double& y : v.out().data) y = low + (high - low) * random.next();
  return {};
}
Result<void> eval_categorical(EvalView& v) {
  Generator random(v.integer("seed"));
  const Array& x = v.in("x");
  Array& y = v.out();
  const bool logits = v.text("mode") == "logits";
  const auto classes = static_cast<std::size_t>(x.dims.back()), size = static_cast<std::size_t>(y.dims.back());
  for (std::size_t i = 0; i < y.data.size(); ++i) {
    const double* row = x.data.data() + i / size * classes;
    const double highest = *std::max_element(row, row + classes);
    const auto weight = [&](std::size_t c) { return logits ? std::exp(row[c] - highest) : row[c]; };
    double left = 0;
    for (std::size_t c = 0; c < classes; ++c) left += weight(c);
    left *= random.next();
    std::size_t chosen = 0;
    while (chosen + 1 < classes && (left -= weight(chosen)) >= 0) ++chosen;
    y.data[i] = static_cast<double>(chosen);
  }
  return {};
}

constexpr OpDef kOps[] = {
    {.name = "random_bernoulli",
     .summary = "1 with probability prob, else 0",
     .forms = kBernoulliForms,
     .eval = eval_bernoulli,
     .traits = kRandom},
    {.name = "random_normal",
     .summary = "normally distributed numbers",
     .forms = kNormalForms,
     .eval = eval_normal,
     .traits = kRandom},
    {.name = "random_uniform",
     .summary = "numbers equally likely from low to high",
     .forms = kUniformForms,
     .eval = eval_uniform,
     .traits = kRandom},
    {.name = "random_categorical",
     .summary = "class numbers drawn with the given probabilities",
     .forms = kCategoricalForms,
     .eval = eval_categorical,
     .traits = kRandom},
};

}  // namespace

std::span<const OpDef> random() { return kOps; }

}  // namespace anemone::ops

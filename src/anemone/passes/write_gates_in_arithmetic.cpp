// Writes gates in arithmetic, for targets that take no bool tensors.
// before:  %m = greater(x=%x, y=c)   %y = select(cond=%m, a=%a, b=0)
// after:   %t = clip(x=%x, alpha=c, beta=c')   %s = mul(x=%t, y=g)   %m = sub(x=%s, y=g·c)   %y = mul(x=%a, y=%m)
//          with c' the number after c that the dtype has, and g = 1 / (c' - c), a power of two: %s is g·c or g·c + 1,
//          whole numbers with no more digits than c, so that %m is 0 or 1 and nothing is rounded
//          (a second branch: %a·%m + %b·(1 - %m); the other orders, and, or, not, and cast likewise)
// only if: it compares with a number that is normal in the dtype: next to 0 lie numbers that engines flush
// why:     some targets refuse comparisons and select. Equal for all finite numbers; for NaN and for infinite branches it
//          is not. In no pipeline, for it costs operations where bool tensors are taken
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/bounds.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

struct Format {
  int digits, least_exponent;  // of normal numbers
};
Format format_of(DType dtype) { return dtype == DType::fp16 ? Format{11, -14} : Format{24, -126}; }

// From c, which is normal, to its neighbour.
double gap(double c, Format format, bool above) {
  const int exponent = std::ilogb(c);
  const bool to_smaller_binade = (c > 0) != above && std::abs(c) == std::ldexp(1, exponent);
  return std::ldexp(1, exponent - format.digits + (to_smaller_binade ? 0 : 1));
}

using Masks = std::unordered_map<const Value*, Value*>;  // of conditions

// Writes 1 where a condition is true, and 0 elsewhere.
class Arithmetic {
 public:
  Arithmetic(Builder& builder, DType dtype) : builder_(builder), dtype_(dtype) {}
  const std::string& why_not() const { return why_not_; }

  // Null: why_not().
  Value* mask(const Value& condition) {
    const Node* node = condition.producer;
    if (!node || !is_float(dtype_)) return refuse("no comparison, or not of floats");
    if (node->type == "logical_not") return complement(mask(*node->input("x")));
    if (node->type != "logical_and" && node->type != "logical_or") return comparison(*node);
    Value *x = mask(*node->input("x")), *y = x ? mask(*node->input("y")) : nullptr;
    return y ? builder_.add(node->type == "logical_and" ? "mul" : "maximum", {{"x", x}, {"y", y}}) : nullptr;
  }
  Value* complement(Value* mask) { return mask ? builder_.add("sub", {{"x", number(1)}, {"y", mask}}) : nullptr; }

  // a·mask + b·(1 - mask), without what is multiplied by zero.
  Value* choose(Value* mask, Value* a, Value* b) {
    for (const Value* branch : {a, b}) {
      const Bounds bounds = payload(branch) ? bounds_of(*branch) : Bounds{0, 0, false};
      if (!std::isfinite(bounds.low) || !std::isfinite(bounds.high)) return refuse("a branch is infinite");
    }
    const auto times = [this](Value* x, Value* y) {
      return number_of(x) == 1.0 ? y : builder_.add("mul", {{"x", x}, {"y", y}});
    };
    if (number_of(b) == 0.0) return times(a, mask);
    Value* rest = times(b, complement(mask));
    return number_of(a) == 0.0 ? rest : builder_.add("add", {{"x", times(a, mask)}, {"y", rest}});
  }

 private:
  Value* refuse(const char* why) {
    why_not_ = why;
    return nullptr;
  }
  ConstantPtr number(double value) const { return make_scalar(dtype_, value); }

  Value* comparison(const Node& node) {
    const bool less = node.type.starts_with("less"), or_equal = node.type.ends_with("_equal");
    if (!less && !node.type.starts_with("greater")) return refuse("it is no comparison by order");
    const auto left = number_of(node.input("x")), right = number_of(node.input("y"));
    if (left.has_value() == right.has_value()) return refuse("it does not compare with a number");
    const bool falls = less == right.has_value();  // true below the number
    const bool includes = falls != or_equal;       // a rising step includes the number, a falling one leaves it out
    return step(*node.input(right ? "x" : "y"), right ? *right : *left, includes, falls);
  }

  // Between the number and the one below it (`includes`), or the one above it.
  Value* step(Value& x, double c, bool includes, bool falls) {
    const Format format = format_of(dtype_);
    if (x.type.dtype != dtype_) return refuse("it compares in another dtype");
    if (!std::isfinite(c) || std::abs(c) < std::ldexp(1, format.least_exponent + 1))
      return refuse("the number has no normal neighbours");
    const double width = gap(c, format, !includes), low = includes ? c - width : c, high = low + width;
    if (!std::isfinite(scalar(*number(low))) || !std::isfinite(scalar(*number(high))))
      return refuse("the number has no finite neighbours");
    Value* y = builder_.add("clip", {{"x", &x}, {"alpha", number(low)}, {"beta", number(high)}});
    const double largest_factor = std::ldexp(1, 1 - format.least_exponent);
    for (double rest = 1 / width; rest != 1;) {
      const double factor = std::min(rest, largest_factor);
      y = builder_.add("mul", {{"x", y}, {"y", number(factor)}});
      rest /= factor;
    }
    return falls ? builder_.add("sub", {{"x", number(high / width)}, {"y", y}})
                 : builder_.add("sub", {{"x", y}, {"y", number(low / width)}});
  }

  Builder& builder_;
  DType dtype_;
  std::string why_not_;
};

bool rewrite(Node& node, Masks& masks, PassContext& context) {
  const bool selects = node.type == "select";
  const Value* condition = node.input(selects ? "cond" : "x");
  if (condition->type.dtype != DType::boolean || condition->constant) return false;
  Trial trial(node);
  Arithmetic arithmetic(trial.builder(), node.output()->type.dtype);
  const auto known = masks.find(condition);
  const bool same_dtype = known != masks.end() && known->second->type.dtype == node.output()->type.dtype;
  Value* mask = same_dtype ? known->second : arithmetic.mask(*condition);
  Value* y = mask && selects ? arithmetic.choose(mask, node.input("a"), node.input("b")) : mask;
  if (y) trial.replace(*node.output(), *y);
  if (!y || !trial.keep()) {
    context.remark(node, "kept: " + (y ? "the result would have another shape" : arithmetic.why_not()));
    return false;
  }
  masks.insert({condition, mask});
  context.count("gates written in arithmetic");
  return true;
}

}  // namespace

Result<bool> write_gates_in_arithmetic(Block& block, PassContext& context) {
  bool changed = false;
  Masks masks;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    if (node.type == "select" || node.type == "cast") changed |= rewrite(node, masks, context);
  }
  return changed;
}

}  // namespace anemone::passes

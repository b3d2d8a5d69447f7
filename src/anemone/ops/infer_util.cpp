// Shared pieces of type rules.
#include "anemone/ops/infer_util.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace anemone::ops {

Types same_as_x(const InferView& v) { return one(v.type("x")); }

std::int64_t plus(std::int64_t a, std::int64_t b) {
  if (a == kUnknown || b == kUnknown) return kUnknown;
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? kHuge : sum;
}

std::int64_t minus(std::int64_t a, std::int64_t b) { return a == kUnknown ? kUnknown : a <= b ? 0 : a - b; }

std::int64_t times(std::int64_t a, std::int64_t b) {
  if (a == kUnknown || b == kUnknown) return kUnknown;
  std::int64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) || result > kHuge ? kHuge : result;
}

std::int64_t product(std::span<const std::int64_t> dims) {
  std::int64_t result = 1;
  for (std::int64_t extent : dims) result = times(result, extent);
  return result;
}

bool may_equal(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](std::int64_t x, std::int64_t y) { return may_equal(x, y); });
}

Result<std::int64_t> axis_in(const InferView& v, std::string_view param, std::int64_t axis, std::int64_t rank) {
  if (axis < -rank || axis >= rank) {
    return v.wrong(param, fmt::format("axis {} is outside of a tensor of rank {}", axis, rank));
  }
  return axis < 0 ? axis + rank : axis;
}

Result<Dims> axes_in(const InferView& v, std::string_view param, const Dims& axes, std::int64_t rank) {
  Dims out;
  for (std::int64_t axis : axes) {
    TRY(const std::int64_t wrapped, axis_in(v, param, axis, rank));
    if (std::find(out.begin(), out.end(), wrapped) != out.end()) {
      return v.wrong(param, fmt::format("axis {} is given twice", axis));
    }
    out.push_back(wrapped);
  }
  return out;
}

std::optional<Dims> broadcast(std::span<const std::int64_t> a, std::span<const std::int64_t> b) {
  Dims out(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t from_end = out.size() - i;
    const std::int64_t x = from_end <= a.size() ? a[a.size() - from_end] : 1;
    const std::int64_t y = from_end <= b.size() ? b[b.size() - from_end] : 1;
    if (x == y || y == 1) {
      out[i] = x;
    } else if (x == 1) {
      out[i] = y;
    } else if (x == kUnknown || y == kUnknown) {
      out[i] = x == kUnknown ? y : x;  // the unknown one is 1 or equal
    } else {
      return std::nullopt;
    }
  }
  return out;
}

Result<void> check_rank(const InferView& v, std::string_view param, std::int64_t lowest, std::int64_t highest) {
  const Type& type = v.type(param);
  if (!type.ranked || (type.rank() >= lowest && type.rank() <= highest)) return {};
  if (lowest == highest) return v.wrong(param, fmt::format("rank {} is needed, {} is given", lowest, type.rank()));
  return v.wrong(param, fmt::format("rank {} to {} is needed, {} is given", lowest, highest, type.rank()),
                 "reshape before and after");
}

Result<void> check_length(const InferView& v, std::string_view param, std::int64_t length) {
  if (!v.has(param)) return {};
  const Type& type = v.type(param);
  if (!type.ranked || (type.rank() == 1 && may_equal(type.dims[0], length))) return {};
  return v.wrong(param, fmt::format("[{}] is needed, {} is given", length, brief(type.dims)));
}

Result<void> check_numbers(const InferView& v, std::string_view param, std::size_t count, std::int64_t lowest) {
  constexpr std::int64_t kHighest = std::int64_t{1} << 31;
  if (!v.has(param)) return {};
  const Dims values = v.ints(param);
  if (values.size() != count) {
    return v.wrong(param, fmt::format("{} numbers are needed, {} are given", count, values.size()));
  }
  for (std::int64_t value : values) {
    if (value < lowest || value > kHighest) return v.wrong(param, fmt::format("{} is not at least {}", value, lowest));
  }
  return {};
}

Result<void> check_dims(const InferView& v, std::string_view param, std::span<const std::int64_t> dims) {
  if (!v.has(param)) return {};
  const Type& type = v.type(param);
  if (!type.ranked || may_equal(type.dims, dims)) return {};
  return v.wrong(param, fmt::format("{} is needed, {} is given", brief(dims), brief(type.dims)));
}

Result<void> check_word(const InferView& v, std::string_view param, std::initializer_list<std::string_view> allowed) {
  if (!v.has(param) && v.fallback(param).empty()) return {};  // absent, or no parameter of this operation
  const std::string word = v.text(param);
  if (std::find(allowed.begin(), allowed.end(), word) != allowed.end()) return {};
  return v.wrong(param, fmt::format("\"{}\" is not one of {}", word, fmt::join(allowed, ", ")));
}

}  // namespace anemone::ops

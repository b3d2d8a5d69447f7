#pragma once
// Words that type rules are written with: parameter rows, extents that may be unknown, axes, broadcasting.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "anemone/ir/op_def.h"

namespace anemone::ops {

using Types = Result<std::vector<Type>>;

/// Roles follow the naming of the MIL reference: these are trained, `shape` and its like decide extents, other
/// compile-time values say how it is done.
constexpr Role role_of(std::string_view name, DTypeSet types, bool constant) {
  for (std::string_view trained :
       {"weight", "bias", "gamma", "mean", "variance", "alpha", "beta", "weight_ih", "weight_hh", "peephole",
        "weight_ih_back", "weight_hh_back", "bias_back", "peephole_back", "input_bias"}) {
    if (name == trained && (types & kFloats) != 0) return Role::weight;
  }
  for (std::string_view shaping : {"shape", "reps", "output_shape", "split_sizes", "one_hot_vector_size"}) {
    if (name == shaping) return Role::shape;
  }
  return constant ? Role::mode : Role::data;
}

// Rows of parameter lists.
/// A required value of run time.
constexpr Param input(std::string_view name, DTypeSet types = kFloats, char group = 'T') {
  return {.name = name, .types = types, .group = group, .role = role_of(name, types, false)};
}
/// An optional value of run time.
constexpr Param maybe(std::string_view name, DTypeSet types, char group = 0, Default fallback = {}) {
  return {.name = name,
          .types = types,
          .group = group,
          .required = false,
          .fallback = fallback,
          .role = role_of(name, types, false)};
}
/// A required compile-time value.
constexpr Param fixed(std::string_view name, DTypeSet types, char group = 0) {
  return {.name = name, .types = types, .group = group, .constant = true, .role = role_of(name, types, true)};
}
/// An optional compile-time value.
constexpr Param option(std::string_view name, DTypeSet types, char group = 0, Default fallback = {}) {
  return {.name = name,
          .types = types,
          .group = group,
          .constant = true,
          .required = false,
          .fallback = fallback,
          .role = role_of(name, types, true)};
}
/// A list of values.
constexpr Param several(std::string_view name, DTypeSet types, char group = 'T') {
  return {.name = name, .types = types, .group = group, .list = true, .role = role_of(name, types, false)};
}

/// The parameters of an older form with these instead of their namesakes, and new ones behind them: a newer form names
/// what it changes.
template <std::size_t N, std::size_t M>
constexpr auto with(const Param (&older)[N], const Param (&changes)[M]) {
  struct List {
    std::array<Param, N + M> params{};
    std::size_t size = N;
    constexpr operator std::span<const Param>() const { return {params.data(), size}; }
  } list;
  std::copy(older, older + N, list.params.begin());
  for (const Param& change : changes) {
    std::size_t at = 0;
    while (at < list.size && list.params[at].name != change.name) ++at;
    if (at == list.size) ++list.size;
    list.params[at] = change;
  }
  return list;
}

inline Types one(Type type) {
  std::vector<Type> out;
  out.push_back(std::move(type));
  return out;
}
inline Types one(DType dtype, Dims dims) { return one(Type::tensor(dtype, std::move(dims))); }

/// The type rule of operations that keep shape and dtype of x.
Types same_as_x(const InferView& v);

// Arithmetic of extents: unknown in, unknown out; saturates instead of overflowing.
inline constexpr std::int64_t kHuge = std::int64_t{1} << 62;
std::int64_t plus(std::int64_t a, std::int64_t b);
/// a − b of a known amount b, not below 0: a negative extent must not look like an unknown one.
std::int64_t minus(std::int64_t a, std::int64_t b);
std::int64_t times(std::int64_t a, std::int64_t b);
/// Product of a range; unknown when any factor is.
std::int64_t product(std::span<const std::int64_t> dims);
/// False only when both are known and differ.
inline bool may_equal(std::int64_t a, std::int64_t b) { return a == b || a == kUnknown || b == kUnknown; }
bool may_equal(std::span<const std::int64_t> a, std::span<const std::int64_t> b);

/// Axis with negative values counted from the end; E0200 when outside of a tensor of that rank.
Result<std::int64_t> axis_in(const InferView& v, std::string_view param, std::int64_t axis, std::int64_t rank);
/// The same for a list, which must be free of repetitions.
Result<Dims> axes_in(const InferView& v, std::string_view param, const Dims& axes, std::int64_t rank);
/// During evaluation: negative counts from the end.
inline std::size_t wrap_axis(std::int64_t axis, std::int64_t rank) {
  return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
}

/// Numpy's rule; nothing when the shapes do not fit.
std::optional<Dims> broadcast(std::span<const std::int64_t> a, std::span<const std::int64_t> b);

/// Checks that the rank of a tensor parameter is in [lowest, highest].
Result<void> check_rank(const InferView& v, std::string_view param, std::int64_t lowest, std::int64_t highest);
/// Checks that a constant vector has that many elements, when it is given.
Result<void> check_length(const InferView& v, std::string_view param, std::int64_t length);
/// Checks that an integer vector, when it is given, has that many numbers, each from `lowest` to 2³¹ so that products
/// fit.
Result<void> check_numbers(const InferView& v, std::string_view param, std::size_t count, std::int64_t lowest);
/// Checks that an optional parameter has exactly these extents.
Result<void> check_dims(const InferView& v, std::string_view param, std::span<const std::int64_t> dims);
/// Checks that a string parameter is one of the allowed words.
Result<void> check_word(const InferView& v, std::string_view param, std::initializer_list<std::string_view> allowed);

}  // namespace anemone::ops

// States and lists. read_state and write_state have types but no meaning of their own: what a state holds belongs to who
// runs the function. A list is, while it runs, an array of its elements side by side.
#include <algorithm>

#include "anemone/ops/eval_util.h"
#include "anemone/ops/families.h"
#include "anemone/ops/infer_util.h"

namespace anemone::ops {
namespace {

constexpr Param kRead[] = {{"input", kAnything}};
constexpr Param kWrite[] = {{"input", kAnything}, {"data", kFloats | dtype_bit(DType::int8)}};

Types infer_read(const InferView& v) {
  const Type& state = v.type("input");
  if (state.kind != Type::Kind::state)
    return v.wrong("input", fmt::format("is {}, not a state", to_string(state)));  // (C1)
  return one(state.tensor_part());
}
Types infer_write(const InferView& v) {
  const Type &state = v.type("input"), &data = v.type("data");
  if (state.kind != Type::Kind::state)
    return v.wrong("input", fmt::format("is {}, not a state", to_string(state)));  // (C1)
  if (!compatible(state.tensor_part(), data)) {                                    // (C2) the type of the state
    return v.wrong("data", fmt::format("is {}, the state holds {}", brief(data), brief(state.tensor_part())));
  }
  return std::vector<Type>{};
}
constexpr Form kReadForms[] = {{Target::ios18, kRead, infer_read}};
constexpr Form kWriteForms[] = {{Target::ios18, kWrite, infer_write}};

// (C1) ls is a list of tensors.
Result<void> check_list(const InferView& v) {
  const Type& ls = v.type("ls");
  if (ls.kind == Type::Kind::list && !ls.elements.empty() && ls.elements[0].is_tensor()) return {};
  return v.wrong("ls", fmt::format("is {}, not a list of tensors", to_string(ls)));
}
// (C2) value, or what it is made of, fits an element.
Result<void> check_element(const InferView& v, const Type& value) {
  const Type& element = v.type("ls").elements[0];
  if (compatible(element, value)) return {};
  return v.wrong("value", fmt::format("is {}, the list holds {}", brief(value), brief(element)));
}

constexpr Param kIndex = input("index", kInt32, 0), kIndices = input("indices", kInt32, 0);
constexpr Param kValue = input("value", kAnything, 0), kLs{"ls", kAnything};
constexpr Param kMakeList[] = {option("init_length", kInt32, 0, 1), option("dynamic_length", kBool, 0, true),
                               several("elem_shape", kInt32 | kString, 0), option("dtype", kString, 0, "fp32")};
constexpr Param kListLength[] = {kLs};
constexpr Param kListRead[] = {kLs, kIndex};
constexpr Param kListWrite[] = {kLs, kIndex, kValue};
constexpr Param kListGather[] = {kLs, kIndices};
constexpr Param kListScatter[] = {kLs, kIndices, kValue};

Types infer_make_list(const InferView& v) {
  const std::int64_t length = v.integer("init_length");
  if (length < 0) return v.wrong("init_length", fmt::format("{} is negative", length));  // (C1)
  TRY_VOID(check_word(v, "dtype", {"bool", "fp16", "fp32", "int32"}));                   // (C2)
  Dims dims;
  for (const Given& extent : v.all("elem_shape")) {                         // a word names an extent that is not known
    if (!extent.constant) return v.wrong("elem_shape", "is not constant");  // (C3)
    dims.push_back(extent.constant->is_string() ? kUnknown : static_cast<std::int64_t>(scalar(*extent.constant)));
    if (dims.back() < kUnknown) return v.wrong("elem_shape", fmt::format("{} is negative", dims.back()));
  }
  return one(Type::list(Type::tensor(*dtype_from(v.text("dtype")), std::move(dims)), length));
}
Types infer_list_length(const InferView& v) {
  TRY_VOID(check_list(v));
  return one(Type::tensor(DType::int32, {}));
}
Types infer_list_read(const InferView& v) {
  TRY_VOID(check_list(v));
  return one(v.type("ls").elements[0]);
}
Types infer_list_write(const InferView& v) {
  TRY_VOID(check_list(v));
  TRY_VOID(check_element(v, v.type("value")));
  return one(v.type("ls"));
}
Types infer_list_gather(const InferView& v) {
  TRY_VOID(check_list(v));
  TRY_VOID(check_rank(v, "indices", 1, 1));  // (C3)
  Type type = v.type("ls").elements[0];
  const Type& indices = v.type("indices");
  type.dims.insert(type.dims.begin(), indices.ranked ? indices.dims[0] : kUnknown);
  return one(std::move(type));
}
Types infer_list_scatter(const InferView& v) {
  TRY_VOID(check_list(v));
  TRY_VOID(check_rank(v, "indices", 1, 1));  // (C3)
  Type value = v.type("value");
  if (value.ranked && value.dims.empty()) return v.wrong("value", "is not one element an index");  // (C2)
  if (value.ranked) value.dims.erase(value.dims.begin());
  TRY_VOID(check_element(v, value));
  return one(v.type("ls"));
}

std::int64_t element_size(const Array& list) { return product(std::span(list.dims).subspan(1)); }

/// The elements of a list at these places, one after the other; `size` numbers each.
Result<void> read_elements(EvalView& v, const Dims& places, std::string_view param) {
  const Array& list = v.in("ls");
  const std::int64_t size = element_size(list);
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] < 0 || places[i] >= list.dims[0]) {
      return v.wrong(param, fmt::format("{} is outside of a list of {}", places[i], list.dims[0]));
    }
    std::copy_n(list.data.begin() + places[i] * size, size,
                v.out().data.begin() + static_cast<std::ptrdiff_t>(i) * size);
  }
  return {};
}
/// The list with other elements at these places. It grows as far as needed.
Result<void> write_elements(EvalView& v, const Dims& places, std::string_view param) {
  constexpr std::int64_t kMostElements = 1 << 24;
  const Array& value = v.in("value");
  Array& list = v.out();
  list = v.in("ls");
  const std::int64_t size = element_size(list);
  if (value.count() != size * static_cast<std::int64_t>(places.size())) {
    return v.wrong("value",
                   fmt::format("{} does not hold {} elements of {} numbers", brief(value.dims), places.size(), size));
  }
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] < 0 || (places[i] + 1) * std::max<std::int64_t>(1, size) > kMostElements) {
      return v.wrong(param, fmt::format("{} is no place in a list of {}", places[i], list.dims[0]));
    }
    list.dims[0] = std::max(list.dims[0], places[i] + 1);
    list.data.resize(static_cast<std::size_t>(list.dims[0] * size));
    std::copy_n(value.data.begin() + static_cast<std::ptrdiff_t>(i) * size, size, list.data.begin() + places[i] * size);
  }
  return {};
}

Result<void> eval_make_list(EvalView&) { return {}; }  // zeros
Result<void> eval_list_length(EvalView& v) {
  v.out().data[0] = static_cast<double>(v.in("ls").dims[0]);
  return {};
}
Result<void> eval_list_read(EvalView& v) { return read_elements(v, v.ints_of("index"), "index"); }
Result<void> eval_list_gather(EvalView& v) { return read_elements(v, v.ints_of("indices"), "indices"); }
Result<void> eval_list_write(EvalView& v) { return write_elements(v, v.ints_of("index"), "index"); }
Result<void> eval_list_scatter(EvalView& v) { return write_elements(v, v.ints_of("indices"), "indices"); }

constexpr Form kMakeListForms[] = {{Target::ios15, kMakeList, infer_make_list}};
constexpr Form kListLengthForms[] = {{Target::ios15, kListLength, infer_list_length}};
constexpr Form kListReadForms[] = {{Target::ios15, kListRead, infer_list_read}};
constexpr Form kListWriteForms[] = {{Target::ios15, kListWrite, infer_list_write}};
constexpr Form kListGatherForms[] = {{Target::ios15, kListGather, infer_list_gather}};
constexpr Form kListScatterForms[] = {{Target::ios15, kListScatter, infer_list_scatter}};

constexpr OpDef kOps[] = {
    {.name = "read_state", .summary = "what the state holds now", .forms = kReadForms, .traits = kEffect},
    {.name = "write_state", .summary = "the state holds data from now on", .forms = kWriteForms, .traits = kEffect},
    {.name = "make_list",
     .summary = "a list of init_length elements of zeros, which grows as it is written",
     .forms = kMakeListForms,
     .eval = eval_make_list},
    {.name = "list_length", .summary = "how many elements ls has", .forms = kListLengthForms, .eval = eval_list_length},
    {.name = "list_read", .summary = "the element at index", .forms = kListReadForms, .eval = eval_list_read},
    {.name = "list_write", .summary = "ls with value at index", .forms = kListWriteForms, .eval = eval_list_write},
    {.name = "list_gather",
     .summary = "the elements at indices, side by side",
     .forms = kListGatherForms,
     .eval = eval_list_gather},
    {.name = "list_scatter",
     .summary = "ls with the parts of value at indices",
     .forms = kListScatterForms,
     .eval = eval_list_scatter},
};

}  // namespace

std::span<const OpDef> state() { return kOps; }

}  // namespace anemone::ops

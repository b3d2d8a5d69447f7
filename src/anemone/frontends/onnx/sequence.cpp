// Sequences and optional values: resolved while the graph is read, because their lengths are known.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {
namespace {

const Lowered& sequence(const Call& c, std::size_t input) {
  const Lowered& value = c.lowered(input);
  if (!value.is_sequence) Call::refuse(fmt::format("input {} is no sequence", input));
  return value;
}

// Counted from the end where negative; `end` may be named where something is put.
std::size_t place(std::int64_t at, std::size_t size, bool end_too) {
  const auto n = static_cast<std::int64_t>(size);
  if (at < 0) at += n;
  if (at < 0 || at >= n + end_too) Call::refuse(fmt::format("place {} in a sequence of {}", at, n));
  return static_cast<std::size_t>(at);
}

void lower_sequence_construct(Call& c) {
  Lowered out{c.dtype(0), {}, true};
  for (std::size_t i = 0; i < c.inputs(); ++i) out.items.push_back(c.raw(i));
  c.give(0, std::move(out));
}
void lower_sequence_empty(Call& c) { c.give(0, Lowered{static_cast<DataType>(c.integer("dtype", 1)), {}, true}); }
void lower_sequence_insert(Call& c) {
  Lowered out = sequence(c, 0);
  const std::size_t at = c.has(2) ? place(c.ints(2).at(0), out.items.size(), true) : out.items.size();
  out.items.insert(out.items.begin() + static_cast<std::ptrdiff_t>(at), c.raw(1));
  out.dtype = c.dtype(1);
  c.give(0, std::move(out));
}
void lower_sequence_erase(Call& c) {
  Lowered out = sequence(c, 0);
  const std::size_t at = c.has(1) ? place(c.ints(1).at(0), out.items.size(), false) : out.items.size() - 1;
  if (out.items.empty()) Call::refuse("nothing to erase");
  out.items.erase(out.items.begin() + static_cast<std::ptrdiff_t>(at));
  c.give(0, std::move(out));
}
void lower_sequence_at(Call& c) {
  const Lowered& from = sequence(c, 0);
  c.give(0, Lowered{from.dtype, {from.items[place(c.ints(1).at(0), from.items.size(), false)]}, false});
}
void lower_sequence_length(Call& c) {
  c.give(c.emit().constant(make_scalar(DType::int32, static_cast<double>(sequence(c, 0).items.size()))));
}

constexpr std::size_t kMostParts = 1024;

void lower_split_to_sequence(Call& c) {
  Emit& emit = c.emit();
  const Dims& x = c.dims(0);
  const std::size_t axis = Call::axis(c.integer("axis", 0), x.size());
  const bool keep = c.has(1) || c.flag("keepdims", true);
  Dims sizes;
  if (!c.has(1)) {
    sizes.assign(table_size({x[axis]}), 1);
  } else if (sizes = c.ints(1); c.dims(1).empty()) {
    const std::int64_t each = sizes.at(0);
    if (each < 1) Call::refuse("parts of nothing");
    table_size({x[axis] / each});
    sizes.clear();
    for (std::int64_t begin = 0; begin < x[axis]; begin += each) sizes.push_back(std::min(each, x[axis] - begin));
  }
  if (sizes.size() > kMostParts) Call::refuse(fmt::format("{} parts", sizes.size()));
  check_parts(sizes, x[axis]);
  Lowered out{c.dtype(0), {}, true};
  std::int64_t begin = 0;
  for (const std::int64_t size : sizes) {
    MilValue* part = emit.slice(c.raw(0), static_cast<std::int64_t>(axis), begin, begin + size);
    Dims dims = part->type.dims;
    if (!keep) dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
    out.items.push_back(dims.empty() ? emit.add("squeeze", {{"x", part}}) : emit.reshape(part, dims));
    begin += size;
  }
  c.give(0, std::move(out));
}
void lower_concat_from_sequence(Call& c) {
  Emit& emit = c.emit();
  const Lowered& from = sequence(c, 0);
  if (from.items.empty()) Call::refuse("an empty sequence");
  const bool is_new = c.flag("new_axis", false);
  const std::size_t rank = from.items[0]->type.dims.size() + is_new;
  const auto axis = static_cast<std::int64_t>(Call::axis(c.integer("axis", 0), rank));
  c.give(is_new ? emit.add("stack", {{"values", from.items}, {"axis", axis}}) : emit.concat(from.items, axis));
}

// An optional that is empty is a sequence of nothing that nobody may take from.
void lower_optional(Call& c) {
  if (c.inputs() == 0) return c.give(0, Lowered{DataType::undefined, {}, true});
  c.give(0, c.lowered(0));
}
void lower_optional_has_element(Call& c) {
  const bool has = c.has(0) && (!c.lowered(0).is_sequence || c.lowered(0).dtype != DataType::undefined);
  c.give(0, Lowered{DataType::boolean, {c.emit().constant(make_scalar(DType::boolean, has))}, false});
}
void lower_optional_get_element(Call& c) { c.give(0, c.lowered(0)); }

constexpr Row kRows[] = {
    {"SequenceConstruct", 11, lower_sequence_construct},
    {"SequenceEmpty", 11, lower_sequence_empty},
    {"SequenceInsert", 11, lower_sequence_insert, "a place computed from data"},
    {"SequenceErase", 11, lower_sequence_erase, "a place computed from data"},
    {"SequenceAt", 11, lower_sequence_at, "a place computed from data"},
    {"SequenceLength", 11, lower_sequence_length},
    {"SplitToSequence", 11, lower_split_to_sequence, "sizes computed from data"},
    {"ConcatFromSequence", 11, lower_concat_from_sequence},
    {"Optional", 15, lower_optional},
    {"OptionalHasElement", 15, lower_optional_has_element},
    {"OptionalGetElement", 15, lower_optional_get_element},
};

}  // namespace

std::span<const Row> sequence_lowerings() { return kRows; }

}  // namespace anemone::onnx

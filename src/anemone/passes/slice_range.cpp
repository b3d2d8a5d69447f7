// Masks stand for the borders; negative numbers count from the end.
#include "anemone/passes/slice_range.h"

#include <algorithm>

#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"

namespace anemone::passes {

std::optional<SliceRange> slice_range(const Node& node, Squeezed allowed) {
  if (node.type != "slice_by_index" || !node.input("x")->type.is_fixed()) return std::nullopt;
  if (!have_payloads(node, {"begin", "end", "stride", "begin_mask", "end_mask", "squeeze_mask"})) return std::nullopt;
  const Dims& dims = node.input("x")->type.dims;
  const ConstantView view(node);
  const Dims begin = view.ints("begin"), end = view.ints("end"), stride = view.ints("stride", dims.size());
  const auto from_start = view.flags("begin_mask", dims.size()), to_end = view.flags("end_mask", dims.size()),
             squeezed = view.flags("squeeze_mask", dims.size());
  if (begin.size() != dims.size() || end.size() != dims.size()) return std::nullopt;
  std::optional<SliceRange> range;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (stride[i] != 1 || (squeezed[i] && allowed == Squeezed::refused)) return std::nullopt;
    const auto place = [&](std::int64_t at) {
      return std::clamp<std::int64_t>(at < 0 ? at + dims[i] : at, 0, dims[i]);
    };
    const std::int64_t first = from_start[i] ? 0 : place(begin[i]);
    const std::int64_t last = squeezed[i] ? first + 1 : to_end[i] ? dims[i] : place(end[i]);
    if (first == 0 && last == dims[i] && !squeezed[i]) continue;
    if (range || first >= last) return std::nullopt;
    range = SliceRange{node.input("x"), static_cast<std::int64_t>(i), first, last};
  }
  return range;
}

Value* add_slice(Builder& builder, const SliceRange& range) {
  Dims begin(range.x->type.dims.size(), 0), end = range.x->type.dims;
  begin[static_cast<std::size_t>(range.axis)] = range.begin;
  end[static_cast<std::size_t>(range.axis)] = range.end;
  return builder.add("slice_by_index", {{"x", range.x}, {"begin", begin}, {"end", end}});
}

}  // namespace anemone::passes

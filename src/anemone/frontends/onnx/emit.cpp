// Nodes that are made, or computed at once.
#include "anemone/frontends/onnx/emit.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "anemone/ops/execute.h"

namespace anemone::onnx {
namespace {

// What is computed while the graph is read: arithmetic on shapes and small tables. Larger results are left to constant
// folding, which shares them.
constexpr std::int64_t kFoldedResult = 1 << 16, kFoldedOperand = 1 << 20, kShapes = 1 << 8;
constexpr std::int64_t kTables = 1 << 22;      // numbers of the constants of a graph, beside what may be folded
constexpr std::int64_t kFoldedMacs = 1 << 26;  // a tenth of a second
constexpr std::size_t kMostAxes = 64;

const Array* fetch_constant(const MilValue& value, std::list<Array>& held) {
  if (!value.constant) return nullptr;
  held.push_back(to_array(*value.constant));
  return &held.back();
}

}  // namespace

std::int64_t count_of(const Dims& dims) {
  const auto is_beyond = [](std::int64_t n) { return n < 0 || n > std::numeric_limits<std::int32_t>::max(); };
  const auto count = element_count(dims);
  if (!count || dims.size() > kMostAxes || *count > std::int64_t{1} << 40 ||
      std::any_of(dims.begin(), dims.end(), is_beyond))
    throw Refused{fmt::format("extents {}, which cannot be counted", brief(dims)), {}};
  return *count;
}

std::size_t table_size(const Dims& dims, std::int64_t most) {
  const std::int64_t count = count_of(dims);
  if (count > most) throw Refused{fmt::format("it needs a table of {} numbers", count), {}};
  return static_cast<std::size_t>(count);
}

void check_parts(const Dims& sizes, std::int64_t whole) {
  std::int64_t left = whole;
  for (const std::int64_t size : sizes) {
    if (size < 0 || size > left) left = -1;
    if (left < 0) break;
    left -= size;
  }
  if (left != 0) throw Refused{fmt::format("parts of {} out of {}", brief(sizes), whole), {}};
}

Dims broadcast_dims(const Dims& a, const Dims& b) {
  Dims out(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1)
      throw Refused{fmt::format("the shapes {} and {} do not go together", brief(a), brief(b)), {}};
    out[out.size() - 1 - i] = x == 1 ? y : x;
  }
  return out;
}

bool Emit::is_foldable(const MilNode& node, bool large) const {
  if (!node.def || !node.def->eval || node.def->is(kRandom | kEffect | kConstexpr) || !node.blocks.empty())
    return false;
  for (const Operand& operand : node.operands()) {
    for (const MilValue* value : operand.values) {
      if (!value->constant || !value->constant->missing.empty()) return false;
      if (!large && value->constant->count() > kFoldedOperand) return false;
    }
  }
  if (node.def->macs && node.def->macs(node) > kFoldedMacs) return false;
  std::int64_t result = 0;
  for (const auto& output : node.outputs) {
    if (!output->type.is_fixed()) return false;
    result += count_of(output->type.dims);
  }
  // Arithmetic on shapes costs nothing, and must not stop where large tables have been made.
  return (large || result <= kFoldedResult) && (result <= kShapes || computed_ + result <= budget_);
}

std::vector<MilValue*> Emit::fold(MilNode& node) {
  std::list<Array> held;
  const auto arrays = ops::evaluate_node(node, [&](const MilValue& value) { return fetch_constant(value, held); });
  if (!arrays) throw Refused{arrays.error().front().message, arrays.error().front().help};
  std::vector<MilValue*> out;
  for (const Array& array : *arrays) {
    computed_ += array.dims.empty() ? 1 : static_cast<std::int64_t>(array.data.size());
    out.push_back(builder_.constant(to_constant(array)));
  }
  return out;
}

bool Emit::is_affordable(std::int64_t table) const { return table <= kShapes || tables_ + table <= kTables + budget_; }

void Emit::pay(std::int64_t table) {
  if (!is_affordable(table))
    throw Refused{
        fmt::format("constants of more than {} numbers in all, made of what the file holds", kTables + budget_), {}};
  if (table > kShapes) tables_ += table;
}

MilValue* Emit::constant(ConstantPtr constant) {
  pay(constant->count());
  return builder_.constant(std::move(constant));
}

std::vector<MilValue*> Emit::add_all(std::string_view type, Arguments arguments) {
  for (const auto& [param, argument] : arguments) {
    if (argument.literal) pay(argument.literal->count());
  }
  MilNode* node = builder_.add_node(type, arguments);
  if (!node) {
    const Diagnostic why = builder_.finish().error().front();
    if (why.blame == Blame::bug) throw Refused{"(a bug of the importer) " + why.message, {}};
    throw Refused{why.message, why.help};
  }
  for (const auto& output : node->outputs) {
    if (output->type.is_fixed()) count_of(output->type.dims);
  }
  if (is_foldable(*node, false)) {
    std::vector<MilValue*> constants = fold(*node);
    block_->erase(*node);
    return constants;
  }
  if (++nodes_ > most_nodes_)
    throw Refused{fmt::format("more than {} operations in all, made of what the file holds", most_nodes_), {}};
  std::vector<MilValue*> out;
  for (const auto& output : node->outputs) out.push_back(output.get());
  return out;
}

ConstantPtr Emit::known(MilValue* x, int depth) {
  constexpr int kDeepest = 256;  // nodes in a row: what is computed on the way is remembered
  if (x->constant) return x->constant->missing.empty() ? x->constant : nullptr;
  if (!x->producer || depth == kDeepest) return nullptr;
  MilNode& node = *x->producer;
  for (const Operand& operand : node.operands()) {  // a copy of the node's operands: what is known replaces them
    for (MilValue* value : std::vector<MilValue*>(operand.values)) {
      if (value->constant) continue;
      const ConstantPtr content = known(value, depth + 1);
      if (!content) return nullptr;
      node.replace(value, builder_.constant(content));
    }
  }
  if (!is_foldable(node, true)) return nullptr;
  const std::vector<MilValue*> constants = fold(node);
  for (std::size_t i = 0; i < constants.size(); ++i) {
    if (node.output(i) == x) return constants[i]->constant;
  }
  return nullptr;
}

MilValue* Emit::cast(MilValue* x, DType dtype) {
  if (x->type.dtype == dtype) return x;
  return add("cast", {{"x", x}, {"dtype", std::string(name(dtype)).c_str()}});
}

MilValue* Emit::reshape(MilValue* x, const Dims& dims) {
  // Of reshapes one after the other the last one counts; what the first ones made may have had a rank beyond MIL's.
  while (x->producer && x->producer->type == "reshape" && x->producer->input("x")->type.is_fixed() &&
         x->type.is_fixed())
    x = x->producer->input("x");
  if (x->type.is_fixed() && x->type.dims == dims) return x;
  return add("reshape", {{"x", x}, {"shape", dims}});
}

MilValue* Emit::transpose(MilValue* x, const Dims& perm) {
  Dims identity(perm.size());
  std::iota(identity.begin(), identity.end(), 0);
  if (perm == identity) return x;
  if (perm.size() != x->type.dims.size())
    throw Refused{fmt::format("{} dimensions to exchange in {}", perm.size(), brief(x->type)), {}};
  if (!x->type.is_fixed()) return add("transpose", {{"x", x}, {"perm", perm}});
  // Where only extents of 1 move, or the rank is beyond MIL's: axes that stay neighbours are one axis, those of 1 none.
  const Dims& dims = x->type.dims;
  Dims result;
  for (const std::int64_t axis : perm) result.push_back(dims[static_cast<std::size_t>(axis)]);
  Dims kept;  // in the order of the result
  for (const std::int64_t axis : perm) {
    if (dims[static_cast<std::size_t>(axis)] != 1) kept.push_back(axis);
  }
  if (std::is_sorted(kept.begin(), kept.end())) return reshape(x, result);
  if (perm.size() <= 5) return add("transpose", {{"x", x}, {"perm", perm}});
  std::vector<Dims> groups;
  for (const std::int64_t axis : kept) {
    const bool follows = !groups.empty() && [&] {
      for (std::int64_t between = groups.back().back() + 1; between < axis; ++between) {
        if (dims[static_cast<std::size_t>(between)] != 1) return false;
      }
      return groups.back().back() < axis;
    }();
    if (follows) {
      groups.back().push_back(axis);
    } else {
      groups.push_back({axis});
    }
  }
  std::vector<std::size_t> order(groups.size());  // groups by their place in x
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return groups[a][0] < groups[b][0]; });
  Dims merged, merged_perm(groups.size());
  for (std::size_t place = 0; place < order.size(); ++place) {
    std::int64_t extent = 1;
    for (const std::int64_t axis : groups[order[place]]) extent *= dims[static_cast<std::size_t>(axis)];
    merged.push_back(extent);
    merged_perm[order[place]] = static_cast<std::int64_t>(place);
  }
  return reshape(add("transpose", {{"x", reshape(x, merged)}, {"perm", merged_perm}}), result);
}

MilValue* Emit::broadcast(MilValue* x, const Dims& dims) {
  if (x->type.dims == dims) return x;
  if (x->type.dims.size() > dims.size())
    throw Refused{fmt::format("{} does not spread over {}", brief(x->type), brief(dims)), {}};
  Dims padded(dims.size() - x->type.dims.size(), 1);
  padded.insert(padded.end(), x->type.dims.begin(), x->type.dims.end());
  Dims reps(dims.size(), 1);
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (padded[i] != dims[i]) reps[i] = dims[i];
  }
  x = reshape(x, padded);
  if (std::all_of(reps.begin(), reps.end(), [](std::int64_t r) { return r == 1; })) return x;
  return add("tile", {{"x", x}, {"reps", reps}});
}

MilValue* Emit::slice(MilValue* x, std::int64_t axis, std::int64_t begin, std::int64_t end, std::int64_t step) {
  const Dims& dims = x->type.dims;
  const auto at = static_cast<std::size_t>(axis);
  if (at >= dims.size()) throw Refused{fmt::format("no dimension {} in {}", axis, brief(x->type)), {}};
  if (begin == 0 && end == dims[at] && step == 1) return x;
  Dims begins(dims.size(), 0), ends = dims, steps(dims.size(), 1);
  begins[at] = begin;
  ends[at] = std::max<std::int64_t>(end, 0);
  steps[at] = step;
  std::vector<bool> end_mask(dims.size(), false);
  end_mask[at] = step < 0 && end < 0;
  return add("slice_by_index",
             {{"x", x}, {"begin", begins}, {"end", ends}, {"stride", steps}, {"end_mask", make_bools(end_mask)}});
}

MilValue* Emit::concat(const std::vector<MilValue*>& values, std::int64_t axis) {
  if (values.size() == 1) return values[0];
  return add("concat", {{"values", values}, {"axis", axis}});
}

MilValue* Emit::pick(MilValue* x, std::int64_t axis, const Dims& indices) {
  std::int64_t next = 0;
  const bool is_all = std::all_of(indices.begin(), indices.end(), [&](std::int64_t index) { return index == next++; });
  if (is_all && next == x->type.dims[static_cast<std::size_t>(axis)]) return x;
  return add("gather", {{"x", x}, {"indices", indices}, {"axis", axis}});
}

MilValue* Emit::fill(DType dtype, const Dims& dims, double value) {
  const std::int64_t count = count_of(dims);
  if (count <= kFoldedResult && is_affordable(count))
    return constant(make_constant(dtype, dims, std::vector<double>(static_cast<std::size_t>(count), value)));
  return add("fill", {{"shape", dims}, {"value", make_scalar(dtype, value)}});
}

}  // namespace anemone::onnx

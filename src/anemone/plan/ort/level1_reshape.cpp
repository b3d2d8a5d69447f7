// Reshape by a shape that is put together from parts of the operand's own: one constant with 0 and -1 does.
#include <algorithm>
#include <limits>

#include "anemone/plan/ort/level1_passes.h"

namespace anemone::plan::ort {
namespace {

using Dims = std::vector<std::int64_t>;

bool has_one_element(const Value* value) {
  const auto dims = known_dims(value);
  return dims && formats::onnxspec::element_count(*dims) == 1;
}

/// The axes are [0].
bool adds_front_axis(const Level1& level, const Node& unsqueeze) {
  if (is(level.model, unsqueeze, "Unsqueeze", {1, 11})) return unsqueeze.integers("axes") == Dims{0};
  return is(level.model, unsqueeze, "Unsqueeze", {13}) && integers(level.model, unsqueeze.input(1)) == Dims{0};
}

Node* producer_of(const Level1& level, const Node& node, std::size_t input, std::string_view op,
                  std::initializer_list<int> since) {
  Node* found = producer(node, input);
  return found && is(level.model, *found, op, since) ? found : nullptr;
}

/// Shape -> Gather -> Unsqueeze; null where it is something else.
struct Picked {
  const Node *gather = nullptr, *shape = nullptr;
};
Picked picked_extent(const Level1& level, const Node& concat, std::size_t input) {
  const Node* unsqueeze = producer_of(level, concat, input, "Unsqueeze", {1, 11, 13});
  const Node* gather = unsqueeze ? producer_of(level, *unsqueeze, 0, "Gather", {1, 11, 13}) : nullptr;
  const Node* shape = gather ? producer_of(level, *gather, 0, "Shape", {1, 13, 15}) : nullptr;
  if (!shape || !adds_front_axis(level, *unsqueeze)) return {};
  if (shape->integer("start", 0) != 0 || shape->attribute("end")) return {};
  return {gather, shape};
}

/// Extents are those of `root`: of the value itself, or of one whose known shape is the same.
bool is_shape_of(const Node& shape, const Value* root) {
  if (shape.input(0) == root) return true;
  if (shape_of(shape.input(0)) && shape_of(root)) {
    const auto a = known_dims(shape.input(0)), b = known_dims(root);
    return a && b && !a->empty() && *a == *b;
  }
  return false;
}

/// The extent `axis` of root.
bool gives_extent(const Level1& level, const Value* root, const Node& concat, std::size_t input, std::size_t axis) {
  const Picked picked = picked_extent(level, concat, input);
  if (!picked.gather) return false;
  const Value* index = picked.gather->input(1);
  const auto dims = known_dims(index);
  if (!dims || dims->size() > 1 || !constant(level.model, index)) return false;
  return scalar(level.model, index) == static_cast<double>(axis) && is_shape_of(*picked.shape, root);
}

/// Shape -> Slice to one element -> Squeeze.
bool gives_sliced_extent(const Level1& level, const Value* root, const Node& node, std::size_t input) {
  const Node* squeeze = producer_of(level, node, input, "Squeeze", {1, 11, 13});
  const Node* slice = squeeze ? producer_of(level, *squeeze, 0, "Slice", {1, 11, 13}) : nullptr;
  const Node* shape = slice ? producer_of(level, *slice, 0, "Shape", {1, 13}) : nullptr;
  if (!shape || shape->input(0) != root) return false;
  const Dims starts = slice->integers("starts"), ends = slice->integers("ends");  // bounds that are inputs never match
  if (starts.size() != 1 || ends.size() != 1) return false;
  const auto follows = [](std::int64_t a, std::int64_t b) { return a > b && a - 1 == b; };
  return (ends[0] >= std::numeric_limits<std::int32_t>::max() && starts[0] == -1) || follows(ends[0], starts[0]) ||
         follows(starts[0], ends[0]);
}

/// Some single number that depends on root: it may be the -1.
bool gives_one_number(const Level1& level, const Value* root, const Node& concat, std::size_t input) {
  if (has_one_element(concat.input(input))) return true;
  const Picked picked = picked_extent(level, concat, input);
  if (picked.gather && has_one_element(picked.gather->input(1))) return true;
  const Node* unsqueeze = producer_of(level, concat, input, "Unsqueeze", {1, 11, 13});
  if (!unsqueeze || !adds_front_axis(level, *unsqueeze)) return false;
  const Node* binary = producer_of(level, *unsqueeze, 0, "Div", {7, 13, 14});
  if (!binary) binary = producer_of(level, *unsqueeze, 0, "Mul", {7, 13, 14});
  if (!binary) return has_one_element(unsqueeze->input(0)) || gives_sliced_extent(level, root, *unsqueeze, 0);
  for (std::size_t i = 0; i < 2; ++i) {
    if (!has_one_element(binary->input(i)) && !gives_sliced_extent(level, root, *binary, i)) return false;
  }
  return true;
}

bool fuse_shape(const Level1& level, Node& reshape, Walk& walk) {
  const Value* root = reshape.input(0);
  Node* concat = producer(reshape, 1);
  if (!concat || !is(level.model, *concat, "Concat") || !has_edges_out(*concat, 1)) return false;
  Dims shape;
  for (std::size_t i = 0; i < concat->input_count(); ++i) {
    if (const auto values = integers(level.model, concat->input(i))) {
      shape.insert(shape.end(), values->begin(), values->end());
    } else if (gives_extent(level, root, *concat, i, shape.size())) {
      shape.push_back(0);
    } else if (gives_one_number(level, root, *concat, i)) {
      shape.push_back(-1);
    } else {
      return false;
    }
  }
  if (std::count(shape.begin(), shape.end(), -1) > 1) return false;
  reshape.set_input(1, &add_constant(level.graph(), concat->output(0)->name(), integer_tensor(shape)));
  remove_upwards(*concat, walk);
  return true;
}

/// From 1.21 on: Reshape, Squeeze and Unsqueeze in a row are one Reshape, where the last shape is known.
bool fuse_row(const Level1& level, Node& reshape, Walk& walk) {
  std::vector<Node*> row{&reshape};
  std::optional<Dims> shape;
  while (!gives_graph_output(*row.back())) {
    Node* next = only_reader(*row.back());
    if (!next || (next->op_type != "Reshape" && next->op_type != "Squeeze" && next->op_type != "Unsqueeze")) break;
    const auto dims = known_dims(next->output(0));
    if (!dims) break;
    shape = dims;
    row.push_back(next);
  }
  if (row.size() < 2) return false;
  Value& to = add_constant(level.graph(), reshape.output(0)->name() + "_shape", integer_tensor(*shape));
  add_instead(level.graph(), "Reshape", {reshape.input(0), &to}, *row.back(), row.back());
  for (std::size_t i = row.size(); i-- > 0;) walk.erase(*row[i]);
  return true;
}

}  // namespace

bool fuse_reshape(const Level1& level) {
  bool changed = false;
  Walk walk(level.graph());
  while (Node* node = walk.next()) {
    if (!is(level.model, *node, "Reshape", {5, 13, 14}) || node->integer("allowzero", 0) != 0) continue;
    changed |= fuse_shape(level, *node, walk) || (level.version >= 21 && fuse_row(level, *node, walk));
  }
  if (changed) infer_types(level.model, infer_options());
  return changed;
}

}  // namespace anemone::plan::ort

// Moves transposes behind operations that work element by element, concatenate or pad, where they meet their opposites.
// before:  %a = transpose(x=%x, perm=P)   %b = relu(x=%a)
// after:   %a = relu(x=%x)                %b = transpose(x=%a, perm=P)
// only if: every operand of that size is transposed alike and read by nobody else; the others are single numbers;
//          axis and pad are constant, and what is added by padding is a constant too
// why:     networks that were exported with channels last have a transpose on either side of each activation and sum;
//          moved together they cancel (merge_consecutive_transposes), and one behind a sum does for two before it
#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

Node* transpose_of(const Value* value, const Node& user) {
  Node* node = producer(value, "transpose");
  return node && payload(node->input("perm")) && same_block(*node, user) ? node : nullptr;
}

// The transposes that give the values, if they are alike and nobody else reads them; else nothing.
std::vector<Node*> alike(const std::vector<Value*>& values, const Node& node) {
  std::vector<Node*> found;
  for (const Value* value : values) {
    Node* transpose = transpose_of(value, node);
    if (!transpose || value->output_uses > 0) return {};
    for (const Use& use : value->uses) {
      if (use.node != &node) return {};
    }
    if (!found.empty() && ConstantView(*found[0]).ints("perm") != ConstantView(*transpose).ints("perm")) return {};
    found.push_back(transpose);
  }
  return found;
}

std::vector<Value*> sources(const std::vector<Node*>& transposes) {
  std::vector<Value*> out;
  for (const Node* transpose : transposes) out.push_back(transpose->input("x"));
  return out;
}

// A node that may change places with the transposes before it, and how it is bound then.
struct Move {
  std::vector<Node*> transposes;
  std::vector<Bound> operands;
};

Move element_by_element(const Node& node) {
  std::vector<Value*> values;
  for (const Operand& operand : node.operands()) {
    if (operand.values.size() != 1) return {};
    Value* value = operand.values[0];
    if (value->constant && value->type.rank() == 0) continue;  // a number, or a word such as a mode
    if (value->type.dims != node.output()->type.dims) return {};
    values.push_back(value);
  }
  Move move{alike(values, node), {}};
  for (const Operand& operand : node.operands()) {
    const Node* transpose = transpose_of(operand.values[0], node);
    if (transpose) move.operands.emplace_back(operand.param, transpose->input("x"));
  }
  return move;
}

Move concat(const Node& node) {
  const ConstantView view(node);
  const Operand* parts = node.operand("values");
  if (!parts || !payload(node.input("axis"))) return {};
  Move move{alike(parts->values, node), {}};
  if (move.transposes.empty()) return {};
  const Dims perm = ConstantView(*move.transposes[0]).ints("perm");
  const std::int64_t axis = view.integer("axis"), rank = static_cast<std::int64_t>(perm.size());
  move.operands.emplace_back("values", sources(move.transposes));
  move.operands.emplace_back(
      "axis",
      make_scalar(DType::int32, static_cast<double>(perm[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)])));
  return move;
}

Move pad(const Node& node) {
  const ConstantView view(node);
  if (!payload(node.input("pad")) || view.text("mode") != "constant") return {};
  Move move{alike({node.input("x")}, node), {}};
  if (move.transposes.empty()) return {};
  const Dims perm = ConstantView(*move.transposes[0]).ints("perm"), behind = view.ints("pad");
  const std::size_t rank = perm.size(), unsaid = rank - behind.size() / 2;  // dimensions before those that it names
  Dims before(2 * rank, 0);
  for (std::size_t i = 2 * unsaid; i < 2 * rank; ++i)
    before[2 * static_cast<std::size_t>(perm[i / 2]) + i % 2] = behind[i - 2 * unsaid];
  move.operands.emplace_back("x", move.transposes[0]->input("x"));
  move.operands.emplace_back("pad", make_ints(before));
  return move;
}

Move move_of(const Node& node) {
  if (!node.def || node.outputs.size() != 1) return {};
  if (node.type == "concat") return concat(node);
  if (node.type == "pad") return pad(node);
  return node.def->is(kElementwise) ? element_by_element(node) : Move{};
}

}  // namespace

Result<bool> reduce_transposes(Block& block, PassContext& context) {
  bool changed = false;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    const Move move = move_of(node);
    if (move.transposes.empty()) continue;
    Value* perm = move.transposes[0]->input("perm");
    Trial trial(node);
    Builder& builder = trial.builder();
    Value* result = builder.add_like(node, move.operands, node.output()->name);
    trial.replace(*node.output(), *builder.add("transpose", {{"x", result}, {"perm", perm}}));
    if (!trial.keep()) continue;
    context.count("transposes moved");
    changed = true;
  }
  return changed;
}

}  // namespace anemone::passes

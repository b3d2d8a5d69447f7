// Computes once what is computed twice.
// before:  %a = relu(x=%x)   %b = relu(x=%x)   %c = add(x=%a, y=%b)
// after:   %a = relu(x=%x)                      %c = add(x=%a, y=%a)
// only if: type and operands are equal, constants by content, and the operation has no effect and no chance in it
// why:     frontends write the same arithmetic at each of its uses; patterns are found more easily without twins
#include <algorithm>
#include <unordered_map>

#include "anemone/ir/rewrite.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

bool may_be_shared(const Node& node) {
  if (!node.def || node.def->is(kEffect | kRandom | kConstexpr) || !node.blocks.empty() || node.outputs.empty())
    return false;
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      if (value->type.kind == Type::Kind::state) return false;  // somebody may write between two reads
    }
  }
  return true;
}

bool same(const Value& a, const Value& b) {
  return &a == &b || (payload(&a) && payload(&b) && same_content(*a.constant, *b.constant));
}

bool same(const Node& a, const Node& b) {
  if (a.type != b.type || a.operands().size() != b.operands().size() || a.outputs.size() != b.outputs.size())
    return false;
  for (const Operand& operand : a.operands()) {
    const Operand* other = b.operand(operand.param);
    if (!other || !std::equal(operand.values.begin(), operand.values.end(), other->values.begin(), other->values.end(),
                              [](const Value* x, const Value* y) { return same(*x, *y); }))
      return false;
  }
  for (std::size_t i = 0; i < a.outputs.size(); ++i) {
    if (a.outputs[i]->type != b.outputs[i]->type) return false;
  }
  return true;
}

// By what is the same wherever it stands: large constants by their place in memory alone.
std::size_t hash_of(const Node& node) {
  constexpr std::int64_t kSmall = 64;
  std::size_t hash = std::hash<std::string>{}(node.type);
  for (const Operand& operand : node.operands()) {
    std::size_t sum = std::hash<std::string>{}(operand.param);  // operands have no order
    for (const Value* value : operand.values) {
      const bool by_content = payload(value) && value->constant->type.is_tensor() && value->constant->count() <= kSmall;
      sum = sum * 31 + (by_content        ? content_hash(*value->constant)
                        : value->constant ? std::hash<const void*>{}(value->constant.get())
                                          : std::hash<const void*>{}(value));
    }
    hash += sum;
  }
  return hash;
}

bool replace_all(Node& twin, Node& first) {
  for (std::size_t i = 0; i < twin.outputs.size(); ++i) {
    if (!can_replace(*twin.output(i), *first.output(i))) return false;
  }
  for (std::size_t i = 0; i < twin.outputs.size(); ++i) {
    // The first keeps its name, unless the other is an output of the function.
    if (twin.output(i)->output_uses > 0) {
      replace_value(*twin.output(i), *first.output(i));
    } else {
      replace_uses(*twin.output(i), *first.output(i));
    }
  }
  return true;
}

}  // namespace

Result<bool> remove_redundant_ops(Block& block, PassContext& context) {
  bool changed = false;
  std::unordered_multimap<std::size_t, Node*> seen;
  for (auto at = block.nodes.begin(); at != block.nodes.end();) {
    Node& node = *at++;
    if (!may_be_shared(node)) continue;
    const std::size_t hash = hash_of(node);
    const auto [begin, end] = seen.equal_range(hash);
    const auto first = std::find_if(begin, end, [&](const auto& entry) { return same(*entry.second, node); });
    if (first == end) {
      seen.emplace(hash, &node);
    } else if (replace_all(node, *first->second)) {
      block.erase(node);
      context.count("operations shared");
      changed = true;
    } else {
      context.remark(node, "kept: both are outputs");
    }
  }
  return changed;
}

}  // namespace anemone::passes

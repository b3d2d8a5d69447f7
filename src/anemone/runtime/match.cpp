// The patterns: a batch norm in front of a convolution or behind it, an addition and an activation behind a product, a
// relu behind a normalisation.
#include "anemone/runtime/match.h"

#include <algorithm>
#include <unordered_map>

#include "anemone/runtime/epilogue.h"
#include "anemone/runtime/kernel_table.h"

namespace anemone::runtime {
namespace {

class Matcher {
 public:
  explicit Matcher(const GraphView& graph) : graph_(graph) {}

  std::vector<Group> run() {
    for (const auto& input : graph_.function().body.inputs) ready_.insert(input.get());
    for (const Node& node : graph_.function().body.nodes) {
      if (!graph_.is_needed(node) || is(node, kConstexpr) || taken_.contains(&node)) continue;
      if (leave_to_convolution(node)) continue;
      groups_.push_back(group_at(node));
      const Group& group = groups_.back();
      for (const auto& out : node.outputs) ready_.insert(out.get());
      ready_.insert(&group.out());
    }
    return std::move(groups_);
  }

 private:
  bool suits(const Node& node, const KernelRow& row) const {
    return graph_.suits_kernels(node) && (!row.covers || row.covers(node, graph_));
  }

  Group group_at(const Node& node) {
    Group group;
    group.node = &node;
    group.is_empty =
        graph_.is_exact(node) && std::all_of(node.outputs.begin(), node.outputs.end(),
                                             [](const auto& out) { return is_real(*out) && runtime::is_empty(*out); });
    if (group.is_empty) return group;
    if (const Node* back = dequantize_behind(node)) {
      group.row = find_kernel(node.type);
      group.dequantize = back;
      taken_.insert(back);
      return group;
    }
    const KernelRow* row = find_kernel(node.type);
    if (!row || !suits(node, *row)) return group;
    group.row = row;
    if (const auto found = before_.find(&node); found != before_.end()) {
      group.norm_before = found->second.norm;
      group.relu_before = found->second.relu;
    }
    if (row->fuses == Fuses::relu) {
      group.activation = relu_behind(*node.output());
      taken_.insert(group.activation);
    }
    if (row->fuses == Fuses::tail && (!row->has_tail || row->has_tail(node, graph_))) {
      if (row->takes_norms) group.norm_after = norm_behind(node);
      taken_.insert(group.norm_after);
      take_tail(group);
    }
    return group;
  }

  /// The only user, when a kernel could do it too and the type stays.
  const Node* next(const Value& value) const {
    if (!graph_.options().fuse) return nullptr;
    const Node* user = graph_.only_user(value);
    return user && graph_.suits_kernels(*user) && user->output()->type == value.type ? user : nullptr;
  }

  /// Relu and rounding may change places.
  const Node* relu_behind(const Value& value) const {
    const Node* user = next(value);
    return user && user->type == "relu" ? user : nullptr;
  }

  /// A batch norm behind a convolution goes into its weights; only where nothing is rounded between the two.
  const Node* norm_behind(const Node& convolution) const {
    const Value& out = *convolution.output();
    const Node* user = graph_.rounds(out) ? nullptr : next(out);
    return user && user->type == "batch_norm" && user->input("x") == &out ? user : nullptr;
  }

  /// What turns the integers of a quantize into floats again, by the same steps; the integers are never there.
  const Node* dequantize_behind(const Node& node) const {
    if (node.type != "quantize" || !graph_.options().fuse) return nullptr;
    const Node* user = graph_.only_user(*node.output());
    if (!user || user->type != "dequantize" || !graph_.is_exact(node) || !graph_.is_exact(*user)) return nullptr;
    const Value &from = *node.input("input"), &to = *user->output();
    if (!is_real(from) || is_empty(from) || !is_real(to)) return nullptr;
    for (const char* param : {"scale", "zero_point", "axis"}) {
      const Constant *a = node.constant(param), *b = user->constant(param);
      const bool absent = !node.input(param) && !user->input(param);
      const bool equal = a && b && a->type == b->type && a->data.size() == b->data.size() &&
                         std::equal(a->data.data(), a->data.data() + a->data.size(), b->data.data());
      if (!absent && !equal) return nullptr;
    }
    return user;
  }

  /// The other way round: a batch norm, and the relu behind it, that only a convolution reads.
  bool leave_to_convolution(const Node& norm) {
    if (norm.type != "batch_norm" || !graph_.options().fuse || !graph_.suits_kernels(norm)) return false;
    const Node* relu = relu_behind(*norm.output());
    const Value& out = relu ? *relu->output() : *norm.output();
    const Node* convolution = graph_.rounds(out) ? nullptr : graph_.only_user(out);
    if (!convolution || convolution->input("x") != &out) return false;
    const KernelRow* row = find_kernel(convolution->type);
    if (!row || !row->takes_norms || !suits(*convolution, *row)) return false;
    before_[convolution] = {&norm, relu};
    taken_.insert(relu);
    return true;
  }

  /// Where every step of a sum is rounded, nothing is added to it.
  void take_tail(Group& group) {
    const Value* product = &group.out();
    if (graph_.half_sums(*product)) return;
    if (const Node* user = next(*product); user && user->type == "add") {
      const Value* other = user->input("x") == product ? user->input("y") : user->input("x");
      if (other->type == product->type && (is_static(other) || ready_.contains(other))) {
        group.add = user;
        taken_.insert(user);
      }
    }
    const Value& sum = group.out();
    if (const Node* user = next(sum); user && user->input("x") == &sum && is_epilogue(*user)) {
      group.activation = user;
      taken_.insert(user);
    }
  }

  struct Before {
    const Node *norm = nullptr, *relu = nullptr;
  };

  const GraphView& graph_;
  std::vector<Group> groups_;
  std::unordered_set<const Value*> ready_;  ///< what the groups so far have made, and the inputs
  std::unordered_set<const Node*> taken_;
  std::unordered_map<const Node*, Before> before_;  ///< by convolution
};

}  // namespace

const Value& Group::in() const { return *(norm_before ? norm_before : node)->input("x"); }

const Value& Group::out() const {
  return *(dequantize ? dequantize : activation ? activation : add ? add : norm_after ? norm_after : node)->output();
}

const Value* Group::summand() const {
  if (!add) return nullptr;
  const Value* product = (norm_after ? norm_after : node)->output();
  return add->input("x") == product ? add->input("y") : add->input("x");
}

std::string Group::ops() const {
  std::string out;
  for (const Node* part : {norm_before, relu_before, node, norm_after, add, activation, dequantize}) {
    if (part) out += (out.empty() ? "" : "+") + part->type;
  }
  return out;
}

std::vector<Group> match(const GraphView& graph) { return Matcher(graph).run(); }

}  // namespace anemone::runtime

// Makes one convolution of several whose results are summed.
// before:  %a = conv(x=%p, weight=A, bias=a)   %b = conv(x=%q, weight=B, bias=b)   %y = add(x=%a, y=%b)
// after:   %x = concat(values=(%p, %q), axis=1)   %y = conv(x=%x, weight=[A | B], bias=a+b)
// only if: the sum consists of adds that nobody else reads, the convolutions differ in nothing but input and weights, which
//          are plain, and have one group; and it is cheaper: a concat costs time, too
// why:     each sum reads and writes a whole tensor; a longer inner product is summed where it is wide
#include "anemone/ir/rewrite.h"
#include "anemone/ir/trial.h"
#include "anemone/passes/pass.h"
#include "anemone/passes/pointwise.h"
#include "anemone/passes/until_stable.h"

namespace anemone::passes {
namespace {

// What is added up, from left to right; sums on the way are broken up when nobody else reads them.
std::vector<Value*> terms_of(const Node& root) {
  std::vector<Value*> terms, open{root.output()};
  while (!open.empty()) {
    Value* value = open.back();
    open.pop_back();
    const Node* add = producer(value, "add");
    const bool inside = add == &root || (add && only_user(value) && same_block(*add, root));
    if (inside && value->type == root.output()->type) {
      open.push_back(add->input("y"));
      open.push_back(add->input("x"));
    } else {
      terms.push_back(value);
    }
  }
  return terms;
}

bool is_inner_sum(const Node& node) {
  const Node* user = only_user(node.output());
  return user && user->type == "add" && same_block(*user, node) && user->output()->type == node.output()->type;
}

// A convolution that may become part of another one; null for any other term.
Node* candidate(const Value& term, const Node& root) {
  Node* conv = producer(&term, "conv");
  if (!conv || !only_user(&term) || !same_block(*conv, root) || term.type != root.output()->type) return nullptr;
  if (!has_plain_weights(*conv)) return nullptr;
  return ConstantView(*conv).integer("groups") == 1 && conv->input("x")->type.is_fixed() ? conv : nullptr;
}

// The same but for the number of input channels. Operands that say how are constants.
bool differ_in_channels_only(const Node& a, const Node& b) {
  const auto without_channels = [](const Node& conv, std::string_view param) {
    Type type = conv.input(param)->type;
    type.dims[1] = 1;
    return type;
  };
  for (std::string_view param : {"x", "weight"}) {
    if (without_channels(a, param) != without_channels(b, param)) return false;
  }
  const ConstantView p(a), q(b);
  const auto spatial = static_cast<std::size_t>(a.input("x")->type.rank() - 2);
  return p.text("pad_type") == q.text("pad_type") && p.ints("pad", 2 * spatial) == q.ints("pad", 2 * spatial) &&
         p.ints("strides", spatial) == q.ints("strides", spatial) &&
         p.ints("dilations", spatial) == q.ints("dilations", spatial);
}

// [Cout, C1 + C2 + …, …] from weights [Cout, C1, …], [Cout, C2, …] … of one dtype, bytes as they are.
ConstantPtr side_by_side(const std::vector<Node*>& convs) {
  Type type = convs[0]->input("weight")->type;
  const auto rows = static_cast<std::size_t>(type.dims[0]);
  type.dims[1] = 0;
  std::vector<std::byte> bytes;
  for (std::size_t row = 0; row < rows; ++row) {
    for (const Node* conv : convs) {
      const std::span<const std::byte> all = conv->constant("weight")->data.view;
      const auto part = all.subspan(row * (all.size() / rows), all.size() / rows);
      bytes.insert(bytes.end(), part.begin(), part.end());
    }
  }
  for (const Node* conv : convs) type.dims[1] += conv->input("weight")->type.dims[1];
  return make_constant(type, Bytes::owned(std::move(bytes)));
}

Argument summed_bias(const std::vector<Node*>& convs) {
  std::vector<double> sum(static_cast<std::size_t>(convs[0]->input("weight")->type.dims[0]), 0);
  bool any = false;
  for (const Node* conv : convs) {
    if (!conv->input("bias")) continue;
    any = true;
    const std::vector<double> bias = to_doubles(*conv->constant("bias"));
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += bias[i];
  }
  if (!any) return std::vector<Value*>{};
  return make_constant(convs[0]->input("weight")->type.dtype, {static_cast<std::int64_t>(sum.size())},
                       std::span<const double>(sum));
}

bool merge(Node& root, PassContext& context) {
  std::vector<Node*> convs;
  std::vector<Value*> others;
  for (Value* term : terms_of(root)) {
    Node* conv = candidate(*term, root);
    if (conv && (convs.empty() || differ_in_channels_only(*convs[0], *conv))) {
      convs.push_back(conv);
    } else {
      others.push_back(term);
    }
  }
  if (convs.size() < 2) return false;
  Trial trial(root);
  Builder& builder = trial.builder();
  std::vector<Value*> inputs;
  for (const Node* conv : convs) inputs.push_back(conv->input("x"));
  Value* x = builder.add("concat", {{"values", inputs}, {"axis", 1}, {"interleave", false}});
  Value* sum = builder.add_like(*convs[0], {{"x", x}, {"weight", side_by_side(convs)}, {"bias", summed_bias(convs)}});
  for (Value* other : others) sum = builder.add("add", {{"x", sum}, {"y", other}});
  trial.replace(*root.output(), *sum);
  if (trial.keep_if_cheaper(context.costs())) {
    context.count("convolutions merged", convs.size());
    return true;
  }
  context.remark(root, "kept: one convolution over a concat would cost more");
  return false;
}

}  // namespace

Result<bool> merge_summed_convs(Block& block, PassContext& context) {
  return until_stable([&] {
    bool changed = false;
    for (auto at = block.nodes.begin(); at != block.nodes.end();) {
      Node& node = *at++;
      if (node.type == "add" && !is_inner_sum(node)) changed |= merge(node, context);
    }
    return changed;
  });
}

}  // namespace anemone::passes

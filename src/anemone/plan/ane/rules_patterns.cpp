// Rules about groups of operations that would be better said otherwise, and about the shape of the graph.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "anemone/ir/rewrite.h"
#include "anemone/plan/ane/rules.h"

namespace anemone::plan::ane {
namespace {

constexpr Ops kAdd{"add"}, kRoot{"rsqrt", "sqrt", "pow"}, kSquare{"square", "mul", "pow"};

const Node* made_by(const Node* node, std::string_view param, std::string_view type) {
  return node ? producer(node->input(param), type) : nullptr;
}

// x − mean(x), squared, averaged, plus epsilon, under a root: a normalisation in pieces.
void decomposed_norm(const Subject& s, std::size_t i, Report report) {
  const Value* under = s.nodes[i]->input("x");
  if (const Node* sum = producer(under, "add"))
    under = sum->input("x") && sum->input("x")->producer ? sum->input("x") : sum->input("y");
  const Node* mean = producer(under, "reduce_mean");
  const Value* square = mean ? mean->input("x") : nullptr;
  const Node* squared = square && square->producer && kSquare.has(*square->producer) ? square->producer : nullptr;
  const Node* difference = made_by(squared, "x", "sub");
  if (made_by(difference, "x", "reduce_mean") || made_by(difference, "y", "reduce_mean"))
    report.at(name_of(*s.nodes[i]));
}

void linear_on_4d(const Subject& s, std::size_t i, Report report) {
  const Node& node = *s.nodes[i];
  const Value* x = node.input("x");
  const Value* w = node.input(node.operand("weight") ? "weight" : "y");
  if (!x || !w || !is_static(w) || x->type.rank() != 4) return;
  report.at(name_of(node));
  report.cost(1e3 * s.steps[i].cost.ane_ms * 2 / 3);
}

const Node* pointwise_conv(const Value* value) {
  const Node* node = value && value->has_single_use() ? producer(value, "conv") : nullptr;
  const Value* weight = node ? node->input("weight") : nullptr;
  if (!weight || weight->type.rank() != 4) return nullptr;
  const ConstantView view(*node);
  const Dims strides = view.ints("strides");
  const bool pointwise = weight->type.dims[2] == 1 && weight->type.dims[3] == 1 && view.integer("groups") == 1 &&
                         std::all_of(strides.begin(), strides.end(), [](auto n) { return n == 1; });
  return pointwise ? node : nullptr;
}

// The 1x1 convolutions of a sum, seen from its last addition.
void collect_convolutions(const Node& add, std::vector<const Node*>& found, std::size_t depth = 0) {
  for (const std::string_view param : {"x", "y"}) {
    const Value* value = add.input(param);
    if (const Node* conv = pointwise_conv(value)) {
      found.push_back(conv);
    } else if (value && value->has_single_use() && producer(value, "add") && depth < 32) {
      collect_convolutions(*value->producer, found, depth + 1);
    }
  }
}

// Saved: the additions between the convolutions; paid: a concatenation of their inputs.
void summed_convolutions(const Subject& s, std::size_t i, Report report) {
  const Node& node = *s.nodes[i];
  const Value* sum = node.output();
  if (sum->has_single_use() && !sum->uses.empty() && kAdd.has(*sum->uses[0].node)) return;  // counted further down
  std::vector<const Node*> convolutions;
  collect_convolutions(node, convolutions);
  if (convolutions.size() < 2) return;
  const PlannerCost& costs = s.device->planner;
  double joined = 0;  // bytes
  for (const Node* conv : convolutions) joined += static_cast<double>(bytes_of(*conv->input("x")));
  const double paid = costs.concat_ns > 0 ? joined / 2 * costs.concat_ns * 1e-3
                                          : 2 * joined / (costs.gib_per_s * 1024 * 1024 * 1024) * 1e6;
  const double saved = 1e3 * s.steps[i].cost.ane_ms * static_cast<double>(convolutions.size() - 1) - paid;
  if (saved <= 0) return;
  report.at(name_of(node));
  report.cost(saved);
}

constexpr Ops kJoins{"concat", "stack"};
constexpr std::size_t kBranches = 12, kDepth = 386;

// Branches that leave one value and meet again; the longest chain of dependent operations.
void graph_shape(const Subject& s, Report report) {
  std::unordered_map<const Node*, std::size_t> depth;
  std::size_t deepest = 0;
  for (const Node* node : s.nodes) {
    std::size_t d = 0;
    for (const Value* value : runtime_operands(*node)) {
      if (const auto found = value->producer ? depth.find(value->producer) : depth.end(); found != depth.end())
        d = std::max(d, found->second);
    }
    depth[node] = d + 1;
    deepest = std::max(deepest, d + 1);
    if (!kJoins.has(*node)) continue;
    std::unordered_map<const Value*, std::size_t> roots;
    for (const Value* value : runtime_operands(*node)) {
      for (int step = 0; step < 8 && value->producer; ++step) {
        const auto operands = runtime_operands(*value->producer);
        if (operands.size() != 1) break;
        value = operands[0];
        if (value->uses.size() >= kBranches && ++roots[value] == kBranches) report.at(name_of(*node));
      }
    }
  }
  if (s.device->generation == Generation::h18 && deepest > kDepth) {
    report.finding().message = fmt::format(
        "{} operations depend on each other in a chain; more than {} lose the dual engine", deepest, kDepth);
  }
}

constexpr Rule kDecomposedNorm{.text = {.code = "ANE016",
                                        .name = "decomposed-norm",
                                        .what = "a normalisation written as elementwise operations",
                                        .why = "the composite operation maps better and is safer in fp16",
                                        .instead = "keep instance_norm and layer_norm whole",
                                        .effect = Effect::hazard,
                                        .severity = "warn",
                                        .trust = Trust::documented,
                                        .source = "Apple authoring rules"},
                               .ops = kRoot,
                               .notices = decomposed_norm};

constexpr Rule kLinearOn4d{.text = {.code = "ANE018",
                                    .name = "linear-on-4d",
                                    .what = "a matmul or linear with constant weights on four-dimensional activations",
                                    .why = "the convolution datapath is about three times faster",
                                    .instead = "use a 1x1 convolution",
                                    .effect = Effect::slower,
                                    .severity = "info",
                                    .trust = Trust::documented,
                                    .source = "Apple authoring rules"},
                           .ops = {"linear", "matmul"},
                           .notices = linear_on_4d};

constexpr Rule kSummedConvolutions{.text = {.code = "ANE019",
                                            .name = "summed-convolutions",
                                            .what = "two or more 1x1 convolutions that are only added",
                                            .why = "each addition is a pass over memory",
                                            .instead = "one convolution over the concatenation",
                                            .effect = Effect::slower,
                                            .severity = "info",
                                            .trust = Trust::computed,
                                            .source = "cost model",
                                            .command = "anemone convert MODEL -o OUT.mlpackage"},
                                   .ops = kAdd,
                                   .notices = summed_convolutions};

constexpr Rule kGraphShape{
    .text = {.code = "ANE029",
             .name = "graph-shape",
             .what = "twelve or more branches that join again, or more than 386 dependent layers on M6",
             .why = "seconds of compilation, or the dual engine is lost",
             .instead = "split the graph",
             .effect = Effect::slower,
             .severity = "info",
             .trust = Trust::reported,
             .source = "direct-path guide; M6 study"},
    .surveys = graph_shape};

}  // namespace

std::span<const Rule* const> pattern_rules() {
  static constexpr std::array kRules{&kDecomposedNorm, &kLinearOn4d, &kSummedConvolutions, &kGraphShape};
  return kRules;
}

}  // namespace anemone::plan::ane

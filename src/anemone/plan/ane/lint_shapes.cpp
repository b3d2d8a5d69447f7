// Findings about single operations, patterns of operations and the interface; no weights are read.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "anemone/ir/op_def.h"
#include "anemone/plan/ane/lint.h"
#include "anemone/plan/ane/verdict.h"

namespace anemone::ane {
namespace {

bool only_twos_and_threes(std::int64_t n) {
  while (n > 1 && n % 2 == 0) n /= 2;
  while (n > 1 && n % 3 == 0) n /= 3;
  return n == 1;
}

bool is_pool(const Node& node) { return node.type == "max_pool" || node.type == "avg_pool" || node.type == "l2_pool"; }
bool is_pointwise_conv(const Value* value) {
  const Node* node = value ? value->producer : nullptr;
  if (!node || node->type != "conv" || !value->has_single_use()) return false;
  const Value* weight = node->input("weight");
  if (!weight || weight->type.rank() != 4) return false;
  const ConstantView view(*node);
  const Dims strides = view.ints("strides");
  return weight->type.dims[2] == 1 && weight->type.dims[3] == 1 && view.integer("groups", 1) == 1 &&
         std::all_of(strides.begin(), strides.end(), [](auto s) { return s == 1; });
}

void lint_steps(const Node& node, Findings& findings) {
  const ConstantView view(node);
  if (node.type == "conv" || node.type == "conv_transpose" || is_pool(node)) {
    const Dims strides = view.ints("strides");
    const bool odd = std::any_of(strides.begin(), strides.end(), [](auto s) { return !only_twos_and_threes(s); });
    const bool unequal = strides.size() == 2 && strides[0] != strides[1] && strides[0] != 2 && strides[1] != 2;
    const bool pool =
        is_pool(node) && std::any_of(strides.begin(), strides.end(), [](auto s) { return s != 1 && s != 2 && s != 4; });
    // A pool as large as its input is a reduction, whatever its stride.
    if ((odd || unequal || pool) &&
        !(is_pool(node) && node.output()->type.rank() == 4 && node.output()->type.dims[3] == 1))
      findings.at("ANE009", node);
    const Dims dilations = view.ints("dilations");
    if (std::any_of(dilations.begin(), dilations.end(), [](auto d) { return !only_twos_and_threes(d); }))
      findings.at("ANE010", node);
    const Value* weight = node.input("weight");
    const Node* packed = weight ? weight->producer : nullptr;
    if (packed && packed->type == "constexpr_lut_to_dense" &&
        std::any_of(strides.begin(), strides.end(), [](auto s) { return s > 2; }))
      findings.at("ANE027", node);
    if (packed && packed->type == "constexpr_blockwise_shift_scale") {
      const Value* scale = packed->input("scale");
      if (scale && scale->type.rank() > 1 &&
          std::any_of(scale->type.dims.begin() + 1, scale->type.dims.end(), [](auto d) { return d != 1; }))
        findings.at("ANE027", node);
    }
  }
}

void lint_linear(const Placed& p, std::size_t i, Findings& findings) {
  const Node& node = *p.nodes[i];
  if (node.type != "linear" && node.type != "matmul") return;
  const Value* x = node.input("x");
  const Value* w = node.input(node.type == "linear" ? "weight" : "y");
  const bool constant = w && (w->constant || (w->producer && w->producer->type.starts_with("constexpr_")));
  if (!x || !constant || x->type.rank() != 4) return;
  findings.at("ANE018", node);
  findings.cost("ANE018", 1e3 * p.steps[i].cost.ane_ms * 2 / 3);
}

// The 1x1 convolutions of a sum, seen from its last addition.
void collect_convolutions(const Node& add, std::vector<const Node*>& found, std::size_t depth = 0) {
  for (const std::string_view param : {"x", "y"}) {
    const Value* value = add.input(param);
    if (is_pointwise_conv(value)) {
      found.push_back(value->producer);
    } else if (value && value->producer && value->producer->type == "add" && value->has_single_use() && depth < 32) {
      collect_convolutions(*value->producer, found, depth + 1);
    }
  }
}

// Saved: the additions between the convolutions; paid: a concatenation of their inputs.
void lint_sums(const Placed& p, std::size_t i, Findings& findings) {
  const Node& node = *p.nodes[i];
  if (node.type != "add") return;
  const Value* sum = node.output();
  if (sum->has_single_use() && !sum->users.empty() && sum->users[0]->type == "add") return;  // counted further down
  std::vector<const Node*> convolutions;
  collect_convolutions(node, convolutions);
  if (convolutions.size() < 2) return;
  const PlannerCost& costs = p.device->planner;
  double joined = 0;  // bytes
  for (const Node* conv : convolutions) joined += static_cast<double>(bytes_of(*conv->input("x")));
  const double paid = costs.concat_ns > 0 ? joined / 2 * costs.concat_ns * 1e-3
                                          : 2 * joined / (costs.gib_per_s * 1024 * 1024 * 1024) * 1e6;
  const double saved = 1e3 * p.steps[i].cost.ane_ms * static_cast<double>(convolutions.size() - 1) - paid;
  if (saved <= 0) return;
  findings.at("ANE019", node);
  findings.cost("ANE019", saved);
}

const Node* made_by(const Node& node, std::string_view param) {
  const Value* value = node.input(param);
  return value ? value->producer : nullptr;
}

// x − mean(x), squared, averaged, plus epsilon, under a root: a normalisation in pieces.
void lint_norm(const Node& node, Findings& findings) {
  if (node.type != "rsqrt" && node.type != "sqrt" && node.type != "pow") return;
  const Node* at = made_by(node, "x");
  if (at && at->type == "add") at = made_by(*at, "x") ? made_by(*at, "x") : made_by(*at, "y");
  if (!at || at->type != "reduce_mean") return;
  at = made_by(*at, "x");
  if (!at || (at->type != "square" && at->type != "mul" && at->type != "pow")) return;
  at = made_by(*at, "x");
  if (!at || at->type != "sub") return;
  for (const std::string_view param : {"x", "y"}) {
    const Node* mean = made_by(*at, param);
    if (mean && mean->type == "reduce_mean") {
      findings.at("ANE016", node);
      return;
    }
  }
}

void lint_slice(const Placed& p, const Node& node, Findings& findings) {
  if (!p.device->limits.clamps_width_slices || (node.type != "slice_by_index" && node.type != "slice_by_size")) return;
  const Dims begin = ConstantView(node).ints("begin");
  const std::vector<bool> masked = ConstantView(node).flags("begin_mask", begin.size());
  if (begin.size() >= 3 && begin.back() != 0 && !masked.back()) findings.at("ANE021", node);
}

void lint_interface(const Placed& p, Findings& findings) {
  const Function& f = *p.function;
  const auto narrow = [](const Value& value) {
    const Type& type = value.type.tensor_part();
    return type.is_fixed() && !type.dims.empty() && (type.dims.back() % 64) * bits(type.dtype) / 8 % 64 != 0;
  };
  std::vector<std::string> names;
  double padding = 0;
  const auto look = [&](const Value& value) {
    if (!narrow(value)) return;
    names.push_back(value.name);
    const double row =
        static_cast<double>(value.type.tensor_part().dims.back()) * bits(value.type.tensor_part().dtype) / 8;
    padding += static_cast<double>(bytes_of(value)) * ((std::ceil(row / 64) * 64 - row) / std::max(1.0, row));
  };
  for (const auto& input : f.body.inputs) {
    const Feature* feature = f.interface.input(input->name);
    if (!feature || feature->kind != Feature::Kind::image) look(*input);
  }
  std::unordered_set<const Value*> seen;
  for (const Value* output : f.body.outputs()) {
    if (seen.insert(output).second) look(*output);
  }
  if (!names.empty() && p.plan->on_ane > 0) {
    Finding& finding = findings.at("ANE011");
    finding.ops = names;
    finding.message = fmt::format(
        "{} tensors of the interface have a last axis that is no multiple of 64 bytes; padding adds {:.2f} MB",
        names.size(), padding / 1e6);
    finding.cost_us = padding / (p.device->layers.io_gb_s * 1e3);
  }
  std::int64_t spare = 0;
  seen.clear();
  for (const Value* output : f.body.outputs()) {
    if (!seen.insert(output).second || output->users.empty() || bytes_of(*output) < 65536 || p.plan->on_ane == 0)
      continue;
    spare += bytes_of(*output);
    findings.at("ANE026").ops.push_back(output->name);
  }
  if (spare > 0) {
    findings.at("ANE026").message =
        fmt::format("outputs that the program itself goes on with hold {:.2f} MB", static_cast<double>(spare) / 1e6);
    findings.cost("ANE026", static_cast<double>(spare) / (p.device->layers.io_gb_s * 1e3));
  }
  if (f.opset < Target::ios16) findings.at("ANE030");
  std::int64_t weights = 0;
  for (const auto& constant : f.body.constants) weights += bytes_of(*constant);
  if (weights > 1'000'000'000)
    findings.at("ANE024").message = fmt::format("{:.2f} GB of weights", static_cast<double>(weights) / 1e9);
}

void lint_flexible(const Placed& p, Findings& findings) {
  std::size_t enumerated = 0, most = 0;
  bool ranges = false;
  for (const Feature& input : p.interface->inputs) {
    const std::size_t count = std::max(input.shapes.size(), input.sizes.size());
    if (count > 1) ++enumerated;
    most = std::max(most, count);
    ranges = ranges || !input.ranges.empty() || input.size_range;
  }
  const bool norm = std::any_of(p.nodes.begin(), p.nodes.end(), [](const Node* n) { return n->type == "layer_norm"; });
  if ((enumerated > 0 && norm) || most > 128 || (enumerated > 1 && p.function->opset < Target::ios18)) {
    findings.at("ANE025").message =
        fmt::format("{} inputs with up to {} shapes{}", enumerated, most, norm ? ", and layer_norm" : "");
  }
  if (ranges) {
    Finding& finding = findings.at("ANE006");
    finding.severity = "warn";
    finding.message = "an input takes a range of sizes: at any but the default the engine is lost";
  }
}

// Branches that leave one value and meet again; the longest chain of dependent operations.
void lint_graph(const Placed& p, Findings& findings) {
  constexpr std::size_t kBranches = 12, kDepth = 386;
  std::unordered_map<const Node*, std::size_t> depth;
  std::size_t deepest = 0;
  for (const Node* node : p.nodes) {
    std::size_t d = 0;
    for (const Value* value : runtime_operands(*node)) {
      if (const auto found = value->producer ? depth.find(value->producer) : depth.end(); found != depth.end())
        d = std::max(d, found->second);
    }
    depth[node] = d + 1;
    deepest = std::max(deepest, d + 1);
    if (node->type != "concat" && node->type != "stack") continue;
    std::unordered_map<const Value*, std::size_t> roots;
    for (const Value* value : runtime_operands(*node)) {
      for (int step = 0; step < 8 && value->producer; ++step) {
        const auto operands = runtime_operands(*value->producer);
        if (operands.size() != 1) break;
        value = operands[0];
        if (value->users.size() >= kBranches && ++roots[value] == kBranches) findings.at("ANE029", *node);
      }
    }
  }
  if (p.device->generation == Generation::h18 && deepest > kDepth) {
    findings.at("ANE029").message = fmt::format(
        "{} operations depend on each other in a chain; more than {} lose the dual engine", deepest, kDepth);
  }
}

}  // namespace

void lint_shapes(const Placed& p, Findings& findings) {
  for (std::size_t i = 0; i < p.nodes.size(); ++i) {
    lint_steps(*p.nodes[i], findings);
    lint_linear(p, i, findings);
    lint_sums(p, i, findings);
    lint_norm(*p.nodes[i], findings);
    lint_slice(p, *p.nodes[i], findings);
  }
  lint_interface(p, findings);
  lint_flexible(p, findings);
  lint_graph(p, findings);
}

}  // namespace anemone::ane

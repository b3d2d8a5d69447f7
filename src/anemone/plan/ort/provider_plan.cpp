// Puts the parts together: level 1, the rules, the walk, and what would merge partitions.
#include "anemone/plan/ort/provider_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "anemone/plan/ort/partition.h"
#include "anemone/plan/ort/rules.h"

namespace anemone::plan::ort {
namespace {

struct Judged {
  Edges edges;
  std::vector<Answer> answers;
  std::vector<bool> supported;
};

Judged judge_all(const Model& model, Target target) {
  Judged judged{edges_of(*model.graph), {}, {}};
  const Subject subject{&model, target};
  for (const Node* node : judged.edges.nodes) {
    judged.answers.push_back(judge(subject, *node));
    judged.supported.push_back(judged.answers.back().rule == nullptr);
  }
  return judged;
}

/// The tensors that enter and leave.
PartitionPlan described(const Model& model, const Judged& judged, const std::vector<std::size_t>& group) {
  PartitionPlan plan;
  plan.nodes = group.size();
  std::set<const Node*> inside;
  for (const std::size_t i : group) inside.insert(judged.edges.nodes[i]);
  std::set<const Value*> seen;
  for (const std::size_t i : group) {
    const Node& node = *judged.edges.nodes[i];
    for (std::size_t k = 0; k < node.input_count(); ++k) {
      const Value* value = node.input(k);
      if (!value || constant(model, value) || (value->producer() && inside.contains(value->producer()))) continue;
      if (seen.insert(value).second) plan.inputs.push_back(value->name());
    }
    for (std::size_t k = 0; k < node.output_count(); ++k) {
      const Value* value = node.output(k);
      if (!value) continue;
      const auto all = readers(*value);
      const bool leaves = std::any_of(all.begin(), all.end(), [&](const Node* n) { return !inside.contains(n); });
      if (is_graph_output(*value) || leaves) plan.outputs.push_back(value->name());
    }
  }
  return plan;
}

using Key = std::pair<std::string, std::string>;  // operation, code

/// Barriers in groups, and which order of changes merges most.
std::vector<Change> changes_of(const Judged& judged, const std::vector<std::size_t>& separating) {
  std::map<Key, std::vector<std::size_t>> groups;
  for (const std::size_t i : separating)
    groups[{judged.edges.nodes[i]->op_type, std::string(judged.answers[i].rule->text.code)}].push_back(i);
  std::vector<Change> changes;
  std::vector<bool> supported = judged.supported;
  constexpr std::size_t kMostVisits = 20'000'000;  // nodes on walks: a fifth of a second
  const bool search = groups.size() * groups.size() * judged.edges.nodes.size() < kMostVisits;
  while (!groups.empty()) {
    auto best = groups.end();
    std::size_t left = 0;
    for (auto it = groups.begin(); it != groups.end() && (search || it == groups.begin()); ++it) {
      std::vector<bool> trial = supported;
      for (const std::size_t i : it->second) trial[i] = true;
      const std::size_t partitions = partition(judged.edges, trial).size();
      const bool better =
          best == groups.end() || partitions < left || (partitions == left && it->second.size() < best->second.size());
      if (better) best = it, left = partitions;
    }
    for (const std::size_t i : best->second) supported[i] = true;
    const std::string_view instead = judged.answers[best->second.front()].instead;
    changes.push_back({best->first.first, best->first.second, std::string(instead), best->second.size(), left});
    groups.erase(best);
  }
  return changes;
}

void describe_rejections(const Judged& judged, ProviderPlan& plan) {
  const std::vector<std::size_t> separating = barriers(judged.edges, judged.supported);
  std::vector<bool> separates(judged.supported.size());
  for (const std::size_t i : separating) separates[i] = true;
  std::map<Key, RejectedGroup> groups;
  for (std::size_t i = 0; i < judged.answers.size(); ++i) {
    const Answer& answer = judged.answers[i];
    if (!answer.rule) continue;
    const Node& node = *judged.edges.nodes[i];
    const RuleText& text = answer.rule->text;
    plan.rejected.push_back({onnx::display_name(node), node.op_type, std::string(text.code), answer.reason,
                             std::string(text.instead), separates[i]});
    RejectedGroup& group = groups[{node.op_type, std::string(text.code)}];
    if (group.count++ == 0) {
      group.op = node.op_type;
      group.code = text.code;
      group.reason = answer.reason;
      group.instead = answer.instead;
    }
    group.separating += separates[i];
  }
  for (auto& [key, group] : groups) plan.groups.push_back(std::move(group));
  std::stable_sort(plan.groups.begin(), plan.groups.end(),
                   [](const RejectedGroup& a, const RejectedGroup& b) { return a.count > b.count; });
  plan.changes = changes_of(judged, separating);
}

bool is_free(const Value& input) {
  if (input.is_initializer() || input.type.kind != onnx::Type::Kind::tensor) return false;
  if (!input.type.shape) return true;
  return std::any_of(input.type.shape->begin(), input.type.shape->end(),
                     [](const onnx::Dimension& n) { return onnx::extent(n) < 0; });
}

void note_what_is_not_loaded(const Model& model, Target target, std::vector<std::string>& notes) {
  if (model.opset() > newest_opset(target.version))
    notes.push_back(fmt::format("ONNX Runtime 1.{} knows opsets up to {} and does not load opset {}", target.version,
                                newest_opset(target.version), model.opset()));
  if (model.opset() == 0) notes.push_back("the file imports no opset of ai.onnx: ONNX Runtime does not load it");
  if (model.ir_version > newest_ir_version(target.version))
    notes.push_back(fmt::format("ONNX Runtime 1.{} knows IR versions up to {} and does not load version {}",
                                target.version, newest_ir_version(target.version), model.ir_version));
  std::set<std::string> unknown;
  for (const auto& node : model.graph->nodes()) {
    if (!node->domain.empty() && node->domain != "com.microsoft") unknown.insert(node->domain + "." + node->op_type);
  }
  for (const std::string& op : unknown)
    notes.push_back(fmt::format("{} is ONNX Runtime's only with an extension; it is planned as a node by itself", op));
}

/// coremltools' guide to typed execution: a neural network's types are Core ML's to choose, an ML Program's are its own.
std::string engine_of(const Judged& judged, Target target) {
  if (target.format == Format::neural_network)
    return "A neural network has no element types of its own: on the engine it computes in float16, if Core ML puts it there.";
  std::size_t half = 0, single = 0;
  for (std::size_t i = 0; i < judged.supported.size(); ++i) {
    const Value* output = judged.supported[i] ? judged.edges.nodes[i]->output(0) : nullptr;
    if (output) half += output->type.dtype == DataType::float16, single += output->type.dtype == DataType::float32;
  }
  if (single >= half && single > 0)
    return "An ML Program computes in the types it says: these tensors are float32, and the engine has float16 only. None of "
           "it runs there; float16 tensors could (1.21, and 1.24 on).";
  return "An ML Program computes in the types it says: float16 tensors can run on the engine.";
}

std::size_t count_nodes(const Graph& graph) {
  return static_cast<std::size_t>(std::count_if(graph.nodes().begin(), graph.nodes().end(),
                                                [](const auto& node) { return node->op_type != "Constant"; }));
}

}  // namespace

double ProviderPlan::coverage_percent() const {
  return nodes == 0 ? 0 : 100.0 * static_cast<double>(supported) / static_cast<double>(nodes);
}

std::vector<std::string> fix_extents(Model& model) {
  std::vector<std::string> fixed;
  for (Value* input : model.graph->inputs()) {
    if (!is_free(*input) || !input->type.shape) continue;
    std::string text = input->name() + ": ";
    for (onnx::Dimension& n : *input->type.shape) {
      const bool free = onnx::extent(n) < 0;
      text += (text.back() == ' ' ? "[" : ",") + (!free              ? std::to_string(onnx::extent(n))
                                                  : n.symbol.empty() ? "?"
                                                                     : n.symbol);
      if (free) n = {1, {}, {}};
    }
    fixed.push_back(text + "]");
  }
  if (fixed.empty()) return fixed;
  // What the file says of other values may speak of the free extents.
  for (const auto& value : model.graph->values()) {
    if (!value->is_input() && !value->is_initializer()) value->type.shape.reset();
  }
  return fixed;
}

ProviderPlan plan_for_provider(Model model, Target target, const PlanOptions& options) {
  ProviderPlan plan;
  plan.target = target;
  plan.nodes_in_file = count_nodes(*model.graph);
  plan.static_input_shapes = std::none_of(model.graph->inputs().begin(), model.graph->inputs().end(),
                                          [](const Value* v) { return is_free(*v); });
  note_what_is_not_loaded(model, target, plan.notes);
  if (const auto why = why_not_loaded(model)) {
    plan.notes.push_back(fmt::format("ONNX Runtime does not load the file: {}; it is planned as it stands", *why));
    infer_types(model, infer_options());
  } else {
    plan.level1 = optimize_level1(model, target.version);
  }
  const Judged judged = judge_all(model, target);
  plan.nodes = judged.edges.nodes.size();
  for (const auto& group : partition(judged.edges, judged.supported)) {
    plan.supported += group.size();
    plan.partitions.push_back(options.details ? described(model, judged, group) : PartitionPlan{group.size(), {}, {}});
  }
  if (options.details) describe_rejections(judged, plan);
  plan.engine = engine_of(judged, target);
  return plan;
}

}  // namespace anemone::plan::ort

// Modules, kinds, and what lives and dies: the view of a network as its author wrote it.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"
#include "anemone/ops/ops.h"
#include "anemone/toolchain/analyze_parts.h"

namespace anemone::toolchain::analysis {
namespace {

constexpr std::string_view kOther = "Other", kContainer = "Container", kFixed = "Fixed matrices";

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

LayerKind& kind_row(Analysis& out, std::string_view kind) {
  for (LayerKind& row : out.layers.composition) {
    if (row.kind == kind) return row;
  }
  LayerKind& row = out.layers.composition.emplace_back();
  row.kind = kind;
  return row;
}

std::int64_t macs_of(const Node& node) { return node.def && node.def->macs ? node.def->macs(node) : 0; }

/// A matrix that nobody trained, as STAR's edge-to-heatmap transform: users do not count it among the network's work.
bool is_fixed_matrix(std::string_view origin, std::int64_t macs, const models::ModuleTree& tree) {
  return macs > 0 && tree.modules[tree.module_of(origin)].own_parameters == 0;
}

/// "hgs.0" of "hgs.0.low2.up1.conv1": the first name, with its index if it is a list.
std::string stage_of(std::string_view path) {
  const std::size_t first = path.find('.');
  if (first == std::string_view::npos) return std::string(path);
  const std::size_t second = std::min(path.find('.', first + 1), path.size());
  const std::string_view index = path.substr(first + 1, second - first - 1);
  const bool is_index =
      !index.empty() && std::all_of(index.begin(), index.end(), [](char c) { return c >= '0' && c <= '9'; });
  return std::string(path.substr(0, is_index ? second : first));
}

/// 2 of "pre.2", so that a list is shown in its order; 0 for names.
std::int64_t index_in_list(std::string_view path) {
  std::int64_t index = 0;
  const std::string_view leaf = path.substr(path.rfind('.') + 1);
  std::from_chars(leaf.data(), leaf.data() + leaf.size(), index);
  return index;
}

/// Nodes that the values depend on.
std::unordered_set<const Node*> needed_by(const std::vector<const Value*>& values) {
  std::unordered_set<const Node*> needed;
  std::vector<const Node*> open;
  const auto want = [&](const Value* value) {
    if (value && value->producer && needed.insert(value->producer).second) open.push_back(value->producer);
  };
  for (const Value* value : values) want(value);
  while (!open.empty()) {
    const Node* node = open.back();
    open.pop_back();
    for (const Operand& operand : node->operands()) {
      for (const Value* value : operand.values) want(value);
    }
  }
  return needed;
}

OutputChoice choose(const Model& model, const std::string& group, const std::vector<std::string>& names) {
  const Function& main = model.program->main();
  const models::ModuleTree& tree = model.network->modules;
  std::vector<const Value*> values;
  for (const Value* output : main.body.outputs()) {
    if (std::find(names.begin(), names.end(), output->name) != names.end()) values.push_back(output);
  }
  OutputChoice choice;
  choice.name = group;
  choice.outputs = values.size();
  const auto needed = needed_by(values);
  std::unordered_set<std::size_t> runs, kept;
  for (const Node& node : main.body.nodes) {
    const std::size_t module = tree.module_of(node.origin);
    runs.insert(module);
    if (!needed.contains(&node)) continue;
    kept.insert(module);
    ++choice.ops;
    (is_fixed_matrix(node.origin, macs_of(node), tree) ? choice.fixed_macs : choice.macs) += macs_of(node);
  }
  for (std::size_t i = 1; i < tree.modules.size(); ++i) {
    const models::Module& module = tree.modules[i];
    if (module.own_parameters == 0 || !runs.contains(i) || kept.contains(i)) continue;
    choice.parameters_dead += module.own_parameters;
    choice.dead_modules.push_back(module.path);
  }
  return choice;
}

std::string two_counts(const Analysis& out, const models::ModuleTree& tree, std::int64_t executed, std::int64_t fixed) {
  std::string parts;
  std::int64_t by_name = 0;
  for (const auto& [type, count] : out.layers.by_type) {
    if (!contains(type, "Conv")) continue;
    by_name += count;
    parts += fmt::format("{}{} {}", parts.empty() ? "" : " + ", count, type);
  }
  if (by_name == 0) return {};
  std::int64_t silent = 0;
  for (const models::Module& module : tree.modules)
    silent += module.type == "Conv2d" && module.own_parameters > 0 && module.operations == 0;
  std::string note =
      fmt::format("{} modules have 'Conv' in their class name ({}); {} convolutions execute", by_name, parts, executed);
  if (silent > 0) note += fmt::format(", {} Conv2d never run", silent);
  if (fixed > 0) note += fmt::format(", and {} products use a fixed matrix", fixed);
  return note;
}

}  // namespace

std::string kind_of_module(std::string_view type) {
  for (const auto& [part, kind] : {std::pair<std::string_view, std::string_view>{"Conv", "Convolution"},
                                   {"BatchNorm", "BatchNorm"},
                                   {"ReLU", "ReLU"},
                                   {"Linear", "Linear"},
                                   {"Norm", "Normalization"},
                                   {"Pool", "Pooling"},
                                   {"Upsample", "Resampling"},
                                   {"Activation", "Activation"},
                                   {"Sigmoid", "Activation"},
                                   {"Softmax", "Activation"}}) {
    if (contains(type, part)) return std::string(kind);
  }
  return std::string(kOther);
}

std::string kind_of_op(std::string_view type) {
  // The first set that holds it, after what people know by name.
  static constexpr std::pair<OpSet, const char*> kKinds[] = {
      {kConvolution, "Convolution"}, {kProduct, "Linear"},
      {kNorm, "Normalization"},      {kPool, "Pooling"},
      {kResize, "Resampling"},       {kRecurrent, "Recurrent"},
      {kReduction, "Reduction"},     {kActivation, "Activation"},
      {kMovement, "Data movement"},  {kElementwise, "Arithmetic"}};
  static constexpr std::pair<std::string_view, const char*> kNamed[] = {{"batch_norm", "BatchNorm"},
                                                                        {"softmax", "Activation"},
                                                                        {"cumsum", "Reduction"},
                                                                        {"resample", "Resampling"},
                                                                        {"crop_resize", "Resampling"}};
  for (const auto& [name, kind] : kNamed) {
    if (type == name) return kind;
  }
  if (contains(type, "relu")) return "ReLU";
  const OpDef* row = ops::table().find(type);
  for (const auto& [set, kind] : kKinds) {
    if (row && row->is(set)) return kind;
  }
  return std::string(kOther);
}

std::string kind_of_op(const Model& model, std::string_view type, std::string_view origin, std::int64_t macs) {
  if (model.network && is_fixed_matrix(origin, macs, model.network->modules)) return std::string(kFixed);
  return kind_of_op(type);
}

bool is_weight(const Value& value) {
  return value.type.is_tensor() && is_float(value.type.dtype) && value.type.rank() > 0;
}

void describe_tree(const models::ModuleTree& tree, Analysis& out) {
  std::vector<std::size_t> depth(tree.modules.size());
  std::vector<bool> has_children(tree.modules.size());
  // The kinds that people ask for come first, also where the answer is none.
  for (const std::string_view kind : {"Convolution", "BatchNorm", "ReLU", "Linear"}) kind_row(out, kind);
  for (std::size_t i = 0; i < tree.modules.size(); ++i) {
    const models::Module& module = tree.modules[i];
    if (module.parent != models::Module::kNone) {
      depth[i] = depth[module.parent] + 1;
      has_children[module.parent] = true;
    }
  }
  // Parents come first in the tree, but not each one directly before its children: rows are sorted depth first.
  std::vector<std::vector<std::size_t>> children(tree.modules.size());
  for (std::size_t i = 1; i < tree.modules.size(); ++i) children[tree.modules[i].parent].push_back(i);
  for (auto& siblings : children) {
    std::stable_sort(siblings.begin(), siblings.end(), [&](std::size_t a, std::size_t b) {
      return index_in_list(tree.modules[a].path) < index_in_list(tree.modules[b].path);
    });
  }
  std::vector<std::size_t> open{0};
  while (!open.empty()) {
    const std::size_t i = open.back();
    open.pop_back();
    const models::Module& m = tree.modules[i];
    out.tree.push_back({m.path, m.type, depth[i], m.weight, m.parameters, m.live, m.operations, m.macs});
    open.insert(open.end(), children[i].rbegin(), children[i].rend());
    if (i == 0) continue;
    std::string kind = kind_of_module(m.type);
    if (kind == kOther && has_children[i]) kind = kContainer;
    ++kind_row(out, kind).modules;
  }
  out.layers.modules = true;
  out.layers.total = static_cast<std::int64_t>(tree.count());
  out.layers.by_type = tree.by_type();
}

void describe_modules(const Model& model, Analysis& out) {
  const models::Network& network = *model.network;
  const models::ModuleTree& tree = network.modules;
  describe_tree(tree, out);
  out.parameters = {network.keys.parameters.total, network.keys.parameters.live, network.keys.parameters.dead};
  out.dead_modules = network.keys.dead_modules;
  for (const auto& [group, names] : network.output_groups) out.output_choices.push_back(choose(model, group, names));
  std::int64_t executed = 0, fixed = 0;
  std::vector<std::string> stages;
  std::map<std::string, WorkRow> rows;
  std::unordered_set<const Value*> seen;
  for (const Node& node : model.program->main().body.nodes) {
    const std::int64_t macs = macs_of(node);
    const bool is_fixed = is_fixed_matrix(node.origin, macs, tree);
    LayerKind& kind = kind_row(out, kind_of_op(model, node.type, node.origin, macs));
    ++kind.ops;
    (is_fixed ? out.fixed_macs : out.macs) += macs;
    if (is_fixed) ++fixed;
    kind.macs += macs;
    executed += node.type == "conv" && !is_fixed;
    const std::string stage = stage_of(tree.modules[tree.module_of(node.origin)].path);
    if (!rows.contains(stage)) stages.push_back(stage);
    WorkRow& row = rows[stage];
    row.name = stage.empty() ? "(network)" : stage;
    ++row.ops;
    row.macs += macs;
    for (const Operand& operand : node.operands()) {
      for (const Value* value : operand.values) {
        if (value->constant && is_weight(*value) && seen.insert(value).second)
          row.weight_bytes += byte_count(value->type.tensor_part().dtype, value->type.tensor_part().dims).value_or(0);
      }
    }
    for (const auto& value : node.outputs)
      row.activation_bytes += byte_count(value->type.tensor_part().dtype, value->type.tensor_part().dims).value_or(0);
  }
  for (const std::string& stage : stages) out.by_stage.push_back(rows[stage]);
  out.stage_basis = "modules";
  out.layers.note = two_counts(out, tree, executed, fixed);
}

void compose(const OpCounts& ops, Analysis& out) {
  for (const auto& [type, count] : ops.by_type) kind_row(out, kind_of_op(type)).ops += count;
  std::stable_sort(out.layers.composition.begin(), out.layers.composition.end(),
                   [](const LayerKind& a, const LayerKind& b) { return a.ops > b.ops; });
  out.layers.total = ops.total;
  out.layers.by_type = ops.by_type;
  out.layers.note = "a program has no modules: its operations are counted, without const and constexpr, as Xcode does";
}

void describe_constants(const Function& function, Analysis& out) {
  std::vector<const Value*> outputs(function.body.outputs().begin(), function.body.outputs().end());
  const auto needed = needed_by(outputs);
  std::unordered_set<const Value*> seen;
  const auto count = [&](const Value& value, bool live) {
    if (!is_weight(value) || !seen.insert(&value).second) return;
    const std::int64_t numbers = element_count(value.type.dims).value_or(0);
    add(out.parameters.total, numbers);
    add(live ? out.parameters.live : out.parameters.dead, numbers);
    if (!live) out.dead_modules.push_back(value.name);
  };
  for_each_node(function.body, [&](const Node& node) {
    if (is(node, kConstexpr)) return;
    const Node* top = &node;
    while (top->block().parent()) top = top->block().parent();
    const bool effect = top->def && top->def->is(kEffect);
    const bool live = needed.contains(top) || effect;
    for (const Operand& operand : node.operands()) {
      for (const Value* value : operand.values) {
        if (live && is_static(value)) count(*value, true);
      }
    }
  });
  for_each_node(function.body, [&](const Node& node) {
    if (is(node, kConstexpr)) {
      for (const auto& value : node.outputs) count(*value, value->output_uses > 0);
      // The packed numbers are the parameters; what unpacks them is not counted beside them.
      for (const Operand& operand : node.operands()) seen.insert(operand.values.begin(), operand.values.end());
    }
  });
  for_each_node(function.body, [&](const Node& node) {
    for (const Operand& operand : node.operands()) {
      for (const Value* value : operand.values) {
        if (value->constant) count(*value, false);
      }
    }
  });
  for (const auto& constant : function.body.constants) count(*constant, constant->output_uses > 0);
}

}  // namespace anemone::toolchain::analysis

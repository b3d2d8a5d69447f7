// Modules from keys: every dotted prefix is one.
#include "anemone/frontends/models/modules.h"

#include <fmt/format.h>

#include "anemone/frontends/models/layers.h"
#include "anemone/ir/op_def.h"

namespace anemone::models {
namespace {

std::pair<std::string_view, std::string_view> split_last(std::string_view path) {
  const std::size_t at = path.rfind('.');
  if (at == std::string_view::npos) return {{}, path};
  return {path.substr(0, at), path.substr(at + 1)};
}

/// The modules as they are found, and the names of their members.
struct Collector {
  ModuleTree tree;
  std::vector<std::vector<std::string>> members;

  std::size_t module(std::string_view path) {
    if (const auto found = tree.by_path.find(std::string(path)); found != tree.by_path.end()) return found->second;
    std::size_t parent = Module::kNone;
    if (!path.empty()) {
      const auto [above, leaf] = split_last(path);
      parent = module(above);
      members[parent].emplace_back(leaf);
    }
    const std::size_t index = tree.modules.size();
    Module& added = tree.modules.emplace_back();
    added.path = path;
    added.parent = parent;
    tree.by_path.emplace(path, index);
    members.emplace_back();
    return index;
  }
};

}  // namespace

ModuleTree module_tree(const KeySpecs& specs, const std::vector<KeylessModule>& keyless, std::string root,
                       ClassRule classify) {
  Collector collector;
  collector.module({});
  for (const KeySpec& spec : specs) {
    const auto [path, leaf] = split_last(spec.key);
    const std::size_t index = collector.module(path);
    collector.members[index].emplace_back(leaf);
    Module& module = collector.tree.modules[index];
    if (leaf == "weight") module.weight = spec.shape;
    if (spec.role != KeyRole::parameter && spec.role != KeyRole::dead) continue;
    const std::int64_t numbers = element_count(spec.shape).value_or(0);
    module.own_parameters += numbers;
    for (std::size_t at = index; at != Module::kNone; at = collector.tree.modules[at].parent) {
      collector.tree.modules[at].parameters += numbers;
      if (spec.role == KeyRole::parameter) collector.tree.modules[at].live += numbers;
    }
  }
  const std::size_t with_keys = collector.tree.modules.size();
  for (std::size_t i = 1; i < with_keys; ++i) {
    Module& module = collector.tree.modules[i];
    module.type = classify(module.path, collector.members[i]);
  }
  for (const KeylessModule& module : keyless) {
    const std::size_t index = collector.module(module.path);
    collector.tree.modules[index].type = module.type;
  }
  collector.tree.modules[0].type = std::move(root);
  return std::move(collector.tree);
}

std::map<std::string, std::int64_t> ModuleTree::by_type() const {
  std::map<std::string, std::int64_t> counts;
  for (std::size_t i = 1; i < modules.size(); ++i) ++counts[modules[i].type];
  return counts;
}

const Module* ModuleTree::find(const std::string& path) const {
  const auto found = by_path.find(path);
  return found == by_path.end() ? nullptr : &modules[found->second];
}

std::size_t ModuleTree::module_of(std::string_view origin) const {
  if (!origin.starts_with(kOrigin)) return 0;
  for (std::string_view path = origin.substr(kOrigin.size()); !path.empty(); path = split_last(path).first) {
    if (const auto found = by_path.find(std::string(path)); found != by_path.end()) return found->second;
  }
  return 0;
}

void ModuleTree::add_work(const Program& program) {
  for (const auto& function : program.functions) {
    for_each_node(function->body, [&](const Node& node) {
      const std::int64_t macs = node.def && node.def->macs ? node.def->macs(node) : 0;
      for (std::size_t at = module_of(node.origin); at != Module::kNone; at = modules[at].parent) {
        modules[at].operations += 1;
        modules[at].macs += macs;
      }
    });
  }
}

}  // namespace anemone::models

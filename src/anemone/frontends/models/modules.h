#pragma once
// The tree of PyTorch modules that a state dict comes from, with classes, parameters and work: what `analyze` shows.
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "anemone/frontends/models/keys.h"
#include "anemone/ir/graph.h"

namespace anemone::models {

struct Module {
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::string path;                 ///< "hgs.0.up1.conv1"; empty for the root
  std::string type;                 ///< class: "ConvBlock"
  std::size_t parent = kNone;       ///< index in ModuleTree::modules; kNone for the root
  Dims weight;                      ///< shape of its own weight; empty when it has none
  std::int64_t own_parameters = 0;  ///< trained numbers registered by the module itself
  std::int64_t parameters = 0;      ///< with those of the modules inside it
  std::int64_t live = 0;            ///< of `parameters`, those of modules that run
  std::int64_t operations = 0;      ///< nodes of the program that come from it or from inside it; see add_work
  std::int64_t macs = 0;            ///< of those
};

struct ModuleTree {
  std::vector<Module> modules;  ///< parents before children, siblings in the order of registration; [0] is the root
  std::unordered_map<std::string, std::size_t> by_path;

  std::size_t count() const { return modules.size() - 1; }  ///< the root is not counted, as in named_modules()[1:]
  std::map<std::string, std::int64_t> by_type() const;      ///< the root is not counted
  const Module* find(const std::string& path) const;
  /// The deepest module that the origin of a node names ("checkpoint: pre.1.relu"); the root when none does.
  std::size_t module_of(std::string_view origin) const;
  /// Counts the nodes of the program, once, into `operations` and `macs`.
  void add_work(const Program& program);
};

/// A module without tensors, which a state dict does not show.
struct KeylessModule {
  std::string path, type;
};

/// All dotted prefixes of the keys and the keyless modules. `classify(path, children)` names the class, given the names
/// of its children and of its own tensors ("weight", "running_mean", "conv1", "skip_layer").
using ClassRule = std::string (*)(std::string_view path, const std::vector<std::string>& members);
ModuleTree module_tree(const KeySpecs& specs, const std::vector<KeylessModule>& keyless, std::string root,
                       ClassRule classify);

}  // namespace anemone::models

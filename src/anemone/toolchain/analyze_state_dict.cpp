// A checkpoint whose network is not known: what its tensors say by themselves.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/formats/torch/checkpoint.h"
#include "anemone/frontends/models/network.h"
#include "anemone/toolchain/analyze_parts.h"

namespace anemone::toolchain::analysis {
namespace {

// Limits on what a file can make us build: modules are nested by recursion over the parts of a name.
constexpr std::ptrdiff_t kMostDots = 64;
constexpr std::int64_t kMostElements = std::int64_t{1} << 40;

bool is_floating(formats::ScalarType dtype) {
  const std::string_view text = name(dtype);
  return text.find("float") != std::string_view::npos;
}

std::string classify(std::string_view path, const std::vector<std::string>& members) {
  const auto has = [&](std::string_view member) {
    return std::find(members.begin(), members.end(), member) != members.end();
  };
  if (has("running_mean")) return "BatchNorm";
  if (has("weight_ih_l0")) return "LSTM or GRU";
  if (has("in_proj_weight")) return "MultiheadAttention";
  if (has("weight") || has("weight_v")) return path.find("emb") != std::string_view::npos ? "embedding?" : "weight?";
  return has("bias") ? "parameters" : "Module";
}

/// A class from the shape of the weight, where the names do not tell.
std::string guess(const models::Module& module) {
  if (module.type != "weight?" && module.type != "embedding?") return module.type;
  switch (module.weight.size()) {
    case 1:
      return module.weight[0] == 1 ? "PReLU" : "Norm";
    case 2:
      return module.type == "embedding?" ? "Embedding" : "Linear";
    case 3:
      return "Conv1d";
    case 4:
      return "Conv2d";
    case 5:
      return "Conv3d";
    default:
      return "parameters";
  }
}

std::string prefix_of(std::string_view path) {
  const std::size_t first = path.find('.');
  if (first == std::string_view::npos) return "(root)";
  const std::size_t second = path.find('.', first + 1);
  const std::string_view next = path.substr(first + 1, second == std::string_view::npos ? second : second - first - 1);
  const bool index = second != std::string_view::npos && !next.empty() &&
                     std::all_of(next.begin(), next.end(), [](char c) { return c >= '0' && c <= '9'; });
  return std::string(path.substr(0, index ? second : first));
}

models::KeySpecs specs_of(const formats::StateDict& state, std::vector<std::string>& notes) {
  models::KeySpecs specs;
  std::size_t left_out = 0;
  for (const formats::StoredTensor& t : state.tensors) {
    const auto count = element_count(t.shape);
    if (std::count(t.path.begin(), t.path.end(), '.') > kMostDots || !count || *count > kMostElements) {
      ++left_out;
      continue;
    }
    models::KeyRole role = is_floating(t.dtype) ? models::KeyRole::parameter : models::KeyRole::counter;
    if (t.path.ends_with("running_mean") || t.path.ends_with("running_var")) role = models::KeyRole::buffer;
    specs.push_back({t.path, t.shape, role});
  }
  if (left_out > 0) notes.push_back(fmt::format("{} tensors with absurd names or shapes are left out", left_out));
  return specs;
}

}  // namespace

Result<Analysis> describe_state_dict(const Model& model) {
  const formats::StateDict& state = *model.tensors;
  Analysis out;
  out.network = "unknown";
  out.title = fmt::format("a network that is not known: {} tensors", state.tensors.size());
  const models::KeySpecs specs = specs_of(state, out.notes);
  models::ModuleTree tree = models::module_tree(specs, {}, "unknown", classify);
  for (models::Module& module : tree.modules) module.type = guess(module);
  describe_tree(tree, out);
  out.parameters.total = out.parameters.live = tree.modules[0].parameters;
  std::map<std::string, std::size_t> at;
  for (const models::KeySpec& spec : specs) {
    const std::string prefix = prefix_of(spec.key);
    if (at.try_emplace(prefix, out.groups.size()).second) out.groups.push_back({prefix, 0, 0, {}, {}});
    TensorGroup& group = out.groups[at[prefix]];
    ++group.tensors;
    if (spec.role == models::KeyRole::parameter) group.parameters += element_count(spec.shape).value_or(0);
    ++group.dtypes[std::string(name(state.find(spec.key)->dtype))];
  }
  for (const models::Module& module : tree.modules) {
    if (module.path.empty() || module.own_parameters == 0) continue;
    const auto group = at.find(prefix_of(module.path + "."));
    if (group != at.end()) ++out.groups[group->second].layers[module.type];
  }
  if (!state.note.empty()) out.notes.push_back(state.note);
  out.notes.push_back("layer kinds are guessed from names and shapes; which of them run, nothing in the file says");
  for (const Diagnostic& d : model.no_network) {
    plan::Finding f;
    f.code = text_of(d.code);
    f.name = "unknown-network";
    f.severity = "error";
    f.message = d.message;
    f.instead = d.help;
    f.trust = plan::Trust::computed;
    out.findings.push_back(std::move(f));
    for (const std::string& note : d.notes) out.notes.push_back(note);
  }
  std::string known;
  for (const std::string_view network : models::known_networks())
    known += fmt::format("{}{}", known.empty() ? "" : ", ", network);
  out.needed = {
      "the network's code: a state dict holds tensors, not what is done with them",
      "an export of it: a Core ML package from coremltools, which every verb here takes",
      fmt::format("or a checkpoint whose tensors match a network that is built in ({})", known),
  };
  out.advice.push_back({"anemone print " + model.path.string(), "every tensor with its shape, type and hash"});
  return out;
}

}  // namespace anemone::toolchain::analysis

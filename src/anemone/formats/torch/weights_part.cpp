// The habits of training scripts: where they put the state dict, and what else they save beside it.
#include "anemone/formats/torch/weights_part.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "anemone/support/utf8.h"

namespace anemone::formats {

namespace {

/// In order of preference. STAR's trainer writes "net" and "net_ema"; its authors evaluate "net".
constexpr std::string_view kWeights[]{"net",    "state_dict", "model_state_dict", "model_state", "model",
                                      "module", "network",    "weights",          "params"};
/// Their moving averages: taken when there is nothing else.
constexpr std::string_view kAverages[]{"net_ema",        "ema",     "model_ema",  "ema_model",   "state_dict_ema",
                                       "ema_state_dict", "ema_net", "params_ema", "ema_weights", "averaged_model"};
/// What PyTorch's wrappers put before names, at any level.
constexpr std::string_view kWrappers[]{"_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."};
/// Never weights.
constexpr std::array<std::string_view, 7> kTraining{
    "optimizer", "optimizer_state_dict", "optim", "scheduler", "lr_scheduler", "scaler", "loss"};

struct Level {
  std::size_t direct = 0;                                       // tensors right here
  std::vector<std::pair<std::string_view, std::size_t>> parts;  // of nested containers: name, tensors

  const std::pair<std::string_view, std::size_t>* find(std::string_view name) const {
    const auto found = std::find_if(parts.begin(), parts.end(), [&](const auto& p) { return p.first == name; });
    return found == parts.end() ? nullptr : &*found;
  }
};

Level look(const std::vector<std::string_view>& paths, std::string_view prefix) {
  Level level;
  std::unordered_map<std::string_view, std::size_t> places;
  for (const std::string_view path : paths) {
    if (!path.starts_with(prefix)) continue;
    const std::string_view rest = path.substr(prefix.size());
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) {
      ++level.direct;
      continue;
    }
    const auto [place, is_new] = places.emplace(rest.substr(0, slash), level.parts.size());
    if (is_new) level.parts.emplace_back(rest.substr(0, slash), 0);
    ++level.parts[place->second].second;
  }
  return level;
}

std::string list(const std::vector<std::pair<std::string_view, std::size_t>>& parts) {
  std::string text;
  for (std::size_t i = 0; i < parts.size() && i < 8; ++i) {
    text += fmt::format("{}'{}' ({})", i ? ", " : "", printable(parts[i].first, 40), parts[i].second);
  }
  return parts.size() > 8 ? text + " and more" : text;
}

/// The nested container to go into, if there is one.
std::optional<std::string_view> choose(const Level& level) {
  for (const std::string_view name : kWeights) {
    if (level.find(name)) return name;
  }
  for (const std::string_view name : kAverages) {
    if (level.find(name) && level.direct == 0) return name;
  }
  if (level.direct > 0) return std::nullopt;
  std::vector<std::string_view> others;
  for (const auto& [name, count] : level.parts) {
    if (std::find(kTraining.begin(), kTraining.end(), name) == kTraining.end()) others.push_back(name);
  }
  return others.size() == 1 ? std::optional(others[0]) : std::nullopt;
}

/// Takes wrappers off a name; `stripped` names the first that was found.
void strip(std::string& name, std::string& stripped) {
  const auto note = [&](std::string_view wrapper) {
    if (stripped.find(wrapper) == std::string::npos) stripped += wrapper;
  };
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view wrapper : kWrappers) {
      for (std::size_t at = name.find(wrapper); at != std::string::npos; at = name.find(wrapper, at)) {
        if (at > 0 && name[at - 1] != '.') {
          at += wrapper.size();
          continue;
        }
        name.erase(at, wrapper.size());
        note(wrapper);
      }
    }
    constexpr std::string_view kModule = "module.";
    if (name.starts_with(kModule)) {
      name.erase(0, kModule.size());
      note(kModule);
      again = true;
    }
  }
}

}  // namespace

Result<WeightsPart> find_weights(const std::vector<std::string_view>& paths, const std::string& file,
                                 const std::optional<std::string>& wanted) {
  if (paths.empty()) return bad_input(ErrorCode::no_weights, "there are no tensors in the file", file);
  std::string prefix;
  std::vector<std::pair<std::string_view, std::size_t>> aside;
  Level level = look(paths, prefix);
  const auto go_into = [&](std::string_view part) {
    for (const auto& other : level.parts) {
      if (other.first != part) aside.push_back(other);
    }
    if (level.direct > 0) aside.emplace_back("single tensors", level.direct);
    prefix += fmt::format("{}/", part);
    level = look(paths, prefix);
  };
  for (std::string_view rest = wanted ? std::string_view(*wanted) : ""; !rest.empty();) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    if (!level.find(part)) {
      return bad_input(ErrorCode::no_weights, fmt::format("there is no part '{}' in the file", printable(*wanted)),
                       file, fmt::format("its parts: {}", list(level.parts)));
    }
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    go_into(part);
  }
  // Below a part that was asked for, too: {'ema': {'state_dict': …}}.
  for (std::optional<std::string_view> next = choose(level); next; next = choose(level)) go_into(*next);
  if (level.direct == 0) {
    return bad_input(ErrorCode::no_weights,
                     fmt::format("no part of the file is known to hold weights: it has {}", list(level.parts)), file,
                     "name the part that does: --weights NAME");
  }
  aside.insert(aside.end(), level.parts.begin(), level.parts.end());

  WeightsPart result;
  result.part = prefix.substr(0, prefix.empty() ? 0 : prefix.size() - 1);
  std::string stripped;
  std::unordered_set<std::string> seen;
  result.tensors.reserve(level.direct);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    if (!paths[i].starts_with(prefix)) continue;
    std::string name(paths[i].substr(prefix.size()));
    if (name.find('/') != std::string::npos) continue;
    strip(name, stripped);
    if (!seen.insert(name).second) {
      return bad_input(ErrorCode::weights_twice, fmt::format("two weights are called '{}'", printable(name)), file,
                       "rename one, or save the state dict of one model only");
    }
    result.tensors.emplace_back(i, std::move(name));
  }
  result.note = prefix.empty()
                    ? fmt::format("weights: the root of the file ({} tensors)", result.tensors.size())
                    : fmt::format("weights: '{}' ({} tensors)", printable(result.part), result.tensors.size());
  if (!stripped.empty()) result.note += fmt::format(", leading '{}' removed", stripped);
  if (!aside.empty()) result.note += fmt::format("; left aside: {}", list(aside));
  for (const auto& other : aside) {
    const auto is = [&](const auto& names) {
      return std::find(std::begin(names), std::end(names), other.first) != std::end(names);
    };
    if (other.second == result.tensors.size() || is(kAverages) || is(kWeights)) {
      if (other.first != "single tensors" && !is(kTraining)) result.others.emplace_back(other.first);
    }
  }
  return result;
}

}  // namespace anemone::formats

// Names compared with names; shapes only to tell another width.
#include "anemone/frontends/models/likeness.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace anemone::models {
namespace {

using formats::StateDict;

constexpr int kDeepest = 4;

std::string_view first_part(std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

/// The first part that most names share.
std::string commonest_part(const StateDict& state) {
  std::map<std::string_view, std::size_t> counts;
  for (const formats::StoredTensor& tensor : state.tensors) ++counts[first_part(tensor.path)];
  counts.erase(std::string_view());
  const auto most =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() || most->second * 2 < state.tensors.size() ? std::string() : std::string(most->first);
}

StateDict without(const StateDict& state, const std::string& prefix) {
  StateDict result = state;
  result.tensors.clear();
  result.index.clear();
  for (const formats::StoredTensor& tensor : state.tensors) {
    if (!tensor.path.starts_with(prefix)) continue;
    result.tensors.push_back(tensor);
    result.tensors.back().path = tensor.path.substr(prefix.size());
    result.index.emplace(result.tensors.back().path, result.tensors.size() - 1);
  }
  return result;
}

/// Of the network's keys under one first part: how many there are, and how many the file has.
struct Part {
  std::size_t keys = 0, present = 0;
};

std::string listed(const std::vector<std::string_view>& parts) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) out += fmt::format("{}'{}'", i ? ", " : "", parts[i]);
  return out;
}

}  // namespace

double likeness(const StateDict& state, const KeySpecs& specs) {
  std::size_t needed = 0, present = 0;
  for (const KeySpec& spec : specs) {
    if (!spec.is_needed()) continue;
    ++needed;
    present += state.find(spec.key) ? 1 : 0;
  }
  return needed == 0 ? 0 : static_cast<double>(present) / static_cast<double>(needed);
}

std::vector<Naming> namings(const StateDict& state) {
  std::vector<Naming> result{{state, {}}};
  std::string removed;
  for (int depth = 0; depth < kDeepest; ++depth) {
    const StateDict& last = result.back().state;
    const std::string part = commonest_part(last);
    if (part.empty()) break;
    StateDict next = without(last, part + '.');
    removed += part + '.';
    const std::size_t aside = state.tensors.size() - next.tensors.size();
    std::string note = fmt::format("leading '{}' removed from the names", removed);
    if (aside > 0) note += fmt::format("; left aside: {} tensors without it", aside);
    result.push_back({std::move(next), std::move(note)});
  }
  return result;
}

std::vector<std::string> describe_likeness(const StateDict& state, const KeySpecs& specs, std::string_view network) {
  std::vector<std::string> notes;
  std::map<std::string_view, Part> parts;
  std::size_t present = 0, other_shapes = 0, known = 0;
  for (const KeySpec& spec : specs) {
    Part& part = parts[first_part(spec.key)];
    const formats::StoredTensor* tensor = state.find(spec.key);
    known += tensor ? 1 : 0;
    if (!spec.is_needed()) continue;
    ++part.keys;
    if (!tensor) continue;
    ++part.present;
    ++present;
    other_shapes += tensor->shape != spec.shape ? 1 : 0;
  }
  // The file's names as they would be within one part of the network: a backbone that was saved by itself.
  for (const auto& [name, part] : parts) {
    std::size_t inside = 0;
    for (const KeySpec& spec : specs) {
      if (spec.key.size() > name.size() && first_part(spec.key) == name)
        inside += state.find(std::string_view(spec.key).substr(name.size() + 1)) ? 1 : 0;
    }
    if (part.keys > 0 && inside * 10 >= part.keys * 9 && inside * 10 >= state.tensors.size() * 8) {
      notes.push_back(fmt::format("{} of the {} tensors are those of '{}' of {}: this is its backbone alone", inside,
                                  state.tensors.size(), name, network));
    }
  }
  if (present == 0) return notes;
  std::size_t needed = 0;
  std::vector<std::string_view> whole, absent;
  for (const auto& [name, part] : parts) {
    needed += part.keys;
    if (part.keys > 0 && part.present * 10 >= part.keys * 9) whole.push_back(name);
    if (part.keys > 0 && part.present * 2 < part.keys) absent.push_back(name);
  }
  notes.push_back(fmt::format("{} of the {} tensors of {} are there", present, needed, network));
  if (!whole.empty() && !absent.empty()) {
    notes.push_back(fmt::format("{} {} of {}; {} {} not: {}", listed(whole),
                                whole.size() == 1 ? "is that" : "are those", network, listed(absent),
                                absent.size() == 1 ? "is" : "are",
                                known == state.tensors.size() ? "a part of the network that was saved by itself"
                                                              : "another backbone, or other heads"));
  }
  if (other_shapes * 4 > present && present * 2 > needed)
    notes.push_back(fmt::format("{} of them have other shapes: another width of this network", other_shapes));
  return notes;
}

}  // namespace anemone::models

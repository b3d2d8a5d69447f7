// The list of known networks, and the choice among them.
#include "anemone/frontends/models/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "anemone/frontends/models/retinaface.h"
#include "anemone/frontends/models/star.h"

namespace anemone::models {
namespace {

struct Known {
  std::string_view name;
  KeySpecs (*keys)(const StateDict&);
  Result<Network> (*build)(const StateDict&, const NetworkOptions&);
};

constexpr std::array<Known, 2> kKnown{{
    {kStarName, [](const StateDict& state) { return star_keys(star_shape(state)); }, build_star},
    {kRetinaFaceName, [](const StateDict&) { return retinaface_keys(); }, build_retinaface},
}};

std::string known_names() {
  std::string names;
  for (const Known& known : kKnown) names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name);
  return names;
}

/// Part of the needed tensors that the file has, 0 to 1. The file counts as this network from one half on: one with
/// missing or foreign tensors should be told which those are, not that it is unknown.
double likeness(const StateDict& state, const KeySpecs& specs) {
  std::size_t needed = 0, present = 0;
  for (const KeySpec& spec : specs) {
    if (!spec.is_needed()) continue;
    ++needed;
    present += state.find(spec.key) ? 1 : 0;
  }
  return needed == 0 ? 0 : static_cast<double>(present) / static_cast<double>(needed);
}

std::string first_prefixes(const StateDict& state) {
  constexpr std::size_t kShown = 5;
  std::vector<std::string_view> prefixes;
  for (const StoredTensor& tensor : state.tensors) {
    const std::string_view prefix = std::string_view(tensor.path).substr(0, tensor.path.find('.'));
    if (std::find(prefixes.begin(), prefixes.end(), prefix) != prefixes.end()) continue;
    prefixes.push_back(prefix);
    if (prefixes.size() > kShown) break;
  }
  std::string out;
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    out += i == kShown ? ", …" : fmt::format("{}'{}'", i ? ", " : "", prefixes[i]);
  }
  return out;
}

Diagnostic unrecognised(const StateDict& state) {
  Diagnostic error = bad_input(
      "E0610",
      state.tensors.empty() ? std::string("the state dict holds no tensors")
                            : fmt::format("no known network has these {} tensors (their names begin with {})",
                                          state.tensors.size(), first_prefixes(state)),
      place_of(state), fmt::format("known networks: {}; other architectures can come in as ONNX", known_names()));
  for (const Known& known : kKnown) {
    const KeySpecs specs = known.keys(state);
    if (const std::size_t present = count_present(state, specs); present > 0) {
      error.notes.push_back(fmt::format("{} of the {} tensors of {} are there", present, specs.size(), known.name));
    }
  }
  return error;
}

}  // namespace

std::vector<std::string_view> known_networks() {
  std::vector<std::string_view> names;
  for (const Known& known : kKnown) names.push_back(known.name);
  return names;
}

Result<Network> build_network(const StateDict& state, const NetworkOptions& options) {
  if (options.name) {
    for (const Known& known : kKnown) {
      if (known.name == *options.name) return known.build(state, options);
    }
    const auto names = known_networks();
    return Diagnostic{.blame = Blame::usage,
                      .code = "E0611",
                      .message = fmt::format("there is no network '{}'", *options.name),
                      .help = did_you_mean(*options.name, names, fmt::format("known networks: {}", known_names()))};
  }
  const Known* best = nullptr;
  double best_likeness = 0.5;
  for (const Known& known : kKnown) {
    const double alike = likeness(state, known.keys(state));
    if (alike < best_likeness) continue;
    best_likeness = alike;
    best = &known;
  }
  if (!best) return unrecognised(state);
  return best->build(state, options);
}

std::string_view name(Landmarks::Coordinates coordinates) {
  using C = Landmarks::Coordinates;
  return coordinates == C::centred ? "centred" : coordinates == C::unit ? "unit" : "pixels";
}

std::optional<Landmarks::Coordinates> coordinates_from(std::string_view word) {
  using C = Landmarks::Coordinates;
  for (const C coordinates : {C::centred, C::unit, C::pixels}) {
    if (name(coordinates) == word) return coordinates;
  }
  return std::nullopt;
}

std::optional<std::pair<std::size_t, std::size_t>> outer_eye_corners(std::int64_t points) {
  using Pair = std::pair<std::size_t, std::size_t>;
  if (points == 98) return Pair{60, 72};
  if (points == 68) return Pair{36, 45};
  if (points == 29) return Pair{8, 9};
  return std::nullopt;
}

}  // namespace anemone::models

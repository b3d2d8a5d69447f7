// The list of known networks, and the choice among them.
#include "anemone/frontends/models/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "anemone/frontends/models/likeness.h"
#include "anemone/frontends/models/retinaface.h"
#include "anemone/frontends/models/star.h"

namespace anemone::models {
namespace {

using formats::StateDict;

struct Known {
  std::string_view name;
  KeySpecs (*keys)(const StateDict&);
  Result<Network> (*build)(const StateDict&, const NetworkOptions&);
  Preprocessing (*preprocessing)();
};

constexpr std::array<Known, 2> kKnown{{
    {kStarName, [](const StateDict& state) { return star_keys(star_shape(state)); }, build_star, star_preprocessing},
    {kRetinaFaceName, [](const StateDict&) { return retinaface_keys(); }, build_retinaface, retinaface_preprocessing},
}};

std::string known_names() {
  std::string names;
  for (const Known& known : kKnown) names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name);
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += fmt::format("{}'{}'", out.empty() ? "" : ", ", name);
  return out;
}

/// What was chosen among several things that the file offers; empty where there was no choice.
std::string chosen(const StateDict& state, const std::string& renamed) {
  std::string note;
  const bool unwrapped = state.note.find("removed") != std::string::npos;
  if (!state.others.empty() || unwrapped) note = state.note;
  if (!renamed.empty()) note += fmt::format("{}{}", note.empty() ? "" : "; ", renamed);
  if (!state.others.empty()) note += fmt::format("; '--weights {}' takes that instead", state.others.front());
  return note;
}

std::string first_prefixes(const StateDict& state) {
  constexpr std::size_t kShown = 5;
  std::vector<std::string_view> prefixes;
  for (const formats::StoredTensor& tensor : state.tensors) {
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

Diagnostic unrecognised(const StateDict& state, const std::vector<Naming>& all) {
  Diagnostic error = bad_input(
      ErrorCode::unknown_network,
      state.tensors.empty() ? std::string("the state dict holds no tensors")
                            : fmt::format("no known network has these {} tensors (their names begin with {})",
                                          state.tensors.size(), first_prefixes(state)),
      torch::place_of(state),
      fmt::format("known networks: {}; of others, give a Core ML package (coremltools makes one from the model's code)",
                  known_names()));
  for (const Known& known : kKnown) {
    std::vector<std::string> best;
    for (const Naming& naming : all) {
      std::vector<std::string> notes = describe_likeness(naming.state, known.keys(naming.state), known.name);
      if (notes.size() > best.size()) best = std::move(notes);
    }
    error.notes.insert(error.notes.end(), best.begin(), best.end());
  }
  if (!state.others.empty()) {
    error.notes.push_back(fmt::format("the file has other parts that may be weights: {}; '--weights NAME' takes one",
                                      joined(state.others)));
  }
  return error;
}

}  // namespace

std::optional<Preprocessing> trained_preprocessing(std::string_view network) {
  for (const Known& known : kKnown) {
    if (known.name == network) return known.preprocessing();
  }
  return std::nullopt;
}

std::vector<std::string_view> known_networks() {
  std::vector<std::string_view> names;
  for (const Known& known : kKnown) names.push_back(known.name);
  return names;
}

Result<Network> build_network(const StateDict& state, const NetworkOptions& options) {
  const auto is_wanted = [&](const Known& known) { return known.name == *options.name; };
  if (options.name && std::none_of(kKnown.begin(), kKnown.end(), is_wanted)) {
    const auto names = known_networks();
    return Diagnostic{.blame = Blame::usage,
                      .code = ErrorCode::no_such_network,
                      .message = fmt::format("there is no network '{}'", *options.name),
                      .help = did_you_mean(*options.name, names, fmt::format("known networks: {}", known_names()))};
  }
  // The names as they are win a tie; of networks, the later one does.
  const std::vector<Naming> all = namings(state);
  const Known* best = nullptr;
  const Naming* best_naming = nullptr;
  double best_likeness = 0.5;
  for (const Naming& naming : all) {
    for (const Known& known : kKnown) {
      if (options.name && known.name != *options.name) continue;
      const double alike = likeness(naming.state, known.keys(naming.state));
      if (alike < best_likeness || (alike == best_likeness && best_naming && best_naming != &naming)) continue;
      best_likeness = alike;
      best = &known;
      best_naming = &naming;
    }
  }
  if (!best && options.name) {  // the user knows better; the network says what is missing
    best = &*std::find_if(kKnown.begin(), kKnown.end(), is_wanted);
    best_naming = &all.front();
  }
  if (!best) return unrecognised(state, all);
  TRY(Network network, best->build(best_naming->state, options));
  network.note = chosen(state, best_naming->note);
  return network;
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

#pragma once
// From a state dict to a program: which network the tensors belong to, and the graph with everything a user may ask
// about it.
#include <map>
#include <memory>
#include <optional>

#include "anemone/frontends/models/keys.h"
#include "anemone/frontends/models/modules.h"
#include "anemone/frontends/torch/state_dict.h"
#include "anemone/ir/graph.h"

namespace anemone::models {

struct NetworkOptions {
  std::optional<std::string> name;            ///< skips the recognition
  std::optional<std::int64_t> height, width;  ///< of the input; the other one follows when only one is given
  Target target = Target::ios17;
  /// Of the sizes that one graph is to take; nothing in the graph depends on the size then. 0: it is made for one size.
  std::int64_t largest_size = 0;
  std::int64_t batch = 1;  ///< samples at a time
};

/// How pixels (0..255) become the graph's input: channel c of `color` is x·scale + bias[c].
struct Preprocessing {
  Color color = Color::bgr;
  double scale = 1;
  std::vector<double> bias;  ///< one a channel
};

/// What a landmark network predicts, and how its numbers are read. Points are pairs (x, y).
struct Landmarks {
  /// Where coordinates lie in the crop.
  enum class Coordinates : std::uint8_t {
    centred,  ///< -1 and 1 at the centres of the outermost map cells; a unit counts as half a side
    unit,     ///< 0 to 1 from edge to edge: a unit is a side
    pixels,   ///< of the crop
  };
  std::string title;   ///< "STAR face landmarks": for descriptions
  std::string output;  ///< of [1,points,2] or [1,2·points]
  std::int64_t points = 0, edges = 0;
  Coordinates coordinates = Coordinates::centred;
  std::optional<std::pair<std::size_t, std::size_t>>
      eye_corners;  ///< the outer ones, where errors are measured by them

  double to_pixels(std::int64_t crop) const {
    const auto side = static_cast<double>(crop);
    return coordinates == Coordinates::centred ? side / 2 : coordinates == Coordinates::unit ? side : 1;
  }
};
std::string_view name(Landmarks::Coordinates coordinates);
std::optional<Landmarks::Coordinates> coordinates_from(std::string_view name);
/// The outer eye corners of the labelling schemes WFLW (98 points), 300W (68) and COFW (29).
std::optional<std::pair<std::size_t, std::size_t>> outer_eye_corners(std::int64_t points);

struct Network {
  std::string name;                  ///< "star", "retinaface-mobilenet0.25"
  std::unique_ptr<Program> program;  ///< fp32; one input, `image` [N,3,H,W], preprocessed; outputs: the group "all"
  Preprocessing preprocessing;       ///< as trained
  std::int64_t height = 0, width = 0;
  std::int64_t batch = 1;                 ///< N
  std::int64_t size_step = 1;             ///< heights and widths that the network takes are multiples of this
  bool square_only = false;               ///< height and width must be equal
  bool constants_depend_on_size = false;  ///< another size needs another program, not only other shapes

  std::optional<Landmarks> landmarks;  ///< of landmark networks

  std::map<std::string, std::vector<std::string>> output_groups;  ///< "all" and, for landmark networks, "final"
  std::string default_group = "all";
  std::map<std::string, std::string> aliases;  ///< other names of values: "pointmaps0" → "pointmap0"

  std::string note;  ///< which of several weights was taken, what was removed from names; empty: there was no choice
  KeyReport keys;
  ModuleTree modules;  ///< with the work of `program`
};

/// E0610: not a network that is known; E0611: no network of that name; E0605–E0607: its tensors do not fit;
/// E0612: an input size that it cannot take.
Result<Network> build_network(const formats::StateDict& state, const NetworkOptions& options = {});

/// How the network of that name was trained to see pixels; nothing where the name is not known.
std::optional<Preprocessing> trained_preprocessing(std::string_view network);

/// The names that NetworkOptions::name takes.
std::vector<std::string_view> known_networks();

}  // namespace anemone::models

// Weights from a counter-based generator keyed by the tensor's name: order, threads and language do not matter.
#include "anemone/frontends/models/synth.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>

#include "anemone/formats/wire/npy.h"

namespace anemone::models {
namespace {

constexpr std::int64_t kMostStacks = 16;

std::uint64_t fnv1a64(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

/// The finaliser of SplitMix64.
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// Number `index` of the stream `seed`: in [0, 1), with 24 significant bits.
double uniform(std::uint64_t seed, std::uint64_t index) {
  const std::uint64_t bits = mix(seed + (index + 1) * 0x9e3779b97f4a7c15u);
  return static_cast<double>(bits >> 40) / 16777216.0;
}

/// float32 numbers, evaluated in double and rounded once.
template <class Rule>
Bytes floats(std::int64_t count, Rule&& rule) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(count) * sizeof(float));
  for (std::int64_t i = 0; i < count; ++i) {
    const auto value = static_cast<float>(rule(static_cast<std::uint64_t>(i)));
    std::memcpy(bytes.data() + static_cast<std::size_t>(i) * sizeof(float), &value, sizeof(float));
  }
  return Bytes::owned(std::move(bytes));
}

double fan_in(const Dims& weight) { return static_cast<double>(weight[1] * weight[2] * weight[3]); }

/// Smaller where branches are summed, so that activations stay below 25; the first match counts.
double hash_gain(std::string_view key) {
  struct Gain {
    std::string_view part;
    double gain;
  };
  static constexpr std::array<Gain, 7> kGains{{{".coordconv.", 0.5},
                                               {".conv3.", 0.25},
                                               {".skip_layer.", 0.7},
                                               {"merge_", 0.25},
                                               {"out_heatmaps.", 0.7},
                                               {"out_pointmaps.", 0.35},
                                               {"out_edgemaps.", 0.35}}};
  if (key.starts_with("features.") && key.ends_with(".1.conv.weight")) return 0.2;
  for (const Gain& entry : kGains) {
    if (key.find(entry.part) != std::string_view::npos) return entry.gain;
  }
  return 1.0;
}

struct Leaf {
  bool batch_norm, weight, mean, variance;
  explicit Leaf(std::string_view key)
      : batch_norm(key.find(".bn") != std::string_view::npos),
        weight(key.ends_with(".weight")),
        mean(key.ends_with(".running_mean")),
        variance(key.ends_with(".running_var")) {}
};

Bytes hash_values(const KeySpec& spec) {
  const Leaf leaf(spec.key);
  const std::uint64_t seed = fnv1a64(spec.key);
  const std::int64_t count = *element_count(spec.shape);
  const auto spread = [&](double bound) {
    return floats(count, [=](std::uint64_t i) { return (2 * uniform(seed, i) - 1) * bound; });
  };
  if (leaf.variance) return floats(count, [=](std::uint64_t i) { return 0.5 + uniform(seed, i); });
  if (leaf.batch_norm && leaf.weight)
    return floats(count, [=](std::uint64_t i) { return 0.75 + 0.5 * uniform(seed, i); });
  if (leaf.mean || leaf.batch_norm) return spread(0.1);
  if (!leaf.weight) return spread(0.05);
  return spread(hash_gain(spec.key) * std::sqrt(6.0 / fan_in(spec.shape)));
}

/// `convolution` is the weight whose fan-in bounds a bias.
Bytes random_values(const KeySpec& spec, const Dims& convolution, std::uint64_t seed) {
  const Leaf leaf(spec.key);
  const std::int64_t count = *element_count(spec.shape);
  if (leaf.variance || (leaf.batch_norm && leaf.weight)) return floats(count, [](std::uint64_t) { return 1.0; });
  if (leaf.mean || leaf.batch_norm) return floats(count, [](std::uint64_t) { return 0.0; });
  const double bound = 1.0 / std::sqrt(fan_in(convolution));
  const std::uint64_t stream = mix(fnv1a64(spec.key) ^ mix(seed + 0x9e3779b97f4a7c15u));
  return floats(count, [=](std::uint64_t i) { return (2 * uniform(stream, i) - 1) * bound; });
}

std::vector<float> edge_matrix(const StarShape& shape) {
  if (star_edges(shape.points) == shape.edges) return *star_edge_matrix(shape.points);
  std::vector<float> matrix(static_cast<std::size_t>(shape.points * shape.edges), 0.0f);
  for (std::int64_t point = 0; point < shape.points; ++point) {
    const std::int64_t edge = point % (shape.edges + 1);
    if (edge < shape.edges) matrix[static_cast<std::size_t>(point * shape.edges + edge)] = 1.0f;
  }
  return matrix;
}

/// Points that lie on no edge are let through by the bias.
std::vector<float> edge_bias(const StarShape& shape, const std::vector<float>& matrix) {
  std::vector<float> bias(static_cast<std::size_t>(shape.points), 1.0f);
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    if (matrix[i] != 0) bias[i / static_cast<std::size_t>(shape.edges)] = 0.0f;
  }
  return bias;
}

/// The replaced tensors by key, checked against the network.
Result<std::map<std::string, Bytes>> read_heads(const std::filesystem::path& folder, const KeySpecs& specs) {
  std::map<std::string, Bytes> heads;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() != ".npy") continue;
    const std::string key = it->path().stem().string();
    const auto spec = std::find_if(specs.begin(), specs.end(), [&](const KeySpec& s) { return s.key == key; });
    if (spec == specs.end() || spec->role == KeyRole::counter) {
      return bad_input(ErrorCode::heads_wrong, fmt::format("'{}' is not a tensor of the network", key),
                       it->path().string(), "name the files KEY.npy, such as out_heatmaps.3.conv.weight.npy");
    }
    TRY(const formats::NpyArray array, formats::read_npy(it->path()));
    if (array.dtype != formats::ScalarType::float32 || array.shape != spec->shape) {
      return bad_input(ErrorCode::heads_wrong,
                       fmt::format("'{}' is {} {}, expected float32 {}", key, name(array.dtype), brief(array.shape),
                                   brief(spec->shape)),
                       it->path().string());
    }
    heads[key] = array.bytes;
  }
  if (error)
    return bad_input(ErrorCode::heads_wrong, fmt::format("cannot list the folder: {}", error.message()),
                     folder.string());
  if (heads.empty()) {
    return bad_input(ErrorCode::heads_wrong, "the folder holds no .npy files", folder.string(),
                     "name the files KEY.npy, such as out_heatmaps.3.conv.weight.npy");
  }
  return heads;
}

}  // namespace

Result<std::vector<SynthTensor>> synth_star(const StarShape& shape, const SynthOptions& options) {
  const KeySpecs specs = star_keys(shape);
  std::map<std::string, Bytes> heads;
  if (options.heads) {
    TRY(heads, read_heads(*options.heads, specs));
  }
  const std::vector<float> matrix = edge_matrix(shape);
  const auto fixed = [](Bytes bytes) { return [bytes] { return bytes; }; };
  std::vector<SynthTensor> tensors;
  tensors.reserve(specs.size());
  Dims convolution;
  for (const KeySpec& spec : specs) {
    if (spec.shape.size() == 4) convolution = spec.shape;
    SynthTensor& tensor = tensors.emplace_back(SynthTensor{spec.key, formats::ScalarType::float32, spec.shape, {}});
    if (const auto head = heads.find(spec.key); head != heads.end()) {
      tensor.make = fixed(head->second);
    } else if (spec.role == KeyRole::counter) {
      tensor.dtype = formats::ScalarType::int64;
      tensor.make = fixed(Bytes::owned(std::vector<std::byte>(sizeof(std::int64_t))));
    } else if (spec.key == "e2h_transform.weight") {
      tensor.make = fixed(Bytes::copy_of(std::span<const float>(matrix)));
    } else if (spec.key == "e2h_transform.bias") {
      tensor.make = fixed(Bytes::copy_of(std::span<const float>(edge_bias(shape, matrix))));
    } else if (options.weights == SynthWeights::hash) {
      tensor.make = [spec] { return hash_values(spec); };
    } else {
      tensor.make = [spec, convolution, seed = options.seed] { return random_values(spec, convolution, seed); };
    }
  }
  return tensors;
}

Result<std::vector<SynthTensor>> synth_star(const SynthOptions& options) {
  const auto edges = star_edges(options.points);
  if (!edges) {
    return Diagnostic{.blame = Blame::usage,
                      .code = ErrorCode::no_such_scheme,
                      .message = fmt::format("no labelling scheme with {} points is known", options.points),
                      .help = "98 (WFLW), 68 (300W) and 29 (COFW) are"};
  }
  if (options.stacks < 1 || options.stacks > kMostStacks) {
    return Diagnostic{.blame = Blame::usage,
                      .code = ErrorCode::no_such_scheme,
                      .message = fmt::format("{} stacks are out of range: 1 to {}", options.stacks, kMostStacks)};
  }
  StarShape shape;
  shape.points = options.points;
  shape.edges = *edges;
  shape.stacks = options.stacks;
  return synth_star(shape, options);
}

Result<formats::StateDict> to_state_dict(const std::vector<SynthTensor>& tensors, std::string name) {
  formats::StateDict state;
  state.file = std::move(name);
  for (const SynthTensor& tensor : tensors) {
    TRY_VOID(torch::append(state, tensor.key, tensor.dtype, tensor.shape, tensor.make()));
  }
  return state;
}

std::int64_t parameter_count(const KeySpecs& specs) {
  std::int64_t count = 0;
  for (const KeySpec& spec : specs) {
    if (spec.role == KeyRole::parameter || spec.role == KeyRole::dead) count += element_count(spec.shape).value_or(0);
  }
  return count;
}

}  // namespace anemone::models

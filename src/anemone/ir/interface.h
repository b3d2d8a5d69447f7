#pragma once
// What an application sees of a function: features with their Core ML types, sizes and metadata.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "anemone/ir/type.h"

namespace anemone {

/// Deployment target. Decides the opset ("CoreML7"), the specification version and the forms of operations.
enum class Target : std::uint8_t { ios13, ios14, ios15, ios16, ios17, ios18, ios26 };
int specification_version(Target target);    ///< ios15 → 6
std::string_view opset_name(Target target);  ///< ios17 → "CoreML7"
std::string_view name(Target target);        ///< "ios17"
std::optional<Target> target_from(std::string_view name);
std::optional<Target> target_from_opset(std::string_view opset);

struct SizeRange {
  std::int64_t lower = 0, upper = -1;  ///< inclusive; negative upper = no bound
  bool operator==(const SizeRange&) const = default;
};

enum class Color : std::uint8_t { gray, rgb, bgr, gray_fp16 };
std::string_view name(Color color);

/// One input, output or state of a function.
struct Feature {
  enum class Kind : std::uint8_t { array, image, int64, float64, string, dictionary, sequence, state };
  std::string name, description;
  Kind kind = Kind::array;
  bool optional = false;
  // array and state
  DType dtype = DType::fp32;
  Dims shape;                           ///< default shape; may be empty for outputs
  std::vector<Dims> shapes;             ///< enumerated
  std::vector<SizeRange> ranges;        ///< one a dimension
  std::optional<double> default_value;  ///< of an optional input
  DType default_type = DType::fp32;     ///< fp32, fp64 or int32: which of the three fields carries it
  // image
  Color color = Color::rgb;
  std::int64_t width = 0, height = 0;
  std::vector<std::pair<std::int64_t, std::int64_t>> sizes;   ///< enumerated (width, height)
  std::optional<std::pair<SizeRange, SizeRange>> size_range;  ///< width, height
  // dictionary, sequence
  bool string_keys = false;  ///< else int64
  SizeRange length;

  bool is_flexible() const { return !shapes.empty() || !ranges.empty() || !sizes.empty() || size_range; }
  bool operator==(const Feature&) const = default;
};

std::string_view name(Feature::Kind kind);  ///< "array", "float64"

struct Interface {
  std::vector<Feature> inputs, outputs, states;
  std::string predicted_feature, predicted_probabilities;  ///< classifiers
  const Feature* input(std::string_view name) const;
  const Feature* output(std::string_view name) const;
  bool operator==(const Interface&) const = default;
};

struct Metadata {
  std::string description, version, author, license;
  std::map<std::string, std::string> user;
  bool operator==(const Metadata&) const = default;
};

}  // namespace anemone

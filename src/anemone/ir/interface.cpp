// Targets, their opsets and the lookup of features.
#include "anemone/ir/interface.h"

#include <array>

namespace anemone {
namespace {

struct TargetRow {
  Target target;
  std::string_view name, opset;
  int specification;
};
constexpr std::array<TargetRow, 7> kTargets{{
    {Target::ios13, "ios13", "CoreML3", 4},
    {Target::ios14, "ios14", "CoreML4", 5},
    {Target::ios15, "ios15", "CoreML5", 6},
    {Target::ios16, "ios16", "CoreML6", 7},
    {Target::ios17, "ios17", "CoreML7", 8},
    {Target::ios18, "ios18", "CoreML8", 9},
    {Target::ios26, "ios26", "CoreML9", 10},
}};
const TargetRow& row(Target target) { return kTargets[static_cast<std::size_t>(target)]; }

const Feature* find(const std::vector<Feature>& features, std::string_view name) {
  for (const Feature& feature : features) {
    if (feature.name == name) return &feature;
  }
  return nullptr;
}

}  // namespace

std::string_view name(Feature::Kind kind) {
  switch (kind) {
    case Feature::Kind::array:
      return "array";
    case Feature::Kind::image:
      return "image";
    case Feature::Kind::int64:
      return "int64";
    case Feature::Kind::float64:
      return "float64";
    case Feature::Kind::string:
      return "string";
    case Feature::Kind::dictionary:
      return "dictionary";
    case Feature::Kind::sequence:
      return "sequence";
    case Feature::Kind::state:
      return "state";
  }
  return {};
}

int specification_version(Target target) { return row(target).specification; }
std::string_view opset_name(Target target) { return row(target).opset; }
std::string_view name(Target target) { return row(target).name; }

std::optional<Target> target_from(std::string_view name) {
  for (const TargetRow& r : kTargets) {
    if (r.name == name) return r.target;
  }
  return std::nullopt;
}

std::optional<Target> target_from_opset(std::string_view opset) {
  for (const TargetRow& r : kTargets) {
    if (r.opset == opset) return r.target;
  }
  return std::nullopt;
}

std::string_view name(Color color) {
  switch (color) {
    case Color::gray:
      return "gray";
    case Color::rgb:
      return "rgb";
    case Color::bgr:
      return "bgr";
    case Color::gray_fp16:
      return "gray-fp16";
  }
  return {};
}

const Feature* Interface::input(std::string_view name) const { return find(inputs, name); }
const Feature* Interface::output(std::string_view name) const { return find(outputs, name); }

}  // namespace anemone

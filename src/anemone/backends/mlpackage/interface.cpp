// Features of a model file, kind by kind.
#include "anemone/backends/mlpackage/interface.h"

namespace anemone::mlpackage {
namespace {

namespace milspec = formats::milspec;

milspec::SizeRange range(const SizeRange& from) { return {static_cast<std::uint64_t>(from.lower), from.upper}; }

milspec::ArrayDataType array_type(DType dtype) {
  switch (dtype) {
    case DType::fp16:
      return milspec::ArrayDataType::float16;
    case DType::fp64:
      return milspec::ArrayDataType::float64;
    case DType::int8:
      return milspec::ArrayDataType::int8;
    case DType::int32:
      return milspec::ArrayDataType::int32;
    default:
      return milspec::ArrayDataType::float32;
  }
}

milspec::ArrayType write_array(const Feature& from) {
  milspec::ArrayType to;
  to.shape = from.shape;
  to.dtype = array_type(from.dtype);
  if (!from.shapes.empty()) to.flexibility = milspec::EnumeratedShapes(from.shapes);
  if (!from.ranges.empty()) {
    milspec::ShapeRange ranges;
    for (const SizeRange& r : from.ranges) ranges.push_back(range(r));
    to.flexibility = std::move(ranges);
  }
  if (from.default_value) {
    if (from.default_type == DType::int32) to.default_value = static_cast<std::int32_t>(*from.default_value);
    if (from.default_type == DType::fp32) to.default_value = static_cast<float>(*from.default_value);
    if (from.default_type == DType::fp64) to.default_value = *from.default_value;
  }
  return to;
}

milspec::ImageType write_image(const Feature& from) {
  milspec::ImageType to;
  to.width = from.width;
  to.height = from.height;
  switch (from.color) {
    case Color::gray:
      to.color_space = milspec::ColorSpace::grayscale;
      break;
    case Color::rgb:
      to.color_space = milspec::ColorSpace::rgb;
      break;
    case Color::bgr:
      to.color_space = milspec::ColorSpace::bgr;
      break;
    case Color::gray_fp16:
      to.color_space = milspec::ColorSpace::grayscale_float16;
      break;
  }
  if (!from.sizes.empty()) {
    std::vector<milspec::ImageSize> sizes;
    for (const auto& [width, height] : from.sizes) {
      sizes.push_back({static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height)});
    }
    to.flexibility = std::move(sizes);
  }
  if (from.size_range)
    to.flexibility = milspec::ImageSizeRange{range(from.size_range->first), range(from.size_range->second)};
  return to;
}

milspec::FeatureDescription write_feature(const Feature& from) {
  milspec::FeatureDescription to;
  to.name = from.name;
  to.short_description = from.description;
  to.type.is_optional = from.optional;
  switch (from.kind) {
    case Feature::Kind::array:
      to.type.type = write_array(from);
      break;
    case Feature::Kind::image:
      to.type.type = write_image(from);
      break;
    case Feature::Kind::int64:
      to.type.type = milspec::Int64Type{};
      break;
    case Feature::Kind::float64:
      to.type.type = milspec::DoubleType{};
      break;
    case Feature::Kind::string:
      to.type.type = milspec::StringType{};
      break;
    case Feature::Kind::dictionary: {
      milspec::DictionaryType dictionary;
      if (from.string_keys) {
        dictionary.key = milspec::StringType{};
      } else {
        dictionary.key = milspec::Int64Type{};
      }
      to.type.type = dictionary;
      break;
    }
    case Feature::Kind::sequence: {
      milspec::SequenceType sequence;
      if (from.string_keys) {
        sequence.element = milspec::StringType{};
      } else {
        sequence.element = milspec::Int64Type{};
      }
      if (!(from.length == SizeRange{})) sequence.size_range = range(from.length);
      to.type.type = sequence;
      break;
    }
    case Feature::Kind::state:
      to.type.type = milspec::StateType{write_array(from)};
      break;
  }
  return to;
}

std::vector<milspec::FeatureDescription> write_features(const std::vector<Feature>& from) {
  std::vector<milspec::FeatureDescription> to;
  for (const Feature& feature : from) to.push_back(write_feature(feature));
  return to;
}

}  // namespace

milspec::Interface write_interface(const Interface& from) {
  return {write_features(from.inputs), write_features(from.outputs), write_features(from.states),
          from.predicted_feature, from.predicted_probabilities};
}

milspec::Metadata write_metadata(const Metadata& from) {
  milspec::Metadata to{from.description, from.version, from.author, from.license, {}};
  for (const auto& [key, value] : from.user) to.user_defined.push_back({key, value});
  return to;
}

}  // namespace anemone::mlpackage

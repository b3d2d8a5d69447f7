// Features of a model file, kind by kind.
#include "anemone/frontends/mlpackage/interface.h"

#include <fmt/format.h>

namespace anemone::mlpackage {
namespace {

namespace milspec = formats::milspec;

SizeRange range(const milspec::SizeRange& from) { return {static_cast<std::int64_t>(from.lower), from.upper}; }

Result<DType> array_dtype(milspec::ArrayDataType type, const std::string& feature, std::string_view place) {
  switch (type) {
    case milspec::ArrayDataType::float16:
      return DType::fp16;
    case milspec::ArrayDataType::float32:
      return DType::fp32;
    case milspec::ArrayDataType::float64:
      return DType::fp64;
    case milspec::ArrayDataType::int8:
      return DType::int8;
    case milspec::ArrayDataType::int32:
      return DType::int32;
    case milspec::ArrayDataType::invalid:
      break;
  }
  return bad_input(ErrorCode::unknown_array_type,
                   fmt::format("feature '{}' has the array data type {}, which does not exist", feature,
                               static_cast<unsigned>(type)),
                   std::string(place));
}

Result<void> read_array(const milspec::ArrayType& from, Feature& to, std::string_view place) {
  TRY(to.dtype, array_dtype(from.dtype, to.name, place));
  to.shape = from.shape;
  if (const auto* shapes = std::get_if<milspec::EnumeratedShapes>(&from.flexibility)) to.shapes = *shapes;
  if (const auto* ranges = std::get_if<milspec::ShapeRange>(&from.flexibility)) {
    for (const milspec::SizeRange& r : *ranges) to.ranges.push_back(range(r));
  }
  if (const auto* v = std::get_if<std::int32_t>(&from.default_value)) {
    to.default_value = *v;
    to.default_type = DType::int32;
  } else if (const auto* f = std::get_if<float>(&from.default_value)) {
    to.default_value = *f;
    to.default_type = DType::fp32;
  } else if (const auto* d = std::get_if<double>(&from.default_value)) {
    to.default_value = *d;
    to.default_type = DType::fp64;
  }
  return {};
}

Result<void> read_image(const milspec::ImageType& from, Feature& to, std::string_view place) {
  switch (from.color_space) {
    case milspec::ColorSpace::grayscale:
      to.color = Color::gray;
      break;
    case milspec::ColorSpace::rgb:
      to.color = Color::rgb;
      break;
    case milspec::ColorSpace::bgr:
      to.color = Color::bgr;
      break;
    case milspec::ColorSpace::grayscale_float16:
      to.color = Color::gray_fp16;
      break;
    case milspec::ColorSpace::invalid:
      return bad_input(ErrorCode::unknown_color_space,
                       fmt::format("image feature '{}' has no valid colour space", to.name), std::string(place));
  }
  to.width = from.width;
  to.height = from.height;
  if (const auto* sizes = std::get_if<std::vector<milspec::ImageSize>>(&from.flexibility)) {
    for (const milspec::ImageSize& s : *sizes) {
      to.sizes.emplace_back(static_cast<std::int64_t>(s.width), static_cast<std::int64_t>(s.height));
    }
  }
  if (const auto* r = std::get_if<milspec::ImageSizeRange>(&from.flexibility)) {
    to.size_range = std::pair(range(r->width), range(r->height));
  }
  return {};
}

Result<Feature> read_feature(const milspec::FeatureDescription& from, std::string_view place) {
  Feature to;
  to.name = from.name;
  to.description = from.short_description;
  to.optional = from.type.is_optional;
  const auto& type = from.type.type;
  if (const auto* array = std::get_if<milspec::ArrayType>(&type)) {
    TRY_VOID(read_array(*array, to, place));
  } else if (const auto* image = std::get_if<milspec::ImageType>(&type)) {
    to.kind = Feature::Kind::image;
    TRY_VOID(read_image(*image, to, place));
  } else if (std::holds_alternative<milspec::Int64Type>(type)) {
    to.kind = Feature::Kind::int64;
  } else if (std::holds_alternative<milspec::DoubleType>(type)) {
    to.kind = Feature::Kind::float64;
  } else if (std::holds_alternative<milspec::StringType>(type)) {
    to.kind = Feature::Kind::string;
  } else if (const auto* dictionary = std::get_if<milspec::DictionaryType>(&type)) {
    to.kind = Feature::Kind::dictionary;
    to.string_keys = std::holds_alternative<milspec::StringType>(dictionary->key);
  } else if (const auto* sequence = std::get_if<milspec::SequenceType>(&type)) {
    to.kind = Feature::Kind::sequence;
    to.string_keys = std::holds_alternative<milspec::StringType>(sequence->element);
    if (sequence->size_range) to.length = range(*sequence->size_range);
  } else if (const auto* state = std::get_if<milspec::StateType>(&type)) {
    to.kind = Feature::Kind::state;
    if (state->array) TRY_VOID(read_array(*state->array, to, place));
  } else {
    return bad_input(ErrorCode::feature_without_type, fmt::format("feature '{}' has no type", to.name),
                     std::string(place));
  }
  return to;
}

Result<std::vector<Feature>> read_features(const std::vector<milspec::FeatureDescription>& from,
                                           std::string_view place) {
  std::vector<Feature> to;
  for (const milspec::FeatureDescription& description : from) {
    TRY(Feature feature, read_feature(description, place));
    to.push_back(std::move(feature));
  }
  return to;
}

}  // namespace

Result<Interface> read_interface(const milspec::Interface& from, std::string_view place) {
  Interface to;
  TRY(to.inputs, read_features(from.inputs, place));
  TRY(to.outputs, read_features(from.outputs, place));
  TRY(to.states, read_features(from.states, place));
  to.predicted_feature = from.predicted_feature_name;
  to.predicted_probabilities = from.predicted_probabilities_name;
  return to;
}

Metadata read_metadata(const milspec::Metadata& from) {
  Metadata to{from.short_description, from.version, from.author, from.license, {}};
  for (const auto& entry : from.user_defined) to.user[entry.key] = entry.value;
  return to;
}

}  // namespace anemone::mlpackage

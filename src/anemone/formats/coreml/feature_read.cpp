// FeatureTypes.proto -> structs: what the inputs, outputs and states of a Core ML model are.
#include <fmt/format.h>

#include "anemone/formats/coreml/spec_wire.h"

namespace anemone::formats::milspec::wire {

using protobuf::bytes_field;
using protobuf::field;
using protobuf::Message;
using protobuf::message_field;
using protobuf::read;
using protobuf::tagged;
using protobuf::varint_field;

namespace {

SizeRange read_size_range(Message& message) {
  SizeRange range;
  read(message, field(1, range.lower), field(2, range.upper));
  return range;
}

ImageSize read_image_size(Message& message) {
  ImageSize size;
  read(message, field(1, size.width), field(2, size.height));
  return size;
}

ImageSizeRange read_image_size_range(Message& message) {
  ImageSizeRange range;
  read(message, field(1, range.width, read_size_range), field(2, range.height, read_size_range));
  return range;
}

/// A message with the single repeated message field 1.
template <class Make>
auto list_of(Make make) {
  return [make](Message& message) {
    std::vector<std::invoke_result_t<Make, Message&>> list;
    read(message, field(1, list, make));
    return list;
  };
}

ImageType read_image_type(Message& message) {
  ImageType image;
  const auto set_color_space = [&](Message& m) {
    const std::int32_t number = m.get_int32();
    if (number != 0 && number != 10 && number != 20 && number != 30 && number != 40) {
      inconsistent(fmt::format("unknown colour space number {}", number));
    }
    image.color_space = static_cast<ColorSpace>(number);
  };
  read(message, field(1, image.width), field(2, image.height), tagged(varint_field(3), set_color_space),
       field(21, image.flexibility, list_of(read_image_size)), field(31, image.flexibility, read_image_size_range));
  return image;
}

std::vector<std::int64_t> read_shape(Message& message) {
  std::vector<std::int64_t> shape;
  read(message, field(1, shape));
  return shape;
}

ArrayType read_array_type(Message& message) {
  ArrayType array;
  const auto set_dtype = [&](Message& m) {
    const std::int32_t number = m.get_int32();
    array.dtype = static_cast<ArrayDataType>(number);
    switch (array.dtype) {
      case ArrayDataType::invalid:
      case ArrayDataType::float16:
      case ArrayDataType::float32:
      case ArrayDataType::float64:
      case ArrayDataType::int8:
      case ArrayDataType::int32:
        break;
      default:
        inconsistent(fmt::format("unknown array element type number {}", number));
    }
  };
  const auto set_default = [&](auto value) { array.default_value = value; };
  read(message, field(1, array.shape), tagged(varint_field(2), set_dtype),
       field(21, array.flexibility, list_of(read_shape)), field(31, array.flexibility, list_of(read_size_range)),
       tagged(varint_field(41), [&](Message& m) { set_default(m.get_int32()); }),
       tagged(protobuf::fixed32_field(51), [&](Message& m) { set_default(m.get_float()); }),
       tagged(protobuf::fixed64_field(61), [&](Message& m) { set_default(m.get_double()); }));
  return array;
}

/// A member of a oneof whose message says nothing: that it is there is all.
template <class Empty, class Variant>
auto member(std::uint32_t number, Variant& variant) {
  return tagged(bytes_field(number), [&](Message& m) {
    variant = Empty{};
    m.skip();
  });
}

DictionaryType read_dictionary_type(Message& message) {
  DictionaryType dictionary;
  read(message, member<Int64Type>(1, dictionary.key), member<StringType>(2, dictionary.key));
  return dictionary;
}

SequenceType read_sequence_type(Message& message) {
  SequenceType sequence;
  read(message, member<Int64Type>(1, sequence.element), member<StringType>(3, sequence.element),
       field(101, sequence.size_range, read_size_range));
  return sequence;
}

StateType read_state_type(Message& message) {
  StateType state;
  read(message, field(1, state.array, read_array_type));
  return state;
}

FeatureType read_feature_type(Message& message) {
  FeatureType feature;
  read(message, member<Int64Type>(1, feature.type), member<DoubleType>(2, feature.type),
       member<StringType>(3, feature.type), field(4, feature.type, read_image_type),
       field(5, feature.type, read_array_type), field(6, feature.type, read_dictionary_type),
       field(7, feature.type, read_sequence_type), field(8, feature.type, read_state_type),
       field(1000, feature.is_optional));
  return feature;
}

}  // namespace

FeatureDescription read_feature(Message& message) {
  FeatureDescription feature;
  read(message, field(1, feature.name), field(2, feature.short_description), field(3, feature.type, read_feature_type));
  return feature;
}

}  // namespace anemone::formats::milspec::wire

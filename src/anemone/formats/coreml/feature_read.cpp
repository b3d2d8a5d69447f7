// FeatureTypes.proto -> structs: what the inputs, outputs and states of a Core ML model are.
#include <fmt/format.h>

#include "anemone/formats/coreml/spec_wire.h"

namespace anemone::milspec::wire {

using protobuf::bytes_field;
using protobuf::fixed32_field;
using protobuf::fixed64_field;
using protobuf::Message;
using protobuf::varint_field;

namespace {

SizeRange read_size_range(Message& message) {
  SizeRange range;
  while (message.next()) {
    switch (message.field()) {
      case varint_field(1):
        range.lower = message.get_uint64();
        break;
      case varint_field(2):
        range.upper = message.get_int64();
        break;
      default:
        message.skip();
    }
  }
  return range;
}

ImageSize read_image_size(Message& message) {
  ImageSize size;
  while (message.next()) {
    switch (message.field()) {
      case varint_field(1):
        size.width = message.get_uint64();
        break;
      case varint_field(2):
        size.height = message.get_uint64();
        break;
      default:
        message.skip();
    }
  }
  return size;
}

ImageSizeRange read_image_size_range(Message& message) {
  ImageSizeRange range;
  while (message.next()) {
    switch (message.field()) {
      case bytes_field(1):
        range.width = message.get_message(read_size_range);
        break;
      case bytes_field(2):
        range.height = message.get_message(read_size_range);
        break;
      default:
        message.skip();
    }
  }
  return range;
}

/// A message with the single repeated message field 1.
template <class Read>
auto read_list(Message& message, Read&& read) {
  std::vector<std::invoke_result_t<Read, Message&>> list;
  while (message.next()) {
    if (message.field() == bytes_field(1)) {
      list.push_back(message.get_message(read));
    } else {
      message.skip();
    }
  }
  return list;
}

ImageType read_image_type(Message& message) {
  ImageType image;
  while (message.next()) {
    switch (message.field()) {
      case varint_field(1):
        image.width = message.get_int64();
        break;
      case varint_field(2):
        image.height = message.get_int64();
        break;
      case varint_field(3): {
        const std::int32_t number = message.get_int32();
        if (number != 0 && number != 10 && number != 20 && number != 30 && number != 40) {
          inconsistent(fmt::format("unknown colour space number {}", number));
        }
        image.color_space = static_cast<ColorSpace>(number);
        break;
      }
      case bytes_field(21):
        image.flexibility = message.get_message([](Message& m) { return read_list(m, read_image_size); });
        break;
      case bytes_field(31):
        image.flexibility = message.get_message(read_image_size_range);
        break;
      default:
        message.skip();
    }
  }
  return image;
}

void read_int64s(Message& message, std::vector<std::int64_t>& numbers) {
  if (message.field() == varint_field(1)) {
    numbers.push_back(message.get_int64());
  } else {
    message.get_packed([&](std::uint64_t number) { numbers.push_back(static_cast<std::int64_t>(number)); });
  }
}

std::vector<std::int64_t> read_shape(Message& message) {
  std::vector<std::int64_t> shape;
  while (message.next()) {
    if (message.field() == varint_field(1) || message.field() == bytes_field(1)) {
      read_int64s(message, shape);
    } else {
      message.skip();
    }
  }
  return shape;
}

ArrayType read_array_type(Message& message) {
  ArrayType array;
  while (message.next()) {
    switch (message.field()) {
      case varint_field(1):
      case bytes_field(1):
        read_int64s(message, array.shape);
        break;
      case varint_field(2): {
        const std::int32_t number = message.get_int32();
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
        break;
      }
      case bytes_field(21):
        array.flexibility = message.get_message([](Message& m) { return read_list(m, read_shape); });
        break;
      case bytes_field(31):
        array.flexibility = message.get_message([](Message& m) { return read_list(m, read_size_range); });
        break;
      case varint_field(41):
        array.default_value = message.get_int32();
        break;
      case fixed32_field(51):
        array.default_value = message.get_float();
        break;
      case fixed64_field(61):
        array.default_value = message.get_double();
        break;
      default:
        message.skip();
    }
  }
  return array;
}

/// Dictionary keys and sequence elements: int64 in field 1, string in the field given.
template <class Variant>
void read_key(Message& message, Variant& key, std::uint32_t string_number) {
  if (message.field() == bytes_field(1)) {
    key = Int64Type{};
  } else if (message.field() == bytes_field(string_number)) {
    key = StringType{};
  }
  message.skip();
}

FeatureType read_feature_type(Message& message) {
  FeatureType feature;
  while (message.next()) {
    const std::uint32_t field = message.field();
    switch (field) {
      case bytes_field(1):
        feature.type = Int64Type{};
        message.skip();
        break;
      case bytes_field(2):
        feature.type = DoubleType{};
        message.skip();
        break;
      case bytes_field(3):
        feature.type = StringType{};
        message.skip();
        break;
      case bytes_field(4):
        feature.type = message.get_message(read_image_type);
        break;
      case bytes_field(5):
        feature.type = message.get_message(read_array_type);
        break;
      case bytes_field(6): {
        DictionaryType dictionary;
        message.get_message([&](Message& m) {
          while (m.next()) read_key(m, dictionary.key, 2);
        });
        feature.type = dictionary;
        break;
      }
      case bytes_field(7): {
        SequenceType sequence;
        message.get_message([&](Message& m) {
          while (m.next()) {
            if (m.field() == bytes_field(101)) {
              sequence.size_range = m.get_message(read_size_range);
            } else {
              read_key(m, sequence.element, 3);
            }
          }
        });
        feature.type = sequence;
        break;
      }
      case bytes_field(8): {
        StateType state;
        message.get_message([&](Message& m) {
          while (m.next()) {
            if (m.field() == bytes_field(1)) {
              state.array = m.get_message(read_array_type);
            } else {
              m.skip();
            }
          }
        });
        feature.type = std::move(state);
        break;
      }
      case varint_field(1000):
        feature.is_optional = message.get_bool();
        break;
      default:
        message.skip();
    }
  }
  return feature;
}

}  // namespace

FeatureDescription read_feature(Message& message) {
  FeatureDescription feature;
  while (message.next()) {
    switch (message.field()) {
      case bytes_field(1):
        feature.name = message.get_text();
        break;
      case bytes_field(2):
        feature.short_description = message.get_text();
        break;
      case bytes_field(3):
        feature.type = message.get_message(read_feature_type);
        break;
      default:
        message.skip();
    }
  }
  return feature;
}

}  // namespace anemone::milspec::wire

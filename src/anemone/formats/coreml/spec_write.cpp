// Interface and metadata of Core ML models: structs -> protobuf, canonically.
#include <fmt/format.h>

#include "anemone/formats/coreml/spec_wire.h"

namespace anemone::formats::milspec {

namespace {

using wire::add_text;
using wire::nested;
using wire::Output;
using Writer = protozero::pbf_writer;

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

constexpr auto kEmpty = [](Writer&) {};

void write_size_range(Writer& writer, const SizeRange& range) {
  if (range.lower != 0) writer.add_uint64(1, range.lower);
  if (range.upper != 0) writer.add_int64(2, range.upper);
}

void write_image_type(Writer& writer, Output& out, const ImageType& image) {
  if (image.width != 0) writer.add_int64(1, image.width);
  if (image.height != 0) writer.add_int64(2, image.height);
  if (image.color_space != ColorSpace::invalid) writer.add_enum(3, static_cast<std::int32_t>(image.color_space));
  std::visit(Overloaded{[](std::monostate) {},
                        [&](const std::vector<ImageSize>& sizes) {
                          nested(writer, out, 21, [&](Writer& w) {
                            for (const ImageSize& size : sizes) {
                              nested(w, out, 1, [&](Writer& s) {
                                if (size.width != 0) s.add_uint64(1, size.width);
                                if (size.height != 0) s.add_uint64(2, size.height);
                              });
                            }
                          });
                        },
                        [&](const ImageSizeRange& range) {
                          nested(writer, out, 31, [&](Writer& w) {
                            nested(w, out, 1, [&](Writer& r) { write_size_range(r, range.width); });
                            nested(w, out, 2, [&](Writer& r) { write_size_range(r, range.height); });
                          });
                        }},
             image.flexibility);
}

void write_array_type(Writer& writer, Output& out, const ArrayType& array) {
  writer.add_packed_int64(1, array.shape.begin(), array.shape.end());
  if (array.dtype != ArrayDataType::invalid) writer.add_enum(2, static_cast<std::int32_t>(array.dtype));
  std::visit(Overloaded{[](std::monostate) {},
                        [&](const EnumeratedShapes& shapes) {
                          nested(writer, out, 21, [&](Writer& w) {
                            for (const auto& shape : shapes) {
                              nested(w, out, 1, [&](Writer& s) { s.add_packed_int64(1, shape.begin(), shape.end()); });
                            }
                          });
                        },
                        [&](const ShapeRange& ranges) {
                          nested(writer, out, 31, [&](Writer& w) {
                            for (const SizeRange& range : ranges) {
                              nested(w, out, 1, [&](Writer& r) { write_size_range(r, range); });
                            }
                          });
                        }},
             array.flexibility);
  std::visit(Overloaded{[](std::monostate) {}, [&](std::int32_t number) { writer.add_int32(41, number); },
                        [&](float number) { writer.add_float(51, number); },
                        [&](double number) { writer.add_double(61, number); }},
             array.default_value);
}

template <class Variant>
void write_key(Writer& writer, Output& out, const Variant& key, std::uint32_t string_number) {
  if (std::holds_alternative<Int64Type>(key)) nested(writer, out, 1, kEmpty);
  if (std::holds_alternative<StringType>(key)) nested(writer, out, string_number, kEmpty);
}

void write_feature_type(Writer& writer, Output& out, const FeatureType& feature) {
  std::visit(
      Overloaded{
          [](std::monostate) {}, [&](const Int64Type&) { nested(writer, out, 1, kEmpty); },
          [&](const DoubleType&) { nested(writer, out, 2, kEmpty); },
          [&](const StringType&) { nested(writer, out, 3, kEmpty); },
          [&](const ImageType& image) { nested(writer, out, 4, [&](Writer& w) { write_image_type(w, out, image); }); },
          [&](const ArrayType& array) { nested(writer, out, 5, [&](Writer& w) { write_array_type(w, out, array); }); },
          [&](const DictionaryType& dictionary) {
            nested(writer, out, 6, [&](Writer& w) { write_key(w, out, dictionary.key, 2); });
          },
          [&](const SequenceType& sequence) {
            nested(writer, out, 7, [&](Writer& w) {
              write_key(w, out, sequence.element, 3);
              if (sequence.size_range) {
                nested(w, out, 101, [&](Writer& r) { write_size_range(r, *sequence.size_range); });
              }
            });
          },
          [&](const StateType& state) {
            nested(writer, out, 8, [&](Writer& w) {
              if (state.array) nested(w, out, 1, [&](Writer& a) { write_array_type(a, out, *state.array); });
            });
          }},
      feature.type);
  if (feature.is_optional) writer.add_bool(1000, true);
}

void write_features(Writer& writer, Output& out, std::uint32_t number,
                    const std::vector<FeatureDescription>& features) {
  for (const FeatureDescription& feature : features) {
    nested(writer, out, number, [&](Writer& w) {
      add_text(w, 1, feature.name);
      add_text(w, 2, feature.short_description);
      nested(w, out, 3, [&](Writer& t) { write_feature_type(t, out, feature.type); });
    });
  }
}

void write_metadata(Writer& writer, Output& out, const Metadata& metadata) {
  add_text(writer, 1, metadata.short_description);
  add_text(writer, 2, metadata.version);
  add_text(writer, 3, metadata.author);
  add_text(writer, 4, metadata.license);
  for (const Entry<std::string>* entry : wire::sorted(metadata.user_defined)) {
    nested(writer, out, 100, [&](Writer& w) {
      w.add_string(1, entry->key);
      w.add_string(2, entry->value);
    });
  }
}

void write_description(Writer& writer, Output& out, const ModelDescription& description) {
  const Interface& interface = description.interface;
  write_features(writer, out, 1, interface.inputs);
  write_features(writer, out, 10, interface.outputs);
  add_text(writer, 11, interface.predicted_feature_name);
  add_text(writer, 12, interface.predicted_probabilities_name);
  write_features(writer, out, 13, interface.states);
  for (const Entry<Interface>& function : description.functions) {
    nested(writer, out, 20, [&](Writer& w) {
      add_text(w, 1, function.key);
      write_features(w, out, 2, function.value.inputs);
      write_features(w, out, 3, function.value.outputs);
      add_text(w, 4, function.value.predicted_feature_name);
      add_text(w, 5, function.value.predicted_probabilities_name);
      write_features(w, out, 6, function.value.states);
    });
  }
  add_text(writer, 21, description.default_function_name);
  write_features(writer, out, 50, description.training_inputs);
  if (description.metadata) {
    nested(writer, out, 100, [&](Writer& w) { write_metadata(w, out, *description.metadata); });
  }
}

}  // namespace

Result<std::string> write_model(const Model& model) {
  Output out;
  try {
    Writer writer(out.bytes);
    out.depth = 1;  // the model itself
    if (model.specification_version != 0) writer.add_int32(1, model.specification_version);
    nested(writer, out, 2, [&](Writer& w) { write_description(w, out, model.description); });
    if (model.is_updatable) writer.add_bool(10, true);
    nested(writer, out, 502, [&](Writer& w) { wire::write_program(w, out, model.program); });
    if (out.bytes.size() > wire::kMaxBytes) throw protobuf::ParseError(ErrorCode::own_bug, wire::kTooLarge);
  } catch (const protobuf::ParseError& error) {
    return own_bug(error.what(), "writing a Core ML model");
  } catch (const std::bad_alloc&) {
    return bad_environment(ErrorCode::out_of_memory, "out of memory while writing a Core ML model");
  }
  return std::move(out.bytes);
}

}  // namespace anemone::formats::milspec

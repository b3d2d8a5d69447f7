// What is known of a model's points and pixels, from the checkpoint or from metadata.
#include <charconv>

#include "anemone/toolchain/model.h"

namespace anemone::toolchain {

namespace {

// The side of an image input, else what the package says, else that of a map: a program may have been made for another
// size since the package was written, and a map's channels may come last.
std::int64_t side_of(const Program& program) {
  std::int64_t side = 256;
  const Interface& interface = program.main().interface;
  for (const Feature& input : interface.inputs) {
    if (input.kind == Feature::Kind::array && input.shape.size() == 4) side = input.shape[3];
  }
  const auto& user = program.metadata.user;
  if (const auto crop = user.find(std::string(kMetaCrop)); crop != user.end())
    std::from_chars(crop->second.data(), crop->second.data() + crop->second.size(), side);
  for (const Feature& input : interface.inputs) {
    if (input.kind == Feature::Kind::image) side = input.width;
  }
  return side;
}

std::int64_t points_of(const Value& output) {
  const Dims& dims = output.type.dims;
  const bool fits = output.type.is_tensor() && dims.size() == 3 && dims[0] == 1 && dims[1] > 1 && dims[2] == 2;
  return fits ? dims[1] : 0;
}

}  // namespace

std::optional<LandmarkInfo> landmark_info(const Model& model) {
  if (model.network) {
    if (!model.network->landmarks) return std::nullopt;
    return LandmarkInfo{*model.network->landmarks, model.network->width};
  }
  const auto& user = model.program->metadata.user;
  const auto output = user.find(std::string(kMetaLandmarks));
  if (output == user.end()) return std::nullopt;
  const Function& main = model.program->main();
  LandmarkInfo info;
  info.output = output->second;
  info.crop_size = side_of(*model.program);
  if (const auto found = user.find(std::string(kMetaCoordinates)); found != user.end())
    info.coordinates = models::coordinates_from(found->second).value_or(info.coordinates);
  std::int64_t said = 0;
  if (const auto points = user.find(std::string(kMetaPoints)); points != user.end())
    std::from_chars(points->second.data(), points->second.data() + points->second.size(), said);
  for (const Value* value : main.body.outputs()) {
    if (value->name != info.output || !value->type.is_tensor()) continue;
    info.points = points_of(*value);
    if (said > 0 && value->type.dims == Dims{1, 2 * said}) info.points = said;
  }
  if (info.points == 0) return std::nullopt;
  info.eye_corners = models::outer_eye_corners(info.points);
  return info;
}

std::optional<models::Preprocessing> trained_preprocessing(const Model& model) {
  if (model.network) return model.network->preprocessing;
  if (!model.program) return std::nullopt;
  const auto& user = model.program->metadata.user;
  const auto network = user.find(std::string(kMetaNetwork));
  return network == user.end() ? std::nullopt : models::trained_preprocessing(network->second);
}

std::optional<LandmarkInfo> landmark_output_by_shape(const Model& model, std::int64_t points) {
  if (model.network || model.program->metadata.user.contains(std::string(kMetaNetwork))) return std::nullopt;
  std::optional<LandmarkInfo> found;
  for (const Value* value : model.program->main().body.outputs()) {
    const std::int64_t here = points_of(*value);
    if (here == 0 || (points != 0 && here != points)) continue;
    found.emplace();
    found->output = value->name;
    found->points = here;
    found->crop_size = side_of(*model.program);
    found->eye_corners = models::outer_eye_corners(here);
  }
  return found;
}

}  // namespace anemone::toolchain

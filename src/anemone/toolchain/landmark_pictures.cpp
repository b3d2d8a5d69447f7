// Both networks on the same pictures, one engine at a time.
#include "anemone/toolchain/landmark_pictures.h"

#include <algorithm>
#include <cmath>

#include "anemone/formats/image/image.h"
#include "anemone/toolchain/face_pictures.h"

namespace anemone::toolchain {
namespace {

/// A session that runs pictures, and its output of points.
struct PointNetwork {
  Session session;
  LandmarkInfo info;
  std::size_t output = 0;
};

Result<std::optional<PointNetwork>> open_network(const Model& model, std::int64_t points, const SessionOptions& options,
                                                 const InputFile& picture) {
  const auto info = landmark_info(model) ? landmark_info(model) : landmark_output_by_shape(model, points);
  if (!info) return std::optional<PointNetwork>();
  TRY(Session session, Session::open(model, {picture}, options));
  const auto& outputs = session.function().body.outputs();
  const auto at = std::find_if(outputs.begin(), outputs.end(), [&](const Value* v) { return v->name == info->output; });
  if (at == outputs.end()) return std::optional<PointNetwork>();
  return std::optional(PointNetwork{std::move(session), *info, static_cast<std::size_t>(at - outputs.begin())});
}

/// Of the network's output, in pixels from the picture's upper left corner.
PointList points_of(const Array& output, const LandmarkInfo& info, const InputFile& picture) {
  using Coordinates = models::Landmarks::Coordinates;
  PointList points;
  for (std::size_t p = 0; p < static_cast<std::size_t>(info.points); ++p) {
    std::array<double, 2> point{output.data[2 * p], output.data[2 * p + 1]};
    const double sides[] = {static_cast<double>(picture.width), static_cast<double>(picture.height)};
    for (std::size_t axis = 0; axis < 2; ++axis) {
      if (info.coordinates == Coordinates::centred) point[axis] = (point[axis] + 1) / 2 * sides[axis];
      if (info.coordinates == Coordinates::unit) point[axis] *= sides[axis];
      if (info.coordinates == Coordinates::pixels) point[axis] += 0.5;
    }
    points.push_back(point);
  }
  return points;
}

Result<std::vector<PointList>> run_all(PointNetwork& network, const std::vector<InputFile>& pictures) {
  std::vector<PointList> answers;
  for (const InputFile& picture : pictures) {
    TRY(const std::vector<Array> arrays, network.session.bind({picture}));
    TRY(const std::vector<Array> outputs, network.session.run(arrays));
    answers.push_back(points_of(outputs[network.output], network.info, picture));
  }
  network.session.release();
  return answers;
}

Result<ReportPicture> picture_of(const InputFile& input, PointList before, PointList after) {
  ReportPicture out{.name = name_of(input),
                    .width = input.width,
                    .height = input.height,
                    .before = std::move(before),
                    .after = std::move(after)};
  const formats::Image image{static_cast<int>(input.width), static_cast<int>(input.height), 3, input.bgr};
  TRY(out.jpeg, formats::encode_image(image, ".jpg", out.name));
  return out;
}

}  // namespace

Result<void> compare_in_pictures(const Model& candidate, const Model& reference, const VerifyRequest& request,
                                 std::size_t most, ReportAccuracy& accuracy) {
  const auto known = landmark_info(candidate) ? landmark_info(candidate) : landmark_info(reference);
  if (!known) {
    accuracy.note = "neither model is known to give landmarks";
    return {};
  }
  std::vector<InputFile> pictures;
  for (const std::filesystem::path& file : request.pictures) {
    TRY(InputFile picture, read_input(file.string()));
    if (request.session.resize && (picture.width != known->crop_size || picture.height != known->crop_size)) {
      TRY(picture, resized(picture, known->crop_size, known->crop_size));
      picture.file = file;
    }
    pictures.push_back(std::move(picture));
  }
  if (pictures.empty()) {
    TRY(pictures, face_pictures(known->crop_size, known->crop_size, request.seed));
  }
  SessionOptions fp32 = request.session;
  fp32.precision.reset();
  TRY(auto mine, open_network(candidate, known->points, request.session, pictures.front()));
  TRY(auto theirs, open_network(reference, known->points, fp32, pictures.front()));
  if (!mine || !theirs || mine->info.points != theirs->info.points) {
    accuracy.note = "the models have no landmarks in common";
    return {};
  }
  TRY(const std::vector<PointList> after, run_all(*mine, pictures));
  TRY(const std::vector<PointList> before, run_all(*theirs, pictures));
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    for (std::size_t p = 0; p < after[i].size(); ++p) {
      const double distance = std::hypot(after[i][p][0] - before[i][p][0], after[i][p][1] - before[i][p][1]);
      if (std::isfinite(distance)) accuracy.distances_px.push_back(distance);
    }
    if (accuracy.pictures.size() >= most) continue;
    TRY(accuracy.pictures.emplace_back(), picture_of(pictures[i], before[i], after[i]));
  }
  return {};
}

}  // namespace anemone::toolchain

// The detector sees each picture as it is; crops are kept, pictures are not.
#include "anemone/toolchain/verify_faces.h"

#include <fmt/format.h>

#include <cmath>

#include "anemone/face/crop.h"
#include "anemone/face/detector.h"
#include "anemone/support/text.h"
#include "anemone/toolchain/face_networks.h"

namespace anemone::toolchain {
namespace {

constexpr float kMinScore = 0.5f;

face::PixelView view_of(const InputFile& picture) {
  return {picture.bgr.data(), static_cast<int>(picture.width), static_cast<int>(picture.height),
          static_cast<std::ptrdiff_t>(3 * picture.width), face::PixelFormat::bgr};
}

/// A point of the picture in the crop.
face::Point through(const face::Matrix& m, const face::Point& p) {
  const float w = m[6] * p.x + m[7] * p.y + m[8];
  return {(m[0] * p.x + m[1] * p.y + m[2]) / w, (m[3] * p.x + m[4] * p.y + m[5]) / w};
}

}  // namespace

Result<std::vector<VerifyInput>> face_inputs(const std::vector<std::filesystem::path>& pictures, const Model& detector,
                                             const Model& landmarks, int threads, std::vector<std::string>& notes) {
  TRY(const FaceNetworks networks, FaceNetworks::open(detector, landmarks));
  TRY(auto network, networks.detector(threads));
  face::DetectorOptions options;
  options.limits.min_score = std::nextafter(kMinScore, 0.0f);  // at least, not more than
  face::Detector faces(std::move(network), options);
  const auto side = static_cast<int>(networks.landmarks().crop_size);
  std::vector<VerifyInput> inputs;
  std::int64_t without = 0;
  for (const std::filesystem::path& path : pictures) {
    TRY(const InputFile picture, read_input(path.string()));
    TRY(const std::vector<face::Detection> found, faces.detect(view_of(picture)));
    landmarks.talk.at("finding faces", static_cast<std::size_t>(&path - pictures.data()) + 1, pictures.size());
    std::size_t number = 0;
    for (const face::Detection& one : found) {
      const auto matrix = face::crop_matrix(one.box, side);
      if (!matrix) continue;
      std::vector<std::uint8_t> bgr(static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3);
      face::warp(view_of(picture), *matrix, side, bgr.data());
      VerifyInput& input = inputs.emplace_back();
      input.files.push_back(make_image(std::move(bgr), side, side));
      input.label = fmt::format("{}, face {}", path.string(), ++number);
      input.files[0].label = input.label;
      input.source = path;
      input.to_crop = *matrix;
      input.middle = {(one.box.x1 + one.box.x2) / 2, (one.box.y1 + one.box.y2) / 2};
    }
    without += number == 0;
  }
  if (inputs.empty())
    return bad_usage(
        fmt::format("no face was found in {}", counted(static_cast<std::int64_t>(pictures.size()), "picture")),
        "give pictures of people, or leave --faces out where they are crops already");
  if (without > 0) notes.push_back(fmt::format("{}: no face was found", counted(without, "picture")));
  return inputs;
}

Result<void> add_truth(std::vector<VerifyInput>& inputs, TruthFile& file, std::int64_t side) {
  for (VerifyInput& input : inputs) {
    const std::filesystem::path& picture = !input.source.empty()    ? input.source
                                           : !input.picture.empty() ? input.picture
                                           : input.files.empty()    ? input.source
                                                                    : input.files[0].file;
    if (picture.empty()) continue;
    const LabelledFace* face = file.take(picture, input.middle);
    if (!face) continue;
    face::Matrix to_crop{1, 0, 0, 0, 1, 0, 0, 0, 1};
    if (input.to_crop) {
      to_crop = *input.to_crop;
    } else {
      TRY(const std::vector<InputFile> files, files_of(input));
      if (files.size() != 1 || !files[0].is_image) continue;
      const auto by_x = static_cast<float>(side) / static_cast<float>(files[0].width),
                 by_y = static_cast<float>(side) / static_cast<float>(files[0].height);
      to_crop = {by_x, 0, (by_x - 1) / 2, 0, by_y, (by_y - 1) / 2, 0, 0, 1};
    }
    for (const face::Point& point : face->points) input.truth.push_back(through(to_crop, point));
  }
  if (file.given() == 0)
    return bad_input(ErrorCode::landmarks_differ, "the ground truth has no face of these pictures",
                     file.path().string(), "pictures are matched by their names without folder and ending");
  return {};
}

}  // namespace anemone::toolchain

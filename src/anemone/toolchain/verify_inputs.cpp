// Files, faces, pictures, arrays.
#include "anemone/toolchain/verify_inputs.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/ops/random_inputs.h"
#include "anemone/support/text.h"
#include "anemone/toolchain/face_pictures.h"
#include "anemone/toolchain/seeded_inputs.h"

namespace anemone::toolchain {
namespace {

VerifyInput of_picture(InputFile picture, bool face) {
  VerifyInput input;
  input.label = picture.label;
  input.judged_in_pixels = face;
  input.files.push_back(std::move(picture));
  return input;
}

bool takes_image(const Session& side) {
  const Function& main = side.function();
  const Feature* feature = main.body.inputs.empty() ? nullptr : main.interface.input(main.body.inputs[0]->name);
  return feature && feature->kind == Feature::Kind::image;
}

}  // namespace

std::vector<VerifyInput> given_inputs(const VerifyRequest& request) {
  std::vector<VerifyInput> inputs;
  const std::vector<InputFile>& files = request.inputs;
  const bool one_each =
      std::all_of(files.begin(), files.end(), [&](const InputFile& f) { return f.name == files[0].name; });
  for (const InputFile& file : files) {
    if (inputs.empty() || one_each) inputs.emplace_back();
    inputs.back().label += (inputs.back().label.empty() ? "" : ", ") + name_of(file);
    inputs.back().files.push_back(file);
  }
  for (const std::filesystem::path& picture : request.pictures) {
    VerifyInput& input = inputs.emplace_back();
    input.label = picture.string();
    input.picture = picture;
  }
  return inputs;
}

Result<std::vector<VerifyInput>> made_inputs(const Session& candidate, bool landmarks, std::uint64_t seed,
                                             std::vector<std::string>& notes) {
  std::vector<VerifyInput> inputs;
  if (!takes_pixels(candidate)) {
    constexpr std::uint64_t kSeeds = 2;
    for (std::uint64_t s = seed; s < seed + kSeeds; ++s) {
      VerifyInput& input = inputs.emplace_back();
      input.label = fmt::format("seed {}", s);
      input.judged_in_pixels = false;
      TRY(input.arrays, ops::random_inputs(candidate.function(), s));
    }
    return inputs;
  }
  const Dims& dims = candidate.function().body.inputs[0]->type.dims;
  if (landmarks) {
    auto faces = face_pictures(dims[3], dims[2], seed);
    if (!faces) {
      notes.push_back("the points are compared on no face: " + faces.error().front().message);
    } else {
      for (InputFile& face : *faces) inputs.push_back(of_picture(std::move(face), true));
    }
  }
  for (InputFile& picture : seeded_images(dims[3], dims[2], seed))
    inputs.push_back(of_picture(std::move(picture), false));
  return inputs;
}

std::string describe(const std::vector<VerifyInput>& inputs, const VerifyRequest& request) {
  const auto total = static_cast<std::int64_t>(inputs.size());
  if (request.faces)
    return fmt::format("{} of {}", counted(total, "face"),
                       counted(static_cast<std::int64_t>(request.pictures.size()), "picture"));
  if (!request.pictures.empty())
    return request.inputs.empty()
               ? fmt::format("{} of {}", counted(total, "picture"), request.pictures[0].parent_path().string())
               : counted(total, "given input");
  if (!request.inputs.empty()) return counted(total, "given input");
  const std::int64_t faces =
      std::count_if(inputs.begin(), inputs.end(), [](const auto& i) { return i.judged_in_pixels; });
  if (faces > 0)
    return fmt::format("{} of the built-in face and {} without a face", counted(faces, "picture"), total - faces);
  return inputs[0].arrays.empty() ? counted(total, "seeded picture") + " (noise, gradients, an ellipse)"
                                  : counted(total, "seeded random input");
}

Result<std::vector<InputFile>> files_of(const VerifyInput& input) {
  if (input.picture.empty()) return input.files;
  return read_inputs({input.picture.string()});
}

Result<std::vector<Array>> arrays_for(const Session& side, const VerifyInput& input, const Function& made_for) {
  if (!input.arrays.empty()) return rearranged(input.arrays, made_for, side.function());
  TRY(const std::vector<InputFile> files, files_of(input));
  return side.bind(files);
}

Result<void> check_same_meaning(const Session& candidate, const Session& reference,
                                const std::vector<InputFile>& files) {
  const auto &mine = candidate.function().body.inputs, &theirs = reference.function().body.inputs;
  if (mine.size() != 1 || theirs.size() != 1) return {};
  const Type &here = mine[0]->type, &there = theirs[0]->type;
  const bool picture = files.empty() || files[0].is_image;
  if (picture && here.rank() == 4 && there.rank() == 4 && here.is_fixed() && there.is_fixed() &&
      (here.dims[2] != there.dims[2] || here.dims[3] != there.dims[3])) {
    return different_inputs(candidate.function(), reference.function());
  }
  const Session& image = takes_image(candidate) ? candidate : reference;
  const Session& tensor = takes_image(candidate) ? reference : candidate;
  if (picture || takes_image(candidate) == takes_image(reference) || !trained_preprocessing(tensor.model())) return {};
  return bad_usage(fmt::format("'{}' would be pixels to {} and normalised numbers to {}", name_of(files[0]),
                               image.model().path.string(), tensor.model().path.string()),
                   "give an image, or convert with '--input tensor'");
}

}  // namespace anemone::toolchain

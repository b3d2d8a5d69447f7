// The pixels that the networks took, as a small JPEG file.
#include "anemone/toolchain/landmark_pictures.h"

#include "anemone/formats/image/image.h"
#include "anemone/toolchain/landmark_judge.h"

namespace anemone::toolchain {

Result<std::optional<LandmarkPicture>> landmark_picture(const VerifyInput& input, const LandmarkInfo& info,
                                                        const Array& candidate, const Array& reference) {
  TRY(std::vector<InputFile> files, files_of(input));
  if (files.size() != 1 || !files[0].is_image) return std::optional<LandmarkPicture>();
  InputFile& picture = files[0];
  if (picture.width != info.crop_size || picture.height != info.crop_size) {
    TRY(picture, resized(picture, info.crop_size, info.crop_size));
  }
  LandmarkPicture out{.name = input.label, .width = picture.width, .height = picture.height};
  out.candidate = crop_points(candidate, info);
  out.reference = crop_points(reference, info);
  const formats::Image image{static_cast<int>(picture.width), static_cast<int>(picture.height), 3, picture.bgr};
  TRY(out.jpeg, formats::encode_image(image, ".jpg", out.name));
  return std::optional(std::move(out));
}

}  // namespace anemone::toolchain

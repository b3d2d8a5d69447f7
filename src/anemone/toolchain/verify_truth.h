#pragma once
// Two landmark networks against what people marked: is the candidate further from the truth than the reference is?
#include <filesystem>
#include <vector>

#include "anemone/face/pixels.h"
#include "anemone/face/schemes.h"
#include "anemone/support/result.h"
#include "anemone/toolchain/landmark_files.h"
#include "anemone/toolchain/model.h"
#include "anemone/toolchain/verify_inputs.h"

namespace anemone::toolchain {

/// The faces of a file of ground truth (read_landmarks), to be given to pictures by the names of these.
class TruthFile {
 public:
  /// E0833: other points than the network's; an error of usage where their number belongs to no labelling scheme.
  static Result<TruthFile> read(const std::filesystem::path& path, std::int64_t points);

  const std::filesystem::path& path() const { return path_; }
  const face::Scheme& scheme() const { return *scheme_; }
  std::size_t faces() const { return faces_.size(); }
  std::size_t given() const { return given_; }
  /// The face of the picture, or null: where it has several, the one whose middle is nearest to `near` (pixels). Each
  /// is given away once. Files without names of pictures give their faces in order.
  const LabelledFace* take(const std::filesystem::path& picture, const face::Point& near);

 private:
  TruthFile(std::filesystem::path path, const face::Scheme& scheme, std::vector<LabelledFace> faces)
      : path_(std::move(path)), scheme_(&scheme), faces_(std::move(faces)), taken_(faces_.size()) {}
  std::filesystem::path path_;
  const face::Scheme* scheme_;
  std::vector<LabelledFace> faces_;
  std::vector<bool> taken_;
  std::size_t given_ = 0;
};

/// Over several inputs whose `truth` is known.
class TruthJudge {
 public:
  TruthJudge(LandmarkInfo landmarks, const TruthFile& file) : landmarks_(std::move(landmarks)), file_(file) {}

  /// The points of both, as the networks give them, and the truth in pixels of the crop.
  void add(const Array& candidate, const Array& reference, const std::vector<face::Point>& truth);
  /// NME by the scheme's usual normalisation. Passes when the candidate's is at most `max_change` percent above the
  /// reference's.
  TruthComparison finish(double max_change) const;

 private:
  LandmarkInfo landmarks_;
  const TruthFile& file_;
  std::vector<float> mine_, theirs_;  // an error a face
};

}  // namespace anemone::toolchain

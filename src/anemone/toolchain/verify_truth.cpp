// The errors of both, by the rules of `score`.
#include "anemone/toolchain/verify_truth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/face/metrics.h"
#include "anemone/toolchain/landmark_judge.h"

namespace anemone::toolchain {
namespace {

face::Point middle_of(const std::vector<face::Point>& points) {
  face::Point sum;
  for (const face::Point& p : points) sum = {sum.x + p.x, sum.y + p.y};
  const auto count = static_cast<float>(std::max<std::size_t>(points.size(), 1));
  return {sum.x / count, sum.y / count};
}

}  // namespace

Result<TruthFile> TruthFile::read(const std::filesystem::path& path, std::int64_t points) {
  TRY(std::vector<LabelledFace> faces, read_landmarks(path));
  const face::Scheme* scheme = face::scheme_of(static_cast<std::size_t>(points));
  if (!scheme) return bad_usage(fmt::format("{} points are labelled as no known scheme", points), "leave --truth out");
  for (const LabelledFace& face : faces) {
    if (face.points.size() != static_cast<std::size_t>(points))
      return bad_input(
          ErrorCode::landmarks_differ,
          fmt::format("the network gives {} points a face, and the ground truth has {}", points, face.points.size()),
          path.string(), "give the truth in the network's labelling scheme");
    // Against itself the error is nothing, unless a mark is no number or the marks that it is divided by lie in one place.
    if (!std::isfinite(face::normalised_error(face.points, face.points, scheme->normalisations[0])))
      return bad_input(ErrorCode::annotation_wrong,
                       fmt::format("the marks of face {}{} are not all numbers, or give no distance to divide by",
                                   1 + (&face - faces.data()), face.image.empty() ? "" : " (" + face.image + ")"),
                       path.string(), "mend this face, or leave it out");
  }
  return TruthFile(path, *scheme, std::move(faces));
}

const LabelledFace* TruthFile::take(const std::filesystem::path& picture, const face::Point& near) {
  std::size_t best = faces_.size();
  float least = 0;
  for (std::size_t i = 0; i < faces_.size(); ++i) {
    const std::string& name = faces_[i].image;
    if (taken_[i] || (!name.empty() && std::filesystem::path(name).stem() != picture.stem())) continue;
    const face::Point middle = middle_of(faces_[i].points);
    const float distance = name.empty() ? 0 : std::hypot(middle.x - near.x, middle.y - near.y);
    if (best == faces_.size() || distance < least) {
      best = i;
      least = distance;
    }
  }
  if (best == faces_.size()) return nullptr;
  taken_[best] = true;
  ++given_;
  return &faces_[best];
}

void TruthJudge::add(const Array& candidate, const Array& reference, const std::vector<face::Point>& truth) {
  const face::Normalisation& by = file_.scheme().normalisations[0];
  mine_.push_back(face::normalised_error(crop_points(candidate, landmarks_), truth, by));
  theirs_.push_back(face::normalised_error(crop_points(reference, landmarks_), truth, by));
}

TruthComparison TruthJudge::finish(double max_change) const {
  TruthComparison out;
  out.file = file_.path().string();
  out.scheme = file_.scheme().name;
  out.normalisation = file_.scheme().normalisations[0].name;
  out.faces = mine_.size();
  out.missed = file_.faces() - file_.given();
  out.limit_change_percent = max_change;
  if (mine_.empty()) return out;
  out.nme_percent = 100 * face::mean_error(mine_);
  out.reference_nme_percent = 100 * face::mean_error(theirs_);
  if (out.reference_nme_percent > 0 && std::isfinite(out.nme_percent) && std::isfinite(out.reference_nme_percent))
    out.nme_change_percent = 100 * (out.nme_percent / out.reference_nme_percent - 1);
  out.pass = out.nme_change_percent && *out.nme_change_percent <= max_change;
  return out;
}

}  // namespace anemone::toolchain

#pragma once
// Landmarks against ground truth.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "anemone/face/metrics.h"
#include "anemone/support/result.h"

namespace anemone::toolchain {

struct ScoreRequest {
  std::filesystem::path predictions, truth;
  std::optional<std::string> scheme;  ///< "WFLW"; else by the number of points
  std::vector<double> thresholds;     ///< empty: the scheme's own
};

struct ScoredNormalisation {
  std::string name;
  double mean = 0;
  std::vector<float> errors;             ///< one a face
  std::vector<face::ErrorCurve> curves;  ///< one a threshold
};
struct ScoreResult {
  std::string predictions, truth, scheme;
  std::size_t points = 0, faces = 0, missed = 0;  ///< missed: faces of the truth without a prediction
  std::vector<std::string> names;                 ///< of the faces, where the truth has them
  std::vector<ScoredNormalisation> normalisations;
};

/// Formats by content: see read_landmarks(). E0833: faces or points do not match.
Result<ScoreResult> score(const ScoreRequest& request);

}  // namespace anemone::toolchain

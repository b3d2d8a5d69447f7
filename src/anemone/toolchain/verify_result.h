#pragma once
// What `verify` returns.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "anemone/face/pixels.h"
#include "anemone/ir/type.h"
#include "anemone/support/diagnostic.h"

namespace anemone::toolchain {

/// One output of two models, over all inputs. Differences are of the values that are finite in both.
struct OutputComparison {
  std::string name;
  double max_abs = 0, mean_abs = 0, psnr_db = 0, scale = 0;  ///< scale: largest magnitude of the reference
  double range = 0;         ///< of the reference: greatest less least value, or the magnitude where they are equal
  double relative = 0;      ///< largest difference in ranges
  double cosine = 1;        ///< of the angle between the two, as vectors; least of all inputs
  std::int64_t values = 0;  ///< of one input
  bool finite = true;       ///< some value is finite in both; else there are no differences, nor the figures above
  std::int64_t not_finite = 0, not_finite_reference = 0;  ///< NaN or infinite, over all inputs
  bool constant = false;                                  ///< the reference gives one number, everywhere and always
  bool reacts = true;                                     ///< the reference gives other values for other inputs
  bool reordered = false;                                 ///< behind a top-k: the same values in another order
  std::string worst_input;                                ///< where the signal to noise is least
  std::size_t worst_index = 0;                            ///< of that input
  bool judged = true;                                     ///< says something about the model: see `verdict`
  std::string verdict;                                    ///< "ok", "OUT OF TOLERANCE", "NOT FINITE", "empty" …
  bool pass = false;
};
/// Both models against ground truth.
struct TruthComparison {
  std::string file, scheme, normalisation;  ///< "WFLW", "ocular"
  std::size_t faces = 0, missed = 0;        ///< missed: faces of the truth that no input shows
  double nme_percent = 0, reference_nme_percent = 0;
  std::optional<double> nme_change_percent;  ///< of the candidate's, relative to the reference's; none: not finite
  double limit_change_percent = 0;
  bool pass = false;
};
/// A picture that both networks saw, with their points in its pixels: (0, 0) is the centre of the first one.
struct LandmarkPicture {
  std::string name;
  std::vector<std::uint8_t> jpeg;
  std::int64_t width = 0, height = 0;
  std::vector<face::Point> candidate, reference;
  std::vector<double> distances_px;  ///< one a point; NaN where one side is not finite
};
struct LandmarkComparison {
  std::int64_t points = 0;
  std::int64_t left_out = 0;      ///< points that are not finite in one of the models, over all inputs
  std::int64_t undetermined = 0;  ///< points that the reference does not determine, over all judged inputs
  std::int64_t inputs = 0, inputs_not_judged = 0, inputs_without_answer = 0;  ///< the last: too few points are left
  double other_max_px = 0;  ///< of the inputs that are not judged in pixels
  std::string worst_input;
  std::int64_t worst_point = 0;
  double mean_px = 0, max_px = 0;         ///< of the crop
  std::optional<double> nme_percent;      ///< normalised by the reference's outer eye corners
  std::vector<double> distances_px;       ///< of all finite points of all judged inputs
  std::vector<LandmarkPicture> pictures;  ///< of judged inputs, so many as were asked for
  std::optional<TruthComparison> truth;
  bool pass = false;
};
/// One value that both programs have, on one input. Relative errors are the largest difference in ranges of the
/// reference's value.
struct LayerError {
  std::string name, reference_name, type, origin;  ///< type: of the operation in the candidate that makes it
  Dims shape;
  double max_abs = 0, mean_abs = 0, relative = 0;  ///< as the candidate runs
  double local_max_abs = 0, local_mean_abs = 0,
         local_relative = 0;      ///< the operation alone, fed the reference's numbers
  double inherited_relative = 0;  ///< what its operands' errors make of it: the candidate against the operation alone
  bool local_finite = true;       ///< fed the reference's numbers, it is finite wherever the reference is
  std::size_t operations = 1;     ///< of the candidate since the values that both have
  std::size_t place = 0;          ///< in the candidate's order, among the values compared
  bool undone = false;            ///< differs by far, and nothing that is made of it does
  bool jump = false;              ///< adds far more than the others do
};
struct Layers {
  std::string input;                ///< on which
  std::size_t values = 0;           ///< floating-point values of the candidate
  double usual = 0;                 ///< median of the local errors
  std::optional<LayerError> first;  ///< in the candidate's order, that jumps
  std::vector<LayerError> ranked;   ///< all that both have, largest local error first, undone ones last
};

/// An array that was kept of a failing input.
struct SavedArray {
  std::string file;  ///< in the folder
  std::string what;  ///< "input", "output", "layer", "operand" of a layer
  std::string side;  ///< "candidate", "reference", "local": the candidate's operation fed the reference's numbers
  std::string name, input;  ///< of the value; of the input it came from
  std::string dtype;
  Dims shape;
};

struct VerifyResult {
  std::string file;                         ///< that it was read from; empty: it was done here and now
  std::string candidate, reference, basis;  ///< basis: which inputs, which precisions
  std::string precision;                    ///< of the candidate: "as stored", "fp32", "fp16"
  std::string accumulate;                   ///< its sums: "fp16", "fp16-reductions"; empty: they are wide
  std::size_t inputs = 0;
  std::vector<OutputComparison> outputs;  ///< the worst over all inputs
  std::optional<LandmarkComparison> landmarks;
  double limit_mean_px = 0, limit_max_px = 0, limit_psnr_db = 0;
  std::vector<std::string> notes;
  std::string reason;               ///< why not, when `pass` is false
  std::vector<std::string> causes;  ///< what was tried to find out why not, and what came of it
  std::string next;                 ///< what to try then
  std::optional<Layers> layers;     ///< when asked for
  std::vector<SavedArray> saved;    ///< when asked for and something fails
  Diagnostics save_problem;         ///< why nothing was; the comparison stands all the same
  bool pass = false;
};

}  // namespace anemone::toolchain

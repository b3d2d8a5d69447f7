#pragma once
// The labelling schemes by their number of points: WFLW 98, 300W 68, COFW 29. Which points make a line, and by which
// distance of the face its errors are divided.
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace anemone::face {

struct Contour {
  std::string_view part;  ///< "left brow": the image's left for a face that looks at us
  std::vector<std::size_t> points;
  bool closed = false;
};

/// A distance between the means of two sets of points.
struct Normalisation {
  std::string_view name;  ///< "ocular": outer eye corners; "pupil"
  std::vector<std::size_t> left, right;
};

struct Scheme {
  std::string_view name;  ///< "WFLW"
  std::size_t points = 0;
  std::vector<Contour> contours;
  std::vector<Normalisation> normalisations;  ///< the first is the one that results are usually given in
  double threshold = 0.1;                     ///< beyond this error a face counts as failed
};

/// Null where no scheme has so many points.
const Scheme* scheme_of(std::size_t points);
const Scheme* scheme_named(std::string_view name);

}  // namespace anemone::face

// One reader a format.
#include "anemone/toolchain/landmark_files.h"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/support/file.h"
#include "anemone/toolchain/arrays.h"
#include "anemone/toolchain/face_log.h"

namespace anemone::toolchain {

namespace fs = std::filesystem;

namespace {

using Faces = std::vector<LabelledFace>;

Diagnostic wrong(const fs::path& path, std::size_t line, const std::string& what) {
  return bad_input(ErrorCode::annotation_wrong, what, fmt::format("{}: line {}", path.string(), line),
                   "known are .npy [N,P,2], WFLW's lists, .pts, STAR's .tsv, and faces.jsonl of 'anemone detect'");
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> words;
  for (std::size_t at = text.find_first_not_of(separators); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(separators, at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(separators, end);
  }
  return words;
}

/// Pairs of numbers; nothing where a word is none or one is left over.
std::optional<std::vector<face::Point>> points_from(const std::vector<std::string_view>& words) {
  std::vector<float> numbers;
  for (const std::string_view word : words) {
    float value = 0;
    const auto read = fast_float::from_chars(word.data(), word.data() + word.size(), value);
    if (read.ec != std::errc() || read.ptr != word.data() + word.size() || !std::isfinite(value)) return std::nullopt;
    numbers.push_back(value);
  }
  if (numbers.empty() || numbers.size() % 2 != 0) return std::nullopt;
  std::vector<face::Point> points;
  for (std::size_t i = 0; i < numbers.size(); i += 2) points.push_back({numbers[i], numbers[i + 1]});
  return points;
}

bool is_finite(const face::Point& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

std::string base_name(std::string_view path) { return fs::path(path).filename().string(); }

Result<Faces> from_npy(const fs::path& path) {
  TRY(const Array array, read_array(path));
  if (array.rank() != 3 || array.dims[2] != 2)
    return bad_input(ErrorCode::annotation_wrong,
                     fmt::format("the array is {}, not [faces,points,2]", brief(array.dims)), path.string());
  Faces faces(static_cast<std::size_t>(array.dims[0]));
  std::size_t at = 0;
  for (std::size_t n = 0; n < faces.size(); ++n) {
    for (std::int64_t i = 0; i < array.dims[1]; ++i, at += 2) {
      const face::Point point{static_cast<float>(array.data[at]), static_cast<float>(array.data[at + 1])};
      if (!is_finite(point))
        return bad_input(
            ErrorCode::annotation_wrong,
            fmt::format("of face {}, point {} is ({}, {}), which is no place in a picture", n, i, point.x, point.y),
            path.string(), "faces and points are counted from 0");
      faces[n].points.push_back(point);
    }
  }
  return faces;
}

Result<Faces> from_log(const fs::path& path) {
  TRY(const FaceLog log, read_face_log(path, LastLine::even_unended));
  Faces faces;
  for (std::size_t i = 0; i < log.frames.size(); ++i) {
    for (const face::Face& face : log.frames[i].faces) {
      if (!std::all_of(face.landmarks.begin(), face.landmarks.end(), is_finite))
        return wrong(path, i + 1, "a number of a landmark is beyond what 32 bits hold");
      if (!face.landmarks.empty()) faces.push_back({base_name(log.frames[i].file), face.landmarks});
    }
  }
  return faces;
}

Result<LabelledFace> from_pts(const fs::path& path, std::string_view text) {
  const std::size_t open = text.find('{'), close = text.find('}');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return wrong(path, 1, "the points do not stand between braces");
  auto points = points_from(split(text.substr(open + 1, close - open - 1), " \t\r\n"));
  if (!points) return wrong(path, 4, "what stands between the braces are no pairs of numbers");
  constexpr std::string_view kCount = "n_points";
  if (const std::size_t at = text.substr(0, open).find(kCount); at != std::string_view::npos) {
    const auto words = split(text.substr(at + kCount.size(), open - at - kCount.size()), ": \t\r\n");
    const std::string_view told = words.empty() ? std::string_view() : words[0];
    if (told != std::to_string(points->size()))
      return wrong(path, 1 + static_cast<std::size_t>(std::count(text.begin(), text.begin() + at, '\n')),
                   fmt::format("n_points is '{}', and {} points stand between the braces", told, points->size()));
  }
  // With its ending, as a picture's: whoever compares names takes one ending away, and "a.b.pts" is of "a.b.jpg".
  return LabelledFace{path.filename().string(), *std::move(points)};
}

/// A line of WFLW's lists: the picture last.
std::optional<LabelledFace> from_wflw(std::string_view line) {
  constexpr std::size_t kNumbers = 196, kWords = kNumbers + 4 + 6 + 1;
  std::vector<std::string_view> words = split(line, " \t\r");
  if (words.size() != kWords) return std::nullopt;
  const std::string name = base_name(words.back());
  words.resize(kNumbers);
  auto points = points_from(words);
  return points ? std::optional(LabelledFace{name, *std::move(points)}) : std::nullopt;
}

/// A row of STAR's tables.
std::optional<LabelledFace> from_star(std::string_view line) {
  const std::vector<std::string_view> columns = split(line, "\t\r");
  if (columns.size() < 3) return std::nullopt;
  auto points = points_from(split(columns[2], ", "));
  return points ? std::optional(LabelledFace{base_name(columns[0]), *std::move(points)}) : std::nullopt;
}

Result<Faces> from_lines(const fs::path& path, std::string_view text) {
  Faces faces;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto face = line.find('\t') == std::string_view::npos ? from_wflw(line) : from_star(line);
    if (!face && number == 1 && line.find('\t') != std::string_view::npos) continue;  // a table's head
    if (!face) return wrong(path, number, "the line is no face of a known format");
    faces.push_back(*std::move(face));
  }
  return faces;
}

}  // namespace

Result<Faces> read_landmarks(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(path, error)) {
      if (entry.path().extension() == ".pts") files.push_back(entry.path());
    }
    if (files.empty())
      return bad_input(ErrorCode::annotation_wrong, "no .pts file is in the folder", path.string(),
                       "300W keeps a .pts file beside each picture");
    std::sort(files.begin(), files.end());
    Faces faces;
    for (const fs::path& file : files) {
      TRY(Faces one, read_landmarks(file));
      std::move(one.begin(), one.end(), std::back_inserter(faces));
    }
    return faces;
  }
  TRY(const Bytes file, map_file(path));
  std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (constexpr std::string_view kMark = "\xEF\xBB\xBF"; text.starts_with(kMark)) text.remove_prefix(kMark.size());
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (text.starts_with("\x93NUMPY")) return from_npy(path);
  if (first == std::string_view::npos) return wrong(path, 1, "the file is empty");
  if (text[first] == '{') return from_log(path);
  if (text.substr(first).starts_with("version")) {
    TRY(LabelledFace face, from_pts(path, text));
    return Faces{std::move(face)};
  }
  if (text.starts_with("\x89HDF") || text.starts_with("MATLAB"))
    return bad_input(ErrorCode::annotation_wrong, "this is a MATLAB file, which is not read", path.string(),
                     "STAR's table of COFW (.tsv) holds the same points; or export them as .npy [faces,29,2], see "
                     "docs/how-to/faces.md");
  return from_lines(path, text);
}

}  // namespace anemone::toolchain

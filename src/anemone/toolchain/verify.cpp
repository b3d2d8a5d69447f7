// Two models on the same inputs: are their numbers the same, and where do the landmarks go.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "anemone/passes/pass.h"
#include "anemone/toolchain/run.h"

namespace anemone {
namespace {

std::uint64_t splitmix64(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

// Pictures that exercise a vision network: noise, smooth gradients, and a bright ellipse on a dark ground.
std::vector<InputFile> seeded_images(std::int64_t width, std::int64_t height, std::uint64_t seed) {
  std::vector<InputFile> images;
  for (int kind = 0; kind < 3; ++kind) {
    std::vector<std::uint8_t> bgr(static_cast<std::size_t>(width * height * 3));
    std::uint64_t state = seed + static_cast<std::uint64_t>(kind);
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        for (std::int64_t c = 0; c < 3; ++c) {
          const double u = static_cast<double>(x) / static_cast<double>(width),
                       v = static_cast<double>(y) / static_cast<double>(height);
          double value = static_cast<double>(splitmix64(state) >> 56);
          if (kind == 1) value = 127.5 * (1 + std::sin(6 * u + static_cast<double>(c)) * std::cos(5 * v));
          if (kind == 2)
            value =
                std::hypot((u - 0.5) / 0.3, (v - 0.5) / 0.4) < 1 ? 190 + 20.0 * static_cast<double>(c) : 40 + value / 8;
          bgr[static_cast<std::size_t>((y * width + x) * 3 + c)] = static_cast<std::uint8_t>(value);
        }
      }
    }
    images.push_back(make_image(std::move(bgr), width, height));
  }
  return images;
}

bool takes_pixels(const Session& session) {
  const Function& main = session.function();
  if (main.body.inputs.size() != 1 || main.body.inputs[0]->type.rank() != 4) return false;
  const Feature* feature = main.interface.input(main.body.inputs[0]->name);
  return session.model().network || (feature && feature->kind == Feature::Kind::image);
}

// Which output of the reference each output of the candidate stands against: by name, else by position.
Result<std::vector<std::pair<std::size_t, std::size_t>>> match_outputs(const Session& candidate,
                                                                       const Session& reference) {
  const auto &mine = candidate.function().body.outputs(), &theirs = reference.function().body.outputs();
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < mine.size(); ++i) {
    for (std::size_t j = 0; j < theirs.size(); ++j) {
      if (theirs[j]->name == mine[i]->name) {
        pairs.emplace_back(i, j);
        break;
      }
    }
  }
  if (pairs.empty() && mine.size() == theirs.size()) {
    for (std::size_t i = 0; i < mine.size(); ++i) pairs.emplace_back(i, i);
  }
  // Packages by others name the landmarks as they like.
  if (pairs.empty() && candidate.landmarks() && reference.landmarks()) {
    const auto index = [](const auto& outputs, const std::string& name) {
      return static_cast<std::size_t>(
          std::find_if(outputs.begin(), outputs.end(), [&](const Value* v) { return v->name == name; }) -
          outputs.begin());
    };
    pairs.emplace_back(index(mine, candidate.landmarks()->output), index(theirs, reference.landmarks()->output));
  }
  if (pairs.empty()) {
    return bad_usage(fmt::format("the models have no output in common: {} ('{}' …) against {} ('{}' …)", mine.size(),
                                 mine.empty() ? "" : mine[0]->name, theirs.size(),
                                 theirs.empty() ? "" : theirs[0]->name));
  }
  return pairs;
}

// Adds one input's differences to the running worst.
Result<void> compare(const Array& got, const Array& want, OutputComparison& worst) {
  if (got.data.size() != want.data.size()) {
    return bad_input("E0820", fmt::format("output '{}' has the shape {}, and the reference's has {}", worst.name,
                                          brief(got.dims), brief(want.dims)));
  }
  double largest = 0, sum = 0, squares = 0, scale = 0;
  for (std::size_t i = 0; i < got.data.size(); ++i) {
    const bool both_nan = std::isnan(got.data[i]) && std::isnan(want.data[i]);
    double error = got.data[i] == want.data[i] || both_nan ? 0 : std::abs(got.data[i] - want.data[i]);
    if (std::isnan(error)) error = std::numeric_limits<double>::infinity();
    largest = std::max(largest, error);
    sum += error;
    squares += error * error;
    if (std::isfinite(want.data[i])) scale = std::max(scale, std::abs(want.data[i]));
  }
  const double count = std::max<double>(1, static_cast<double>(got.data.size()));
  const double rms = std::sqrt(squares / count);
  const double psnr =
      rms == 0 ? std::numeric_limits<double>::infinity() : 20 * std::log10(std::max(scale, 1e-12) / rms);
  worst.max_abs = std::max(worst.max_abs, largest);
  worst.mean_abs = std::max(worst.mean_abs, sum / count);
  worst.psnr_db = std::min(worst.psnr_db, psnr);
  worst.scale = std::max(worst.scale, scale);
  return {};
}

void compare_landmarks(const Array& got, const Array& want, const LandmarkInfo& landmarks, LandmarkComparison& worst) {
  const double to_pixels = landmarks.to_pixels(landmarks.crop_size);
  double sum = 0, largest = 0;
  for (std::size_t p = 0; p < static_cast<std::size_t>(worst.points); ++p) {
    const double distance =
        to_pixels * std::hypot(got.data[2 * p] - want.data[2 * p], got.data[2 * p + 1] - want.data[2 * p + 1]);
    sum += distance;
    largest = std::max(largest, distance);
  }
  const double mean = sum / static_cast<double>(worst.points);
  worst.mean_px = std::max(worst.mean_px, mean);
  worst.max_px = std::max(worst.max_px, largest);
  if (const auto& eyes = landmarks.eye_corners) {
    const auto [a, b] = *eyes;
    const double between =
        to_pixels * std::hypot(want.data[2 * a] - want.data[2 * b], want.data[2 * a + 1] - want.data[2 * b + 1]);
    if (between > 0) worst.nme_percent = std::max(worst.nme_percent.value_or(0), 100 * mean / between);
  }
}

Result<std::vector<InputFile>> read_inputs(const std::vector<std::string>& words) {
  std::vector<InputFile> files;
  for (const std::string& word : words) {
    TRY(InputFile file, read_input(word));
    files.push_back(std::move(file));
  }
  return files;
}

// One entry a comparison: the files of one run. Several files without names are several runs of a model with one input.
std::vector<std::vector<InputFile>> split_runs(std::vector<InputFile> files) {
  const bool one_each =
      std::all_of(files.begin(), files.end(), [&](const InputFile& f) { return f.name == files[0].name; });
  std::vector<std::vector<InputFile>> runs;
  for (InputFile& file : files) {
    if (runs.empty() || one_each) runs.emplace_back();
    runs.back().push_back(std::move(file));
  }
  return runs;
}

}  // namespace

Result<VerifyResult> verify_models(const std::filesystem::path& candidate_path,
                                   const std::filesystem::path& reference_path, const VerifyRequest& request) {
  TRY(std::vector<InputFile> files, read_inputs(request.inputs));
  std::vector<std::vector<InputFile>> runs = split_runs(std::move(files));
  const std::vector<InputFile> first = runs.empty() ? std::vector<InputFile>() : runs[0];
  TRY(Session candidate, Session::open(candidate_path, first, request.session));
  const bool seeded = runs.empty();
  if (seeded && takes_pixels(candidate)) {
    const Dims& dims = candidate.function().body.inputs[0]->type.dims;
    for (InputFile& image : seeded_images(dims[3], dims[2], request.seed)) runs.push_back({std::move(image)});
  }
  SessionOptions reference_options = request.session;
  reference_options.precision.reset();
  reference_options.half_sums = false;
  TRY(Session reference, Session::open(reference_path, runs.empty() ? first : runs[0], reference_options));
  TRY(const auto pairs, match_outputs(candidate, reference));

  VerifyResult result;
  result.candidate = candidate_path.string();
  result.reference = reference_path.string();
  result.limit_mean_px = request.max_mean_px;
  result.limit_max_px = request.max_px;
  result.limit_psnr_db = request.min_psnr_db;
  result.notes = candidate.notes();
  const auto& outputs = candidate.function().body.outputs();
  for (const auto& [mine, theirs] : pairs) {
    OutputComparison comparison;
    comparison.name = outputs[mine]->name;
    comparison.psnr_db = std::numeric_limits<double>::infinity();
    result.outputs.push_back(std::move(comparison));
  }
  const auto landmarks = candidate.landmarks();

  const std::size_t count = runs.empty() ? 2 : runs.size();  // two seeds of random tensors where there are no pixels
  for (std::size_t r = 0; r < count; ++r) {
    std::vector<Array> mine, theirs;
    if (runs.empty()) {
      TRY(mine, random_inputs(candidate.function(), request.seed + r));
      theirs = mine;
    } else {
      TRY(mine, candidate.bind(runs[r]));
      TRY(theirs, reference.bind(runs[r]));
    }
    TRY(std::vector<Array> got, candidate.run(mine));
    TRY(std::vector<Array> want, reference.run(theirs));
    for (std::size_t p = 0; p < pairs.size(); ++p) {
      TRY_VOID(compare(got[pairs[p].first], want[pairs[p].second], result.outputs[p]));
      if (!landmarks || result.outputs[p].name != landmarks->output) continue;
      if (!result.landmarks) result.landmarks = LandmarkComparison{landmarks->points, 0, 0, {}, false};
      compare_landmarks(got[pairs[p].first], want[pairs[p].second], *landmarks, *result.landmarks);
    }
  }
  result.inputs = count;
  result.pass = true;
  for (OutputComparison& o : result.outputs) {
    o.pass = o.psnr_db >= request.min_psnr_db;
    result.pass = result.pass && o.pass;
  }
  if (result.landmarks) {
    result.landmarks->pass =
        result.landmarks->mean_px <= request.max_mean_px && result.landmarks->max_px <= request.max_px;
    result.pass = result.pass && result.landmarks->pass;
  }
  const auto precision_name = [](std::optional<runtime::Precision> p) {
    return !p || *p == runtime::Precision::as_stored ? "as stored"
           : *p == runtime::Precision::fp32          ? "in fp32"
                                                     : "in fp16";
  };
  result.basis =
      fmt::format("{} {}; candidate executed {}, reference as stored, both on this CPU", count,
                  seeded ? (runs.empty() ? "seeded random inputs" : "seeded images (noise, gradients, an ellipse)")
                         : "given inputs",
                  precision_name(request.session.precision));
  return result;
}

}  // namespace anemone

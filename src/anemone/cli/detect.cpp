// The verb `detect`: faces and landmarks in pictures and videos.
#include <fmt/format.h>

#include <atomic>
#include <sstream>

#include "anemone/cli/detect_outputs.h"
#include "anemone/cli/model_options.h"
#include "anemone/cli/verbs.h"
#include "anemone/report/faces.h"
#include "anemone/support/interrupt.h"

namespace anemone::cli {
namespace {

constexpr Choice<face::PointConvention> kConventions[] = {{"star", face::PointConvention::star},
                                                          {"pyfaceau", face::PointConvention::pyfaceau}};

/// The options as they are typed.
struct Words {
  std::vector<std::string> inputs;
  std::string faces, landmarks;
  std::optional<std::string> folder, raw;
  std::optional<std::pair<std::int64_t, std::int64_t>> detector_size;
  bool csv = false, draw = false, heatmaps = false, resume = false, smooth = false, lines = false;
  std::optional<double> fps;
  double min_score = 0.5;
  std::int64_t every = 1, max_faces = 0;
  face::PointConvention convention = face::PointConvention::star;
};

void declare(Options& options, Words& words) {
  options.arguments("INPUT…", words.inputs,
                    "pictures, folders of them, patterns, videos, camera:N, or - for raw frames on standard input");
  options.value("--faces", "MODEL", words.faces, "the face detector: RetinaFace as checkpoint, package or ONNX",
                {.required = true});
  options.value("--landmarks", "MODEL", words.landmarks, "the landmark network: STAR as checkpoint, package or ONNX",
                {.required = true});
  options.value("-o,--output", "DIR", words.folder, "where faces.jsonl and the other files go");
  options.group("faces");
  options.value("--every", "N", words.every, "of a video: detect in each Nth frame, follow the landmarks between",
                {.at_least = 1, .at_most = 1000000});
  options.value("--max-faces", "N", words.max_faces, "the best N of a frame; 0 is all",
                {.at_least = 0, .at_most = 10000});
  options.value("--min-score", "S", words.min_score, "faces score at least this", {.at_least = 0.02, .at_most = 1});
  options.value(
      "--detector-size", "HxW",
      [&words](std::string_view word) -> Result<void> {
        TRY(words.detector_size, parse_size(std::string(word)));
        return {};
      },
      "the detector sees frames fitted into this size; else as they are");
  options.choice("--points", words.convention, kConventions, "how coordinates become pixels");
  options.flag("--smooth", words.smooth, "one-euro filter over the landmarks of a video");
  options.group("outputs");
  options.flag("--csv", words.csv, "faces.csv as well, in OpenFace's columns");
  options.flag("--draw", words.draw, "copies with boxes, names, contours and points drawn in");
  options.flag("--heatmaps", words.heatmaps, "what lit up in the network, blended into the copies");
  options.flag("--lines", words.lines, "a JSON object a frame on standard output, at once");
  options.flag("--resume", words.resume, "go on with a run that was interrupted, in the same folder");
  options.group("raw frames");
  options.value("--raw", "WxH[:FORMAT]", words.raw, "of -: size and bgr24, rgb24, bgra, rgba or gray (bgr24)");
  options.value("--fps", "F", words.fps, "of -: frames a second (default 25)", {.at_least = 0.001, .at_most = 100000});
}

std::optional<Diagnostic> contradiction(const Words& words, bool json) {
  if (!words.folder && (words.csv || words.draw || words.heatmaps || words.resume))
    return bad_usage("--csv, --draw, --heatmaps and --resume write files, and there is no folder for them",
                     "add -o DIR");
  if (words.resume && (words.draw || words.heatmaps))
    return bad_usage("a video that is drawn cannot be continued", "leave --draw and --heatmaps out");
  if (words.fps && !words.raw) return bad_usage("--fps is of raw frames, and videos know their own", "leave it out");
  if (json && words.lines) return bad_usage("--json and --lines both want standard output", "give one of them");
  return std::nullopt;
}

/// What decides about the numbers, for whoever resumes.
std::string settings_of(const Words& words) {
  const auto [height, width] = words.detector_size.value_or(std::pair<std::int64_t, std::int64_t>());
  return fmt::format("--points {}\n--min-score {}\n--max-faces {}\n--every {}\n--smooth {}\n--detector-size {}\n",
                     words.convention == face::PointConvention::star ? "star" : "pyfaceau", words.min_score,
                     words.max_faces, words.every, words.smooth ? "yes" : "no",
                     words.detector_size ? fmt::format("{}x{}", height, width) : "none");
}

int run_detect(Call& call) {
  Words words;
  declare(call.options, words);
  if (const auto over = call.parse()) return *over;
  if (auto wrong = contradiction(words, call.json)) return call.misused(*std::move(wrong));

  std::optional<toolchain::RawFrames> raw;
  if (words.raw) {
    auto read = toolchain::parse_raw_frames(*words.raw, words.fps.value_or(25));
    if (!read) return call.fail(read.error());
    raw = *read;
  }
  auto source = toolchain::FrameSource::open(words.inputs, raw);
  if (!source) return call.fail(source.error());
  if (call.json && source->is_endless())
    return call.misused(bad_usage("--json is one document, and this input need not end", "use --lines"));
  if (words.resume && source->is_endless())
    return call.misused(bad_usage(
        "what came from a camera or a pipe does not come again, so there is nothing to resume", "give another folder"));
  const auto faces = toolchain::load_face_network(words.faces, toolchain::kDetectorSide, call.talk());
  if (!faces) return call.fail(faces.error());
  const auto landmarks = toolchain::load_face_network(words.landmarks, toolchain::kCropSide, call.talk());
  if (!landmarks) return call.fail(landmarks.error());
  const auto networks = toolchain::FaceNetworks::open(*faces, *landmarks);
  if (!networks) return call.fail(networks.error());

  toolchain::DetectRequest request{.every = static_cast<int>(words.every),
                                   .min_score = static_cast<float>(words.min_score),
                                   .max_faces = static_cast<std::size_t>(words.max_faces),
                                   .convention = words.convention,
                                   .heatmaps = words.heatmaps,
                                   .threads = call.threads};
  if (words.detector_size) request.detector_size = *words.detector_size;
  if (words.smooth) request.smooth = face::OneEuroOptions();
  std::optional<DetectOutputs> files;
  if (words.folder) {
    auto opened =
        DetectOutputs::open({*words.folder, static_cast<std::size_t>(networks->landmarks().points), words.csv,
                             words.draw || words.heatmaps, words.resume, settings_of(words), source->names()});
    if (!opened) return call.fail(opened.error());
    files.emplace(*std::move(opened));
    request.resume = files->done();
  }

  const PostponedSignals postponed;
  std::atomic<bool> unread = false;  // whoever took the lines has gone
  request.stop = [&unread] { return PostponedSignals::received() != 0 || unread; };
  const toolchain::Talk talk = call.talk();
  const auto expected = static_cast<std::uint64_t>(source->expected().value_or(0));
  std::uint64_t done = 0;
  for (const auto& [file, point] : request.resume) done += static_cast<std::uint64_t>(point.frames);
  std::vector<std::string> frames;
  auto result =
      toolchain::detect_faces(*networks, *source, request, [&](const toolchain::FaceFrame& frame) -> Result<void> {
        const std::string line = report::face_line(frame);
        if (files) TRY_VOID(files->take(frame, line));
        if (call.json) frames.push_back(line);
        if (words.lines && !call.print_at_once(line)) unread = true;
        if (!frame.source.is_video && !call.json && !words.lines && !call.quiet) call.page(report::face_words(frame));
        talk.at("frames", ++done, expected);
        return {};
      });
  Diagnostics problems;
  if (files) {
    const bool complete = result && result->failures.empty();
    if (const auto closed = files->close(complete); !closed) problems = closed.error();
  }
  if (!result) return call.fail(result.error());
  if (!problems.empty()) return call.fail(problems);
  if (call.json) {
    call.print(report::detect_json(*result, frames));
  } else if (words.lines) {
    std::istringstream summary(report::detect_text(*result));
    for (std::string line; std::getline(summary, line);) call.say(line);
  } else {
    call.page(report::detect_text(*result));
  }
  const int code = call.told(result->failures);
  if (const int signal = PostponedSignals::received(); signal != 0) return 128 + signal;
  return result->failures.empty() ? 0 : code;
}

}  // namespace

const Verb kDetectVerb{
    .name = "detect",
    .arguments = "INPUT… --faces MODEL --landmarks MODEL",
    .summary = "finds faces and their landmarks in pictures, videos and cameras",
    .details =
        "Frames are read, searched, and written at the same time. -o DIR gets faces.jsonl, one JSON object a frame; it\n"
        "is complete up to the last frame whatever ends the run. A file that is not there is refused before anything is done;\n"
        "one that cannot be read is told, the others go on. What is named twice is read once.",
    .examples =
        "anemone detect photo.png --faces retinaface.pth --landmarks Landmark_98.pkl\n"
        "anemone detect photo.png --faces retinaface.pth --landmarks star.mlpackage -o out --draw --csv",
    .group = VerbGroup::faces,
    .run = run_detect};

}  // namespace anemone::cli

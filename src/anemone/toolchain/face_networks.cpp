// Sessions behind the interfaces of face/network.h.
#include "anemone/toolchain/face_networks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <list>

#include "anemone/frontends/models/retinaface.h"
#include "anemone/toolchain/face_pixels.h"

namespace anemone::toolchain {
namespace {

constexpr std::string_view kHeatmaps = "fusion3";  // of the last stack: what the landmarks are decoded from

/// One session. `outputs[i]` is where the i-th output that face/ asks for stands among the session's.
class EngineNetwork final : public face::Prepared {
 public:
  EngineNetwork(Session session, face::InputForm input_form, std::vector<std::size_t> outputs)
      : session_(std::move(session)), outputs_(std::move(outputs)) {
    const Dims& dims = session_.function().body.inputs.front()->type.dims;
    height = static_cast<int>(dims[2]);
    width = static_cast<int>(dims[3]);
    form = input_form;
  }

  Result<void> run(std::span<const float> input) override {
    TRY_VOID(session_.compile());
    if (runtime::Engine* engine = session_.engine()) {
      const std::span<const float> inputs[] = {input};
      return engine->run_floats(inputs);
    }
    Array array{DType::fp32, {1, 3, height, width}, std::vector<double>(input.begin(), input.end())};
    TRY(const std::vector<Array> results, session_.run({array}));
    by_definition_.clear();
    for (const Array& result : results) by_definition_.emplace_back(result.data.begin(), result.data.end());
    return {};
  }

  std::span<const float> output(std::size_t index) const override {
    const std::size_t at = outputs_[index];
    if (at < by_definition_.size()) return by_definition_[at];
    return const_cast<Session&>(session_).engine()->output_floats(at);
  }

 private:
  Session session_;
  std::vector<std::size_t> outputs_;
  std::vector<std::vector<float>> by_definition_;  ///< where no engine can run it
};

/// loc, conf and landms among the outputs: by name, else by the numbers a prior box has.
std::optional<std::vector<std::size_t>> detector_outputs(const Function& function) {
  struct Wanted {
    std::string_view name;
    std::int64_t numbers;
  };
  constexpr Wanted kWanted[] = {{"loc", 4}, {"conf", 2}, {"landms", 10}};
  const auto& outputs = function.body.outputs();
  std::vector<std::size_t> found;
  for (const Wanted& wanted : kWanted) {
    std::size_t best = outputs.size();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Type& type = outputs[i]->type;
      const bool fits = type.is_tensor() && type.rank() == 3 && type.dims[2] == wanted.numbers && type.dims[0] == 1;
      if (fits && (best == outputs.size() || outputs[i]->name == wanted.name)) best = i;
    }
    if (best == outputs.size()) return std::nullopt;
    found.push_back(best);
  }
  return found;
}

/// As many prior boxes as RetinaFace has at that size.
bool counts_fit(const Function& function, const std::vector<std::size_t>& outputs) {
  const Dims& image = function.body.inputs.front()->type.dims;
  const auto priors =
      static_cast<std::int64_t>(face::prior_count(static_cast<int>(image[2]), static_cast<int>(image[3])));
  return std::all_of(outputs.begin(), outputs.end(),
                     [&](std::size_t i) { return function.body.outputs()[i]->type.dims[1] == priors; });
}

bool takes_one_image(const Function& function) {
  if (function.body.inputs.size() != 1) return false;
  const Type& type = function.body.inputs.front()->type;
  return type.is_tensor() && type.rank() == 4 && type.dims[0] == 1 && type.dims[1] == 3;
}

Diagnostic no_detector(const Model& model, const std::string& why) {
  return bad_input(
      ErrorCode::not_a_face_detector, "this is not a face detector: " + why, model.path.string(),
      "give RetinaFace mobilenet0.25: a checkpoint, package or ONNX file with the outputs loc, conf, landms");
}

Result<Session> open_at(const Model& model, std::optional<std::pair<int, int>> size, const SessionOptions& options) {
  if (!size) return Session::open(model, {}, options);
  TRY(const Model sized, at_size(model, size->first, size->second));
  return Session::open(sized, {}, options);
}

Result<std::unique_ptr<EngineNetwork>> open_detector(const Model& model, std::optional<std::pair<int, int>> size,
                                                     int threads) {
  TRY(Session session, open_at(model, size, {.threads = threads}));
  const Function& function = session.function();
  if (!takes_one_image(function)) return no_detector(model, "it does not take one image [1,3,H,W]");
  const auto outputs = detector_outputs(function);
  if (!outputs) return no_detector(model, "it has no outputs [1,N,4], [1,N,2] and [1,N,10]");
  if (!counts_fit(function, *outputs))
    return no_detector(model, "the number of its boxes is not that of RetinaFace's prior boxes");
  TRY(const face::InputForm form, input_form(session.model(), FaceNetworkKind::detector));
  return std::make_unique<EngineNetwork>(std::move(session), form, *outputs);
}

/// Engines for the sizes that were used last.
class SizedDetector final : public face::DetectorNetwork {
 public:
  SizedDetector(std::shared_ptr<const Model> model, int threads, std::unique_ptr<EngineNetwork> first, bool any_size)
      : model_(std::move(model)), threads_(threads), any_size_(any_size) {
    ready_.push_back(std::move(first));
  }

  Result<face::Prepared*> at(int height, int width) override {
    if (!any_size_) return ready_.front().get();
    const auto found = std::find_if(ready_.begin(), ready_.end(),
                                    [&](const auto& one) { return one->height == height && one->width == width; });
    if (found != ready_.end()) {
      ready_.splice(ready_.begin(), ready_, found);
      return ready_.front().get();
    }
    if (ready_.size() >= kMost) ready_.pop_back();  // before the next one needs memory
    TRY(std::unique_ptr<EngineNetwork> made, open_detector(*model_, std::pair(height, width), threads_));
    ready_.push_front(std::move(made));
    return ready_.front().get();
  }

  std::optional<std::pair<int, int>> fixed_size() const override {
    if (any_size_) return std::nullopt;
    return std::pair(ready_.front()->height, ready_.front()->width);
  }

 private:
  static constexpr std::size_t kMost = 4;  // whole frames, and the surroundings of faces
  std::shared_ptr<const Model> model_;
  int threads_;
  bool any_size_;
  std::list<std::unique_ptr<EngineNetwork>> ready_;
};

/// Where the points are, and with heatmaps where those are.
std::vector<std::size_t> landmark_outputs(const Function& function, const LandmarkInfo& info) {
  std::vector<std::size_t> found;
  const auto& outputs = function.body.outputs();
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i]->name == info.output) found = {i};
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i]->name == kHeatmaps && !found.empty()) found.push_back(i);
  }
  return found;
}

Result<LandmarkInfo> points_of(const Model& model) {
  auto info = landmark_info(model);
  if (!info) info = landmark_output_by_shape(model);
  const auto refuse = [&](const std::string& why) {
    return bad_input(ErrorCode::not_a_landmark_network, "this is not a landmark network: " + why, model.path.string(),
                     "give STAR: a checkpoint, or a package or ONNX file with the output landmarks [1,points,2]");
  };
  const Function& function = model.program->main();
  if (!info) return refuse("it has no output [1,points,2]");
  if (!takes_one_image(function)) return refuse("it does not take one image [1,3,H,W]");
  const Dims& dims = function.body.inputs.front()->type.dims;
  if (dims[2] > 0 && dims[3] > 0 && dims[2] != dims[3])
    return refuse(fmt::format("it takes {}x{} pixels, and crops are square", dims[2], dims[3]));
  const auto& user = model.program->metadata.user;
  const auto coordinates = user.find(std::string(kMetaCoordinates));
  const bool known = coordinates == user.end() || models::coordinates_from(coordinates->second);
  if (!known || info->coordinates != models::Landmarks::Coordinates::centred)
    return refuse(
        fmt::format("its coordinates are '{}', and this pipeline reads -1 to 1 from cell centre to cell centre",
                    known ? std::string(models::name(info->coordinates)) : coordinates->second));
  if (const auto points = user.find(std::string(kMetaPoints));
      points != user.end() && points->second != std::to_string(info->points))
    return refuse(fmt::format("its metadata say {} points, and its output has {}", points->second, info->points));
  return *info;
}

}  // namespace

Result<Model> load_face_network(const std::filesystem::path& path, std::int64_t side, const Talk& talk) {
  const LoadOptions options{.one_of_several = true, .talk = talk};
  const auto format = recognise(path);
  if (format && *format == ModelFormat::onnx) {
    LoadOptions sized = options;
    sized.height = sized.width = side;
    if (auto model = load(path, sized)) return model;  // else its own size is another one
  }
  return load(path, options);
}

Result<FaceNetworks> FaceNetworks::open(const Model& faces, const Model& landmarks) {
  FaceNetworks out;
  out.faces_ = std::make_shared<Model>(copy(faces));
  out.landmarks_ = std::make_shared<Model>(copy(landmarks));
  TRY_VOID(require_weights(faces));
  TRY_VOID(require_weights(landmarks));
  if (faces.network && faces.network->name != models::kRetinaFaceName)
    return no_detector(faces, fmt::format("its tensors are those of {}", faces.network->name));
  TRY(out.info_, points_of(landmarks));
  if (!models::outer_eye_corners(out.info_.points))
    out.notes_.push_back(
        fmt::format("{} points are no labelling scheme that is known: they are drawn without lines", out.info_.points));
  for (const auto& [model, kind] :
       {std::pair(&faces, FaceNetworkKind::detector), std::pair(&landmarks, FaceNetworkKind::landmarks)}) {
    TRY_VOID(input_form(*model, kind));
    if (const std::string note = unproved_pixels(*model); !note.empty()) out.notes_.push_back(note);
  }
  return out;
}

Result<std::unique_ptr<face::DetectorNetwork>> FaceNetworks::detector(int threads) const {
  constexpr int kTrial = 64;
  // A network that takes other sizes shows it by taking one; others are used at their own.
  if (auto sized = open_detector(*faces_, std::pair(kTrial, kTrial), threads))
    return std::make_unique<SizedDetector>(faces_, threads, *std::move(sized), true);
  TRY(auto own, open_detector(*faces_, std::nullopt, threads));
  return std::make_unique<SizedDetector>(faces_, threads, std::move(own), false);
}

Result<face::Landmarker> FaceNetworks::landmarker(int threads, face::PointConvention convention, bool heatmaps) const {
  SessionOptions options{.threads = threads};
  if (landmarks_->network) {
    options.outputs = {info_.output};
    if (heatmaps) options.outputs.emplace_back(kHeatmaps);
  }
  TRY(Session session, Session::open(*landmarks_, {}, options));
  const std::vector<std::size_t> outputs = landmark_outputs(session.function(), info_);
  if (outputs.empty()) return own_bug("the landmark output is gone", landmarks_->path.string());
  if (heatmaps && outputs.size() < 2)
    return bad_usage(fmt::format("'{}' gives landmarks alone, no heatmaps", landmarks_->path.string()),
                     "give the checkpoint, or convert it with '--outputs all'");
  TRY(const face::InputForm form, input_form(session.model(), FaceNetworkKind::landmarks));
  TRY_VOID(session.compile());
  return face::Landmarker(std::make_unique<EngineNetwork>(std::move(session), form, outputs),
                          static_cast<int>(info_.points), convention, heatmaps);
}

}  // namespace anemone::toolchain

#pragma once
// The verb `report`: everything that is known of a model, and of the one it was made from, for one page.
#include <optional>
#include <string>
#include <vector>

#include "anemone/toolchain/analysis.h"
#include "anemone/toolchain/gate.h"
#include "anemone/toolchain/plan_ort.h"
#include "anemone/toolchain/verify.h"

namespace anemone::toolchain {

struct ReportRequest {
  std::string device = "m1";
  const Model* before = nullptr;                  ///< what the model was made from; it is verified against this
  std::optional<std::filesystem::path> baseline;  ///< the model as ONNX Runtime's CoreML provider ran it
  OrtRequest ort;                                 ///< which release that was
  VerifyRequest verify;                           ///< its pictures are shown with the points of both models
  const VerifyResult* verified = nullptr;  ///< what that said already; null: it is done now, where `before` is given
  std::optional<Targets> targets;
  std::vector<Measurements> measured;
};

/// One of the models of the page.
struct ReportSide {
  std::string model;
  std::uint64_t bytes = 0;  ///< of all its files
  bool is_checkpoint = false;
  Analysis analysis;
  PlanResult plan;  ///< of a checkpoint that of the package that `convert` writes
};

struct ReportAccuracy {
  VerifyResult verify;
  std::string note;  ///< what is not shown, and why
};

struct Report {
  ReportSide after;
  std::optional<ReportSide> before;
  std::optional<OrtPlans> baseline;
  std::uint64_t baseline_bytes = 0;
  std::vector<plan::Plan> by_device;
  std::optional<ReportAccuracy> accuracy;
  std::optional<GateResult> gate;
  std::vector<Measurements> measured;
  std::string machine;                ///< that executed
  std::vector<std::string> commands;  ///< that made the page
};

/// Pictures that a page shows: for VerifyRequest::keep_pictures.
inline constexpr std::size_t kReportPictures = 6;

/// Errors: those of the verbs that it is made of; E0842 `verified` is of other models.
Result<Report> make_report(const Model& model, const ReportRequest& request);

}  // namespace anemone::toolchain

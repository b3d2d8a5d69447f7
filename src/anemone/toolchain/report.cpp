// The verbs one after another, each on the same models.
#include "anemone/toolchain/report.h"

#include "anemone/toolchain/analyze.h"
#include "anemone/toolchain/bench.h"
#include "anemone/toolchain/deliver.h"
#include "anemone/toolchain/verify_file.h"

namespace anemone::toolchain {
namespace {

Result<ReportSide> side_of(const Model& model, const std::string& device) {
  ReportSide side{.model = model.path.string(), .bytes = bytes_of(model.path), .is_checkpoint = model.is_checkpoint()};
  TRY(side.analysis, analyze(model, {.device = device}));
  TRY(side.plan, plan_model(model, {.device = device}));
  return side;
}

Result<ReportAccuracy> accuracy_of(const Model& model, const ReportRequest& request) {
  ReportAccuracy out;
  if (request.verified) {
    TRY_VOID(check_same_models(*request.verified, model.path, request.before ? request.before->path : ""));
    out.verify = *request.verified;
  } else {
    VerifyRequest verify = request.verify;
    verify.keep_pictures = kReportPictures;
    TRY(out.verify, verify_models(model, *request.before, verify));
  }
  if (!out.verify.landmarks) {
    out.note = "The models have no landmarks in common.";
  } else if (!out.verify.file.empty()) {
    out.note = "Read from " + out.verify.file + ", which holds no pictures.";
  }
  return out;
}

}  // namespace

Result<Report> make_report(const Model& model, const ReportRequest& request) {
  Report out;
  TRY_VOID(find_device(request.device));
  for (const Measurements& one : request.measured) TRY_VOID(check_same_model(one, model.path));
  TRY(out.after, side_of(model, request.device));
  TRY(PlanResult all, plan_model(model, {.device = "all"}));
  out.by_device = std::move(all.plans);
  out.measured = request.measured;
  out.machine = machine();
  if (request.baseline) {
    TRY(out.baseline, plan_for_ort(*request.baseline, request.ort));
    out.baseline_bytes = bytes_of(*request.baseline);
  }
  if (request.before) {
    TRY(out.before, side_of(*request.before, request.device));
  }
  if (request.before || request.verified) {
    TRY(out.accuracy, accuracy_of(model, request));
  }
  if (request.targets) {
    GateRequest gate_request{.device = request.device, .measured = request.measured, .planned = &out.after.plan};
    if (out.accuracy) gate_request.verified = &out.accuracy->verify;
    TRY(out.gate, gate(model, *request.targets, gate_request));
  }
  return out;
}

}  // namespace anemone::toolchain

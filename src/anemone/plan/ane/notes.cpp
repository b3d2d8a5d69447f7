// Notes, a sentence each. Where one model of the planner cannot explain all reports, both readings are said, and what would
// settle it.
#include "anemone/plan/ane/notes.h"

#include <fmt/format.h>

#include <algorithm>

namespace anemone::plan::ane {
namespace {

constexpr std::string_view kSettles =
    "a report of this model that names its compute units, or MLComputePlan on the device, would settle it";

std::vector<std::string> about_gpu(const Subject& s, const PlanOptions& options) {
  if (options.units != ComputeUnits::all && options.units != ComputeUnits::cpu_gpu) return {};
  return {
      fmt::format("what it costs to enter the GPU is guessed, and its rates are {}; cpu-ne is the setting that others "
                  "report as safe",
                  s.device->planner.gpu_trust == Trust::guessed ? "those of an M1" : "from one dump of an M1")};
}

std::vector<std::string> about_aborts(const Subject& s, const PlanOptions& options) {
  if (options.units != ComputeUnits::all || !s.device->chip.starts_with("M5")) return {};
  return {
      "one report of an M5 Pro under all units: the process aborted in the GPU's compiler (a detector), where cpu-ne ran"};
}

std::vector<std::string> about_counting(const Subject& s) {
  constexpr Ops kCast{"cast"};
  const Value* lead = !s.nodes.empty() && kCast.has(*s.nodes[0]) ? s.nodes[0]->input("x") : nullptr;
  const Feature* image = lead && !lead->producer ? s.function->interface.input(lead->name) : nullptr;
  if (!image || image->kind != Feature::Kind::image) return {};
  return {fmt::format(
      "Xcode's report leaves out a cast that directly follows an image: it would show {} operations instead of {}",
      s.nodes.size() - 1, s.nodes.size())};
}

// An M1 Pro's report of RetinaFace shows 123 of 126 where the arithmetic that is right for STAR and for 440 of 482 recorded
// models says 104 (docs/evidence/retinaface-gap.md).
std::vector<std::string> about_dragged(const Subject& s) {
  std::size_t dragged = 0;
  for (std::size_t i = 0; i < s.nodes.size(); ++i) dragged += s.plan->ops[i].unit != Unit::ane && s.steps[i].ane;
  if (dragged == 0 || s.plan->on_ane == 0) return {};
  return {fmt::format(
      "two readings: {0} operations on the engine by the planner's arithmetic, which drags {1} along that the "
      "engine takes, or {2} if it does not; logs of 482 models agree with the first, one report of an M1 Pro "
      "(123 of 126 operations of a face detector) with the second; {3}",
      s.plan->on_ane, dragged, s.plan->on_ane + dragged, kSettles)};
}

// Another report of that machine: a head of `linear` on one row of 1280 on the GPU, although its types are taken.
std::vector<std::string> about_rows(const Subject& s, const PlanOptions& options) {
  constexpr Ops kLinear{"linear"};
  if (options.units != ComputeUnits::all) return {};
  std::size_t rows = 0;
  for (std::size_t i = 0; i < s.nodes.size(); ++i) {
    const Value* x = kLinear.has(*s.nodes[i]) ? s.nodes[i]->input("x") : nullptr;
    if (!x || x->type.dims.empty() || element_count(x->type.dims) != x->type.dims.back()) continue;
    rows += s.plan->ops[i].unit == Unit::ane;
  }
  if (rows < 2) return {};
  return {fmt::format(
      "two readings: by the planner's arithmetic {} linear operations on a single row stay on the engine; one "
      "report of an M1 Pro shows such a head on the GPU, which no published cost explains; {}",
      rows, kSettles)};
}

}  // namespace

namespace {

std::string_view meaning(Trust trust) {
  switch (trust) {
    case Trust::measured:
      return "seen on a device";
    case Trust::documented:
      return "said by Apple";
    case Trust::reported:
      return "measured by others";
    case Trust::computed:
      return "by a model or a simulation here";
    case Trust::guessed:
      return "taken from another chip, or from reports that disagree";
  }
  return {};
}

}  // namespace

std::vector<std::string> notes_on(const Subject& s, const PlanOptions& options) {
  std::vector<std::string> notes;
  const auto add = [&](std::vector<std::string> more) { notes.insert(notes.end(), more.begin(), more.end()); };
  notes.push_back(fmt::format("a prediction from rules, not a measurement: the weakest evidence in it is '{}', {}",
                              name(s.plan->weakest_trust), meaning(s.plan->weakest_trust)));
  if (!s.device->clone_of.empty())
    notes.push_back(
        fmt::format("no measurement of {} is known: its costs are those of {}", s.device->chip, s.device->clone_of));
  add(about_gpu(s, options));
  add(about_aborts(s, options));
  add(about_dragged(s));
  add(about_rows(s, options));
  add(about_counting(s));
  for (const std::string& type : options.off) {
    const auto count = std::count_if(s.nodes.begin(), s.nodes.end(), [&](const Node* n) { return n->type == type; });
    notes.push_back(fmt::format("hypothesis: {} operations of type '{}' are kept off the engine", count, type));
  }
  notes.push_back(
      "latency is of a Core ML package that the application runs itself; ONNX Runtime's provider cuts a network into "
      "models of its own: 'anemone plan MODEL --ort 1.24/mlprogram', docs/how-to/from-onnx-runtime.md");
  return notes;
}

}  // namespace anemone::plan::ane

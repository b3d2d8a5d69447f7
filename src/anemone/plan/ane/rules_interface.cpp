// Rules about what goes in and out, and about the package as a whole.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "anemone/plan/ane/rules.h"
#include "anemone/support/text.h"

namespace anemone::plan::ane {
namespace {

/// The outputs, each once although a program may give a value under several names.
std::vector<const Value*> distinct_outputs(const Function& function) {
  std::vector<const Value*> distinct;
  std::unordered_set<const Value*> seen;
  for (const Value* output : function.body.outputs()) {
    if (seen.insert(output).second) distinct.push_back(output);
  }
  return distinct;
}

bool is_image(const Function& function, const Value& input) {
  const Feature* feature = function.interface.input(input.name);
  return feature && feature->kind == Feature::Kind::image;
}

void last_axis(const Subject& s, Report report) {
  if (s.plan->on_ane == 0) return;
  std::vector<const Value*> values;
  for (const auto& input : s.function->body.inputs) {
    if (!is_image(*s.function, *input)) values.push_back(input.get());
  }
  const std::vector<const Value*> outputs = distinct_outputs(*s.function);
  values.insert(values.end(), outputs.begin(), outputs.end());
  std::vector<std::string> names;
  double padding = 0;
  for (const Value* value : values) {
    const Type& type = value->type.tensor_part();
    if (!type.is_fixed() || type.dims.empty()) continue;
    if ((type.dims.back() % 64) * bits(type.dtype) / 8 % 64 == 0) continue;
    names.push_back(value->name);
    const double row = static_cast<double>(type.dims.back()) * bits(type.dtype) / 8;
    padding += static_cast<double>(bytes_of(*value)) * ((std::ceil(row / 64) * 64 - row) / std::max(1.0, row));
  }
  if (names.empty()) return;
  Finding& finding = report.finding();
  finding.message = fmt::format(
      "{} of the interface {} a last axis that is no multiple of 64 bytes; padding adds {:.2f} MB",
      counted(static_cast<std::int64_t>(names.size()), "tensor"), names.size() == 1 ? "has" : "have", padding / 1e6);
  finding.ops = std::move(names);
  finding.cost_us = padding / (s.device->layers.io_gb_s * 1e3);
}

void spare_outputs(const Subject& s, Report report) {
  constexpr std::int64_t kLarge = 65536;  // bytes
  if (s.plan->on_ane == 0) return;
  std::int64_t spare = 0;
  for (const Value* output : distinct_outputs(*s.function)) {
    if (output->uses.empty() || bytes_of(*output) < kLarge) continue;
    spare += bytes_of(*output);
    report.at(output->name);
  }
  if (spare == 0) return;
  report.finding().message =
      fmt::format("outputs that the program itself goes on with hold {:.2f} MB", static_cast<double>(spare) / 1e6);
  report.cost(static_cast<double>(spare) / (s.device->layers.io_gb_s * 1e3));
}

void old_target(const Subject& s, Report report) {
  if (s.function->opset < Target::ios16) report.finding();
}

void model_size(const Subject& s, Report report) {
  constexpr std::int64_t kMost = 1'000'000'000;
  std::int64_t weights = 0;
  for (const auto& constant : s.function->body.constants) weights += bytes_of(*constant);
  if (weights <= kMost) return;
  report.finding().message = fmt::format("{:.2f} GB of weights", static_cast<double>(weights) / 1e9);
}

void enumerated_shapes(const Subject& s, Report report) {
  constexpr std::size_t kMost = 128;
  std::size_t enumerated = 0, most = 0;
  for (const Feature& input : s.interface->inputs) {
    const std::size_t count = std::max(input.shapes.size(), input.sizes.size());
    if (count > 1) ++enumerated;
    most = std::max(most, count);
  }
  constexpr Ops kLayerNorm{"layer_norm"};
  const bool norm = std::any_of(s.nodes.begin(), s.nodes.end(), [&](const Node* n) { return kLayerNorm.has(*n); });
  if ((enumerated == 0 || !norm) && most <= kMost && (enumerated <= 1 || s.function->opset >= Target::ios18)) return;
  report.finding().message =
      fmt::format("{} inputs with up to {} shapes{}", enumerated, most, norm ? ", and layer_norm" : "");
}

constexpr Rule kLastAxis{.text = {.code = "ANE011",
                                  .name = "io-last-axis",
                                  .what = "an input or output whose last axis is 1 or not a multiple of 64 bytes",
                                  .why = "interface tensors are padded, up to 32 times",
                                  .instead = "make the last axis wide, or give the numbers as fewer, wider tensors",
                                  .effect = Effect::slower,
                                  .severity = "warn",
                                  .trust = Trust::documented,
                                  .source = "Apple authoring rules"},
                         .surveys = last_axis};

constexpr Rule kModelSize{.text = {.code = "ANE024",
                                   .name = "model-size",
                                   .what = "more than 1 GB of weights",
                                   .why = "the limit on iPhones",
                                   .instead = "split the model",
                                   .effect = Effect::leaves_engine,
                                   .severity = "warn",
                                   .trust = Trust::documented,
                                   .source = "coremltools guide"},
                          .surveys = model_size};

constexpr Rule kEnumeratedShapes{
    .text = {.code = "ANE025",
             .name = "enumerated-shapes",
             .what = "enumerated shapes with layer_norm, more than 128 of them, or on several inputs before ios18",
             .why = "the engine is lost or the model refused",
             .instead = "one function a shape",
             .effect = Effect::leaves_engine,
             .severity = "warn",
             .trust = Trust::documented,
             .source = "coremltools guide and issue 1909",
             .command = "anemone convert MODEL -o OUT.mlpackage --shapes A,B --target ios18"},
    .surveys = enumerated_shapes};

constexpr Rule kSpareOutputs{.text = {.code = "ANE026",
                                      .name = "large-outputs",
                                      .what = "large outputs that are intermediate results",
                                      .why = "copies out of the engine's memory",
                                      .instead = "keep the outputs that are used",
                                      .effect = Effect::slower,
                                      .severity = "info",
                                      .trust = Trust::computed,
                                      .source = "computed here",
                                      .command = "anemone convert MODEL -o OUT.mlpackage --outputs final"},
                             .surveys = spare_outputs};

constexpr Rule kOldTarget{.text = {.code = "ANE030",
                                   .name = "old-target",
                                   .what = "a deployment target below ios16",
                                   .why = "fp16 cannot be at the interface: casts are added",
                                   .instead = "target ios16 or newer",
                                   .effect = Effect::slower,
                                   .severity = "info",
                                   .trust = Trust::documented,
                                   .source = "coremltools",
                                   .command = "anemone convert MODEL -o OUT.mlpackage --target ios17"},
                          .surveys = old_target};

}  // namespace

std::span<const Rule* const> interface_rules() {
  static constexpr std::array kRules{&kLastAxis, &kModelSize, &kEnumeratedShapes, &kSpareOutputs, &kOldTarget};
  return kRules;
}

}  // namespace anemone::plan::ane

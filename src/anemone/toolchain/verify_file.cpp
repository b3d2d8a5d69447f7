// The keys that a page or a verdict is made of.
#include "anemone/toolchain/verify_file.h"

#include <fmt/format.h>

#include "anemone/toolchain/json_file.h"
#include "anemone/toolchain/measurements.h"

namespace anemone::toolchain {
namespace {

using Json = nlohmann::json;

OutputComparison output_in(const Json& json) {
  OutputComparison out{.name = text_at(json, "/name")};
  out.scale = amount_at(json, "/scale").value_or(0);
  const auto max_abs = amount_at(json, "/max_abs");
  out.finite = max_abs.has_value();
  out.max_abs = max_abs.value_or(0);
  out.mean_abs = amount_at(json, "/mean_abs").value_or(0);
  out.psnr_db = number_at(json, "/psnr_db").value_or(0);
  out.verdict = text_at(json, "/verdict");
  return out;
}

TruthComparison truth_in(const Json& json) {
  TruthComparison out{.file = text_at(json, "/file"), .scheme = text_at(json, "/scheme")};
  out.nme_percent = amount_at(json, "/nme_percent").value_or(0);
  out.reference_nme_percent = amount_at(json, "/reference_nme_percent").value_or(0);
  out.nme_change_percent = number_at(json, "/nme_change_percent");
  out.pass = truth_at(json, "/pass");
  return out;
}

LandmarkComparison landmarks_in(const Json& json) {
  LandmarkComparison out;
  out.left_out = static_cast<std::int64_t>(amount_at(json, "/left_out").value_or(0));
  out.undetermined = static_cast<std::int64_t>(amount_at(json, "/undetermined").value_or(0));
  out.mean_px = amount_at(json, "/mean_px").value_or(0);
  out.max_px = amount_at(json, "/max_px").value_or(0);
  out.nme_percent = amount_at(json, "/nme_percent");
  for (const Json& one : list_at(json, "/distances_px")) out.distances_px.push_back(one.get<double>());
  if (const Json* truth = object_at(json, "/truth")) out.truth = truth_in(*truth);
  out.pass = truth_at(json, "/pass");
  return out;
}

}  // namespace

VerifyResult verification_in(const Json& json) {
  VerifyResult out{.candidate = text_at(json, "/candidate"),
                   .reference = text_at(json, "/reference"),
                   .basis = text_at(json, "/basis")};
  out.precision = text_at(json, "/precision");
  out.accumulate = text_at(json, "/accumulate");
  for (const Json& one : list_at(json, "/outputs")) out.outputs.push_back(output_in(one));
  if (const Json* landmarks = object_at(json, "/landmarks")) out.landmarks = landmarks_in(*landmarks);
  out.reason = text_at(json, "/reason");
  out.pass = truth_at(json, "/pass");
  return out;
}

Result<VerifyResult> read_verification(const std::filesystem::path& path) {
  VerifyResult out;
  TRY_VOID(read_json(path, "give what 'anemone verify --json' printed", [&](const Json& json) {
    if (text_at(json, "/schema") != kVerifySchema) throw WrongValue{"/schema", fmt::format("'{}'", kVerifySchema)};
    if (!json.contains("pass")) throw WrongValue{"/pass", "true or false"};
    out = verification_in(json);
  }));
  out.file = path.string();
  return out;
}

Result<void> check_same_models(const VerifyResult& verified, const std::filesystem::path& candidate,
                               const std::filesystem::path& reference) {
  TRY_VOID(check_same_model(measurements_of(verified), candidate));
  const std::filesystem::path other(verified.reference);
  if (reference.empty() || same_name(other, reference)) return {};
  return bad_input(ErrorCode::measured_another_model,
                   fmt::format("it was verified against '{}', and --against is '{}'", other.filename().string(),
                               reference.filename().string()),
                   verified.file, "verify it against this one, or name that one");
}

}  // namespace anemone::toolchain

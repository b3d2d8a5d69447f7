// JSON of four schemas into one struct.
#include "anemone/toolchain/measurements.h"

#include <fmt/format.h>

#include "anemone/toolchain/json_file.h"
#include "anemone/toolchain/verify_file.h"

namespace anemone::toolchain {
namespace {

using Json = nlohmann::json;

void read_bench(const Json& json, Measurements& out) {
  out.model = text_at(json, "/model/model");
  out.latency_ms = amount_at(json, "/median_ms");
  const std::string precision = text_at(json, "/precision"), sums = text_at(json, "/accumulate");
  std::string other;
  if (!list_at(json, "/outputs").empty()) {
    other = "other outputs than the model's own were asked for";
  } else if (amount_at(json, "/batch").value_or(1) > 1) {
    other = "a call took more than one sample";
  } else if (!precision.empty() && precision != "as stored") {
    other = "it ran in " + precision + ", not as it is stored";
  } else if (!sums.empty()) {
    other = "its sums were in " + sums;
  }
  if (!other.empty()) {
    out.latency_ms.reset();
    out.notes.push_back(fmt::format("latency_ms of {} does not count: {}", out.file, other));
  }
  out.conditions = text_at(json, "/cpu") + ", " + text_at(json, "/precision");
}

void read_verify(const Json& json, Measurements& out) {
  VerifyResult verified = verification_in(json);
  verified.file = out.file;
  out = measurements_of(verified);
}

void read_detect(const Json& json, Measurements& out) {
  out.fps = amount_at(json, "/fps");
  out.conditions = "anemone's own executor on this CPU";
}

void read_device(const Json& json, Measurements& out) {
  if (truth_at(json, "/device/virtual"))
    throw WrongFile{"a virtual machine has no Neural Engine: what it measures says nothing about a device"};
  out.basis = Basis::device;
  out.model = text_at(json, "/model/path");
  out.latency_ms = amount_at(json, "/latency/median_ms");
  out.fps = amount_at(json, "/fps");
  out.conditions = fmt::format("{}, {}, {}", text_at(json, "/device/chip"), text_at(json, "/device/os"),
                               text_at(json, "/settings/compute_units"));
  if (amount_at(json, "/ops/planned").value_or(0) > 0) {  // systems before macOS 14.4 give no plan
    out.coverage_percent = amount_at(json, "/coverage_percent");
    if (out.coverage_percent > 100) throw WrongValue{"/coverage_percent", "a number up to 100"};
    out.partitions = amount_at(json, "/partitions");
  }
  for (const Json& one : list_at(json, "/verdicts")) {
    MeasuredOp op;
    if (const std::string unit = text_at(one, "/unit"); !unit.empty()) op.unit = unit;
    op.cost = amount_at(one, "/cost");
    if (text_at(one, "/block").empty()) out.ops[text_at(one, "/op")] = op;
  }
}

/// A folder as completion in a shell writes it ends with a slash.
std::filesystem::path last_part(const std::filesystem::path& path) {
  return path.has_filename() ? path.filename() : path.parent_path().filename();
}

/// Why its landmarks say nothing of how much worse the model is than what it was made from; empty: they do.
std::string why_no_measurement(const VerifyResult& verified) {
  std::error_code unknown;
  const std::filesystem::path mine(verified.candidate), theirs(verified.reference);
  const bool same =
      mine.lexically_normal() == theirs.lexically_normal() || std::filesystem::equivalent(mine, theirs, unknown);
  if (!verified.candidate.empty() && same)
    return "both are the same file: that its numbers agree with themselves proves nothing";
  if (!verified.precision.empty() && verified.precision != "as stored")
    return "it ran in " + verified.precision + ", not as it is stored";
  if (!verified.accumulate.empty()) return "its sums were in " + verified.accumulate;
  return {};
}

struct Reader {
  std::string_view schema;
  void (*read)(const Json&, Measurements&);
};
constexpr Reader kReaders[] = {{"anemone.bench/1", read_bench},
                               {kVerifySchema, read_verify},
                               {"anemone.detect/1", read_detect},
                               {"anemone.device/1", read_device}};
constexpr std::string_view kHelp =
    "give what 'anemone bench', 'verify' or 'detect' print with --json, or a device's anemone.device/1 "
    "(docs/how-to/gate.md)";

}  // namespace

Result<Measurements> read_measurements(const std::filesystem::path& path) {
  Measurements out{.file = path.string()};
  TRY_VOID(read_json(path, std::string(kHelp), [&](const Json& json) {
    out.schema = text_at(json, "/schema");
    for (const Reader& reader : kReaders) {
      if (reader.schema == out.schema) return reader.read(json, out);
    }
    throw WrongFile{out.schema.empty() ? "the file does not say its 'schema'"
                                       : fmt::format("files of '{}' hold no measurement that is read", out.schema)};
  }));
  return out;
}

Measurements measurements_of(const VerifyResult& verified) {
  Measurements out{.file = verified.file.empty() ? "verified here" : verified.file,
                   .schema = std::string(kVerifySchema),
                   .model = verified.candidate,
                   .conditions = verified.basis};
  if (!verified.pass)
    out.notes.push_back("the verification says no" + (verified.reason.empty() ? "" : ": " + verified.reason));
  if (const std::string why = why_no_measurement(verified); !why.empty()) {
    out.notes.push_back(fmt::format("accuracy_loss_percent of {} does not count: {}", out.file, why));
    return out;
  }
  if (const auto& points = verified.landmarks) {
    if (points->left_out + points->undetermined == 0) out.nme_between_percent = points->nme_percent;
    if (points->truth) out.nme_change_percent = points->truth->nme_change_percent;
  }
  if (!out.nme_between_percent && !out.nme_change_percent)
    out.notes.push_back("the reference was not compared in all its landmarks: that says nothing about their error");
  return out;
}

bool same_name(const std::filesystem::path& a, const std::filesystem::path& b) {
  const std::filesystem::path mine = last_part(a), theirs = last_part(b);
  if (mine == theirs) return true;
  const auto compiles_to = [](const std::filesystem::path& from, const std::filesystem::path& to) {
    return to.extension() == ".mlmodelc" && (from.extension() == ".mlpackage" || from.extension() == ".mlmodel");
  };
  return mine.stem() == theirs.stem() && (compiles_to(mine, theirs) || compiles_to(theirs, mine));
}

Result<void> check_same_model(const Measurements& measured, const std::filesystem::path& model) {
  const std::filesystem::path other(measured.model);
  if (measured.model.empty() || same_name(other, model)) return {};
  return bad_input(
      ErrorCode::measured_another_model,
      fmt::format("'{}' was measured, and the model is '{}'", last_part(other).string(), last_part(model).string()),
      measured.file, "measure this one, or name the file as the model that was measured");
}

}  // namespace anemone::toolchain

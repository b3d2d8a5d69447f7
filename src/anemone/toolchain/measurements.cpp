// JSON of four schemas into one struct.
#include "anemone/toolchain/measurements.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "anemone/support/file.h"

namespace anemone::toolchain {
namespace {

using Json = nlohmann::json;
using Pointer = Json::json_pointer;

constexpr std::size_t kMostBytes = std::size_t{256} << 20;

struct WrongValue {
  std::string key, wanted;
};

// Absent and null are the same; anything of another type is the writer's mistake, and is told.
std::optional<double> number_at(const Json& json, const std::string& key) {
  const Pointer at(key);
  if (!json.contains(at) || json[at].is_null()) return std::nullopt;
  if (!json[at].is_number()) throw WrongValue{key, "a number"};
  const double value = json[at].get<double>();
  if (!std::isfinite(value)) throw WrongValue{key, "a finite number"};
  return value;
}

std::optional<double> amount_at(const Json& json, const std::string& key) {
  const auto value = number_at(json, key);
  if (value && *value < 0) throw WrongValue{key, "a number that is not negative"};
  return value;
}

std::string text_at(const Json& json, const std::string& key) {
  const Pointer at(key);
  if (!json.contains(at) || json[at].is_null()) return {};
  if (!json[at].is_string()) throw WrongValue{key, "a text"};
  return json[at].get<std::string>();
}

void read_bench(const Json& json, Measurements& out) {
  out.model = text_at(json, "/model/model");
  out.latency_ms = amount_at(json, "/median_ms");
  out.conditions = text_at(json, "/cpu") + ", " + text_at(json, "/precision");
}

void read_verify(const Json& json, Measurements& out) {
  out.model = text_at(json, "/candidate");
  const double left_out =
      amount_at(json, "/landmarks/left_out").value_or(0) + amount_at(json, "/landmarks/undetermined").value_or(0);
  if (left_out == 0) out.nme_between_percent = amount_at(json, "/landmarks/nme_percent");
  out.nme_change_percent = number_at(json, "/landmarks/truth/nme_change_percent");
  out.conditions = text_at(json, "/basis");
}

void read_detect(const Json& json, Measurements& out) {
  out.fps = amount_at(json, "/fps");
  out.conditions = "anemone's own executor on this CPU";
}

void read_device(const Json& json, Measurements& out) {
  out.basis = Basis::device;
  out.model = text_at(json, "/model/path");
  out.latency_ms = amount_at(json, "/latency/median_ms");
  out.fps = amount_at(json, "/fps");
  out.conditions = fmt::format("{}, {}, {}", text_at(json, "/device/chip"), text_at(json, "/device/os"),
                               text_at(json, "/settings/compute_units"));
  if (amount_at(json, "/ops/planned").value_or(0) > 0) {  // systems before macOS 14.4 give no plan
    out.coverage_percent = amount_at(json, "/coverage_percent");
    out.partitions = amount_at(json, "/partitions");
  }
  const Pointer list("/verdicts");
  if (!json.contains(list)) return;
  if (!json[list].is_array()) throw WrongValue{"/verdicts", "a list"};
  for (const Json& one : json[list]) {
    MeasuredOp op;
    if (const std::string unit = text_at(one, "/unit"); !unit.empty()) op.unit = unit;
    op.cost = amount_at(one, "/cost");
    if (text_at(one, "/block").empty()) out.ops[text_at(one, "/op")] = op;
  }
}

struct Reader {
  std::string_view schema;
  void (*read)(const Json&, Measurements&);
};
constexpr Reader kReaders[] = {{"anemone.bench/1", read_bench},
                               {"anemone.verify/1", read_verify},
                               {"anemone.detect/1", read_detect},
                               {"anemone.device/1", read_device}};
constexpr std::string_view kHelp =
    "give what 'anemone bench', 'verify' or 'detect' print with --json, or a device's anemone.device/1 "
    "(docs/how-to/gate.md)";

}  // namespace

Result<Measurements> read_measurements(const std::filesystem::path& path) {
  const auto wrong = [&](std::string message) {
    return bad_input(ErrorCode::measurements_wrong, std::move(message), path.string(), std::string(kHelp));
  };
  TRY(const Bytes file, map_file(path));
  if (file.size() > kMostBytes) return wrong(fmt::format("{} bytes are no file of measurements", file.size()));
  const auto* text = reinterpret_cast<const char*>(file.data());
  Measurements out{.file = path.string()};
  try {
    const Json json = Json::parse(text, text + file.size());
    if (!json.is_object()) return wrong("the file holds no JSON object");
    out.schema = text_at(json, "/schema");
    for (const Reader& reader : kReaders) {
      if (reader.schema != out.schema) continue;
      if (json.contains(Pointer("/device/virtual")) && json.at(Pointer("/device/virtual")) == true)
        return wrong("a virtual machine has no Neural Engine: what it measures says nothing about a device");
      reader.read(json, out);
      return out;
    }
    return wrong(out.schema.empty() ? "the file does not say its 'schema'"
                                    : fmt::format("files of '{}' hold no measurement that is read", out.schema));
  } catch (const WrongValue& value) {
    return wrong(fmt::format("'{}' is to be {}", value.key, value.wanted));
  } catch (const Json::parse_error& error) {
    return wrong(fmt::format("this is not JSON, from byte {} on", error.byte));
  } catch (const Json::exception& error) {
    return wrong(fmt::format("the values are not those of '{}': {}", out.schema, error.what()));
  }
}

Result<void> check_same_model(const Measurements& measured, const std::filesystem::path& model) {
  const std::filesystem::path other(measured.model);
  if (measured.model.empty() || other.stem() == model.stem()) return {};
  return bad_input(
      ErrorCode::measured_another_model,
      fmt::format("'{}' was measured, and the model is '{}'", other.filename().string(), model.filename().string()),
      measured.file, "measure this one, or name the file as the model that was measured");
}

}  // namespace anemone::toolchain

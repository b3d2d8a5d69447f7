// One value, checked.
#include "anemone/toolchain/json_file.h"

#include <fmt/format.h>

#include <cmath>

#include "anemone/support/file.h"

namespace anemone::toolchain {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostBytes = std::size_t{256} << 20;
constexpr int kDeepest = 100;  // lists within lists: to copy or to destroy a value takes the stack

/// Null where there is nothing. What a key lies in is an object, too: "latency": 12 is no way of leaving its median out.
const Json* find(const Json& json, const std::string& key) {
  for (std::size_t slash = key.find('/', 1); slash != std::string::npos; slash = key.find('/', slash + 1)) {
    const std::string outer = key.substr(0, slash);
    if (const Json* found = find(json, outer); found && !found->is_object()) throw WrongValue{outer, "an object"};
  }
  const Json::json_pointer at(key);
  return json.contains(at) && !json[at].is_null() ? &json[at] : nullptr;
}

}  // namespace

std::optional<double> number_at(const Json& json, const std::string& key) {
  const Json* found = find(json, key);
  if (!found) return std::nullopt;
  if (!found->is_number()) throw WrongValue{key, "a number"};
  const double value = found->get<double>();
  if (!std::isfinite(value)) throw WrongValue{key, "a finite number"};
  return value;
}

std::optional<double> amount_at(const Json& json, const std::string& key) {
  const auto value = number_at(json, key);
  if (value && *value < 0) throw WrongValue{key, "a number that is not negative"};
  return value;
}

std::string text_at(const Json& json, const std::string& key) {
  const Json* found = find(json, key);
  if (!found) return {};
  if (!found->is_string()) throw WrongValue{key, "a text"};
  return found->get<std::string>();
}

bool truth_at(const Json& json, const std::string& key) {
  const Json* found = find(json, key);
  if (found && !found->is_boolean()) throw WrongValue{key, "true or false"};
  return found && found->get<bool>();
}

const Json* object_at(const Json& json, const std::string& key) {
  const Json* found = find(json, key);
  if (found && !found->is_object()) throw WrongValue{key, "an object"};
  return found;
}

std::vector<Json> list_at(const Json& json, const std::string& key) {
  const Json* found = find(json, key);
  if (found && !found->is_array()) throw WrongValue{key, "a list"};
  return found ? found->get<std::vector<Json>>() : std::vector<Json>();
}

Result<void> read_json(const std::filesystem::path& path, const std::string& help,
                       const std::function<void(const Json&)>& read) {
  const auto wrong = [&](std::string message) {
    return bad_input(ErrorCode::measurements_wrong, std::move(message), path.string(), help);
  };
  TRY(const Bytes file, map_file(path));
  if (file.size() > kMostBytes) return wrong(fmt::format("{} bytes are no file of measurements", file.size()));
  const auto* text = reinterpret_cast<const char*>(file.data());
  try {
    const Json json = Json::parse(text, text + file.size(), [](int depth, Json::parse_event_t, const Json&) {
      if (depth > kDeepest) throw WrongFile{fmt::format("its values lie more than {} deep in each other", kDeepest)};
      return true;
    });
    if (!json.is_object()) return wrong("the file holds no JSON object");
    read(json);
    return {};
  } catch (const WrongFile& whole) {
    return wrong(whole.message);
  } catch (const WrongValue& value) {
    return wrong(fmt::format("'{}' is to be {}", value.key, value.wanted));
  } catch (const Json::parse_error& error) {
    return wrong(fmt::format("this is not JSON, from byte {} on", error.byte));
  } catch (const Json::exception& error) {
    return wrong(fmt::format("the values are of other types: {}", error.what()));
  }
}

}  // namespace anemone::toolchain

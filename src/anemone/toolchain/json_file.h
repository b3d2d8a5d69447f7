#pragma once
// Values of JSON files that other programs wrote, or this one in another run.
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "anemone/support/result.h"

namespace anemone::toolchain {

/// What a reader throws, for read_json: the key whose value is wrong, and what it is to be.
struct WrongValue {
  std::string key, wanted;
};
/// The same of the file as a whole.
struct WrongFile {
  std::string message;
};

/// By a pointer, "/landmarks/nme_percent". Absent and null are the same; anything of another type is the writer's
/// mistake, and is told: WrongValue.
std::optional<double> number_at(const nlohmann::json& json, const std::string& key);
std::optional<double> amount_at(const nlohmann::json& json, const std::string& key);  ///< not negative
std::string text_at(const nlohmann::json& json, const std::string& key);
bool truth_at(const nlohmann::json& json, const std::string& key);                    ///< absent: false
const nlohmann::json* object_at(const nlohmann::json& json, const std::string& key);  ///< absent: null
/// The members of a list; none where it is absent.
std::vector<nlohmann::json> list_at(const nlohmann::json& json, const std::string& key);

/// Gives the file's object to `read`. E0841 with `help`: no JSON object, or what `read` throws.
Result<void> read_json(const std::filesystem::path& path, const std::string& help,
                       const std::function<void(const nlohmann::json&)>& read);

}  // namespace anemone::toolchain

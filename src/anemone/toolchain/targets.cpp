// TOML into targets. The only file that sees the TOML library.
#include "anemone/toolchain/targets.h"

#include <fmt/format.h>

#include <toml++/toml.h>
#include <algorithm>
#include <cmath>

#include "anemone/support/file.h"

namespace anemone::toolchain {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;

// In a line: each dot of a key is a table, and the library takes the stack for each. Targets have one.
constexpr std::size_t kMostDots = 32;

/// Where in the text something is wrong.
class Text {
 public:
  explicit Text(std::shared_ptr<const SourceText> source) : source_(std::move(source)) {}

  /// Of the text that is one: keys of too many parts.
  Result<void> check_dots() const {
    char quote = 0;
    std::size_t dots = 0;
    for (std::size_t i = 0; i < source_->text.size(); ++i) {
      const char c = source_->text[i];
      if (c == '\n') {
        quote = 0;
        dots = 0;
      } else if (c == quote) {
        quote = 0;
      } else if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
      } else if (quote == 0 && c == '#') {
        i = std::min(source_->text.find('\n', i), source_->text.size()) - 1;
      } else if (quote == 0 && c == '.' && ++dots > kMostDots) {
        return wrong_at(i, fmt::format("more than {} dots in a line are no targets", kMostDots));
      }
    }
    return {};
  }

  Diagnostic wrong(const toml::source_region& where, std::string message, std::string help = {}) const {
    std::size_t at = 0;
    for (toml::source_index line = 1; line < where.begin.line; ++line) {
      const std::size_t feed = source_->text.find('\n', at);
      if (feed == std::string::npos) break;
      at = feed + 1;
    }
    at = std::min(source_->text.size(), at + (where.begin.column > 0 ? where.begin.column - 1 : 0));
    return wrong_at(at, std::move(message), std::move(help));
  }

 private:
  Diagnostic wrong_at(std::size_t at, std::string message, std::string help = {}) const {
    Diagnostic diagnostic = bad_input(ErrorCode::targets_wrong, std::move(message), {}, std::move(help));
    diagnostic.span = {source_, at, at};
    return diagnostic;
  }

  std::shared_ptr<const SourceText> source_;
};

std::string list(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) out += (out.empty() ? "" : ", ") + std::string(word);
  return out;
}

Result<double> limit_of(const Text& text, std::string_view key, const toml::node& value) {
  const std::optional<double> number = value.is_number() ? value.value<double>() : std::nullopt;
  if (!number || !std::isfinite(*number) || *number < 0)
    return text.wrong(value.source(), fmt::format("'{}' is to be a number that is not negative", key));
  return *number;
}

Result<Basis> basis_of(const Text& text, const QuantityRow& row, const toml::node& value) {
  std::vector<std::string_view> allowed;
  for (const Basis basis : row.bases) allowed.push_back(name(basis));
  const std::optional<std::string> word = value.is_string() ? value.value<std::string>() : std::nullopt;
  for (const Basis basis : row.bases) {
    if (word && *word == name(basis)) return basis;
  }
  return text.wrong(value.source(), fmt::format("'basis' of {} is to be one of: {}", row.name, list(allowed)));
}

Result<GateTarget> target_of(const Text& text, const QuantityRow& row, const toml::table& table) {
  std::vector<std::string_view> keys{"basis", "must", "should", "stretch"};
  if (row.quantity == Quantity::accuracy_loss) keys.emplace_back("nme_percent");
  GateTarget out{.quantity = row.quantity};
  bool has_basis = false;
  for (const auto& [key, value] : table) {
    const std::string_view word = key.str();
    const auto level = std::find(kLevels.begin(), kLevels.end(), word);
    if (level != kLevels.end()) {
      TRY(out.limits[static_cast<std::size_t>(level - kLevels.begin())], limit_of(text, word, value));
    } else if (word == "basis") {
      TRY(out.basis, basis_of(text, row, value));
      has_basis = true;
    } else if (word == "nme_percent" && row.quantity == Quantity::accuracy_loss) {
      TRY(out.nme_percent, limit_of(text, word, value));
      if (*out.nme_percent == 0) return text.wrong(value.source(), "'nme_percent' is to be greater than 0");
    } else {
      return text.wrong(key.source(), fmt::format("'{}' is no key of {}", word, row.name),
                        did_you_mean(word, keys, "keys are: " + list(keys)));
    }
  }
  if (!has_basis)
    return text.wrong(table.source(), fmt::format("{} has no 'basis': what may satisfy it", row.name),
                      "add basis = \"" + std::string(name(row.bases.front())) + "\"");
  if (std::none_of(out.limits.begin(), out.limits.end(), [](const auto& limit) { return limit.has_value(); }))
    return text.wrong(table.source(), fmt::format("{} has no limit", row.name), "give one of: " + list(kLevels));
  return out;
}

Result<Targets> targets_of(const Text& text, const toml::table& root, std::string file) {
  std::vector<std::string_view> keys{"device"};
  for (const QuantityRow& row : quantity_rows()) keys.push_back(row.name);
  Targets out{.file = std::move(file)};
  for (const auto& [key, value] : root) {
    if (std::find(keys.begin(), keys.end(), key.str()) == keys.end())
      return text.wrong(key.source(), fmt::format("'{}' is nothing that a target can be about", key.str()),
                        did_you_mean(key.str(), keys, "keys are: " + list(keys)));
    if (key.str() == "device" && !value.is_string())
      return text.wrong(value.source(), "'device' is to be the name of a chip, in quotes", "device = \"m1\"");
    if (key.str() != "device" && !value.is_table())
      return text.wrong(key.source(), fmt::format("'{}' is to be a table", key.str()),
                        fmt::format("begin it with [{}]", key.str()));
  }
  out.device = root["device"].value<std::string>();
  for (const QuantityRow& row : quantity_rows()) {
    if (const toml::table* table = root[row.name].as_table()) {
      TRY(out.targets.emplace_back(), target_of(text, row, *table));
    }
  }
  if (out.targets.empty())
    return bad_input(ErrorCode::targets_wrong, "the file has no target", out.file, "tables are: " + list(keys));
  return out;
}

}  // namespace

std::string_view name(Basis basis) {
  return basis == Basis::predicted ? "predicted" : basis == Basis::here ? "here" : "device";
}

std::span<const QuantityRow> quantity_rows() {
  static const std::array kRows{
      QuantityRow{Quantity::latency, "latency_ms", false, {Basis::device, Basis::here, Basis::predicted}},
      QuantityRow{Quantity::coverage, "coverage_percent", true, {Basis::predicted, Basis::device}},
      QuantityRow{Quantity::partitions, "partitions", false, {Basis::predicted, Basis::device}},
      QuantityRow{Quantity::accuracy_loss, "accuracy_loss_percent", false, {Basis::here, Basis::device}},
      QuantityRow{Quantity::fps, "fps", true, {Basis::device, Basis::here}},
  };
  return kRows;
}

const QuantityRow& row_of(Quantity quantity) {
  const auto rows = quantity_rows();
  return *std::find_if(rows.begin(), rows.end(), [&](const QuantityRow& row) { return row.quantity == quantity; });
}

Result<Targets> read_targets(const std::filesystem::path& path) {
  TRY(const Bytes file, map_file(path));
  if (file.size() > kMostBytes)
    return bad_input(ErrorCode::targets_wrong, fmt::format("{} bytes are no list of targets", file.size()),
                     path.string());
  auto source = std::make_shared<SourceText>(
      SourceText{path.string(), std::string(reinterpret_cast<const char*>(file.data()), file.size())});
  const Text text(source);
  TRY_VOID(text.check_dots());
  try {
    return targets_of(text, toml::parse(source->text, path.string()), path.string());
  } catch (const toml::parse_error& error) {
    std::string message(error.description());
    if (!message.empty()) message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
    return text.wrong(error.source(), "this is not TOML: " + message, "https://toml.io says how it is written");
  }
}

}  // namespace anemone::toolchain

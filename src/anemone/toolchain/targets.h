#pragma once
// What a model is to reach, as a person writes it down: a TOML file with a table for each quantity.
#include <array>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "anemone/support/result.h"

namespace anemone::toolchain {

/// What a number rests on, weakest first.
enum class Basis : std::uint8_t {
  predicted,  ///< by the planner
  here,       ///< measured on this machine, whose CPU is no Neural Engine
  device,     ///< measured on the device
};
std::string_view name(Basis basis);

enum class Quantity : std::uint8_t { latency, coverage, partitions, accuracy_loss, fps };
struct QuantityRow {
  Quantity quantity;
  std::string_view name;     ///< "latency_ms": the table of the file, the name in reports
  bool at_least;             ///< a limit is met above it; else below it
  std::vector<Basis> bases;  ///< what such a target can ask for
};
std::span<const QuantityRow> quantity_rows();
const QuantityRow& row_of(Quantity quantity);

inline constexpr std::array<std::string_view, 3> kLevels{"must", "should", "stretch"};

struct GateTarget {
  Quantity quantity = Quantity::latency;
  Basis basis = Basis::predicted;               ///< what may satisfy it
  std::array<std::optional<double>, 3> limits;  ///< of kLevels
  std::optional<double> nme_percent;            ///< of accuracy_loss: the error of the network itself, in percent
};

struct Targets {
  std::string file;
  std::optional<std::string> device;  ///< the chip whose predictions count
  std::vector<GateTarget> targets;    ///< in the order of quantity_rows()
};

/// Bad input: no TOML, an unknown key, a value that cannot be: with the line and what is allowed.
Result<Targets> read_targets(const std::filesystem::path& path);

}  // namespace anemone::toolchain

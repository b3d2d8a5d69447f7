// Versions and formats by name, and what each release can read.
#include "anemone/plan/ort/target.h"

#include <fmt/format.h>

#include <array>

namespace anemone::plan::ort {
namespace {

/// Measured: models of each opset and IR version, loaded with the releases 1.19.2, 1.20.1, 1.21.1, 1.22.1, 1.23.2, 1.24.1.
struct Release {
  int version, newest_opset, newest_ir_version;
};
constexpr Release kReleases[] = {{19, 21, 10}, {20, 21, 10}, {21, 22, 10}, {22, 22, 10}, {23, 23, 11}, {24, 25, 13}};

const Release& release(int version) {
  for (const Release& r : kReleases) {
    if (r.version == version) return r;
  }
  return kReleases[0];
}

constexpr auto kTargets = [] {
  std::array<Target, 2 * std::size(kReleases)> all;
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = {kReleases[i / 2].version, i % 2 == 0 ? Format::neural_network : Format::ml_program};
  return all;
}();

}  // namespace

std::string_view name(Format format) { return format == Format::neural_network ? "neuralnetwork" : "mlprogram"; }

std::string to_text(Target target) { return fmt::format("1.{}/{}", target.version, name(target.format)); }

std::optional<Target> parse_target(std::string_view text) {
  for (const Target target : kTargets) {
    if (text == to_text(target)) return target;
  }
  return std::nullopt;
}

std::span<const Target> targets() { return kTargets; }

int newest_opset(int version) { return release(version).newest_opset; }
int newest_ir_version(int version) { return release(version).newest_ir_version; }

}  // namespace anemone::plan::ort

#pragma once
// Which ONNX Runtime a plan is for: its version, and the form in which its CoreML provider writes models.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace anemone::plan::ort {

enum class Format : std::uint8_t { neural_network, ml_program };
std::string_view name(Format format);  ///< "neuralnetwork": as the provider's option ModelFormat says it, in lower case

struct Target {
  int version = 19;  ///< of 1.19
  Format format = Format::neural_network;
  bool operator==(const Target&) const = default;
};
std::string to_text(Target target);  ///< "1.19/neuralnetwork"
/// Absent: not of that form, or a version without rules here.
std::optional<Target> parse_target(std::string_view text);
std::span<const Target> targets();  ///< all that have rules: 1.19 to 1.24, each in both formats

/// The newest opset of ai.onnx, and the newest IR version, that a release loads.
int newest_opset(int version);
int newest_ir_version(int version);

}  // namespace anemone::plan::ort

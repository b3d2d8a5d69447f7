#pragma once
// What a planner answers, as plain data: where each operation goes, why, what it costs, and what to do about it.
// Everything about Apple hardware in it is a prediction and says on what evidence it rests.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace anemone::plan {

/// The order decides ties between units: the engine first.
enum class Unit : std::uint8_t { ane, cpu, gpu };
std::string_view name(Unit unit);  ///< "ane"

/// How sure a statement is, weakest last: measured on a device (and published, or reported by the device itself);
/// documented by Apple; reported by others; computed by a model whose constants were reported; guessed, conflicting, or
/// taken from another chip.
enum class Trust : std::uint8_t { measured, documented, reported, computed, guessed };
std::string_view name(Trust trust);
inline Trust weakest(Trust a, Trust b) { return a > b ? a : b; }

enum class Support : std::uint8_t { yes, no, unknown };
std::string_view name(Support support);

/// Which units Core ML may use (MLModelConfiguration.computeUnits).
enum class ComputeUnits : std::uint8_t { cpu_ne, all, cpu_gpu, cpu };
std::string_view name(ComputeUnits units);  ///< "cpu-ne"

/// What the engine could do with an operation, and why.
struct Verdict {
  Support support = Support::yes;
  std::string code;     ///< of the rule that decided; empty when nothing speaks against it
  std::string reason;   ///< one sentence, with the numbers
  std::string instead;  ///< what to write instead; may be empty
  Trust trust = Trust::reported;
};

/// The system planner's estimates of one operation, in microseconds; a unit that does not take it has one all the same.
struct Estimates {
  double ane = 0, bnns = 0, classic_cpu = 0, gpu = 0;  ///< bnns and classic_cpu: the two back ends of the CPU
  Trust trust = Trust::reported;
};

struct PlannedOp {
  std::string output, type;  ///< name of the first output
  std::string origin;
  Verdict verdict;  ///< code and reason are set, too, where the engine takes it and the planner does not put it there
  Unit unit = Unit::cpu;  ///< where the planner puts it
  double us = 0;          ///< the planner's estimate on that unit
  Estimates estimates;
  std::int64_t bytes = 0, macs = 0;
  std::string bound;  ///< what limits it: "compute", "memory", "elementwise"
};

/// A maximal run of operations on one unit, in program order.
struct Segment {
  Unit unit = Unit::cpu;
  std::size_t begin = 0, ops = 0;  ///< index of its first operation; how many
  std::string first, last;         ///< output names
  std::int64_t bytes_in = 0;       ///< of values made on other units
  double us = 0;
};

/// Where a program would be placed, were something different about it.
struct Outcome {
  std::string how;  ///< "were they taken", "with --outputs final"
  std::size_t ops = 0, on_ane = 0;
  double planner_ms = 0;
};

struct Finding {
  std::string code, name, severity;  ///< severity: error, warn, info
  std::string message, instead, command;
  Trust trust = Trust::reported;
  bool checked = true;             ///< false: activations would have to be known
  std::optional<double> cost_us;   ///< by the planner's estimates; nothing = not a matter of time, or unknown
  std::vector<std::string> ops;    ///< output names
  std::optional<Outcome> without;  ///< the plan without what was found
};

/// Milliseconds of one of the views on latency.
struct LatencyPart {
  std::string name;
  double low = 0, high = 0;
  std::string basis;
  Trust trust = Trust::reported;
};

struct LatencyRange {
  double low = 0, high = 0;  ///< milliseconds of one warm call of the native model
  std::string warning;       ///< not empty: too much of the program is unknown, and the range means little
  std::string basis;
  std::vector<LatencyPart> parts;
};

struct Plan {
  std::string device, chip, compute_units;
  std::vector<PlannedOp> ops;  ///< in program order, without const and constexpr_*, as Xcode counts
  std::size_t on_ane = 0, supported = 0;
  double coverage_percent = 0;  ///< on_ane of all
  std::vector<Segment> segments;
  std::size_t partitions = 0;       ///< segments on the engine
  double planner_ms = 0;            ///< the system planner's own estimate for this placement
  std::int64_t crossing_bytes = 0;  ///< of values used on another unit than their own; each counts once
  LatencyRange latency;
  std::vector<Finding> findings;  ///< most expensive first
  std::vector<std::string> notes;
  Trust weakest_trust = Trust::measured;  ///< of all verdicts and costs
};

}  // namespace anemone::plan

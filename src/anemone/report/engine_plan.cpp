// Columns as wide as what stands in them.
#include "anemone/report/engine_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "anemone/report/json_parts.h"

namespace anemone::report {
namespace {

std::string algorithm(const runtime::ListedCall& call) {
  return std::string(call.kernel) + (call.algorithm.empty() ? "" : fmt::format(" ({})", call.algorithm));
}

/// "buffer 0, constant 2 -> buffer 1"
std::string places(const runtime::ListedCall& call) {
  std::string in, out;
  for (const runtime::ListedOperand& operand : call.operands) {
    std::string& list = operand.is_result ? out : in;
    list += (list.empty() ? "" : ", ") + operand.place;
  }
  return in + " -> " + out;
}

}  // namespace

std::string engine_plan_text(const toolchain::EnginePlan& p) {
  std::int64_t macs = 0;
  using Cells = std::array<std::string, 8>;
  std::vector<Cells> table{{"", "operations", "kernel", "layout", "parameters", "MMAC", "kB", "operands"}};
  for (const runtime::ListedCall& call : p.plan.calls) {
    macs += call.macs;
    table.push_back({std::to_string(table.size() - 1), call.ops, algorithm(call), std::string(call.layout),
                     call.parameters, call.macs ? fmt::format("{:.2f}", static_cast<double>(call.macs) / 1e6) : "",
                     fmt::format("{:.1f}", static_cast<double>(call.bytes) / 1e3), places(call)});
  }
  Cells::size_type column = 0;
  std::array<std::size_t, 8> widths{};
  for (std::size_t& width : widths) {
    for (const Cells& row : table) width = std::max(width, row[column].size());
    ++column;
  }
  std::string out =
      fmt::format("{}: {} calls, {:.1f} MMAC, arena {:.1f} MB, constants {:.1f} MB; {}\n", p.model, p.plan.calls.size(),
                  static_cast<double>(macs) / 1e6, static_cast<double>(p.plan.arena_bytes) / 1e6,
                  static_cast<double>(p.plan.constant_bytes) / 1e6, p.precision);
  for (const Cells& r : table) {
    out +=
        fmt::format("  {:>{}}  {:<{}}  {:<{}}  {:<{}}  {:<{}}  {:>{}}  {:>{}}  {}\n", r[0], widths[0], r[1], widths[1],
                    r[2], widths[2], r[3], widths[3], r[4], widths[4], r[5], widths[5], r[6], widths[6], r[7]);
  }
  return out;
}

std::string engine_plan_json(const toolchain::EnginePlan& p) {
  Json calls = Json::array();
  for (const runtime::ListedCall& call : p.plan.calls) {
    Json operands = Json::array();
    for (const runtime::ListedOperand& operand : call.operands) {
      operands.push_back(
          {{"role", operand.role}, {"place", operand.place}, {"bytes", operand.bytes}, {"result", operand.is_result}});
    }
    calls.push_back({{"name", call.name},
                     {"operations", call.ops},
                     {"kernel", call.kernel},
                     {"algorithm", call.algorithm},
                     {"layout", call.layout},
                     {"parameters", call.parameters},
                     {"macs", call.macs},
                     {"bytes", call.bytes},
                     {"operands", operands}});
  }
  const Json out{{"schema", "anemone.engine-plan/1"},
                 {"model", p.model},
                 {"isa", p.isa},
                 {"precision", p.precision},
                 {"arena_bytes", p.plan.arena_bytes},
                 {"constant_bytes", p.plan.constant_bytes},
                 {"calls", calls}};
  return dump(out);
}

}  // namespace anemone::report

// Two analyses side by side.
#include "anemone/report/analysis_comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "anemone/report/words.h"

namespace anemone::report {
namespace {

using toolchain::Analysis;

std::string row(const std::string& label, std::int64_t a, std::int64_t b) {
  std::string change;
  if (a != b) change = fmt::format("{}{}", b > a ? "+" : "-", grouped(b > a ? b - a : a - b));
  return fmt::format("{:<31} {:>14} {:>14}{}\n", fitted(label, 31), grouped(a), grouped(b),
                     change.empty() ? change : fmt::format(" {:>15}", change));
}

}  // namespace

std::string analysis_comparison_text(const Analysis& a, const Analysis& b) {
  std::string out = fmt::format("first:  {}\nsecond: {}\n\n{:<31} {:>14} {:>14} {:>15}\n", a.model, b.model, "",
                                "first", "second", "difference");
  out += row("parameters", a.parameters.total, b.parameters.total);
  out += row("  that run", a.parameters.live, b.parameters.live);
  out += row("bytes as fp16", a.fp16_bytes(), b.fp16_bytes());
  out += row("MACs", a.macs, b.macs);
  out += row("MACs of fixed matrices", a.fixed_macs, b.fixed_macs);
  out += row("peak bytes of activations", a.peak.bytes, b.peak.bytes);
  if (a.engine && b.engine) out += row("operations on the Neural Engine", a.engine->on_ane, b.engine->on_ane);
  out += row("operations", a.ops.total, b.ops.total);
  std::set<std::string> types;
  for (const auto& [type, count] : a.ops.by_type) types.insert(type);
  for (const auto& [type, count] : b.ops.by_type) types.insert(type);
  const auto count = [](const Analysis& x, const std::string& type) {
    const auto found = x.ops.by_type.find(type);
    return found == x.ops.by_type.end() ? 0 : found->second;
  };
  std::vector<std::string> sorted(types.begin(), types.end());
  std::stable_sort(sorted.begin(), sorted.end(), [&](const std::string& x, const std::string& y) {
    return count(a, x) + count(b, x) > count(a, y) + count(b, y);
  });
  for (const std::string& type : sorted) out += row("  " + type, count(a, type), count(b, type));
  const auto codes = [](const Analysis& x) {
    std::set<std::string> set;
    for (const plan::Finding& f : x.findings) set.insert(f.code);
    return set;
  };
  const auto only = [&](const std::string& label, const std::set<std::string>& in,
                        const std::set<std::string>& not_in) {
    std::vector<std::string> rest;
    std::set_difference(in.begin(), in.end(), not_in.begin(), not_in.end(), std::back_inserter(rest));
    if (!rest.empty()) out += label + joined(rest, 20) + '\n';
  };
  out += '\n';
  only("findings only of the first: ", codes(a), codes(b));
  only("findings only of the second: ", codes(b), codes(a));
  return out;
}

}  // namespace anemone::report

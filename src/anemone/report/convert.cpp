// Conversions: what was written, and what the passes did.
#include "anemone/report/convert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/report/json_parts.h"
#include "anemone/report/words.h"
#include "anemone/support/text.h"

namespace anemone::report {
namespace {

std::vector<std::string> words_of(const std::vector<toolchain::FeatureSummary>& list) {
  std::vector<std::string> out;
  for (const toolchain::FeatureSummary& f : list) out.push_back(feature_words(f));
  return out;
}

// Most frequent first.
std::string histogram(const toolchain::OpCounts& counts) {
  std::vector<std::pair<std::string, std::int64_t>> rows(counts.by_type.begin(), counts.by_type.end());
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string out;
  for (const auto& [type, count] : rows) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, type);
  return out;
}

// What a calibration shows in short: the furthest values, and those that fp16 damages.
std::vector<std::string> numbers(const std::vector<toolchain::ValueRange>& ranges) {
  constexpr std::size_t kShown = 5;
  std::vector<const toolchain::ValueRange*> order;
  for (const toolchain::ValueRange& range : ranges) order.push_back(&range);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return a->largest() > b->largest(); });
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::min(kShown, order.size()); ++i) {
    out.push_back(fmt::format("{} ({}) {:.4g} to {:.4g}, 99.9 % within {:.4g}", order[i]->name, order[i]->type,
                              order[i]->min, order[i]->max, order[i]->p999));
  }
  for (const toolchain::ValueRange* range : order) {
    const std::string why = toolchain::damage(*range);
    if (!why.empty()) out.push_back(fmt::format("{} ({}): {}", range->name, range->type, why));
  }
  return out;
}

Json ranges(const std::vector<toolchain::ValueRange>& list) {
  Json out = Json::array();
  for (const toolchain::ValueRange& r : list) {
    out.push_back({{"name", r.name},
                   {"type", r.type},
                   {"min", r.min},
                   {"max", r.max},
                   {"p999", r.p999},
                   {"subnormal", r.subnormal},
                   {"overflows", r.overflows}});
  }
  return out;
}

// "3 batch norms folded", "1 batch norm folded": what was done stands behind.
std::string done(std::size_t n, const std::string& what) {
  const std::size_t end = what.rfind(' ');
  const bool one =
      n == 1 && end != std::string::npos && end > 0 && what[end - 1] == 's' && what.find(" and ") == what.npos;
  return fmt::format("{} {}", n, one ? what.substr(0, end - 1) + what.substr(end) : what);
}

Json passes(const std::vector<toolchain::PassSummary>& list) {
  Json out = Json::array();
  for (const toolchain::PassSummary& p : list) {
    Json j{{"name", p.name}, {"changed", p.changed}, {"ms", p.ms}};
    if (!p.counts.empty()) j["counts"] = p.counts;
    if (!p.remarks.empty()) j["remarks"] = p.remarks;
    out.push_back(std::move(j));
  }
  return out;
}

Json convert_document(const toolchain::ConvertResult& r) {
  Json out{{"schema", "anemone.convert/1"},
           {"input", r.input},
           {"output", r.output},
           {"written", r.written},
           {"bytes", r.bytes},
           {"input_bytes", r.input_bytes},
           {"parameters", {{"total", r.parameters}, {"dead", r.parameters_dead}}},
           {"precision", r.precision},
           {"target", r.target},
           {"ops", op_counts(r.ops)},
           {"inputs", features(r.inputs)},
           {"outputs", features(r.outputs)},
           {"functions", r.functions},
           {"outputs_left_out", r.outputs_left_out},
           {"passes", passes(r.passes)},
           {"seconds", r.seconds}};
  if (!r.ranges.empty()) out["calibration"] = ranges(r.ranges);
  return out;
}

}  // namespace

std::string convert_text(const toolchain::ConvertResult& r, bool stats) {
  std::string out = fmt::format("{} {}: {}, {}, {}", r.written ? "wrote" : "would write", r.output,
                                counted(r.ops.total, "operation"), r.precision, r.target);
  if (r.written) out += fmt::format(", {}", megabytes(r.bytes));
  if (r.written && r.input_bytes > 0) out += fmt::format(" (from {})", megabytes(r.input_bytes));
  out += '\n';
  out += labelled("inputs", words_of(r.inputs));
  out += labelled("outputs", words_of(r.outputs));
  if (!r.outputs_left_out.empty())
    out += fmt::format("  {:<9} {} of the network; '--outputs all' keeps them\n", "left out",
                       counted(static_cast<std::int64_t>(r.outputs_left_out.size()), "other output"));
  if (r.parameters_dead > 0)
    out += fmt::format("  {:<9} {} of {} parameters, which never run\n", "dropped", grouped(r.parameters_dead),
                       grouped(r.parameters));
  if (r.functions.size() > 1) out += labelled("functions", r.functions);
  if (stats) {
    out += labelled("ops", {histogram(r.ops)});
    out += fmt::format("  {:<30} {:>7}  {}\n", "pass", "ms", "what it did");
    for (const toolchain::PassSummary& p : r.passes) {
      std::string did;
      for (const auto& [what, n] : p.counts) did += (did.empty() ? "" : ", ") + done(n, what);
      out +=
          fmt::format("  {:<30} {:>7.2f}  {}\n", p.name, p.ms, did.empty() ? (p.changed ? "changed" : "nothing") : did);
      for (std::size_t i = 0; i < std::min<std::size_t>(p.remarks.size(), 5); ++i)
        out += fmt::format("  {:<30} {:>7}  {}\n", "", "", p.remarks[i]);
      if (p.remarks.size() > 5)
        out += fmt::format("  {:<30} {:>7}  … and {} more remarks (--json has all)\n", "", "", p.remarks.size() - 5);
    }
  }
  if (!r.ranges.empty()) out += labelled("numbers", numbers(r.ranges));
  return out + fmt::format("  {:<9} {:.2f} s\n", "time", r.seconds);
}

std::string convert_json(const toolchain::ConvertResult& r) { return dump(convert_document(r)); }

std::string convert_json(const toolchain::ConvertResult& result,
                         const std::vector<std::pair<std::string, std::string>>& documents) {
  Json json = convert_document(result);
  for (const auto& [name, document] : documents) json[name] = Json::parse(document);
  return dump(json);
}

}  // namespace anemone::report

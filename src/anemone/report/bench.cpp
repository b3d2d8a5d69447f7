// Times of this machine.
#include "anemone/report/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/report/json_parts.h"
#include "anemone/report/words.h"
#include "anemone/support/text.h"

namespace anemone::report {
namespace {

Json side(const toolchain::BenchSide& s) {
  Json types = Json::array();
  for (const auto& [type, ms] : s.by_type) types.push_back({{"type", type}, {"ms", ms}});
  return {{"model", s.model},     {"median_ms", s.median_ms}, {"p90_ms", s.p90_ms},
          {"p99_ms", s.p99_ms},   {"min_ms", s.min_ms},       {"calls_per_second", 1000 / s.median_ms},
          {"load_ms", s.load_ms}, {"macs", s.macs},           {"runs_ms", s.runs_ms},
          {"by_type", types}};
}

}  // namespace

std::string bench_text(const toolchain::BenchResult& r) {
  std::string out = fmt::format("{} on {} ({}), {}, {} after warm-up\n", r.precision, r.cpu, r.isa,
                                counted(r.threads, "thread"), counted(static_cast<std::int64_t>(r.runs), "run"));
  out += fmt::format("  {:>9} {:>9} {:>9} {:>9} {:>9} {:>10}  {}\n", "median ms", "p90", "p99", "min", "load",
                     "calls/s", "model");
  const auto row = [&](const toolchain::BenchSide& s) {
    out += fmt::format("  {:>9.2f} {:>9.2f} {:>9.2f} {:>9.2f} {:>9.1f} {:>10.1f}  {}\n", s.median_ms, s.p90_ms,
                       s.p99_ms, s.min_ms, s.load_ms, 1000 / s.median_ms, s.model);
  };
  row(r.model);
  if (r.against) row(*r.against);
  if (r.ratio && r.against) {
    const bool faster = *r.ratio <= 1;
    out += fmt::format("  {} is {:.2f} times as fast as {} (median of {})\n", faster ? r.model.model : r.against->model,
                       faster ? 1 / *r.ratio : *r.ratio, faster ? r.against->model : r.model.model,
                       counted(static_cast<std::int64_t>(r.runs), "interleaved pair"));
  }
  out += fmt::format("  {:.2f} GMAC, {:.1f} GMAC/s at the median; peak memory of the process {}\n",
                     static_cast<double>(r.model.macs) / 1e9,
                     static_cast<double>(r.model.macs) / 1e6 / r.model.median_ms, megabytes(r.peak_rss_bytes));
  for (std::size_t i = 0; i < std::min<std::size_t>(8, r.model.by_type.size()); ++i) {
    out += fmt::format("    {:<36} {:>8.2f} ms\n", r.model.by_type[i].first, r.model.by_type[i].second);
  }
  return out + "  these are times of this machine's CPU; they say nothing about the Neural Engine\n";
}

std::string bench_json(const toolchain::BenchResult& r) {
  Json out{{"schema", "anemone.bench/1"},
           {"runs", r.runs},
           {"median_ms", r.model.median_ms},
           {"p90_ms", r.model.p90_ms},
           {"p99_ms", r.model.p99_ms},
           {"calls_per_second", 1000 / r.model.median_ms},
           {"min_ms", r.model.min_ms},
           {"load_ms", r.model.load_ms},
           {"peak_rss_bytes", r.peak_rss_bytes},
           {"threads", r.threads},
           {"cpu", r.cpu},
           {"isa", r.isa},
           {"precision", r.precision},
           {"model", side(r.model)}};
  out["against"] = r.against ? side(*r.against) : Json(nullptr);
  out["ratio"] = r.ratio ? Json(*r.ratio) : Json(nullptr);
  return dump(out);
}

}  // namespace anemone::report

// Times of this machine.
#include "anemone/report/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "anemone/report/json_parts.h"
#include "anemone/report/words.h"
#include "anemone/support/text.h"
#include "anemone/support/utf8.h"

namespace anemone::report {
namespace {

Json side(const toolchain::BenchSide& s) {
  Json types = Json::array(), ops = Json::array();
  for (const auto& [type, ms] : s.by_type) types.push_back({{"type", type}, {"ms", ms}});
  for (const toolchain::BenchOp& op : s.ops) {
    ops.push_back({{"name", op.name},
                   {"type", op.type},
                   {"ms", op.ms},
                   {"share", op.share},
                   {"macs", op.macs},
                   {"gflops", op.gflops},
                   {"of_peak", op.of_peak},
                   {"algorithm", op.algorithm},
                   {"fewer_products", op.fewer_products}});
  }
  Json out{{"model", s.model},
           {"median_ms", s.median_ms},
           {"p90_ms", s.p90_ms},
           {"p99_ms", s.p99_ms},
           {"min_ms", s.min_ms},
           {"max_ms", s.max_ms},
           {"outliers", s.outliers},
           {"outlier_ms", s.outlier_ms},
           {"calls_per_second", 1000 / s.median_ms},
           {"load_ms", s.load_ms},
           {"macs", s.macs},
           {"runs_ms", s.runs_ms},
           {"by_type", types}};
  if (!s.ops.empty()) out["ops"] = ops;
  return out;
}

Json ratio(const toolchain::BenchRatio& r) { return {{"median", r.median}, {"low", r.low}, {"high", r.high}}; }

std::string ratio_line(const toolchain::BenchRatio& r, const std::string& mine, const std::string& theirs,
                       std::size_t rounds) {
  const bool faster = r.median <= 1;
  const double low = faster ? 1 / r.high : r.low, high = faster ? 1 / r.low : r.high;
  return fmt::format("  {} is {:.2f} times as fast as {} (half of {} between {:.2f} and {:.2f})\n",
                     faster ? mine : theirs, faster ? 1 / r.median : r.median, faster ? theirs : mine,
                     counted(static_cast<std::int64_t>(rounds), "interleaved round"), low, high);
}

/// Where the two measurements differ, something else had the processor.
std::string peak_lines(const toolchain::BenchPeak& peak, int threads) {
  std::string out =
      fmt::format("  this machine does {:.1f} GFLOP/s at most with {}: ", peak.gflops, counted(threads, "thread"));
  const double low = std::min(peak.before, peak.after), high = std::max(peak.before, peak.after);
  if (peak.gflops > high) {
    out += fmt::format("its fastest operation does; {:.1f} before the runs and {:.1f} after them were disturbed\n",
                       peak.before, peak.after);
  } else if (low < 0.95 * high) {
    out += fmt::format("{:.1f} before the runs and {:.1f} after them; something else was running\n", peak.before,
                       peak.after);
  } else {
    out += "measured before and after the runs\n";
  }
  return out;
}

std::string op_lines(const toolchain::BenchResult& r, std::size_t most) {
  const std::vector<toolchain::BenchOp>& ops = r.model.ops;
  const std::size_t shown = std::min(most, ops.size());
  std::size_t width = 10;
  bool fewer = false;
  for (std::size_t i = 0; i < shown; ++i) width = std::max(width, ops[i].type.size());
  std::string out = peak_lines(*r.peak, r.threads);
  out += fmt::format("  {:>9}  {:>6}  {:>8}  {:>6}  {:<{}}  value\n", "ms", "time %", "GFLOP/s", "peak %", "operations",
                     width);
  for (std::size_t i = 0; i < shown; ++i) {
    const toolchain::BenchOp& op = ops[i];
    const std::string speed = op.macs > 0 ? fmt::format("{:.1f}", op.gflops) : "";
    const std::string part = op.macs > 0 ? fmt::format("{:.1f}", 100 * op.of_peak) : "";
    fewer = fewer || op.fewer_products;
    out += fmt::format("  {:>9.4f}  {:>6.1f}  {:>8}  {:>6}{} {:<{}}  {}\n", op.ms, 100 * op.share, speed, part,
                       op.fewer_products ? '*' : ' ', op.type, width, escaped(op.name));
  }
  if (shown < ops.size()) out += fmt::format("  … and {} more\n", ops.size() - shown);
  if (fewer)
    out +=
        "  * Winograd's algorithm multiplies less than the definition, by which GFLOP/s are counted: more than 100 % "
        "is no wonder\n";
  return out;
}

}  // namespace

std::string bench_text(const toolchain::BenchResult& r, std::size_t most_ops) {
  std::string out = fmt::format("{} on {} ({}), {}, {} after warm-up\n", r.precision, r.cpu, r.isa,
                                counted(r.threads, "thread"), counted(static_cast<std::int64_t>(r.runs), "run"));
  out += fmt::format("  {:>9} {:>8} {:>8} {:>8} {:>8} {:>7} {:>8}  {}\n", "median ms", "p90", "p99", "min", "max",
                     "load", "calls/s", "model");
  const auto row = [&](const toolchain::BenchSide& s) {
    out += fmt::format("  {:>9.2f} {:>8.2f} {:>8.2f} {:>8.2f} {:>8.2f} {:>7.1f} {:>8.1f}  {}\n", s.median_ms, s.p90_ms,
                       s.p99_ms, s.min_ms, s.max_ms, s.load_ms, 1000 / s.median_ms, s.model);
  };
  row(r.model);
  if (r.against) row(*r.against);
  if (r.peer) row(r.peer->side);
  if (r.model.outliers > 0)
    out += fmt::format("  {} of {} took more than {:.2f} ms: outliers; something else was running\n", r.model.outliers,
                       counted(static_cast<std::int64_t>(r.runs), "run"), r.model.outlier_ms);
  if (r.ratio && r.against) out += ratio_line(*r.ratio, r.model.model, r.against->model, r.runs);
  if (r.peer) out += ratio_line(r.peer->ratio, r.model.model, r.peer->side.model, r.runs);
  if (r.batch > 1)
    out += fmt::format("  {} a call: {:.1f} a second\n", counted(r.batch, "sample"),
                       1000 * static_cast<double>(r.batch) / r.model.median_ms);
  if (r.streams) {
    const toolchain::BenchStreams& s = *r.streams;
    out += fmt::format("  {} at a time with {} each: {:.1f} calls a second, {:.2f} times as many; median {:.2f} ms\n",
                       counted(s.streams, "call"), counted(s.threads_each, "thread"), s.calls_per_second,
                       s.calls_per_second * r.model.median_ms / 1000, s.median_ms);
  }
  out += fmt::format("  {:.2f} GMAC, {:.1f} GMAC/s at the median; peak memory of the process {}\n",
                     static_cast<double>(r.model.macs) / 1e9,
                     static_cast<double>(r.model.macs) / 1e6 / r.model.median_ms, megabytes(r.peak_rss_bytes));
  if (r.peak) {
    out += op_lines(r, most_ops);
  } else {
    for (std::size_t i = 0; i < std::min<std::size_t>(8, r.model.by_type.size()); ++i)
      out += fmt::format("    {:<36} {:>8.2f} ms\n", r.model.by_type[i].first, r.model.by_type[i].second);
  }
  return out + "  these are times of this machine's CPU; they say nothing about the Neural Engine\n";
}

std::string bench_csv(const toolchain::BenchResult& r) {
  std::string out;
  if (!r.model.ops.empty()) {
    out = "name,operations,ms,share,macs,gflops,of_peak\n";
    for (const toolchain::BenchOp& op : r.model.ops)
      out += fmt::format("{},{},{:.6f},{:.6f},{},{:.3f},{:.4f}\n", csv_field(op.name), csv_field(op.type), op.ms,
                         op.share, op.macs, op.gflops, op.of_peak);
    return out;
  }
  out = "model,runs,median_ms,p90_ms,p99_ms,min_ms,max_ms,outliers,load_ms,macs\n";
  const auto row = [&](const toolchain::BenchSide& s) {
    out += fmt::format("{},{},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{},{:.3f},{}\n", csv_field(s.model), s.runs_ms.size(),
                       s.median_ms, s.p90_ms, s.p99_ms, s.min_ms, s.max_ms, s.outliers, s.load_ms, s.macs);
  };
  row(r.model);
  if (r.against) row(*r.against);
  if (r.peer) row(r.peer->side);
  return out;
}

std::string bench_json(const toolchain::BenchResult& r) {
  Json out{{"schema", "anemone.bench/1"},
           {"runs", r.runs},
           {"batch", r.batch},
           {"median_ms", r.model.median_ms},
           {"p90_ms", r.model.p90_ms},
           {"p99_ms", r.model.p99_ms},
           {"calls_per_second", 1000 / r.model.median_ms},
           {"samples_per_second", 1000 * static_cast<double>(r.batch) / r.model.median_ms},
           {"min_ms", r.model.min_ms},
           {"max_ms", r.model.max_ms},
           {"outliers", r.model.outliers},
           {"load_ms", r.model.load_ms},
           {"peak_rss_bytes", r.peak_rss_bytes},
           {"peak_gflops", r.peak ? Json(r.peak->gflops) : Json(nullptr)},
           {"threads", r.threads},
           {"cpu", r.cpu},
           {"isa", r.isa},
           {"precision", r.precision}};
  if (!r.accumulate.empty()) out["accumulate"] = r.accumulate;
  Json shapes = Json::array();
  for (const auto& [name, shape] : r.input_shapes) shapes.push_back({{"name", name}, {"shape", shape}});
  out["input_shapes"] = shapes;
  if (!r.outputs.empty()) out["outputs"] = r.outputs;
  out["model"] = side(r.model);
  out["against"] = r.against ? side(*r.against) : Json(nullptr);
  out["ratio"] = r.ratio ? Json(r.ratio->median) : Json(nullptr);
  if (r.ratio) out["ratio_spread"] = ratio(*r.ratio);
  if (r.peak) out["peak_measured"] = {{"before", r.peak->before}, {"after", r.peak->after}};
  if (r.peer)
    out["peer"] = {{"name", r.peer->name},
                   {"version", r.peer->version},
                   {"library", r.peer->library},
                   {"side", side(r.peer->side)},
                   {"ratio", ratio(r.peer->ratio)}};
  if (r.streams)
    out["streams"] = {{"count", r.streams->streams},
                      {"threads_each", r.streams->threads_each},
                      {"calls_per_second", r.streams->calls_per_second},
                      {"samples_per_second", static_cast<double>(r.batch) * r.streams->calls_per_second},
                      {"median_ms", r.streams->median_ms}};
  return dump(out);
}

}  // namespace anemone::report

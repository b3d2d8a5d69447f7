// Text for people.
#include "anemone/report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace anemone::report {
namespace {

std::string dims(const Dims& d) {
  std::string out;
  for (std::size_t i = 0; i < d.size(); ++i)
    out += (i ? "x" : "") + (d[i] == kUnknown ? std::string("?") : std::to_string(d[i]));
  return out.empty() ? "scalar" : out;
}

std::string feature(const FeatureSummary& f) {
  std::string sizes = dims(f.shape);
  for (const Dims& s : f.shapes) sizes += s == f.shape ? "" : ", " + dims(s);
  if (f.kind == "image") return fmt::format("{} (image {}, {} pixels)", f.name, f.color, sizes);
  if (f.kind == "array") return fmt::format("{} ({} {})", f.name, f.dtype, f.shape.empty() ? "of any size" : sizes);
  return fmt::format("{} ({})", f.name, f.kind);
}

// "label  item" with the items of one list below each other; long lists are cut.
std::string lines(std::string_view label, const std::vector<std::string>& items, std::size_t most = 20) {
  std::string out;
  for (std::size_t i = 0; i < std::min(items.size(), most); ++i)
    out += fmt::format("  {:<9} {}\n", i == 0 ? label : "", items[i]);
  if (items.size() > most) out += fmt::format("  {:<9} … and {} more\n", "", items.size() - most);
  return out;
}

std::vector<std::string> features(const std::vector<FeatureSummary>& list) {
  std::vector<std::string> out;
  for (const FeatureSummary& f : list) out.push_back(feature(f));
  return out;
}

// The histogram on lines of at most 88 columns, most frequent first.
std::vector<std::string> histogram(const OpCounts& counts) {
  std::vector<std::pair<std::string, std::int64_t>> rows(counts.by_type.begin(), counts.by_type.end());
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> out(1);
  for (const auto& [type, count] : rows) {
    const std::string item = fmt::format("{} {}", count, type);
    if (!out.back().empty() && out.back().size() + item.size() > 84) out.emplace_back();
    out.back() += (out.back().empty() ? "" : ", ") + item;
  }
  return out;
}

std::string decibel(double value) { return std::isfinite(value) ? fmt::format("{:.1f}", value) : "inf"; }

}  // namespace

std::string megabytes(std::uint64_t bytes) {
  if (bytes < 100'000) return fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3);
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string to_text(const ConvertResult& r, bool stats) {
  std::string out = fmt::format("wrote {}: {} operations, {}, {}, {}\n", r.output, r.ops.total, r.precision, r.target,
                                megabytes(r.bytes));
  out += lines("inputs", features(r.inputs));
  out += lines("outputs", features(r.outputs));
  if (!r.outputs_left_out.empty())
    out += fmt::format("  {:<9} {} other outputs of the network; '--outputs all' keeps them\n", "left out",
                       r.outputs_left_out.size());
  if (r.functions.size() > 1) out += lines("functions", r.functions);
  out += lines("ops", histogram(r.ops));
  if (stats) {
    out += fmt::format("  {:<24} {:>9}  {}\n", "pass", "ms", "what it did");
    for (const PassSummary& p : r.passes) {
      std::string did;
      for (const auto& [what, n] : p.counts) did += fmt::format("{}{} {}", did.empty() ? "" : ", ", n, what);
      out +=
          fmt::format("  {:<24} {:>9.2f}  {}\n", p.name, p.ms, did.empty() ? (p.changed ? "changed" : "nothing") : did);
      for (std::size_t i = 0; i < std::min<std::size_t>(p.remarks.size(), 5); ++i)
        out += fmt::format("  {:<24} {:>9}  {}\n", "", "", p.remarks[i]);
      if (p.remarks.size() > 5)
        out += fmt::format("  {:<24} {:>9}  … and {} more remarks (--json has all)\n", "", "", p.remarks.size() - 5);
    }
  }
  return out + fmt::format("  {:<9} {:.2f} s\n", "time", r.seconds);
}

std::string to_text(const RunResult& r) {
  std::string out;
  std::size_t width = 6;
  for (const RunOutput& o : r.outputs) width = std::max(width, o.name.size());
  out += fmt::format("{:<{}}  {:<8} {:<18} {:>11} {:>11} {:>11}  file\n", "output", width, "type", "shape", "min",
                     "mean", "max");
  for (const RunOutput& o : r.outputs) {
    out += fmt::format("{:<{}}  {:<8} {:<18} {:>11.4g} {:>11.4g} {:>11.4g}  {}\n", o.name, width, o.dtype,
                       dims(o.shape), o.min, o.mean, o.max, o.file);
  }
  for (const std::string& note : r.notes) out += fmt::format("note: {}\n", note);
  return out + fmt::format("ran {} in {:.3f} s; outputs are in {}\n", r.model, r.seconds, r.folder);
}

std::string to_text(const VerifyResult& r) {
  std::string out = fmt::format("{} against {}\n{}\n", r.candidate, r.reference, r.basis);
  std::size_t width = 6;
  for (const OutputComparison& o : r.outputs) width = std::max(width, o.name.size());
  out += fmt::format("  {:<{}} {:>11} {:>11} {:>11} {:>9}\n", "output", width, "largest", "max error", "mean error",
                     "PSNR dB");
  for (const OutputComparison& o : r.outputs) {
    out += fmt::format("  {:<{}} {:>11.4g} {:>11.3g} {:>11.3g} {:>9}  {}\n", o.name, width, o.scale, o.max_abs,
                       o.mean_abs, decibel(o.psnr_db), o.pass ? "ok" : "OUT OF TOLERANCE");
  }
  if (r.landmarks) {
    out += fmt::format("  {} landmarks: mean {:.4f} px (limit {}), max {:.4f} px (limit {}) of the crop",
                       r.landmarks->points, r.landmarks->mean_px, r.limit_mean_px, r.landmarks->max_px, r.limit_max_px);
    if (r.landmarks->nme_percent) out += fmt::format(", NME {:.4f} %", *r.landmarks->nme_percent);
    out += r.landmarks->pass ? "  ok\n" : "  OUT OF TOLERANCE\n";
  }
  for (const std::string& note : r.notes) out += fmt::format("note: {}\n", note);
  return out + (r.pass ? "verified: the numbers agree\n" : "not verified: the numbers differ\n");
}

std::string to_text(const BenchResult& r) {
  std::string out =
      fmt::format("{} on {} ({}), {} threads, {} runs after warm-up\n", r.precision, r.cpu, r.isa, r.threads, r.runs);
  const auto row = [&](const BenchSide& s) {
    out += fmt::format("  {:<40} median {:>8.2f} ms  p90 {:>8.2f}  min {:>8.2f}  load {:>7.1f} ms\n", s.model,
                       s.median_ms, s.p90_ms, s.min_ms, s.load_ms);
  };
  row(r.model);
  if (r.against) row(*r.against);
  if (r.ratio) out += fmt::format("  ratio of the medians of {} interleaved pairs: {:.3f}\n", r.runs, *r.ratio);
  out += fmt::format("  {:.2f} GMAC, {:.1f} GMAC/s at the median; peak memory of the process {}\n",
                     static_cast<double>(r.model.macs) / 1e9,
                     static_cast<double>(r.model.macs) / 1e6 / r.model.median_ms, megabytes(r.peak_rss_bytes));
  for (std::size_t i = 0; i < std::min<std::size_t>(8, r.model.by_type.size()); ++i) {
    out += fmt::format("    {:<36} {:>8.2f} ms\n", r.model.by_type[i].first, r.model.by_type[i].second);
  }
  return out + "  these are times of this machine's CPU; they say nothing about the Neural Engine\n";
}

std::string to_text(const SynthResult& r) {
  std::string out = fmt::format("wrote {}: STAR, {} points, {} tensors, {} parameters, {} weights, {}\n", r.output,
                                r.points, r.tensors, r.parameters, r.weights, megabytes(r.bytes));
  if (!r.replaced.empty())
    out += fmt::format("  {} tensors replaced: {}{}\n", r.replaced.size(), r.replaced[0],
                       r.replaced.size() > 1 ? " …" : "");
  return out;
}

std::string to_text(const CheckpointListing& r) {
  std::string out =
      fmt::format("{}: {} container, {} tensors in {} storages\n", r.file, r.container, r.tensors.size(), r.storages);
  std::size_t width = 4;
  for (const ListedTensor& t : r.tensors) width = std::max(width, std::min<std::size_t>(t.path.size(), 60));
  for (const ListedTensor& t : r.tensors) {
    out += fmt::format("  {:<{}}  {:<9} {:<16} sha256 {}\n", t.path, width, t.dtype, dims(t.shape),
                       t.sha256.substr(0, 12));
  }
  return out;
}

}  // namespace anemone::report

// Checkpoints as such: their tensors, and a synthetic one.
#include "anemone/report/checkpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "anemone/report/json_parts.h"
#include "anemone/report/words.h"
#include "anemone/support/text.h"
#include "anemone/support/utf8.h"

namespace anemone::report {

std::string synth_text(const toolchain::SynthResult& r) {
  std::string out = fmt::format("wrote {}: STAR, {} points, {} tensors, {} parameters, {} weights, {}\n", r.output,
                                r.points, r.tensors, r.parameters, r.weights, megabytes(r.bytes));
  if (!r.replaced.empty())
    out += fmt::format("  {} replaced: {}{}\n", counted(static_cast<std::int64_t>(r.replaced.size()), "tensor"),
                       r.replaced[0], r.replaced.size() > 1 ? " …" : "");
  return out;
}

std::string synth_json(const toolchain::SynthResult& r) {
  return dump({{"schema", "anemone.synth/1"},
               {"output", r.output},
               {"weights", r.weights},
               {"points", r.points},
               {"tensors", r.tensors},
               {"bytes", r.bytes},
               {"parameters", {{"total", r.parameters}}},
               {"replaced", r.replaced}});
}

std::string listing_text(const toolchain::CheckpointListing& r) {
  std::string out = fmt::format("{}: {} container, {} in {}\n", escaped(r.file), r.container,
                                counted(static_cast<std::int64_t>(r.tensors_in_all), "tensor"),
                                counted(static_cast<std::int64_t>(r.storages), "storage"));
  std::size_t width = 4;
  std::int64_t elements = 0;
  for (const toolchain::ListedTensor& t : r.tensors) width = std::max(width, std::min<std::size_t>(t.path.size(), 60));
  for (const toolchain::ListedTensor& t : r.tensors) {
    elements += std::accumulate(t.shape.begin(), t.shape.end(), std::int64_t{1}, std::multiplies<>());
    out += fmt::format("  {:<{}}  {:<9} {:<16} sha256 {}{}{}\n", escaped(t.path), width, t.dtype, extents(t.shape),
                       t.sha256.substr(0, 12), t.kind.empty() ? "" : "  ", escaped(t.kind));
  }
  return out + fmt::format("{} with {}{}\n", counted(static_cast<std::int64_t>(r.tensors.size()), "tensor"),
                           counted(elements, "element"),
                           r.part.empty() ? "" : fmt::format(": those with '{}' in their path", escaped(r.part)));
}

std::string listing_json(const toolchain::CheckpointListing& r) {
  Json tensors = Json::array();
  for (const toolchain::ListedTensor& t : r.tensors) {
    tensors.push_back({{"path", t.path},
                       {"dtype", t.dtype},
                       {"shape", t.shape},
                       {"stride", t.stride},
                       {"offset", t.offset},
                       {"storage", t.storage},
                       {"sha256", t.sha256},
                       {"parameter", t.parameter}});
    if (!t.kind.empty()) tensors.back()["kind"] = t.kind;
  }
  return dump({{"schema", "anemone.print/1"},
               {"file", r.file},
               {"container", r.container},
               {"root", r.root},
               {"storages", r.storages},
               {"globals", r.globals},
               {"tensors", tensors}});
}

}  // namespace anemone::report

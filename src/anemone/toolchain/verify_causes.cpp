// Each guess changes one thing and runs the candidate again.
#include "anemone/toolchain/verify_causes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "anemone/toolchain/compare.h"
#include "anemone/toolchain/overflow.h"
#include "anemone/toolchain/shared_values.h"
#include "anemone/toolchain/verify_ties.h"

namespace anemone::toolchain {
namespace {

using Arrays = std::vector<Array>;

/// The same model at the same size, executed in another way.
Result<Session> again(const Session& session, SessionOptions options) {
  options.outputs.clear();
  return Session::open(session.model(), {}, options);
}

/// The least signal to noise among the outputs.
Result<double> psnr_of(const Comparison& comparison, const Arrays& got, const Arrays& want) {
  double least = INFINITY;
  for (const auto& [mine, theirs] : comparison.pairs) {
    OutputJudge judge("", false);
    TRY_VOID(judge.add("", got[mine], want[theirs]));
    const OutputComparison one = judge.finish(comparison.min_psnr_db);
    least = std::min(least, one.not_finite > 0 ? -INFINITY : one.psnr_db);
  }
  return least;
}

std::string decibel(double psnr) {
  return std::isinf(psnr) ? (psnr > 0 ? "identical" : "not finite") : fmt::format("{:.1f} dB", psnr);
}

/// How a picture may be read: every pixel times the scale, plus the bias; channels in the order trained, or reversed.
struct Reading {
  double scale = 1, bias = 0;
  bool reversed = false;
};

/// What the candidate has to be given so that, if it reads pixels that way, its network sees what it was trained on.
Array for_reading(const Array& normalised, const Reading& reading) {
  Array out = normalised;
  const auto channels = static_cast<std::size_t>(out.dims[1]),
             plane = out.data.size() / std::max<std::size_t>(1, channels);
  for (std::size_t c = 0; c < channels; ++c) {
    const std::size_t from = reading.reversed ? channels - 1 - c : c;
    for (std::size_t i = 0; i < plane; ++i)
      out.data[c * plane + i] = (normalised.data[from * plane + i] - reading.bias) / reading.scale;
  }
  return out;
}

/// "2/255 - 1", "1 - (104, 117, 123)".
std::string scale_and_bias(double scale, const std::vector<double>& bias) {
  std::string out = fmt::format("{:.6g}", scale);
  for (const auto& [over, part] : {std::pair{1, 255.0}, {2, 255.0}, {1, 128.0}}) {
    if (std::abs(scale * part - over) < 1e-9) out = fmt::format("{}/{}", over, part);
  }
  const bool same = std::all_of(bias.begin(), bias.end(), [&](double b) { return b == bias[0]; });
  if (bias.empty() || (same && bias[0] == 0)) return out;
  if (same) return out + fmt::format(" {} {:.6g}", bias[0] < 0 ? '-' : '+', std::abs(bias[0]));
  return out + fmt::format(" + ({:.6g})", fmt::join(bias, ", "));
}

/// The candidate takes pictures in another way than the network was trained with.
Result<bool> try_pixels(const Comparison& f, const Arrays& want, Causes& causes) {
  const Function& main = f.candidate.function();
  const Feature* feature = main.body.inputs.size() == 1 ? main.interface.input(main.body.inputs[0]->name) : nullptr;
  if (!feature || feature->kind != Feature::Kind::image || !f.input.arrays.empty()) return false;
  TRY(const Arrays normalised, arrays_for(f.reference, f.input, f.candidate.function()));
  if (normalised.size() != 1 || normalised[0].rank() != 4 || normalised[0].dims[1] != 3) return false;
  const auto trained = f.reference.grey_level() == 1 ? std::nullopt : trained_preprocessing(f.reference.model());
  std::vector<Reading> readings{{1, 0, false}, {1, 0, true}};
  if (trained) {
    const double bias = trained->bias.empty() ? 0 : trained->bias[0];
    readings.clear();
    for (const bool reversed : {false, true}) {
      for (const Reading& r : {Reading{trained->scale, bias}, Reading{trained->scale, 0}, Reading{1 / 255.0, 0},
                               Reading{1 / 127.5, -1}, Reading{1, 0}, Reading{1, bias}, Reading{1 / 255.0, bias}})
        readings.push_back({r.scale, r.bias, reversed});
    }
  }
  TRY(Session candidate, again(f.candidate, f.options));
  for (const Reading& reading : readings) {
    TRY(const Arrays got, candidate.run({for_reading(normalised[0], reading)}));
    TRY(const double psnr, psnr_of(f, got, want));
    if (psnr < f.min_psnr_db) continue;
    const bool order = reading.reversed || (trained && feature->color != trained->color);
    const bool numbers =
        trained && (reading.scale != trained->scale || reading.bias != (trained->bias.empty() ? 0 : trained->bias[0]));
    std::string what;
    if (order) {
      const bool declared = trained && feature->color != trained->color && !reading.reversed;
      what = declared ? fmt::format("its image input is {}", name(feature->color)) : "its colour channels are reversed";
    }
    if (numbers)
      what += fmt::format("{}it makes pixel · {} of a picture", what.empty() ? "" : "; ",
                          scale_and_bias(reading.scale, {reading.bias}));
    if (what.empty()) return false;  // read as trained: it was the picture's way through the interface that differs
    causes.found.push_back(
        fmt::format("the preprocessing: {} (fed accordingly, the outputs agree: {})", what, decibel(psnr)));
    if (trained) {
      causes.found.push_back(fmt::format("the network was trained on {}, pixel · {}", name(trained->color),
                                         scale_and_bias(trained->scale, trained->bias)));
      causes.next = "convert the checkpoint again without --color, --scale and --bias";
    }
    return true;
  }
  return false;
}

/// Without rounding the difference is gone.
Result<bool> try_rounding(const Comparison& f, const Arrays& inputs, const Arrays& want, Causes& causes) {
  if (f.options.precision == runtime::Precision::fp32) return false;
  SessionOptions wide = f.options;
  wide.precision = runtime::Precision::fp32;
  wide.half_sums = runtime::HalfSums::none;
  TRY(Session candidate, again(f.candidate, wide));
  TRY(const Arrays got, candidate.run(inputs));
  TRY(const double psnr, psnr_of(f, got, want));
  if (psnr < std::max(60.0, f.min_psnr_db)) {
    causes.found.push_back(
        fmt::format("executed in fp32 it differs as well ({}): rounding is not the cause", decibel(psnr)));
    return false;
  }
  causes.found.push_back(
      fmt::format("fp16: executed in fp32 the same package agrees ({}), so the graph is right and rounding makes the "
                  "difference",
                  decibel(psnr)));
  causes.next =
      "try pictures of what the network was trained on (--input, --images); where these fail too, '--precision fp32' in "
      "convert keeps the digits, and leaves the Neural Engine";
  return true;
}

/// The signal to noise of some values, in order.
Result<std::vector<double>> compare_values(const Comparison& f, const Arrays& inputs,
                                           const std::vector<SharedValue>& values) {
  std::vector<std::string> names, their_names;
  for (const SharedValue& value : values) {
    names.push_back(value.mine->name);
    their_names.push_back(value.theirs->name);
  }
  SessionOptions options = f.options;
  options.precision = runtime::Precision::fp32;
  options.half_sums = runtime::HalfSums::none;
  TRY(const Arrays got, values_of(f.candidate, options, std::move(names), inputs));
  TRY(const Arrays theirs, arrays_for(f.reference, f.input, f.candidate.function()));
  TRY(const Arrays want, values_of(f.reference, f.reference_options, std::move(their_names), theirs));
  std::vector<double> psnr;
  for (std::size_t i = 0; i < values.size(); ++i) {
    OutputJudge judge("", false);
    TRY_VOID(judge.add("", got[i], want[i]));
    const OutputComparison one = judge.finish(0);
    psnr.push_back(one.not_finite + one.not_finite_reference > 0 ? -INFINITY : one.psnr_db);
  }
  return psnr;
}

/// Looks at a few values at a time, so that memory stays bounded, and closes in on the first that differs.
Result<void> find_first(const Comparison& f, const Arrays& inputs, Causes& causes) {
  constexpr std::size_t kAtOnce = 12;
  constexpr double kSame = 60;  // dB: fp32 against fp32 has twice that
  const std::vector<SharedValue> all = shared_values(f.candidate.function(), f.reference.function(), f.pairs);
  std::size_t begin = 0, end = all.size();  // the first that differs is among these
  std::optional<std::pair<SharedValue, double>> found, before;
  while (begin < end) {
    std::vector<SharedValue> some;
    std::vector<std::size_t> at;
    const std::size_t step = (end - begin + kAtOnce - 1) / kAtOnce;
    for (std::size_t i = begin + step - 1; i < end; i += step) at.push_back(i);
    if (at.empty() || at.back() != end - 1) at.push_back(end - 1);
    for (const std::size_t i : at) some.push_back(all[i]);
    TRY(const std::vector<double> psnr, compare_values(f, inputs, some));
    const auto bad = std::find_if(psnr.begin(), psnr.end(), [&](double db) { return db < kSame; });
    if (bad == psnr.end()) {  // all of them agree: the one found before is the first
      before = {some.back(), psnr.back()};
      break;
    }
    const auto k = static_cast<std::size_t>(bad - psnr.begin());
    found = {some[k], psnr[k]};
    if (k > 0) before = {some[k - 1], psnr[k - 1]};
    end = at[k];
    begin = k > 0 ? at[k - 1] + 1 : begin;
    if (step == 1) break;
  }
  if (!found) return {};
  const Value& value = *found->first.mine;
  std::string sentence = fmt::format("the first value that differs is '{}' ({}; {})", value.name, value.producer->type,
                                     decibel(found->second));
  if (before)
    sentence += fmt::format(", before it '{}' still agrees ({})", before->first.mine->name, decibel(before->second));
  causes.found.push_back(std::move(sentence));
  causes.next =
      fmt::format("look at what makes '{}' in both: 'anemone print', for a checkpoint with --graph", value.name);
  return {};
}

}  // namespace

Result<Causes> find_causes(const Comparison& comparison) {
  Causes causes;
  TRY(const Arrays inputs, arrays_for(comparison.candidate, comparison.input, comparison.candidate.function()));
  TRY(std::optional<std::string> broken, first_not_finite(comparison.candidate, inputs, comparison.options));
  if (broken) {
    causes.found.push_back("inside the candidate " + *broken);
    return causes;
  }
  TRY(std::optional<std::string> ties, only_ties_moved(comparison, inputs));
  if (ties) {
    causes.found.push_back(std::move(*ties));
    causes.next = "give an --input whose scores are clearly apart";
    return causes;
  }
  TRY(const Arrays theirs, arrays_for(comparison.reference, comparison.input, comparison.candidate.function()));
  TRY(Session reference, again(comparison.reference, comparison.reference_options));
  TRY(const Arrays want, reference.run(theirs));
  reference.release();
  TRY(const bool pixels, try_pixels(comparison, want, causes));
  if (pixels) return causes;
  TRY(const bool rounding, try_rounding(comparison, inputs, want, causes));
  if (!rounding) TRY_VOID(find_first(comparison, inputs, causes));
  return causes;
}

}  // namespace anemone::toolchain

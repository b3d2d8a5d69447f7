#pragma once
// The options of verbs that execute: run, verify, bench.
#include <string>
#include <vector>

#include "anemone/cli/model_options.h"
#include "anemone/toolchain/session.h"

namespace anemone::cli {

inline constexpr Choice<runtime::Precision> kPrecisions[] = {{"as-stored", runtime::Precision::as_stored},
                                                             {"fp32", runtime::Precision::fp32},
                                                             {"fp16", runtime::Precision::fp16}};

class SessionFlags {
 public:
  void declare(Options& options) {
    options.choice("--precision", precision_, kPrecisions,
                   "how the executor rounds; fp16: to half after every operation, sums wide");
    options.choice("--accumulate", half_sums_, kSums,
                   "fp16: sums in half too, the pessimistic case; slow; fp16-reductions: those of reductions alone, as "
                   "engines are believed to sum");
    options.list("--outputs", "NAME,…", outputs_, "values to give, outputs or any inside (see 'anemone print')",
                 {.distinct = true});
    options.flag("--resize", resize_, "resize images of another size instead of refusing them");
    model_.declare(options);
  }
  toolchain::LoadOptions load(Call& call, bool one_of_several = false) const {
    toolchain::LoadOptions load = model_.load(call, one_of_several);
    load.outputs = outputs_;
    return load;
  }
  toolchain::SessionOptions read(const Call& call) const {
    toolchain::SessionOptions out;
    out.outputs = outputs_;
    out.resize = resize_;
    out.threads = call.threads;
    out.half_sums = half_sums_;
    if (precision_ != runtime::Precision::as_stored) out.precision = precision_;
    return out;
  }
  /// A usage error where --accumulate has nothing to do.
  Result<void> check_sums() const {
    if (half_sums_ == runtime::HalfSums::none || precision_ != runtime::Precision::fp32) return {};
    return bad_usage("--accumulate says how fp16 is summed, and with --precision fp32 nothing is fp16",
                     "leave one out, or give --precision fp16");
  }
  std::int64_t batch() const { return model_.batch; }

 private:
  static constexpr Choice<runtime::HalfSums> kSums[] = {{"fp32", runtime::HalfSums::none},
                                                        {"fp16-reductions", runtime::HalfSums::reductions},
                                                        {"fp16", runtime::HalfSums::all}};
  runtime::Precision precision_ = runtime::Precision::as_stored;
  runtime::HalfSums half_sums_ = runtime::HalfSums::none;
  std::vector<std::string> outputs_;
  bool resize_ = false;
  ModelFlags model_;
};

}  // namespace anemone::cli

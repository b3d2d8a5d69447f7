// Errors, signal to noise, and what cannot be compared.
#include "anemone/toolchain/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace anemone::toolchain {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Difference {
  double largest = 0, sum = 0, squares = 0, scale = 0;
  double low = kInfinity, high = -kInfinity;              // of the reference
  double both = 0, mine_squared = 0, theirs_squared = 0;  // sums of products

  void add(double got, double want) {
    const double error = std::abs(got - want);
    largest = std::max(largest, error);
    sum += error;
    squares += error * error;
    scale = std::max(scale, std::abs(want));
    low = std::min(low, want);
    high = std::max(high, want);
    both += got * want;
    mine_squared += got * got;
    theirs_squared += want * want;
  }
  double range() const { return high > low ? high - low : scale; }
  double relative() const { return largest == 0 ? 0 : range() > 0 ? largest / range() : kInfinity; }
  // Two vectors of zeros point the same way, one of them does not.
  double cosine() const {
    if (largest == 0) return 1;
    const double lengths = std::sqrt(mine_squared) * std::sqrt(theirs_squared);
    return lengths > 0 ? std::clamp(both / lengths, -1.0, 1.0) : 0;
  }
  double psnr_db(double count) const {
    const double rms = std::sqrt(squares / std::max(count, 1.0));
    return rms == 0 ? kInfinity : 20 * std::log10(std::max(scale, 1e-12) / rms);
  }
};

// The rows of an array: what a gather behind a top-k moves as one. Vectors and lists of scores move element by element.
std::size_t row_size(const Dims& dims) {
  return dims.size() >= 3 ? static_cast<std::size_t>(std::max<std::int64_t>(dims.back(), 1)) : 1;
}

// The difference with the rows of both sides sorted: zero when only their order differs.
Difference sorted_difference(const Array& got, const Array& want) {
  const std::size_t row = row_size(want.dims), rows = want.data.size() / row;
  const auto order = [&](const std::vector<double>& data) {
    std::vector<std::size_t> index(rows);
    for (std::size_t i = 0; i < rows; ++i) index[i] = i;
    std::sort(index.begin(), index.end(), [&](std::size_t a, std::size_t b) {
      return std::lexicographical_compare(data.begin() + static_cast<std::ptrdiff_t>(a * row),
                                          data.begin() + static_cast<std::ptrdiff_t>((a + 1) * row),
                                          data.begin() + static_cast<std::ptrdiff_t>(b * row),
                                          data.begin() + static_cast<std::ptrdiff_t>((b + 1) * row));
    });
    return index;
  };
  const std::vector<std::size_t> mine = order(got.data), theirs = order(want.data);
  Difference d;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < row; ++c) d.add(got.data[mine[r] * row + c], want.data[theirs[r] * row + c]);
  }
  return d;
}

}  // namespace

Result<void> OutputJudge::add(const std::string& input, const Array& got, const Array& want) {
  OutputComparison& r = result_;
  if (got.data.size() != want.data.size()) {
    Diagnostic differ = bad_input(ErrorCode::outputs_differ_in_shape,
                                  fmt::format("output '{}' has the shape {}, and the reference's has {}", r.name,
                                              brief(got.dims), brief(want.dims)));
    differ.blame = Blame::usage;  // two models that cannot be compared
    return differ;
  }
  const bool first = inputs_++ == 0;
  if (first) r.psnr_db = reordered_psnr_ = kInfinity;
  r.values = std::max(r.values, static_cast<std::int64_t>(want.data.size()));
  Difference d;
  std::int64_t finite = 0;
  for (std::size_t i = 0; i < want.data.size(); ++i) {
    const double mine = got.data[i], theirs = want.data[i];
    if (first && i == 0) only_value_ = theirs;
    if (only_value_ && theirs != *only_value_) only_value_.reset();
    if (std::isfinite(mine) && std::isfinite(theirs)) {
      ++finite;
      d.add(mine, theirs);
      continue;
    }
    r.not_finite += !std::isfinite(mine);
    r.not_finite_reference += !std::isfinite(theirs);
    has_nan_ = has_nan_ || std::isnan(mine) || std::isnan(theirs);
    one_sided_ = one_sided_ || mine != theirs;
  }
  any_finite_ = any_finite_ || finite > 0;
  r.max_abs = std::max(r.max_abs, d.largest);
  r.mean_abs = std::max(r.mean_abs, d.sum / std::max(1.0, static_cast<double>(finite)));
  const double psnr = d.psnr_db(static_cast<double>(finite));
  const bool broken = finite < static_cast<std::int64_t>(want.data.size());
  if (r.worst_input.empty() || psnr < r.psnr_db || (broken && r.not_finite + r.not_finite_reference > 0 && !broken_)) {
    r.worst_input = input;
    r.worst_index = inputs_ - 1;
  }
  broken_ = broken_ || broken;
  r.psnr_db = std::min(r.psnr_db, psnr);
  r.scale = std::max(r.scale, d.scale);
  r.range = std::max(r.range, finite > 0 ? d.range() : 0);
  r.relative = std::max(r.relative, d.relative());
  r.cosine = std::min(r.cosine, d.cosine());
  if (behind_top_k_ && finite == static_cast<std::int64_t>(want.data.size()))
    reordered_psnr_ = std::min(reordered_psnr_, sorted_difference(got, want).psnr_db(static_cast<double>(finite)));
  if (first) {
    first_ = want.data;
  } else if (inputs_ == 2) {
    r.reacts = false;
  }
  const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
  if (!first && !r.reacts)
    r.reacts = !std::equal(first_.begin(), first_.end(), want.data.begin(), want.data.end(), same);
  return {};
}

OutputComparison OutputJudge::finish(double min_psnr_db) {
  OutputComparison& r = result_;
  r.finite = any_finite_;
  r.constant = only_value_ && (r.values > 1 || inputs_ > 1);
  if (r.constant) r.reacts = true;  // said once, as the stronger statement
  const bool close = r.psnr_db >= min_psnr_db;
  r.reordered = behind_top_k_ && !close && reordered_psnr_ >= min_psnr_db && r.not_finite + r.not_finite_reference == 0;
  r.pass = (close || r.reordered) && !has_nan_ && !one_sided_;
  r.judged = r.values > 0 && !r.constant && (any_finite_ || !r.pass);
  if (r.values == 0) {
    r.verdict = "empty";
  } else if (!r.pass && r.not_finite + r.not_finite_reference > 0) {
    r.verdict = "NOT FINITE";
  } else if (!r.pass) {
    r.verdict = "OUT OF TOLERANCE";
  } else if (!any_finite_) {
    r.verdict = "all infinite";
  } else if (r.constant) {
    r.verdict = fmt::format("constant {:.4g}", *only_value_);
  } else {
    r.verdict = r.reordered ? "ok but for the order of equals" : "ok";
  }
  return std::move(result_);
}

}  // namespace anemone::toolchain

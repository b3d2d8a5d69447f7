// Targets against what is known, each from the basis that it names or a better one.
#include "anemone/toolchain/gate.h"

#include <fmt/format.h>

#include <algorithm>

namespace anemone::toolchain {
namespace {

struct Known {
  double value = 0;
  bool bound = false;
  Basis basis = Basis::here;
  std::string source;
};

std::optional<Known> known_of(const GateTarget& target, const Measurements& m) {
  const auto exact = [&](const std::optional<double>& value) {
    return value ? std::optional(Known{*value, false, m.basis, m.file}) : std::nullopt;
  };
  switch (target.quantity) {
    case Quantity::latency:
      return exact(m.latency_ms);
    case Quantity::coverage:
      return exact(m.coverage_percent);
    case Quantity::partitions:
      return exact(m.partitions);
    case Quantity::fps:
      return exact(m.fps);
    case Quantity::accuracy_loss:
      break;
  }
  if (m.nme_change_percent) return Known{*m.nme_change_percent, false, m.basis, m.file};
  // The error of a point grows by no more than the point moved, and so does the mean.
  if (m.nme_between_percent && target.nme_percent)
    return Known{100 * *m.nme_between_percent / *target.nme_percent, true, m.basis, m.file};
  return std::nullopt;
}

// A device is always believed; else only what was asked for counts: a CPU's time is no better than a prediction.
bool may_satisfy(Basis asked, Basis has) { return has == asked || has == Basis::device; }

std::optional<GatePrediction> prediction_of(Quantity quantity, const plan::Plan& p) {
  const double partitions = static_cast<double>(p.partitions);
  switch (quantity) {
    case Quantity::latency:
      if (!p.latency.warning.empty()) return std::nullopt;
      return GatePrediction{p.latency.low, p.latency.high, std::string(name(p.weakest_trust))};
    case Quantity::coverage:
      return GatePrediction{p.coverage_percent, p.coverage_percent, std::string(name(p.weakest_trust))};
    case Quantity::partitions:
      return GatePrediction{partitions, partitions, std::string(name(p.weakest_trust))};
    case Quantity::accuracy_loss:
    case Quantity::fps:
      break;
  }
  return std::nullopt;
}

/// Between `low` and `high`, wherever that is.
std::optional<bool> verdict(bool at_least, double wanted, double low, double high) {
  if (at_least ? low > wanted : high < wanted) return true;
  if (at_least ? high <= wanted : low >= wanted) return false;
  return std::nullopt;
}

/// Of a limit, by what was measured. A bound from above may stay true however far the number is below it.
std::optional<bool> verdict(const GateTarget& target, double wanted, const Known& known) {
  return verdict(row_of(target.quantity).at_least, wanted, known.bound ? 0 : known.value, known.value);
}

/// What counts of two: the device before this machine, a number before a bound, the later one. Where one of two that
/// are alike meets a limit and the other does not, the worse counts, and `notes` says so.
Known better_of(const GateTarget& target, Known earlier, Known later, std::vector<std::string>& notes) {
  if (earlier.basis != later.basis) return earlier.basis == Basis::device ? earlier : later;
  if (earlier.bound != later.bound) return earlier.bound ? later : earlier;
  const bool contradict = std::any_of(target.limits.begin(), target.limits.end(), [&](const auto& limit) {
    return limit && verdict(target, *limit, earlier) != verdict(target, *limit, later);
  });
  if (!contradict) return later;
  const QuantityRow& row = row_of(target.quantity);
  notes.push_back(fmt::format("{} is {:.4g} in {} and {:.4g} in {}: the worse counts", row.name, earlier.value,
                              earlier.source, later.value, later.source));
  return (earlier.value < later.value) == row.at_least ? earlier : later;
}

std::string why_nothing(const GateTarget& target) {
  switch (target.basis) {
    case Basis::predicted:
      return "the planner has no figure for it";
    case Basis::here:
      return target.quantity == Quantity::accuracy_loss
                 ? "nobody measured it: give --against REFERENCE, or --measured with what 'verify --json' printed"
                 : "nobody measured it here: give --measured with what 'bench' or 'detect --json' printed";
    case Basis::device:
      break;
  }
  return "only the device can say: give --measured with its anemone.device/1";
}

void decide(GateRow& row, bool at_least) {
  if (row.got) {
    row.met = verdict(at_least, row.wanted, row.bound ? 0 : *row.got, *row.got);
    if (!row.met) row.why_open = "the bound is too wide to tell: measure it against ground truth";
  } else if (row.basis == Basis::predicted && row.prediction) {
    row.met = verdict(at_least, row.wanted, row.prediction->low, row.prediction->high);
    row.got = at_least ? row.prediction->low : row.prediction->high;
    row.got_basis = Basis::predicted;
    row.source = "the planner";
    if (!row.met) row.why_open = "the prediction's range holds the limit";
  }
}

}  // namespace

Result<GateResult> gate(const Model& model, const Targets& targets, const GateRequest& request) {
  GateResult out{.model = model.path.string(), .targets = targets.file};
  std::vector<Measurements> measured = request.measured;
  for (const Measurements& one : measured) TRY_VOID(check_same_model(one, model.path));
  PlanResult own;
  if (!request.planned) {
    PlanRequest plan_request;
    plan_request.device = request.device.value_or(targets.device.value_or(plan_request.device));
    TRY_VOID(find_device(plan_request.device));
    TRY(own, plan_model(model, plan_request));
  }
  const PlanResult& planned = request.planned ? *request.planned : own;
  const plan::Plan& plan = planned.plans.front();
  out.chip = plan.chip;
  out.notes = planned.notes;
  if (request.verified) measured.push_back(measurements_of(*request.verified));
  for (const Measurements& one : measured) out.notes.insert(out.notes.end(), one.notes.begin(), one.notes.end());
  bool missed = false, open = false;
  for (const GateTarget& target : targets.targets) {
    GateRow row{.quantity = target.quantity, .basis = target.basis, .prediction = prediction_of(target.quantity, plan)};
    std::optional<Known> best;
    for (const Measurements& one : measured) {
      auto known = known_of(target, one);
      if (!known) continue;
      if (!may_satisfy(target.basis, known->basis)) {
        out.notes.push_back(fmt::format("{} of {} was measured {}, which the target does not take",
                                        row_of(target.quantity).name, known->source,
                                        known->basis == Basis::here ? "on this machine" : "on a device"));
        continue;
      }
      best = best ? better_of(target, *std::move(best), *std::move(known), out.notes) : *std::move(known);
    }
    if (best) {
      row.got = best->value;
      row.got_basis = best->basis;
      row.bound = best->bound;
      row.source = best->source;
    }
    for (std::size_t level = 0; level < kLevels.size(); ++level) {
      if (!target.limits[level]) continue;
      GateRow& one = out.rows.emplace_back(row);
      one.level = kLevels[level];
      one.wanted = *target.limits[level];
      decide(one, row_of(target.quantity).at_least);
      if (!one.got && one.why_open.empty()) one.why_open = why_nothing(target);
      if (level != 0) continue;
      missed = missed || one.met == std::optional(false);
      open = open || !one.met;
    }
  }
  if (missed || !open) out.met = !missed;
  return out;
}

}  // namespace anemone::toolchain

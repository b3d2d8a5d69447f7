// The candidate's program, cut at every value that the reference has too.
#include "anemone/toolchain/layers.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "anemone/ir/sweep.h"
#include "anemone/ops/execute.h"
#include "anemone/ops/interface_edits.h"
#include "anemone/toolchain/compare.h"
#include "anemone/toolchain/shared_values.h"

namespace anemone::toolchain {
namespace {

using Arrays = std::vector<Array>;
constexpr std::int64_t kNumbersAtOnce = std::int64_t{1} << 23;

/// What makes a value out of values that both programs have.
struct Piece {
  std::vector<const Value*> fed;  ///< of the candidate; its own inputs are not among them
  std::size_t operations = 0;
};

class Cut {
 public:
  explicit Cut(const Comparison& comparison)
      : comparison_(comparison),
        shared_(shared_values(comparison.candidate.function(), comparison.reference.function(), comparison.pairs)) {
    for (const SharedValue& value : shared_) theirs_[value.mine] = value.theirs;
  }
  /// The same, but for some values at which it is not cut.
  Cut without(const std::vector<const Value*>& values) const {
    Cut out = *this;
    for (const Value* value : values) out.theirs_.erase(value);
    return out;
  }

  const std::vector<SharedValue>& shared() const { return shared_; }

  Piece piece_of(const Value& value) const {
    Piece piece;
    std::unordered_set<const Value*> seen;
    std::unordered_set<const Node*> nodes{value.producer};
    std::vector<const Node*> open{value.producer};
    while (!open.empty()) {
      const Node* node = open.back();
      open.pop_back();
      piece.operations += !(node->def && node->def->is(kConstexpr));
      for (const Operand& operand : node->operands()) {
        for (const Value* from : operand.values) {
          if (!from->producer || !seen.insert(from).second) continue;
          if (theirs_.contains(from)) {
            piece.fed.push_back(from);
          } else if (nodes.insert(from->producer).second) {
            open.push_back(from->producer);
          }
        }
      }
    }
    return piece;
  }

  const Value& counterpart(const Value& mine) const { return *theirs_.at(&mine); }

  /// The same pieces as one program whose inputs, after the candidate's own, are `fed`, and whose outputs are `asked`.
  Result<Model> program(const std::vector<const Value*>& asked, const std::vector<const Value*>& fed) const {
    Model model = copy(comparison_.candidate.model());
    Function& main = model.program->main();
    std::unordered_map<std::string_view, Value*> by_name;
    for (Node& node : main.body.nodes) {
      for (const auto& output : node.outputs) by_name[output->name] = output.get();
    }
    for (const Value* from : fed) {
      Value* const made = by_name.at(from->name);
      Value* const given = main.body.add_input(main.unique_name(from->name + "_given"), from->type);
      const std::vector<Use> uses = made->uses;
      for (const Use& use : uses) use.node->replace(use, given);
    }
    std::vector<std::string> names;
    for (const Value* value : asked) names.push_back(value->name);
    TRY_VOID(ops::select_outputs(main, names));
    sweep(main.body);
    return model;
  }

 private:
  const Comparison& comparison_;
  std::vector<SharedValue> shared_;
  std::unordered_map<const Value*, const Value*> theirs_;
};

/// The arrays of some values, one each in `asked`'s order.
struct Measured {
  Arrays candidate, local, reference;
  std::unordered_map<const Value*, Array> fed;
};

Result<Arrays> run_pieces(const Model& model, Arrays inputs, const SessionOptions& options) {
  const Function& main = model.program->main();
  runtime::ThreadPool pool(options.threads);
  runtime::EngineOptions engine;
  engine.precision = options.precision.value_or(runtime::Precision::as_stored);
  engine.half_sums = options.half_sums;
  if (auto fast = runtime::run_fast(main, inputs, pool, engine)) return fast;
  for (std::size_t i = 0; i < inputs.size(); ++i) {  // control flow, or a state: by definition
    inputs[i].dtype = main.body.inputs[i]->type.tensor_part().dtype;
    round_to_dtype(inputs[i]);
  }
  return ops::evaluate(main, inputs);
}

Result<Measured> measure(const Comparison& c, const Cut& cut, const std::vector<const Value*>& asked,
                         const std::vector<const Value*>& fed) {
  std::vector<std::string> mine, theirs;
  std::unordered_map<std::string, std::size_t> place;  // in `theirs`
  const auto want = [&](const Value& value) {
    const std::string& name = cut.counterpart(value).name;
    if (place.emplace(name, theirs.size()).second) theirs.push_back(name);
  };
  for (const Value* value : asked) {
    mine.push_back(value->name);
    want(*value);
  }
  for (const Value* value : fed) want(*value);
  TRY(Arrays inputs, arrays_for(c.candidate, c.input, c.candidate.function()));
  TRY(const Arrays reference_inputs, arrays_for(c.reference, c.input, c.candidate.function()));
  Measured out;
  TRY(const Arrays known, values_of(c.reference, c.reference_options, theirs, reference_inputs));
  TRY(out.candidate, values_of(c.candidate, c.options, mine, inputs));
  for (const Value* value : asked) out.reference.push_back(known[place.at(cut.counterpart(*value).name)]);
  for (const Value* value : fed) {
    const Array& array = known[place.at(cut.counterpart(*value).name)];
    out.fed[value] = array;
    inputs.push_back(array);
  }
  TRY(const Model pieces, cut.program(asked, fed));
  TRY(out.local, run_pieces(pieces, std::move(inputs), c.options));
  return out;
}

Result<OutputComparison> difference(const Array& got, const Array& want) {
  OutputJudge judge("", false);
  TRY_VOID(judge.add("", got, want));
  return judge.finish(0);
}

Result<LayerError> error_of(const SharedValue& value, const Piece& piece, const Array& got, const Array& local,
                            const Array& want) {
  TRY(const OutputComparison total, difference(got, want));
  TRY(const OutputComparison alone, difference(local, want));
  TRY(const OutputComparison inherited, difference(got, local));
  const Node& node = *value.mine->producer;
  LayerError out;
  out.name = value.mine->name;
  out.reference_name = value.theirs->name;
  out.type = node.type;
  out.origin = node.origin;
  out.shape = value.mine->type.dims;
  out.max_abs = total.max_abs;
  out.mean_abs = total.mean_abs;
  out.relative = total.relative;
  out.local_max_abs = alone.max_abs;
  out.local_mean_abs = alone.mean_abs;
  out.local_finite = alone.pass;
  out.local_relative = alone.pass ? alone.relative : INFINITY;
  if (inherited.max_abs > 0)
    out.inherited_relative = inherited.max_abs / (total.range > 0 ? total.range : total.max_abs);
  out.operations = piece.operations;
  return out;
}

/// What rounding may add, in ranges: a few steps of half precision, or of a sum in single precision.
double rounding_of(const Value& value, const SessionOptions& options) {
  const bool half = options.precision == runtime::Precision::fp16 ||
                    (options.precision != runtime::Precision::fp32 && value.type.dtype == DType::fp16);
  return half ? 0x1p-8 : 0x1p-16;
}

/// What an operation adds is too much by any measure from here on, in ranges.
constexpr double kTooMuch = 0.1;
/// A value that differs is undone where this part of the difference, at most, is left in what is made of it.
constexpr double kUndone = 1.0 / 50;

/// The comparison of all values, one step after the other.
class Comparer {
 public:
  explicit Comparer(const Comparison& comparison) : comparison_(comparison), cut_(comparison) {
    const std::vector<SharedValue>& shared = cut_.shared();
    for (std::size_t i = 0; i < shared.size(); ++i) place_[shared[i].mine] = i;
    users_.resize(shared.size());
    errors_.resize(shared.size());
    for (std::size_t i = 0; i < shared.size(); ++i) {
      for (const Value* value : cut_.piece_of(*shared[i].mine).fed) users_[place_.at(value)].push_back(i);
    }
  }

  /// The errors of some of the shared values, and with them of as many more as memory allows.
  Result<void> measure_all() {
    const std::size_t count = cut_.shared().size();
    for (std::size_t begin = 0, end = 0; begin < count; begin = end) {
      std::vector<std::size_t> some;
      for (std::int64_t numbers = 0; end < count && (end == begin || numbers < kNumbersAtOnce); ++end) {
        some.push_back(end);
        numbers += element_count(cut_.shared()[end].mine->type.dims).value_or(0);
      }
      TRY_VOID(measure_some(cut_, some, errors_));
      comparison_.candidate.model().talk.at("comparing values", end, count);
    }
    return {};
  }

  double usual() const {
    if (errors_.empty()) return 0;
    std::vector<double> local;
    for (const LayerError& error : errors_) local.push_back(error.local_relative);
    const auto middle = local.begin() + static_cast<std::ptrdiff_t>(local.size() / 2);
    std::nth_element(local.begin(), middle, local.end());
    return *middle;
  }

  /// Where a value stands out, what is made of it is measured again with the candidate's own value inside the piece. If
  /// little is left of the difference, a pass gave the value another meaning, and rightly so.
  Result<void> find_undone(double usual) {
    constexpr int kRounds = 8;
    std::vector<std::size_t> open;
    for (std::size_t i = 0; i < errors_.size(); ++i) {
      if (stands_out(i, usual) && cut_.shared()[i].mine->output_uses == 0 && !users_[i].empty()) open.push_back(i);
    }
    for (int round = 0; round < kRounds && !open.empty(); ++round) {
      std::vector<std::size_t> chosen, later, some;
      std::set<std::size_t> taken;
      for (const std::size_t i : open) {  // those that do not meet
        const bool meets = taken.contains(i) || std::any_of(users_[i].begin(), users_[i].end(),
                                                            [&](std::size_t user) { return taken.contains(user); });
        (meets ? later : chosen).push_back(i);
        if (meets) continue;
        taken.insert(i);
        taken.insert(users_[i].begin(), users_[i].end());
        some.insert(some.end(), users_[i].begin(), users_[i].end());
      }
      std::vector<const Value*> inside;
      for (const std::size_t i : chosen) inside.push_back(cut_.shared()[i].mine);
      std::vector<LayerError> merged = errors_;
      TRY_VOID(measure_some(cut_.without(inside), some, merged));
      for (const std::size_t i : chosen) {
        double left = 0;
        for (const std::size_t user : users_[i]) left = std::max(left, merged[user].local_relative);
        errors_[i].undone = left < kUndone * errors_[i].local_relative;
        if (!errors_[i].undone) continue;
        for (const std::size_t user : users_[i]) errors_[user] = merged[user];
      }
      open = std::move(later);
    }
    return {};
  }

  /// Largest local error first, undone ones last.
  void rank(Layers& layers) {
    for (std::size_t i = 0; i < errors_.size(); ++i) {
      errors_[i].jump = stands_out(i, layers.usual) && !errors_[i].undone;
      if (errors_[i].jump && !layers.first) layers.first = errors_[i];
    }
    layers.ranked = errors_;
    std::stable_sort(layers.ranked.begin(), layers.ranked.end(), [](const LayerError& a, const LayerError& b) {
      return a.undone != b.undone ? b.undone : a.local_relative > b.local_relative;
    });
  }

 private:
  bool stands_out(std::size_t i, double usual) const {
    const double rounding = rounding_of(*cut_.shared()[i].mine, comparison_.options);
    return errors_[i].local_relative > std::max(std::min(10 * usual, kTooMuch), rounding);
  }

  Result<void> measure_some(const Cut& cut, const std::vector<std::size_t>& some, std::vector<LayerError>& errors) {
    std::vector<const Value*> asked, fed;
    std::vector<Piece> pieces;
    std::set<const Value*> is_fed;
    for (const std::size_t i : some) {
      asked.push_back(cut.shared()[i].mine);
      pieces.push_back(cut.piece_of(*asked.back()));
      for (const Value* value : pieces.back().fed) {
        if (is_fed.insert(value).second) fed.push_back(value);
      }
    }
    TRY(const Measured measured, measure(comparison_, cut, asked, fed));
    for (std::size_t k = 0; k < some.size(); ++k) {
      TRY(errors[some[k]],
          error_of(cut.shared()[some[k]], pieces[k], measured.candidate[k], measured.local[k], measured.reference[k]));
      errors[some[k]].place = some[k];
    }
    return {};
  }

  const Comparison& comparison_;
  Cut cut_;
  std::unordered_map<const Value*, std::size_t> place_;  ///< among the shared values
  std::vector<std::vector<std::size_t>> users_;          ///< of each, whose pieces are fed it
  std::vector<LayerError> errors_;
};

}  // namespace

Result<Layers> compare_layers(const Comparison& comparison) {
  Layers layers;
  layers.input = comparison.input.label;
  layers.values = compared_values(comparison.candidate.function()).size();
  Comparer comparer(comparison);
  TRY_VOID(comparer.measure_all());
  layers.usual = comparer.usual();
  TRY_VOID(comparer.find_undone(layers.usual));
  comparer.rank(layers);
  return layers;
}

Result<LayerArrays> layer_arrays(const Comparison& comparison, const std::string& name) {
  const Cut cut(comparison);
  const auto at = std::find_if(cut.shared().begin(), cut.shared().end(),
                               [&](const SharedValue& value) { return value.mine->name == name; });
  if (at == cut.shared().end()) return own_bug("no such value in both programs", name);
  const std::vector<const Value*> fed = cut.piece_of(*at->mine).fed;
  TRY(Measured one, measure(comparison, cut, {at->mine}, fed));
  LayerArrays out{std::move(one.candidate[0]), std::move(one.local[0]), std::move(one.reference[0]), {}};
  for (const Value* value : fed) out.operands.emplace_back(value->name, std::move(one.fed.at(value)));
  return out;
}

}  // namespace anemone::toolchain

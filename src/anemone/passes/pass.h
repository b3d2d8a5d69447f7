#pragma once
// A pass makes MIL into better MIL: one file, one function, one row of the table in passes.cpp. The
// runner times, counts, verifies, dumps and executes; passes know nothing of that.
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/ir/op_def.h"
#include "anemone/support/result.h"

namespace anemone::passes {

/// What a pass may do to numbers; the bound when the runner executes before and after.
enum class Numerics : std::uint8_t { exact, rounding, lossy };
std::string_view name(Numerics numerics);

/// A setting of one pass, `--pass-option const_elimination.elements=1000` on the command line.
struct PassOption {
  std::string_view name;
  double fallback;
  std::string_view summary;
};

/// What the runner hands to every pass.
struct PassSettings {
  std::map<std::string, double, std::less<>> options;  ///< "pass.option"; absent ones have the default of the row
  /// Milliseconds that an operation takes where the program will run. Null: bytes moved and multiply-accumulates, in no
  /// unit, which compares programs of equal meaning.
  std::function<double(const Node&)> cost;
  /// Whether the operation can run on the unit that the program is meant for. Null: each of them.
  std::function<bool(const Node&)> taken;
  /// Why an operation shall compute in fp32 although others do not; empty: it need not. Null: none.
  std::function<std::string(const Node&)> wide;
};

struct Pass;

/// What a pass asks while it runs, and what it reports.
class PassContext {
 public:
  PassContext() = default;
  PassContext(const Pass& pass, const PassSettings& settings) : pass_(&pass), settings_(&settings) {}
  double option(std::string_view name) const;
  double cost(const Node& node) const;
  bool taken(const Node& node) const { return !settings_ || !settings_->taken || settings_->taken(node); }
  /// The same as a function, for Trial::keep_if_cheaper.
  std::function<double(const Node&)> costs() const {
    return [this](const Node& node) { return cost(node); };
  }

  std::string wide(const Node& node) const {
    return settings_ && settings_->wide ? settings_->wide(node) : std::string();
  }

  void count(std::string_view what, std::size_t n = 1) { counts_[std::string(what)] += n; }
  /// Why it did not fire: "kept: feeds two convolutions".
  void remark(const Node& node, std::string text) { remarks_.push_back(describe(node) + ": " + std::move(text)); }
  const std::map<std::string, std::size_t>& counts() const { return counts_; }
  const std::vector<std::string>& remarks() const { return remarks_; }

 private:
  const Pass* pass_ = nullptr;
  const PassSettings* settings_ = nullptr;
  std::map<std::string, std::size_t> counts_;
  std::vector<std::string> remarks_;
};

// What a pass looks at: each block, innermost first; each function; or the program. True: changed.
using BlockPass = Result<bool> (*)(Block&, PassContext&);
using FunctionPass = Result<bool> (*)(Function&, PassContext&);
using ProgramPass = Result<bool> (*)(Program&, PassContext&);

struct Pass {
  std::string_view name;     ///< coremltools' name where it has the same pass
  std::string_view summary;  ///< one sentence
  Numerics numerics;
  std::variant<BlockPass, FunctionPass, ProgramPass> run;
  std::span<const PassOption> options{};
};

/// Elements that constant folding may leave behind or look at; the options of const_elimination.
inline constexpr PassOption kFoldingOptions[] = {
    {"elements", 16 << 20, "largest result: more would only make the package larger"},
    {"work", 256 << 20, "elements and multiply-accumulates of all that is folded; more where weights are many"}};

Result<bool> add_fp16_cast(Function&, PassContext&);
Result<bool> cast_optimization(Block&, PassContext&);
Result<bool> compose_pointwise_convs(Block&, PassContext&);
Result<bool> const_deduplication(Block&, PassContext&);
Result<bool> const_elimination(Block&, PassContext&);
Result<bool> dead_code_elimination(Block&, PassContext&);
Result<bool> expand_high_rank_reshape_and_transpose(Block&, PassContext&);
Result<bool> fold_bounded_comparisons(Block&, PassContext&);
Result<bool> fuse_batchnorm_conv(Block&, PassContext&);
Result<bool> fuse_conv_batchnorm(Block&, PassContext&);
Result<bool> fuse_conv_scale(Block&, PassContext&);
Result<bool> fuse_dilated_conv(Block&, PassContext&);
Result<bool> fuse_elementwise_to_batchnorm(Block&, PassContext&);
Result<bool> fuse_gated_activations(Block&, PassContext&);
Result<bool> fuse_l2_norm(Block&, PassContext&);
Result<bool> fuse_layernorm_or_instancenorm(Block&, PassContext&);
Result<bool> fuse_leaky_relu(Block&, PassContext&);
Result<bool> fuse_linear_bias(Block&, PassContext&);
Result<bool> fuse_pad_conv(Block&, PassContext&);
Result<bool> fuse_pixel_shuffle(Block&, PassContext&);
Result<bool> fuse_reduce_mean(Block&, PassContext&);
Result<bool> fuse_soft_argmax(Block&, PassContext&);
Result<bool> fuse_softplus(Block&, PassContext&);
Result<bool> fuse_stack_split(Block&, PassContext&);
Result<bool> fuse_transpose_matmul(Block&, PassContext&);
Result<bool> fuse_weighted_sums(Block&, PassContext&);
Result<bool> merge_clamps(Block&, PassContext&);
Result<bool> merge_consecutive_paddings(Block&, PassContext&);
Result<bool> merge_consecutive_reshapes(Block&, PassContext&);
Result<bool> merge_consecutive_transposes(Block&, PassContext&);
Result<bool> merge_numbers(Block&, PassContext&);
Result<bool> merge_summed_convs(Block&, PassContext&);
Result<bool> move_refused_last(Block&, PassContext&);
Result<bool> noop_elimination(Block&, PassContext&);
Result<bool> raise_division_floor(Block&, PassContext&);
Result<bool> reduce_transposes(Block&, PassContext&);
Result<bool> remove_redundant_ops(Block&, PassContext&);
Result<bool> round_conv_weights(Block&, PassContext&);
Result<bool> scale_norm_epsilon(Block&, PassContext&);
Result<bool> select_optimization(Block&, PassContext&);
Result<bool> simplify_comparisons(Block&, PassContext&);
Result<bool> simplify_gathers(Block&, PassContext&);
Result<bool> simplify_slices_and_joins(Block&, PassContext&);
Result<bool> split_over_concat(Block&, PassContext&);
Result<bool> write_gates_in_arithmetic(Block&, PassContext&);

std::span<const Pass> all_passes();
const Pass* find_pass(std::string_view name);
/// The names of a pipeline ("default-fp16", "ane", "none" …); nothing when there is no such pipeline.
std::optional<std::vector<std::string_view>> pipeline(std::string_view name);
std::vector<std::string_view> pipeline_names();

/// Runs a function: inputs and outputs in the function's order.
using Executor = std::function<Result<std::vector<Array>>(const Function&, std::span<const Array>)>;

struct PipelineOptions {
  std::vector<std::string_view> passes;
  /// Verify after each pass, require that `changed` is true exactly when the text changed, that a second run changes
  /// nothing, and execute before and after on seeded random inputs.
  bool check = false;
  Executor execute;  ///< for check; null: the reference executor
  PassSettings settings{};
  std::function<Result<void>(std::size_t index, std::string_view pass, const Program&)> on_change;  ///< --dump-ir
};
struct PassReport {
  std::string_view name;
  bool changed = false;
  double ms = 0;
  std::map<std::string, std::size_t> counts;
  std::vector<std::string> remarks;
};
Result<std::vector<PassReport>> run_passes(Program& program, const PipelineOptions& options);
/// The same for rows that need not be in the table; options.passes is not looked at.
Result<std::vector<PassReport>> run_passes(Program& program, std::span<const Pass> passes,
                                           const PipelineOptions& options);

}  // namespace anemone::passes

// Rules about what an operation is and what its numbers are.
#include <fmt/format.h>

#include <algorithm>

#include "anemone/ir/rewrite.h"
#include "anemone/plan/ane/rules.h"

namespace anemone::plan::ane {
namespace {

using Op = Subject::Op;

// Operations whose results are indices: their chains are told from other integers.
constexpr Ops kMakesIndices{"one_hot", "reduce_argmax", "reduce_argmin", "argsort", "topk", "non_maximum_suppression"};

bool makes_indices(const Op& op) { return kMakesIndices.has(op.node); }

char letter(const Op& op) { return takes(*op.row, op.device.generation); }

enum class Unfit : std::uint8_t { no, wide_float, integer, no_tensor };
struct UnfitValue {
  Unfit why = Unfit::no;
  const Value* value = nullptr;
};

// The first value at run time that the engine cannot hold decides which rule speaks.
UnfitValue first_unfit(const Op& op) {
  for (const Value* value : op.at_run_time) {
    const Type& type = value->type.tensor_part();
    if (!type.is_tensor()) return {Unfit::no_tensor, value};
    switch (type.dtype) {
      case DType::fp32:
      case DType::fp64:
      case DType::bf16:
        if (op.node.type == "cast" && type.dtype == DType::fp32 && op.device.limits.casts_float) break;
        return {Unfit::wide_float, value};
      case DType::int32:
      case DType::int64:
      case DType::uint32:
      case DType::uint64:
      case DType::string:
        return {Unfit::integer, value};
      default:
        break;
    }
  }
  return {};
}

std::string type_of(const Value& value) {
  return fmt::format("'{}' is {}", value.name, name(value.type.tensor_part().dtype));
}

std::optional<Refusal> wide_float(const Op& op) {
  const UnfitValue unfit = first_unfit(op);
  if (unfit.why != Unfit::wide_float) return {};
  if (op.node.type != "cast") return Refusal{type_of(*unfit.value), Trust::documented};
  // By inference, from an M1 Pro's counts.
  return Refusal{type_of(*unfit.value), op.device.generation == Generation::h13 ? Trust::reported : Trust::guessed};
}

// A state is updated in place, also at a position that comes at run time; a slice_update of anything else is a refusal
// text of the system's own.
bool updates_state(const Op& op) {
  constexpr Ops kUpdate{"slice_update"}, kWrite{"write_state"};
  if (!kUpdate.has(op.node) || !producer(op.node.input("x"), "read_state")) return false;
  const auto& uses = op.node.output()->uses;
  return std::any_of(uses.begin(), uses.end(), [&](const Use& use) { return kWrite.has(*use.node); });
}

std::optional<Refusal> update(const Op& op) {
  if (!updates_state(op)) return Refusal{"it updates something that is no state"};
  if (op.device.limits.updates_states) return {};
  return Refusal{"a state was seen updated in place from M4 on only"};
}

std::optional<Refusal> integer(const Op& op) {
  const UnfitValue unfit = first_unfit(op);
  if (unfit.why != Unfit::integer || makes_indices(op)) return {};
  if (updates_state(op) && op.device.limits.updates_states) return {};
  return Refusal{type_of(*unfit.value)};
}

// Operations that take a compile-time operand on the engine, and another one elsewhere.
std::optional<Refusal> at_run_time(const Op& op, std::string_view param) {
  const Value* value = op.node.input(param);
  if (!value || value->constant) return {};
  return Refusal{fmt::format("'{}' comes at run time", param)};
}

std::optional<Refusal> moving_begin(const Op& op) { return at_run_time(op, "begin"); }

std::optional<Refusal> never_seen(const Op& op) {
  if (!op.node.blocks.empty()) return Refusal{"control flow"};
  if (op.row) return {};
  return Refusal{fmt::format("nothing is known about '{}'", op.node.type), Trust::guessed, {}, Support::unknown};
}

std::optional<Refusal> no_tensor(const Op& op) {
  const UnfitValue unfit = first_unfit(op);
  if (unfit.why != Unfit::no_tensor) return {};
  return Refusal{fmt::format("'{}' is {}, not a tensor", unfit.value->name, to_string(unfit.value->type))};
}

std::optional<Refusal> not_taken(const Op& op) {
  if (letter(op) == 'n' && !makes_indices(op))
    return Refusal{fmt::format("{} does not take '{}'", op.device.chip, op.node.type), op.row->trust};
  if (letter(op) != 'u') return {};
  return Refusal{fmt::format("it is not known whether {} takes '{}'", op.device.chip, op.node.type),
                 Trust::guessed,
                 {},
                 Support::unknown};
}

std::optional<Refusal> loop(const Op& op) {
  if (!op.whole.has_loop) return {};
  return Refusal{"the program has a while_loop"};
}

std::optional<Refusal> three_dimensional(const Op& op) {
  const Value* weight = op.node.input("weight");
  if (!weight || weight->type.rank() != 5) return {};
  return Refusal{fmt::format("the kernel is {}", brief(weight->type.dims))};
}

std::optional<Refusal> padding(const Op& op) {
  const ConstantView view(op.node);
  const std::string mode = view.text("mode");
  if (mode == "constant" && view.number("constant_val") != 0) return Refusal{"padding with a constant other than 0"};
  if (mode != "constant" && !op.device.limits.texture_engine)
    return Refusal{fmt::format("'{}' padding needs a unit that this generation lacks", mode)};
  return {};
}

std::optional<Refusal> moving_weight(const Op& op) {
  const Value* weight = op.node.input("weight");
  if (!weight || weight->type.rank() < 3 || is_static(weight) || op.device.generation >= Generation::h16) return {};
  return Refusal{"the weight comes at run time, which only M4 and later were seen to take", Trust::guessed};
}

std::optional<Refusal> inside_control_flow(const Op& op) {
  if (!op.node.block().parent()) return {};
  return Refusal{"it stands inside control flow", Trust::reported, "unroll it at conversion time"};
}

std::optional<Refusal> makes_integers(const Op& op) {
  const UnfitValue unfit = first_unfit(op);
  if (unfit.why != Unfit::integer) return {};
  return Refusal{type_of(*unfit.value), op.row->trust};
}

std::optional<Refusal> index_not_taken(const Op& op) {
  if (letter(op) != 'n') return {};
  return Refusal{fmt::format("{} does not take '{}'", op.device.chip, op.node.type), op.row->trust};
}

std::optional<Refusal> moving_indices(const Op& op) {
  auto refusal = at_run_time(op, "indices");
  constexpr Ops kSilent{"gather_nd"};
  if (refusal && kSilent.has(op.node)) refusal->reason += "; one report: it compiled, and gave zeros without an error";
  return refusal;
}

constexpr Rule kInteger{
    .text = {.code = "ANE002",
             .name = "integer-tensor",
             .what = "an operation that takes or gives an int32 or int64 tensor at run time",
             .why = "integers are refused for every operation",
             .instead = "do index arithmetic at conversion time, or use fp16",
             .effect = Effect::leaves_engine,
             .severity = "error",
             .trust = Trust::reported,
             .source = "compute plans of 490 models on an M4",
             .command = "anemone convert MODEL -o OUT.mlpackage --shapes HxW"},
    .refusers = {{{Stage::types, integer}, {Stage::particular, moving_begin, {"slice_by_index", "slice_by_size"}}}}};

constexpr Rule kOperationType{
    .text = {.code = "ANE003",
             .name = "operation-type",
             .what = "an operation type that this generation does not take, or of which nothing is known",
             .why = "it makes a segment on another unit",
             .instead = "express it with operations the engine takes",
             .effect = Effect::leaves_engine,
             .severity = "error",
             .trust = Trust::reported,
             .source = "op-by-device matrices of M1, M2, M3, M4; an Apple engineer on what varies"},
    .refusers = {{{Stage::known, never_seen},
                  {Stage::types, no_tensor},
                  {Stage::table, not_taken},
                  {Stage::particular, padding, {"pad"}},
                  {Stage::particular, moving_weight, {"conv"}},
                  {Stage::particular, update, {"slice_update"}},
                  {Stage::context, inside_control_flow}}}};

constexpr Rule kIndexOperation{
    .text = {.code = "ANE028",
             .name = "index-operation",
             .what = "gather with indices of run time, one_hot, argmax, topk or non-maximum suppression",
             .why = "integer results drag their chain to the CPU",
             .instead = "move it to the host",
             .effect = Effect::leaves_engine,
             .severity = "info",
             .trust = Trust::reported,
             .source = "compute plans on an M4; detection networks on an M3 Pro"},
    .refusers = {{{Stage::types, makes_integers, kMakesIndices},
                  {Stage::table, index_not_taken, kMakesIndices},
                  {Stage::particular, moving_indices, {"gather", "gather_nd", "gather_along_axis"}}}}};

constexpr Rule kLoop{
    .text = {.code = "ANE032",
             .name = "loop",
             .what = "a while_loop anywhere in the program",
             .why = "the whole graph loses the engine, not only the loop",
             .instead = "unroll it at conversion time, or call the model in a loop",
             .effect = Effect::leaves_engine,
             .severity = "error",
             .trust = Trust::reported,
             .source = "john-rocky/CoreML-LLM; coremltools issue 2208 says so of the loop's body alone"},
    .refusers = {{{Stage::known, loop}}}};

constexpr Rule kConv3d{
    .text =
        {.code = "ANE034",
         .name = "conv-3d",
         .what = "a convolution with three spatial axes",
         .why =
             "reports differ: a compute plan of an M4 lists it, the engine's compiler refuses it on a direct path, and "
             "since macOS 14 it was seen on the GPU",
         .instead = "two-dimensional convolutions over slices, or split the third axis into the batch",
         .effect = Effect::leaves_engine,
         .severity = "warn",
         .trust = Trust::guessed,
         .source = "ane-guide chapter 13; coremltools issue 1368; compute plans of single operations on an M4"},
    .refusers = {{{Stage::particular, three_dimensional, kConvolution}}}};

}  // namespace

extern constexpr Rule kFp32Tensor{
    .text = {.code = "ANE001",
             .name = "fp32-tensor",
             .what = "an operation with an fp32 tensor, other than a constant scalar",
             .why = "the engine computes in fp16 only; types are a floor that the planner never lowers",
             .instead = "compute in fp16",
             .effect = Effect::leaves_engine,
             .severity = "error",
             .trust = Trust::documented,
             .source = "Apple authoring rules; coremltools typed execution",
             .command = "anemone convert MODEL -o OUT.mlpackage --precision fp16"},
    .refusers = {{{Stage::types, wide_float}}}};

std::span<const Rule* const> type_rules() {
  static constexpr std::array kRules{&kFp32Tensor, &kInteger, &kOperationType, &kIndexOperation, &kLoop, &kConv3d};
  return kRules;
}

}  // namespace anemone::plan::ane

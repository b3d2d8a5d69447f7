// Reductions, and positions of extremes.
#include <array>

#include "anemone/backends/onnx/rows.h"

namespace anemone::onnx::exporting {
namespace {

constexpr char kSum[] = "ReduceSum", kMean[] = "ReduceMean", kMax[] = "ReduceMax", kMin[] = "ReduceMin",
               kProd[] = "ReduceProd", kL1[] = "ReduceL1", kL2[] = "ReduceL2", kSumSquare[] = "ReduceSumSquare",
               kLogSum[] = "ReduceLogSum", kLogSumExp[] = "ReduceLogSumExp", kArgMax[] = "ArgMax", kArgMin[] = "ArgMin";

template <const char* Op>
Result<void> reduction(Emit& e) {
  return e.give(e.reduction(Op, e.in("x"), e.axes("axes", e.rank()), e.flag("keep_dims")));
}

template <const char* Op>
Result<void> position(Emit& e) {
  Value* where = e.make(Op, {e.in("x")},
                        {attr("axis", e.axis("axis", e.rank())), attr("keepdims", std::int64_t{e.flag("keep_dims")})});
  return e.give("Cast", {where}, {attr("to", static_cast<std::int64_t>(e.dtype()))});
}

constexpr std::array kRows = {
    RaiseRow{"reduce_sum", reduction<kSum>, "ReduceSum"},
    RaiseRow{"reduce_mean", reduction<kMean>, "ReduceMean"},
    RaiseRow{"reduce_max", reduction<kMax>, "ReduceMax"},
    RaiseRow{"reduce_min", reduction<kMin>, "ReduceMin"},
    RaiseRow{"reduce_prod", reduction<kProd>, "ReduceProd"},
    RaiseRow{"reduce_l1_norm", reduction<kL1>, "ReduceL1"},
    RaiseRow{"reduce_l2_norm", reduction<kL2>, "ReduceL2"},
    RaiseRow{"reduce_sum_square", reduction<kSumSquare>, "ReduceSumSquare"},
    RaiseRow{"reduce_log_sum", reduction<kLogSum>, "ReduceLogSum"},
    RaiseRow{"reduce_log_sum_exp", reduction<kLogSumExp>, "ReduceLogSumExp"},
    RaiseRow{"reduce_argmax", position<kArgMax>, "ArgMax, Cast"},
    RaiseRow{"reduce_argmin", position<kArgMin>, "ArgMin, Cast"},
};

}  // namespace

std::span<const RaiseRow> raise_reduction() { return kRows; }

}  // namespace anemone::onnx::exporting

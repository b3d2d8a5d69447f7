// The rules of the Neural Engine. Evidence: D Apple documents it, R several sources reproduced it, S one source reports
// it, V computed here from files that devices reported on.
#include "anemone/plan/ane/rules.h"

#include <array>

namespace anemone::ane {
namespace {

using E = Effect;
constexpr std::array kRules{
    Rule{"ANE001", "fp32-tensor", "an operation with an fp32 tensor, other than a constant scalar",
         "the engine computes in fp16 only; types are a floor that the planner never lowers", "compute in fp16",
         E::leaves_engine, "error", Trust::documented, "Apple authoring rules; coremltools typed execution",
         "anemone convert MODEL -o OUT.mlpackage --precision fp16"},
    Rule{"ANE002", "integer-tensor", "an operation that takes or gives an int32 or int64 tensor at run time",
         "integers are refused for every operation", "do index arithmetic at conversion time, or use fp16",
         E::leaves_engine, "error", Trust::reported, "compute plans of 490 models on an M4",
         "anemone convert MODEL -o OUT.mlpackage --shapes HxW"},
    Rule{"ANE003", "operation-type",
         "an operation type that this generation does not take, or of which nothing is known",
         "it makes a segment on another unit", "express it with operations the engine takes", E::leaves_engine, "error",
         Trust::reported, "op-by-device matrices of M1, M2, M3, M4; an Apple engineer on what varies"},
    Rule{"ANE004", "rank", "a tensor of rank above 5", "the engine has five axes", "merge or split axes before",
         E::leaves_engine, "error", Trust::documented, "Apple authoring rules"},
    Rule{"ANE005", "extent", "a height or width above 16384 (65536 from A17 Pro and M4), or more than 65536 channels",
         "the validator's range", "tile the tensor, or move the long axis to the channels", E::leaves_engine, "error",
         Trust::reported, "range message of the validator on an A15; M4 experiments"},
    Rule{"ANE006", "unknown-extent", "an extent that is not known before run time",
         "the engine's programs are static; one dynamic operation can move the whole graph",
         "fix the shape, or make one function a size", E::leaves_engine, "error", Trust::documented,
         "Apple authoring rules", "anemone convert MODEL -o OUT.mlpackage --shapes HxW"},
    Rule{"ANE007", "conv-kernel", "a convolution kernel beyond the limits (width 13 or 15, height 29 or 31, square 16)",
         "refused, or minutes and gigabytes of compilation", "factor it into smaller kernels", E::leaves_engine,
         "error", Trust::reported, "M1 and M4 compile experiments"},
    Rule{"ANE008", "max-pool-kernel", "a max pool wider than 8", "runs on the CPU", "chain smaller pools",
         E::leaves_engine, "error", Trust::reported, "M4 compute plans"},
    Rule{"ANE009", "stride",
         "a stride that is not 2^a·3^b, unequal strides without a 2, or a pool stride other than 1, 2, 4",
         "decomposed or slow", "use strides of 2", E::slower, "warn", Trust::documented, "Apple authoring rules"},
    Rule{"ANE010", "dilation", "a dilation with a prime factor above 3", "only 2 and 3 have a fast path",
         "factor the dilation into 2s and 3s", E::slower, "warn", Trust::documented, "Apple authoring rules"},
    Rule{"ANE011", "io-last-axis", "an input or output whose last axis is 1 or not a multiple of 64 bytes",
         "interface tensors are padded, up to 32 times",
         "make the last axis wide, or give the numbers as fewer, wider tensors", E::slower, "warn", Trust::documented,
         "Apple authoring rules"},
    Rule{"ANE012", "fp32-preprocessing", "an image's scale or bias as fp32 operations",
         "they run on the CPU before the cast", "cast first, then scale in fp16", E::leaves_engine, "warn",
         Trust::measured, "659 operations of STAR against its Xcode report", "anemone convert MODEL -o OUT.mlpackage"},
    Rule{"ANE013", "long-narrow-sum", "a sum or mean over more than 256 elements that feeds a ratio",
         "reductions may accumulate in fp16: 2 to 6 pixels of a 256 crop",
         "use a matmul with constants, whose accumulator is wide", E::hazard, "warn", Trust::reported,
         "direct-path measurements on M1; simulation here"},
    Rule{"ANE014",
         "accumulator",
         "multiply-accumulate sums that may reach 32768",
         "the fixed-point accumulator saturates to infinity",
         "scale weights down and the next operation up",
         E::hazard,
         "warn",
         Trust::reported,
         "numerics study on M6 and M4",
         {},
         true},
    Rule{"ANE015", "subnormal-weights", "weights mostly below fp16's normal range (6.1e-5)",
         "subnormals are flushed on M1, small products dropped", "scale weights up and the next operation down",
         E::hazard, "warn", Trust::reported, "numerics study; direct-path measurements on M1"},
    Rule{"ANE016", "decomposed-norm", "a normalisation written as elementwise operations",
         "the composite operation maps better and is safer in fp16", "keep instance_norm and layer_norm whole",
         E::hazard, "warn", Trust::documented, "Apple authoring rules"},
    Rule{"ANE017",
         "norm-input-range",
         "activations before instance_norm with a deviation outside 0.25 to 4",
         "their variance leaves fp16's range",
         "rescale the weights before it",
         E::hazard,
         "warn",
         Trust::measured,
         "simulation here",
         {},
         true},
    Rule{"ANE018", "linear-on-4d", "a matmul or linear with constant weights on four-dimensional activations",
         "the convolution datapath is about three times faster", "use a 1x1 convolution", E::slower, "info",
         Trust::documented, "Apple authoring rules"},
    Rule{"ANE019", "summed-convolutions", "two or more 1x1 convolutions that are only added",
         "each addition is a pass over memory", "one convolution over the concatenation", E::slower, "info",
         Trust::measured, "cost model"},
    Rule{"ANE020", "infinite-mask", "a mask of minus infinity", "softmax with infinities goes wrong", "use -40000",
         E::hazard, "info", Trust::documented, "Apple authoring rules"},
    Rule{"ANE021", "width-slice", "a slice of the width axis that does not begin at 0, on M1 or M2 generations",
         "values beyond 4094 are clamped", "slice another axis", E::hazard, "info", Trust::reported,
         "direct-path measurements"},
    Rule{"ANE022", "too-small",
         "a graph or an island whose gain is below the cost of going to the engine (0.25 and 0.375 ms)",
         "the planner keeps it on the CPU", "batch the work, or let it run there", E::leaves_engine, "warn",
         Trust::reported, "planner logs of 482 models on an M4"},
    Rule{"ANE023", "side-branch", "operations off the engine in the middle of the program",
         "the planner follows program order: each island costs two switches", "emit side branches last", E::slower,
         "warn", Trust::reported, "planner logs; computed here"},
    Rule{"ANE024", "model-size", "more than 1 GB of weights", "the limit on iPhones", "split the model",
         E::leaves_engine, "warn", Trust::documented, "coremltools guide"},
    Rule{"ANE025", "enumerated-shapes",
         "enumerated shapes with layer_norm, more than 128 of them, or on several inputs before ios18",
         "the engine is lost or the model refused", "one function a shape", E::leaves_engine, "warn", Trust::documented,
         "coremltools guide and issue 1909", "anemone convert MODEL -o OUT.mlpackage --shapes A,B --target ios18"},
    Rule{"ANE026", "large-outputs", "large outputs that are intermediate results", "copies out of the engine's memory",
         "keep the outputs that are used", E::slower, "info", Trust::measured, "computed here",
         "anemone convert MODEL -o OUT.mlpackage --outputs final"},
    Rule{"ANE027", "palettized-stride", "a palettized convolution with a stride above 2, or per-block scales",
         "decompression has limits", "leave such weights alone, or use per-channel scales", E::slower, "info",
         Trust::documented, "Apple authoring rules"},
    Rule{"ANE028", "index-operation",
         "gather with indices of run time, one_hot, argmax, topk or non-maximum suppression",
         "integer results drag their chain to the CPU", "move it to the host", E::leaves_engine, "info",
         Trust::reported, "compute plans on an M4; detection networks on an M3 Pro"},
    Rule{"ANE029", "graph-shape", "twelve or more branches that join again, or more than 386 dependent layers on M6",
         "seconds of compilation, or the dual engine is lost", "split the graph", E::slower, "info", Trust::reported,
         "direct-path guide; M6 study"},
    Rule{"ANE030", "old-target", "a deployment target below ios16", "fp16 cannot be at the interface: casts are added",
         "target ios16 or newer", E::slower, "info", Trust::documented, "coremltools",
         "anemone convert MODEL -o OUT.mlpackage --target ios17"},
    Rule{"ANE031", "small-epsilon", "an epsilon or a floor below fp16's normal range (6.1e-5)",
         "a subnormal is flushed to zero on M1, and the division it guards is not guarded", "use 6.1e-5 or more",
         E::hazard, "warn", Trust::reported, "numerics study; direct-path measurements on M1"},
};

}  // namespace

std::string_view name(Effect effect) {
  switch (effect) {
    case Effect::leaves_engine:
      return "leaves the engine";
    case Effect::slower:
      return "slower";
    case Effect::hazard:
      return "numeric hazard";
    case Effect::advice:
      return "advice";
  }
  return {};
}

std::span<const Rule> rules() { return kRules; }

const Rule* find_rule(std::string_view code) {
  for (const Rule& r : kRules) {
    if (r.code == code) return &r;
  }
  return nullptr;
}

const Rule& rule(std::string_view code) { return *find_rule(code); }

}  // namespace anemone::ane

// The opsets of ai.onnx in which an operation was defined anew, from ONNX's own list of changes (docs/Changelog.md).
#include "anemone/onnx/opsets.h"

#include <bit>
#include <charconv>
#include <initializer_list>
#include <unordered_map>

#include "anemone/onnx/graph.h"

namespace anemone::onnx {
namespace {

struct Row {
  std::string_view op;
  std::uint32_t opsets;  ///< bit n: opset n
};

constexpr std::uint32_t since(std::initializer_list<int> opsets) {
  std::uint32_t bits = 0;
  for (const int opset : opsets) bits |= 1u << opset;
  return bits;
}

constexpr Row kRows[] = {
    {"Abs", since({1, 6, 13})},
    {"Acos", since({7, 22})},
    {"Acosh", since({9, 22})},
    {"Add", since({1, 6, 7, 13, 14})},
    {"AffineGrid", since({20})},
    {"And", since({1, 7})},
    {"ArgMax", since({1, 11, 12, 13})},
    {"ArgMin", since({1, 11, 12, 13})},
    {"Asin", since({7, 22})},
    {"Asinh", since({9, 22})},
    {"Atan", since({7, 22})},
    {"Atanh", since({9, 22})},
    {"Attention", since({23, 24, 25})},
    {"Attention", since({23, 24, 25})},
    {"AveragePool", since({1, 7, 10, 11, 19, 22})},
    {"BatchNormalization", since({1, 6, 7, 9, 14, 15})},
    {"Bernoulli", since({15, 22})},
    {"BitCast", since({26})},
    {"BitShift", since({11, 28})},
    {"BitwiseAnd", since({18})},
    {"BitwiseNot", since({18})},
    {"BitwiseOr", since({18})},
    {"BitwiseXor", since({18})},
    {"BlackmanWindow", since({17})},
    {"Cast", since({1, 6, 9, 13, 19, 21, 23, 24, 25, 28})},
    {"CastLike", since({15, 19, 21, 23, 24, 25})},
    {"CausalConvWithState", since({27})},
    {"Ceil", since({1, 6, 13})},
    {"Celu", since({12, 28})},
    {"CenterCropPad", since({18})},
    {"Clip", since({1, 6, 11, 12, 13})},
    {"Col2Im", since({18})},
    {"Compress", since({9, 11, 28})},
    {"Concat", since({1, 4, 11, 13})},
    {"ConcatFromSequence", since({11})},
    {"Constant", since({1, 9, 11, 12, 13, 19, 21, 23, 24, 25})},
    {"ConstantOfShape", since({9, 20, 21, 23, 24, 25})},
    {"Conv", since({1, 11, 22})},
    {"ConvInteger", since({10})},
    {"ConvTranspose", since({1, 11, 22})},
    {"Cos", since({7, 22})},
    {"Cosh", since({9, 22})},
    {"CumProd", since({26})},
    {"CumSum", since({11, 14})},
    {"DFT", since({17, 20})},
    {"DeformConv", since({19, 22})},
    {"DepthToSpace", since({1, 11, 13, 28})},
    {"DequantizeLinear", since({10, 13, 19, 21, 23, 24, 25, 28})},
    {"Det", since({11, 22})},
    {"Div", since({1, 6, 7, 13, 14})},
    {"Dropout", since({1, 6, 7, 10, 12, 13, 22})},
    {"DynamicQuantizeLinear", since({11})},
    {"Einsum", since({12, 28})},
    {"Elu", since({1, 6, 22})},
    {"Equal", since({1, 7, 11, 13, 19})},
    {"Erf", since({9, 13})},
    {"Exp", since({1, 6, 13})},
    {"Expand", since({8, 13})},
    {"EyeLike", since({9, 22})},
    {"Flatten", since({1, 9, 11, 13, 21, 23, 24, 25})},
    {"Floor", since({1, 6, 13})},
    {"GRU", since({1, 3, 7, 14, 22})},
    {"Gather", since({1, 11, 13})},
    {"GatherElements", since({11, 13})},
    {"GatherND", since({11, 12, 13})},
    {"Gelu", since({20})},
    {"Gemm", since({1, 6, 7, 9, 11, 13})},
    {"GlobalAveragePool", since({1, 22})},
    {"GlobalLpPool", since({1, 2, 22})},
    {"GlobalMaxPool", since({1, 22})},
    {"Greater", since({1, 7, 9, 13})},
    {"GreaterOrEqual", since({12, 16})},
    {"GridSample", since({16, 20, 22})},
    {"GroupNormalization", since({18, 21})},
    {"HammingWindow", since({17})},
    {"HannWindow", since({17})},
    {"HardSigmoid", since({1, 6, 22})},
    {"HardSwish", since({14, 22})},
    {"Hardmax", since({1, 11, 13})},
    {"Identity", since({1, 13, 14, 16, 19, 21, 23, 24, 25})},
    {"If", since({1, 11, 13, 16, 19, 21, 23, 24, 25})},
    {"ImageDecoder", since({20})},
    {"InstanceNormalization", since({1, 6, 22})},
    {"IsInf", since({10, 20})},
    {"IsNaN", since({9, 13, 20})},
    {"LRN", since({1, 13})},
    {"LSTM", since({1, 7, 14, 22})},
    {"LayerNormalization", since({17})},
    {"LeakyRelu", since({1, 6, 16})},
    {"Less", since({1, 7, 9, 13})},
    {"LessOrEqual", since({12, 16})},
    {"LinearAttention", since({27})},
    {"Log", since({1, 6, 13})},
    {"LogSoftmax", since({1, 11, 13})},
    {"Loop", since({1, 11, 13, 16, 19, 21, 23, 24, 25})},
    {"LpNormalization", since({1, 22})},
    {"LpPool", since({1, 2, 11, 18, 22})},
    {"MatMul", since({1, 9, 13})},
    {"MatMulInteger", since({10})},
    {"Max", since({1, 6, 8, 12, 13})},
    {"MaxPool", since({1, 8, 10, 11, 12, 22})},
    {"MaxRoiPool", since({1, 22})},
    {"MaxUnpool", since({9, 11, 22})},
    {"Mean", since({1, 6, 8, 13})},
    {"MeanVarianceNormalization", since({9, 13})},
    {"MelWeightMatrix", since({17})},
    {"Min", since({1, 6, 8, 12, 13})},
    {"Mish", since({18, 22})},
    {"Mod", since({10, 13, 28})},
    {"Mul", since({1, 6, 7, 13, 14})},
    {"Multinomial", since({7, 22})},
    {"Neg", since({1, 6, 13})},
    {"NegativeLogLikelihoodLoss", since({12, 13, 22})},
    {"NonMaxSuppression", since({10, 11})},
    {"NonZero", since({9, 13})},
    {"Not", since({1})},
    {"OneHot", since({9, 11, 28})},
    {"Optional", since({15, 28})},
    {"OptionalGetElement", since({15, 18, 28})},
    {"OptionalHasElement", since({15, 18, 28})},
    {"Or", since({1, 7})},
    {"PRelu", since({1, 6, 7, 9, 16})},
    {"Pad", since({1, 2, 11, 13, 18, 19, 21, 23, 24, 25})},
    {"Pow", since({1, 7, 12, 13, 15})},
    {"QLinearConv", since({10})},
    {"QLinearMatMul", since({10, 21})},
    {"QuantizeLinear", since({10, 13, 19, 21, 23, 24, 25, 28})},
    {"RMSNormalization", since({23})},
    {"RNN", since({1, 7, 14, 22})},
    {"RandomNormal", since({1, 22})},
    {"RandomNormalLike", since({1, 22})},
    {"RandomUniform", since({1, 22})},
    {"RandomUniformLike", since({1, 22})},
    {"Range", since({11, 27})},
    {"Reciprocal", since({1, 6, 13})},
    {"ReduceL1", since({1, 11, 13, 18})},
    {"ReduceL2", since({1, 11, 13, 18})},
    {"ReduceLogSum", since({1, 11, 13, 18, 28})},
    {"ReduceLogSumExp", since({1, 11, 13, 18, 28})},
    {"ReduceMax", since({1, 11, 12, 13, 18, 20})},
    {"ReduceMean", since({1, 11, 13, 18})},
    {"ReduceMin", since({1, 11, 12, 13, 18, 20})},
    {"ReduceProd", since({1, 11, 13, 18})},
    {"ReduceSum", since({1, 11, 13})},
    {"ReduceSumSquare", since({1, 11, 13, 18})},
    {"RegexFullMatch", since({20})},
    {"Relu", since({1, 6, 13, 14})},
    {"Reshape", since({1, 5, 13, 14, 19, 21, 23, 24, 25})},
    {"Resize", since({10, 11, 13, 18, 19})},
    {"ReverseSequence", since({10, 28})},
    {"RoiAlign", since({10, 16, 22})},
    {"RotaryEmbedding", since({23})},
    {"RotaryEmbedding", since({23})},
    {"Round", since({11, 22})},
    {"STFT", since({17})},
    {"Scan", since({8, 9, 11, 16, 19, 21, 23, 24, 25})},
    {"Scatter", since({9, 11})},
    {"ScatterElements", since({11, 13, 16, 18})},
    {"ScatterND", since({11, 13, 16, 18})},
    {"Selu", since({1, 6, 22})},
    {"SequenceAt", since({11})},
    {"SequenceConstruct", since({11})},
    {"SequenceEmpty", since({11})},
    {"SequenceErase", since({11})},
    {"SequenceInsert", since({11})},
    {"SequenceLength", since({11})},
    {"SequenceMap", since({17})},
    {"Shape", since({1, 13, 15, 19, 21, 23, 24, 25})},
    {"Shrink", since({9})},
    {"Sigmoid", since({1, 6, 13})},
    {"Sign", since({9, 13})},
    {"Sin", since({7, 22})},
    {"Sinh", since({9, 22})},
    {"Size", since({1, 13, 19, 21, 23, 24, 25})},
    {"Slice", since({1, 10, 11, 13})},
    {"Softmax", since({1, 11, 13})},
    {"SoftmaxCrossEntropyLoss", since({12, 13})},
    {"Softplus", since({1, 22})},
    {"Softsign", since({1, 22})},
    {"SpaceToDepth", since({1, 13, 28})},
    {"Split", since({1, 2, 11, 13, 18})},
    {"SplitToSequence", since({11, 24})},
    {"Sqrt", since({1, 6, 13})},
    {"Squeeze", since({1, 11, 13, 21, 23, 24, 25})},
    {"StringConcat", since({20})},
    {"StringNormalizer", since({10})},
    {"StringSplit", since({20})},
    {"Sub", since({1, 6, 7, 13, 14})},
    {"Sum", since({1, 6, 8, 13})},
    {"SwiGLU", since({28})},
    {"Swish", since({24})},
    {"Tan", since({7, 22})},
    {"Tanh", since({1, 6, 13})},
    {"TensorScatter", since({24})},
    {"TfIdfVectorizer", since({9})},
    {"ThresholdedRelu", since({10, 22})},
    {"Tile", since({1, 6, 13})},
    {"TopK", since({1, 10, 11, 24})},
    {"Transpose", since({1, 13, 21, 23, 24, 25})},
    {"Trilu", since({14})},
    {"Unique", since({11, 28})},
    {"Unsqueeze", since({1, 11, 13, 21, 23, 24, 25})},
    {"Upsample", since({1, 7, 9, 10})},
    {"Where", since({9, 16})},
    {"Xor", since({1, 7})},
};

}  // namespace

std::int64_t since_version(std::string_view op, std::int64_t opset) {
  static const std::unordered_map<std::string_view, std::uint32_t> kOpsets = [] {
    std::unordered_map<std::string_view, std::uint32_t> map;
    for (const Row& row : kRows) map.emplace(row.op, row.opsets);
    return map;
  }();
  const auto found = kOpsets.find(op);
  if (found == kOpsets.end() || opset < 1) return 0;
  const std::uint32_t reached = opset >= 31 ? found->second : found->second & ((2u << opset) - 1);
  return reached == 0 ? 0 : std::bit_width(reached) - 1;
}

std::int64_t opset_of(const Model& model, const Node& node) {
  for (const onnxspec::Property& property : node.metadata) {
    std::int64_t own = 0;
    const std::string& text = property.value;
    if (property.key == kOpsetProperty &&
        std::from_chars(text.data(), text.data() + text.size(), own).ec == std::errc())
      return own;
  }
  return model.opset(node.domain);
}

}  // namespace anemone::onnx

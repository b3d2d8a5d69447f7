// The graph as a whole: interface, names, types, refusals. What single operations become is in tests/export.
#include "anemone/backends/onnx/raise.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "anemone/backends/onnx/interface.h"
#include "anemone/backends/onnx/rows.h"
#include "anemone/backends/onnx/writer.h"
#include "anemone/formats/onnx/spec.h"
#include "anemone/ir/text/parse.h"
#include "anemone/ops/ops.h"
#include "anemone/support/file.h"

namespace anemone::onnx::exporting {
namespace {

std::unique_ptr<Program> program_of(const std::string& text) {
  auto source = std::make_shared<SourceText>();
  source->name = "test";
  source->text = text;
  auto program = parse(source, ops::table());
  EXPECT_TRUE(program) << render(program.error());
  return program ? *std::move(program) : nullptr;
}

Model raised(const std::string& text, const RaiseOptions& options = {}) {
  const auto program = program_of(text);
  auto model = raise(*program, options);
  EXPECT_TRUE(model) << render(model.error());
  return model ? *std::move(model) : Model{};
}

std::vector<std::string> ops_of(const Model& model) {
  std::vector<std::string> ops;
  for (const auto& node : model.graph->nodes()) ops.push_back(node->op_type);
  return ops;
}
using Words = std::vector<std::string>;

constexpr char kHalf[] =
    "func main<ios17>(tensor<fp16, [1, 4]> x) { a = relu(x = x); y = mul(x = a, y = fp16(0.5)); } -> (y);";

TEST(Raise, KeepsNamesAndTypes) {
  const Model model = raised("func main<ios17>(tensor<fp32, [2, 3]> x) { y = relu(x = x); } -> (y);");
  EXPECT_EQ(ops_of(model), Words{"Relu"});
  EXPECT_EQ(model.graph->inputs()[0]->name(), "x");
  EXPECT_EQ(model.graph->outputs()[0]->name(), "y");
  EXPECT_EQ(model.opset(), 17);
  EXPECT_EQ(model.graph->outputs()[0]->type.shape->size(), 2U);
}

TEST(Raise, WidensHalfUnlessToldNotTo) {
  EXPECT_EQ(raised(kHalf).graph->inputs()[0]->type.dtype, DataType::float32);
  EXPECT_EQ(raised(kHalf, {.widen = false}).graph->inputs()[0]->type.dtype, DataType::float16);
}

TEST(Raise, FloatInterfaceAroundHalf) {
  Model model = raised(kHalf, {.widen = false});
  take_and_give_float(model);
  EXPECT_EQ(ops_of(model), (Words{"Cast", "Relu", "Mul", "Cast"}));
  EXPECT_EQ(model.graph->inputs()[0]->type.dtype, DataType::float32);
  EXPECT_EQ(model.graph->outputs()[0]->type.dtype, DataType::float32);
  EXPECT_EQ(model.graph->outputs()[0]->name(), "y");
}

// Half outside, half inside, and floats between: the second cast is not called like the first.
TEST(Raise, CastsAtBothBordersHaveNamesOfTheirOwn) {
  Model model = raised(kHalf, {.widen = false});
  take_and_give_float(model);
  restore_border(model, {{"x", "x", DataType::float16, {1, 4}}}, {{"y", "y", DataType::float16, {1, 4}}});
  EXPECT_EQ(ops_of(model), (Words{"Cast", "Cast", "Relu", "Mul", "Cast", "Cast"}));
  std::set<std::string> names;
  for (const auto& node : model.graph->nodes()) EXPECT_TRUE(names.insert(node->name).second) << node->name;
}

// Outputs that nothing makes, or that are one value, still have their names.
TEST(Raise, OutputsWithoutAMaker) {
  const Model model = raised(
      "func main<ios17>(tensor<fp32, [2]> x) { a = identity(x = x); b = relu(x = x); c = identity(x = b); } -> (a, b, "
      "c);");
  EXPECT_EQ(ops_of(model), (Words{"Relu", "Identity", "Identity"}));
  Words names;
  for (const Value* output : model.graph->outputs()) names.push_back(output->name());
  EXPECT_EQ(names, (Words{"a", "b", "c"}));
}

// What came as ONNX is called by the names and types that its callers know, even where MIL does not admit them.
TEST(Raise, BorderAsCallersKnowIt) {
  Model model = raised(
      "func main<ios17>(tensor<int32, [1]> n_, tensor<fp32, [2]> x) { _7 = add(x = n_, y = 1); x_ = relu(x = x); b = "
      "identity(x = x_); } -> (_7, x_, b);");
  restore_border(
      model, {{"n_", "n", DataType::int64, {}}, {"x", "input.1", DataType::float32, {2}}},
      {{"_7", "7", DataType::int64, {}}, {"x_", "x", DataType::float64, {2}}, {"b", "x", DataType::float64, {2}}});
  const auto& graph = *model.graph;
  ASSERT_EQ(graph.inputs().size(), 2U);
  EXPECT_EQ(graph.inputs()[0]->name(), "n");
  EXPECT_EQ(graph.inputs()[0]->type.dtype, DataType::int64);
  EXPECT_TRUE(graph.inputs()[0]->type.shape->empty());
  EXPECT_EQ(graph.inputs()[1]->name(), "input.1");
  ASSERT_EQ(graph.outputs().size(), 3U);
  EXPECT_EQ(graph.outputs()[0]->name(), "7");
  EXPECT_EQ(graph.outputs()[0]->type.dtype, DataType::int64);
  EXPECT_EQ(graph.outputs()[1]->name(), "x");
  EXPECT_EQ(graph.outputs()[1]->type.dtype, DataType::float64);
  EXPECT_EQ(graph.outputs()[2], graph.outputs()[1]);
  EXPECT_EQ(ops_of(model), (Words{"Reshape", "Cast", "Add", "Relu", "Reshape", "Cast", "Cast"}));
}

TEST(Raise, ReductionAxesAreAttributesBeforeOpset18) {
  const char* text = "func main<ios17>(tensor<fp32, [2, 3]> x) { y = reduce_max(x = x, axes = [1]); } -> (y);";
  EXPECT_EQ(raised(text, {.opset = 17}).graph->nodes().front()->input_count(), 1U);
  EXPECT_EQ(raised(text, {.opset = 18}).graph->nodes().front()->input_count(), 2U);
}

TEST(Raise, CompressedConstantsAreInitializers) {
  const Model model = raised(
      "func main<ios17>(tensor<fp32, [2]> x) { w = constexpr_affine_dequantize(quantized_data = tensor<int8, [2]>([4, "
      "-4]), zero_point = int8(0), scale = fp32(0.5), axis = 0); y = add(x = x, y = w); } -> (y);");
  EXPECT_EQ(ops_of(model), Words{"Add"});
  const Tensor& w = *model.graph->nodes().front()->input(1)->tensor;
  ASSERT_EQ(w.data.size(), 8U);
  float first = 0;
  std::memcpy(&first, w.data.data(), 4);
  EXPECT_EQ(first, 2);
}

constexpr char kRefused[] =
    "func main<ios17>(tensor<fp32, [3, 1, 4]> x, tensor<fp32, [1, 2]> h) { wi = tensor<fp32, [8, 4]>(random(seed = 1)); "
    "wh = tensor<fp32, [8, 2]>(random(seed = 2)); a, ah, ac = lstm(x = x, initial_h = h, initial_c = h, weight_ih = wi, "
    "weight_hh = wh, clip = fp32(1.0)); b, bh, bc = lstm(x = x, initial_h = h, initial_c = h, weight_ih = wi, weight_hh "
    "= wh, clip = fp32(2.0)); y = relu(x = b); } -> (a, y);";

TEST(Raise, RefusesAllAtOnce) {
  const auto program = program_of(kRefused);
  const auto model = raise(*program, {});
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error()[0].code, "E0430");
  EXPECT_NE(render(model.error()).find("2 × lstm (a, b)"), std::string::npos) << render(model.error());
}

TEST(Raise, BranchesHaveGraphsOfTheirOwn) {
  const Model model = raised(
      "func main<ios17>(tensor<fp32, [4]> x, bool p) { y = cond(pred = p) { a = relu(x = x); } -> (a), { b = "
      "identity(x = x); } -> (b); } -> (y);");
  ASSERT_EQ(ops_of(model), Words{"If"});
  const Node& node = *model.graph->nodes().front();
  ASSERT_EQ(node.bodies.size(), 2U);
  EXPECT_EQ(node.bodies[0].second->nodes().front()->op_type, "Relu");
  EXPECT_EQ(node.bodies[1].second->nodes().front()->op_type, "Identity");
}

TEST(Raise, OpsetMustBeInRange) {
  const auto program = program_of(kHalf);
  EXPECT_FALSE(raise(*program, {.opset = 12}));
  EXPECT_FALSE(raise(*program, {.opset = 22}));
}

TEST(Writer, LargeWeightsGoToAFileOfTheirOwn) {
  std::string numbers;
  for (int i = 0; i < 512; ++i) numbers += (i ? ", " : "") + std::to_string(i);
  const Model model = raised("func main<ios17>(tensor<fp32, [512]> x) { y = add(x = x, y = tensor<fp32, [512]>([" +
                             numbers + "])); } -> (y);");
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / "anemone_onnx_writer_test";
  std::filesystem::create_directories(folder);
  const auto bytes = write_onnx(model, folder / "m.onnx", 100);
  ASSERT_TRUE(bytes) << render(bytes.error());
  EXPECT_EQ(*bytes, std::filesystem::file_size(folder / "m.onnx") + std::filesystem::file_size(folder / "m.onnx.data"));
  const auto file = map_file(folder / "m.onnx");
  const auto spec = onnxspec::read_model(*file, "m.onnx");
  ASSERT_TRUE(spec);
  ASSERT_EQ(spec->graph.initializers.size(), 1U);
  const auto data = onnxspec::read_external(spec->graph.initializers[0], folder);
  ASSERT_TRUE(data) << render(data.error());
  EXPECT_EQ(data->size(), 2048U);
  std::filesystem::remove_all(folder);
}

TEST(Rows, EveryOperationHasOne) {
  for (const OpDef* def : ops::table().all()) EXPECT_TRUE(find_raise_row(def->name)) << def->name;
  std::size_t count = 0;
  for (const auto& family : raise_families()) count += family.size();
  EXPECT_EQ(count, ops::table().all().size());
}

}  // namespace
}  // namespace anemone::onnx::exporting

// Shapes by rule, case by case; and on networks by others: what is declared is what follows.
#include "anemone/onnx/infer.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "anemone/onnx/onnx_test_util.h"
#include "anemone/support/file.h"

namespace anemone::onnx {
namespace {

using namespace test;
namespace fs = std::filesystem;

/// An input of a node: a shape of float, or a constant.
struct Operand {
  Operand(std::initializer_list<std::int64_t> dims, DataType dtype = DataType::float32)
      : type(tensor_type(dtype, dims)) {}
  Operand(Tensor constant) : tensor(std::move(constant)) {}
  Operand(std::nullptr_t) : left_out(true) {}
  Type type;
  std::optional<Tensor> tensor;
  bool left_out = false;
};

Operand shape_like(std::vector<std::int64_t> values) { return Operand(integers("", std::move(values))); }
Operand scales(std::vector<float> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return Operand(tensor<float>("", DataType::float32, {count}, std::move(values)));
}

/// The types of the outputs, or the complaint.
std::string types_of(const std::string& op, const std::vector<Operand>& operands,
                     std::vector<Attribute> attributes = {}, std::size_t outputs = 1, std::int64_t opset = 17) {
  onnxspec::Model spec = model_of({node(op, {}, {}, std::move(attributes))}, opset);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const std::string name = operands[i].left_out ? "" : "in" + std::to_string(i);
    spec.graph.nodes[0].inputs.push_back(name);
    if (operands[i].left_out) continue;
    if (operands[i].tensor) {
      spec.graph.initializers.push_back(*operands[i].tensor);
      spec.graph.initializers.back().name = name;
    } else {
      spec.graph.inputs.push_back({name, operands[i].type, {}, {}});
    }
  }
  for (std::size_t i = 0; i < outputs; ++i) spec.graph.nodes[0].outputs.push_back("out" + std::to_string(i));
  Model model = build(std::move(spec));
  const Diagnostics problems = infer_types(model);
  if (!problems.empty()) return fmt::format("{}: {}", text_of(problems.front().code), problems.front().message);
  std::string text;
  for (std::size_t i = 0; i < outputs; ++i)
    text += (i > 0 ? " " : "") + to_text(model.graph->find("out" + std::to_string(i))->type);
  return text;
}

using A = std::vector<Attribute>;
using L = std::vector<std::int64_t>;

TEST(OnnxInfer, Elementwise) {
  EXPECT_EQ(types_of("Relu", {{1, -1, 4}}), "float[1,?,4]");
  EXPECT_EQ(types_of("Add", {{8, 1, 6, 1}, {7, 1, 5}}), "float[8,7,6,5]");
  EXPECT_EQ(types_of("Add", {{-1, 3}, {1, 3}}), "float[?,3]");
  EXPECT_EQ(types_of("Add", {{-1}, {4}}), "float[4]");
  EXPECT_EQ(types_of("Add", {{2}, {3}}), "E0420: the shapes of the operands do not broadcast");
  EXPECT_EQ(types_of("Add", {{2, 3, 4, 5}, {3, 4}}, {attribute("broadcast", 1), attribute("axis", 1)}, 1, 6),
            "float[2,3,4,5]");
  EXPECT_EQ(types_of("Greater", {{2, 1}, {3}}), "bool[2,3]");
  EXPECT_EQ(types_of("Where", {{{2, 1}, DataType::boolean}, {3}, {1}}), "float[2,3]");
  EXPECT_EQ(types_of("Cast", {{2}}, {attribute("to", 10)}), "float16[2]");
  EXPECT_EQ(types_of("Max", {{2, 1}, {1, 3}, {1}}), "float[2,3]");
  EXPECT_EQ(types_of("Dropout", {{2}}, {}, 2), "float[2] bool[2]");
  EXPECT_EQ(types_of("BatchNormalization", {{1, 3, 8, 8}, {3}, {3}, {3}, {3}}), "float[1,3,8,8]");
  EXPECT_EQ(types_of("LayerNormalization", {{2, 3, 4}, {4}}, {}, 2), "float[2,3,4] float[2,3,1]");
}

TEST(OnnxInfer, Windows) {
  EXPECT_EQ(types_of("Conv", {{1, 3, 224, 224}, {64, 3, 7, 7}},
                     {attribute("strides", L{2, 2}), attribute("pads", L{3, 3, 3, 3})}),
            "float[1,64,112,112]");
  EXPECT_EQ(types_of("Conv", {{-1, 8, -1, 9}, {16, 2, 3, 3}}, {attribute("group", 4)}), "float[?,16,?,7]");
  EXPECT_EQ(types_of("Conv", {{1, 3, 5, 5}, {4, 3, 2, 2}},
                     {attribute("auto_pad", std::string("SAME_UPPER")), attribute("strides", L{2, 2})}),
            "float[1,4,3,3]");
  EXPECT_EQ(types_of("Conv", {{1, 3, 9}, {4, 3, 3}}, {attribute("dilations", L{2})}), "float[1,4,5]");
  EXPECT_EQ(types_of("Conv", {{1, 4, 8, 8}, {4, 3, 3, 3}}),
            "E0420: x has 4 channels; the weight takes 3 in each of 1 groups");
  EXPECT_EQ(types_of("ConvTranspose", {{1, 8, 4, 4}, {8, 3, 3, 3}},
                     {attribute("strides", L{2, 2}), attribute("pads", L{1, 1, 1, 1}),
                      attribute("output_padding", L{1, 1}), attribute("group", 2)}),
            "float[1,6,8,8]");
  const A ceil{attribute("kernel_shape", L{3, 3}), attribute("strides", L{2, 2}), attribute("ceil_mode", 1)};
  EXPECT_EQ(types_of("MaxPool", {{1, 2, 8, 8}}, ceil, 2), "float[1,2,4,4] int64[1,2,4,4]");
  // The last window would start in the padding.
  EXPECT_EQ(types_of("AveragePool", {{1, 1, 5, 5}},
                     {attribute("kernel_shape", L{2, 2}), attribute("strides", L{3, 3}),
                      attribute("pads", L{1, 1, 1, 1}), attribute("ceil_mode", 1)}),
            "float[1,1,2,2]");
  EXPECT_EQ(types_of("GlobalAveragePool", {{2, 3, 4, 5}}), "float[2,3,1,1]");
  EXPECT_EQ(types_of("Resize", {{1, 2, 3, 5}, nullptr, scales({1, 1, 2, 1.5f})}), "float[1,2,6,7]");
  EXPECT_EQ(types_of("Resize", {{1, 2, 3, 5}, nullptr, nullptr, shape_like({1, 2, 9, 9})}), "float[1,2,9,9]");
  EXPECT_EQ(types_of("Resize", {{1, 2, 3, 5}, nullptr, scales({2, 2})}, {attribute("axes", L{2, 3})}, 1, 18),
            "float[1,2,6,10]");
  EXPECT_EQ(types_of("Upsample", {{1, 2, 3, 5}, scales({1, 1, 2, 2})}, {}, 1, 9), "float[1,2,6,10]");
  EXPECT_EQ(types_of("GridSample", {{1, 2, 3, 5}, {1, 7, 9, 2}}), "float[1,2,7,9]");
}

TEST(OnnxInfer, Products) {
  EXPECT_EQ(types_of("MatMul", {{5, 1, 2, 3}, {7, 3, 4}}), "float[5,7,2,4]");
  EXPECT_EQ(types_of("MatMul", {{3}, {3, 4}}), "float[4]");
  EXPECT_EQ(types_of("MatMul", {{2, 3}, {3}}), "float[2]");
  EXPECT_EQ(types_of("MatMul", {{2, 3}, {4, 5}}), "E0420: the inner extents are 3 and 4");
  EXPECT_EQ(types_of("Gemm", {{3, 2}, {4, 3}}, {attribute("transA", 1), attribute("transB", 1)}), "float[2,4]");
  EXPECT_EQ(types_of("LSTM", {{7, 2, 5}, {2, 12, 5}, {2, 12, 3}},
                     {attribute("direction", std::string("bidirectional")), attribute("hidden_size", 3)}, 3),
            "float[7,2,2,3] float[2,2,3] float[2,2,3]");
  EXPECT_EQ(types_of("Einsum", {{2, 3, 4}, {2, 4, 5}}, {attribute("equation", std::string("bij, bjk -> bik"))}),
            "float[2,3,5]");
}

TEST(OnnxInfer, Movements) {
  EXPECT_EQ(types_of("Reshape", {{2, 3, 4}, shape_like({0, -1})}), "float[2,12]");
  EXPECT_EQ(types_of("Reshape", {{-1, 3, 4}, shape_like({-1, 12})}), "float[?,12]");
  EXPECT_EQ(types_of("Reshape", {{2, 3}, {{3}, DataType::int64}}), "float[?,?,?]");
  EXPECT_EQ(types_of("Reshape", {{2, 3}, shape_like({4, -1})}), "E0420: 6 elements do not fill multiples of 4");
  EXPECT_EQ(types_of("Flatten", {{2, 3, 4}}), "float[2,12]");
  EXPECT_EQ(types_of("Transpose", {{2, 3, 4}}), "float[4,3,2]");
  EXPECT_EQ(types_of("Transpose", {{2, 3, 4}}, {attribute("perm", L{0, 2, 1})}), "float[2,4,3]");
  EXPECT_EQ(types_of("Squeeze", {{1, 3, 1}}), "float[3]");
  EXPECT_EQ(types_of("Squeeze", {{1, 3, 1}}, {attribute("axes", L{-1})}, 1, 11), "float[1,3]");
  EXPECT_EQ(types_of("Unsqueeze", {{3}, shape_like({0, 2})}), "float[1,3,1]");
  EXPECT_EQ(types_of("Concat", {{2, 3}, {2, -1}, {2, 5}}, {attribute("axis", 1)}), "float[2,?]");
  EXPECT_EQ(types_of("Concat", {{2, 3}, {-1, 4}}, {attribute("axis", -1)}), "float[2,7]");
  EXPECT_EQ(types_of("Concat", {{2, 3}, {4, 3}}, {attribute("axis", 1)}), "E0420: extents of axis 0 are 2 and 4");
  EXPECT_EQ(types_of("Split", {{2, 7}, shape_like({3, 4})}, {attribute("axis", 1)}, 2), "float[2,3] float[2,4]");
  EXPECT_EQ(types_of("Split", {{2, 6}}, {attribute("axis", 1), attribute("split", L{1, 5})}, 2, 11),
            "float[2,1] float[2,5]");
  EXPECT_EQ(types_of("Split", {{7}}, {attribute("num_outputs", 3)}, 3, 18), "float[3] float[3] float[1]");
  EXPECT_EQ(
      types_of("Slice",
               {{10, 8}, shape_like({1, -3}), shape_like({INT64_MAX, -1}), shape_like({0, 1}), shape_like({2, 1})}),
      "float[5,2]");
  EXPECT_EQ(types_of("Slice", {{10}, shape_like({-1}), shape_like({INT64_MIN}), shape_like({0}), shape_like({-1})}),
            "float[10]");
  EXPECT_EQ(types_of("Slice", {{10, 4}}, {attribute("starts", L{2}), attribute("ends", L{5})}, 1, 9), "float[3,4]");
  EXPECT_EQ(types_of("Gather", {{5, 6}, {{2, 3}, DataType::int64}}, {attribute("axis", 1)}), "float[5,2,3]");
  EXPECT_EQ(types_of("Gather", {{5, 6}, {{}, DataType::int64}}), "float[6]");
  EXPECT_EQ(types_of("GatherND", {{2, 3, 4}, {{5, 2}, DataType::int64}}), "float[5,4]");
  EXPECT_EQ(types_of("Expand", {{3, 1}, shape_like({2, 1, 6})}), "float[2,3,6]");
  EXPECT_EQ(types_of("Tile", {{3, 1}, shape_like({2, 5})}), "float[6,5]");
  EXPECT_EQ(types_of("Pad", {{1, 4}, shape_like({0, 1, 0, 2})}), "float[1,7]");
  EXPECT_EQ(types_of("DepthToSpace", {{1, 8, 2, 3}}, {attribute("blocksize", 2)}), "float[1,2,4,6]");
  EXPECT_EQ(types_of("SpaceToDepth", {{1, 2, 4, 6}}, {attribute("blocksize", 2)}), "float[1,8,2,3]");
}

TEST(OnnxInfer, ReductionsAndTheRest) {
  EXPECT_EQ(types_of("ReduceMean", {{2, 3, 4}}, {attribute("axes", L{1, -1})}), "float[2,1,1]");
  EXPECT_EQ(types_of("ReduceSum", {{2, 3}, shape_like({1})}, {attribute("keepdims", 0)}), "float[2]");
  EXPECT_EQ(types_of("ReduceMax", {{2, 3}}), "float[1,1]");
  EXPECT_EQ(types_of("ReduceSum", {{2, 3}}, {attribute("noop_with_empty_axes", 1)}), "float[2,3]");
  EXPECT_EQ(types_of("ArgMax", {{2, 3}}, {attribute("axis", 1), attribute("keepdims", 0)}), "int64[2]");
  EXPECT_EQ(types_of("TopK", {{2, 9}, shape_like({4})}, {}, 2), "float[2,4] int64[2,4]");
  EXPECT_EQ(types_of("NonMaxSuppression", {{1, 9, 4}, {1, 2, 9}}), "int64[?,3]");
  EXPECT_EQ(types_of("Shape", {{2, -1}}), "int64[2]");
  EXPECT_EQ(types_of("ConstantOfShape", {shape_like({2, 3})}), "float[2,3]");
  EXPECT_EQ(types_of("QuantizeLinear", {{2, 3}, {}}), "uint8[2,3]");
  EXPECT_EQ(types_of("SomethingElse", {{2, 3}}), "?");
}

/// Shape → Gather → Concat → Reshape: what exporters write for x.view(x.size(0), -1, 4).
Model computed_reshape() {
  onnxspec::Model spec = model_of(
      {node("Shape", {"x"}, {"s"}), node("Gather", {"s", "zero"}, {"n"}), node("Unsqueeze", {"n", "axes"}, {"n1"}),
       node("Concat", {"n1", "rest"}, {"to"}, {attribute("axis", 0)}), node("Reshape", {"x", "to"}, {"y"})});
  spec.graph.inputs = {{"x", tensor_type(DataType::float32, {2, 3, 8}), {}, {}}};
  spec.graph.initializers = {tensor<std::int64_t>("zero", DataType::int64, {}, {0}), integers("axes", {0}),
                             integers("rest", {-1, 4})};
  spec.graph.outputs = {{"y", std::nullopt, {}, {}}};
  return build(std::move(spec));
}

TEST(OnnxInfer, FollowsShapesThroughIntegers) {
  Model model = computed_reshape();
  EXPECT_TRUE(infer_types(model).empty());
  EXPECT_EQ(to_text(model.graph->outputs()[0]->type), "float[2,6,4]");
  model = computed_reshape();
  infer_types(model, {.propagate_data = false});  // as ONNX Runtime
  EXPECT_EQ(to_text(model.graph->outputs()[0]->type), "float[?,?,?]");
}

TEST(OnnxInfer, DeclarationsAreKeptOrContradicted) {
  onnxspec::Model spec =
      model_of({node("Unheard", {"x"}, {"a"}), node("Relu", {"a"}, {"b"}), node("Neg", {"x"}, {"c"})});
  spec.graph.inputs = {{"x", tensor_type(DataType::float32, {2}), {}, {}}};
  spec.graph.value_infos = {{"a", tensor_type(DataType::float16, {7}), {}, {}},
                            {"c", tensor_type(DataType::float32, {3}), {}, {}}};
  Model model = build(std::move(spec));
  const Diagnostics problems = infer_types(model);
  EXPECT_EQ(to_text(model.graph->find("b")->type), "float16[7]");
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].code, "E0421");
  EXPECT_EQ(problems[0].message, "'c' is declared float[3] and is float[2]");
}

/// Forgets all types but those of inputs, infers, and compares the outputs with what was declared.
void check_file(const fs::path& path, std::size_t& files, std::size_t& known) {
  const auto bytes = map_file(path);
  ASSERT_TRUE(bytes);
  const auto spec = onnxspec::read_model(*bytes, path.string());
  ASSERT_TRUE(spec) << render(spec.error());
  const auto written = onnxspec::write_model(*spec);
  ASSERT_TRUE(written) << path << render(written.error());
  const auto again = onnxspec::read_model(Bytes::copy_of(std::span(written->data(), written->size())), "again");
  ASSERT_TRUE(again) << path << render(again.error());
  EXPECT_EQ(*again, *spec) << path;
  Result<Model> model = build_model(*spec, path.string());
  ASSERT_TRUE(model) << render(model.error());
  std::vector<Type> declared;
  for (Value* output : model->graph->outputs()) {
    declared.push_back(output->type);
    if (output->producer()) output->type = {};
  }
  const Diagnostics problems = infer_types(*model);
  EXPECT_TRUE(problems.empty()) << render(problems);
  for (std::size_t i = 0; i < declared.size(); ++i) {
    const Type& type = model->graph->outputs()[i]->type;
    if (type.kind == Type::Kind::none) continue;
    ++known;
    EXPECT_EQ(type.dtype, declared[i].dtype) << path << " output " << i;
    if (!type.shape || !declared[i].shape) continue;
    EXPECT_EQ(type.shape->size(), declared[i].shape->size()) << path << " output " << i;
    for (std::size_t k = 0; k < std::min(type.shape->size(), declared[i].shape->size()); ++k) {
      const std::int64_t mine = extent((*type.shape)[k]), theirs = extent((*declared[i].shape)[k]);
      if (mine >= 0 && theirs >= 0) {
        EXPECT_EQ(mine, theirs) << path << " output " << i << " axis " << k;
      }
    }
  }
  ++files;
}

TEST(OnnxInfer, NetworksByOthers) {
  const char* shared = std::getenv("ANEMONE_SHARED");
  const fs::path zoo = fs::path(shared != nullptr ? shared : "../shared") / "zoo/onnx";
  if (!fs::is_directory(zoo)) GTEST_SKIP() << "SKIPPED: there is no " << zoo;
  std::size_t files = 0, known = 0;
  for (const auto& entry : fs::directory_iterator(zoo)) {
    // A test file of ONNX Runtime's whose declared outputs are not what its nodes give.
    if (entry.path().filename() == "ort_fuse_conv_bn_mul_add.onnx") continue;
    if (entry.path().extension() == ".onnx") check_file(entry.path(), files, known);
  }
  EXPECT_GE(files, 20u);
  EXPECT_GE(known, files);
}

/// Debian's libonnx-testdata: one file an operation and form.
TEST(OnnxInfer, TestDataOfOnnx) {
  const char* given = std::getenv("ANEMONE_ONNX_TESTDATA");
  const fs::path data = given != nullptr ? given : "/usr/share/libonnx-testdata/data";
  if (!fs::is_directory(data)) GTEST_SKIP() << "SKIPPED: there is no " << data;
  std::size_t files = 0, known = 0;
  for (const auto& entry : fs::recursive_directory_iterator(data)) {
    if (entry.path().extension() == ".onnx") check_file(entry.path(), files, known);
  }
  EXPECT_GE(files, 1000u);
  EXPECT_GE(known, files * 9 / 10);
}

}  // namespace
}  // namespace anemone::onnx

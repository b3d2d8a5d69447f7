// The planner's own figures for one network, as a real M1 dumped them, beside ours: placement and cost of each of its 118
// operations on all four back ends. tests/data/ane/mobilenet_edgetpu_m1.tsv holds the figures.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "anemone/ir/text/parse.h"
#include "anemone/ops/ops.h"
#include "anemone/plan/ane/costs.h"
#include "anemone/plan/ane/planner.h"

namespace anemone::plan::ane {
namespace {

/// MobileNetEdgeTPU 1.0 at 224x224, as coremltools converts it with a scaled and biased image input.
class EdgeTpu {
 public:
  std::string text() {
    line("mul", "x = x, y = fp32(0.0078)", 3, 224);
    line("add", fmt::format("x = {}, y = fp32(-1)", last_), 3, 224);
    line("cast", fmt::format("x = {}, dtype = \"fp16\"", last_), 3, 224);
    conv(32, 3, 2), relu();
    conv(16, 3);
    fused(128, 32, 2);
    for (int i = 0; i < 3; ++i) fused(128, 32);
    fused(256, 48, 2);
    for (int i = 0; i < 3; ++i) fused(192, 48);
    inverted(384, 96, 3, 2);
    for (int i = 0; i < 3; ++i) inverted(384, 96, 3);
    inverted(768, 96, 3, 1, false);
    for (int i = 0; i < 3; ++i) inverted(384, 96, 3);
    inverted(768, 160, 5, 2);
    for (int i = 0; i < 3; ++i) inverted(640, 160, 5);
    inverted(1280, 192, 3, 1, false);
    conv(1280, 1), relu();
    line("avg_pool",
         fmt::format("x = {}, kernel_sizes = [7, 7], strides = [7, 7], pad_type = \"valid\", pad = [0, 0, 0, 0], "
                     "exclude_padding_from_average = true, ceil_mode = false",
                     last_),
         1280, 1);
    conv(1001, 1);
    line("transpose", fmt::format("x = {}, perm = [0, 2, 3, 1]", last_));
    line("squeeze", fmt::format("x = {}, axes = [1, 2]", last_));
    line("softmax", fmt::format("x = {}, axis = 1", last_));
    line("cast", fmt::format("x = {}, dtype = \"fp32\"", last_));
    return fmt::format("func main<ios17>(tensor<fp32, [1, 3, 224, 224]> x) {{\n{}}} -> ({});\n", body_, last_);
  }

 private:
  void line(std::string_view op, const std::string& operands) {
    last_ = fmt::format("v{}", count_++);
    body_ += fmt::format("  {} = {}({});\n", last_, op, operands);
  }
  void line(std::string_view op, const std::string& operands, int channels, int size) {
    channels_ = channels, size_ = size;
    line(op, operands);
  }
  void conv(int out, int kernel, int stride = 1, bool depthwise = false) {
    const std::string weight =
        fmt::format("tensor<fp16, [{}, {}, {}, {}]>(splat(0.01))", out, depthwise ? 1 : channels_, kernel, kernel);
    line("conv",
         fmt::format("x = {}, weight = {}, strides = [{}, {}], pad_type = \"same\", pad = [0, 0, 0, 0], "
                     "dilations = [1, 1], groups = {}",
                     last_, weight, stride, stride, depthwise ? out : 1),
         out, size_ / stride);
  }
  void relu() { line("relu", "x = " + last_); }
  void finish(const std::string& skip, int channels_before, int out, int stride, bool residual) {
    conv(out, 1);
    if (residual && stride == 1 && channels_before == out) line("add", fmt::format("x = {}, y = {}", last_, skip));
  }
  void fused(int middle, int out, int stride = 1) {
    const std::string skip = last_;
    const int before = channels_;
    conv(middle, 3, stride), relu();
    finish(skip, before, out, stride, true);
  }
  void inverted(int middle, int out, int kernel, int stride = 1, bool residual = true) {
    const std::string skip = last_;
    const int before = channels_;
    conv(middle, 1), relu();
    conv(middle, kernel, stride, true), relu();
    finish(skip, before, out, stride, residual);
  }

  std::string body_, last_ = "x";
  int count_ = 0, channels_ = 3, size_ = 224;
};

struct Row {
  std::string type, selected;
  double ane = 0, bnns = 0, classic = 0, gpu = 0;  ///< microseconds; 0: not supported there
};

std::vector<Row> dump() {
  std::vector<Row> rows;
  std::ifstream in("tests/data/ane/mobilenet_edgetpu_m1.tsv");
  for (std::string text; std::getline(in, text);) {
    if (text.empty() || text[0] == '#') continue;
    std::istringstream words(text);
    Row row;
    words >> row.type >> row.selected >> row.ane >> row.bnns >> row.classic >> row.gpu;
    rows.push_back(row);
  }
  return rows;
}

TEST(Dump, PlacesAndPricesEveryOperationAsTheDeviceDid) {
  const std::vector<Row> rows = dump();
  ASSERT_EQ(rows.size(), 118u);
  auto program = parse(EdgeTpu().text(), ops::table());
  ASSERT_TRUE(program.has_value()) << render(program.error());
  PlanOptions options;
  options.units = ComputeUnits::all;
  const Function& main = (*program)->main();
  const Device& m1 = *find_device("m1");
  const Plan plan = make_plan(main, m1, options);
  ASSERT_EQ(plan.ops.size(), rows.size());
  constexpr double kTolerance = 0.1;
  std::size_t i = 0;
  for (const Node& node : main.body.nodes) {
    const Row& row = rows[i];
    EXPECT_EQ(plan.ops[i].type, row.type) << i;
    EXPECT_EQ(plan.ops[i].unit == Unit::ane, row.selected == "ane") << i << " " << row.type;
    EXPECT_NE(plan.ops[i].unit, Unit::gpu) << i;
    const OpCost cost = planner_cost(node, m1);
    if (row.ane > 0) {
      EXPECT_NEAR(1e3 * cost.ane_ms / row.ane, 1, kTolerance) << i << " " << row.type << " on ane";
    }
    EXPECT_NEAR(1e3 * cost.bnns_ms / row.bnns, 1, kTolerance) << i << " " << row.type << " on bnns";
    EXPECT_NEAR(1e3 * cost.classic_ms / row.classic, 1, kTolerance) << i << " " << row.type << " on classic_cpu";
    EXPECT_NEAR(1e3 * cost.gpu_ms / row.gpu, 1, kTolerance) << i << " " << row.type << " on mps_graph";
    ++i;
  }
  EXPECT_EQ(plan.on_ane, 114u);
}

}  // namespace
}  // namespace anemone::plan::ane

// Programs drawn from the table: every operation for every target in both precisions, with operands at run time (fp16
// too), compressed weights, and colour and grayscale images, flexible arrays and classifiers at the interface where the
// seed says so. Each goes through the default pipeline in check mode, which compares the numbers before and after every
// pass, into a package and back, and must then be valid for its target, the same program, and give the same numbers.
// With ANEMONE_SWEEP_FOLDER the packages of the first seed stay there, for other judges (tests/judge/drawn_programs.py).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "anemone/backends/mlpackage/writer.h"
#include "anemone/frontends/mlpackage/reader.h"
#include "anemone/ir/builder.h"
#include "anemone/ir/derive_interface.h"
#include "anemone/ir/rewrite.h"
#include "anemone/ir/text/parse.h"
#include "anemone/ir/text/print.h"
#include "anemone/ir/verify.h"
#include "anemone/ops/execute.h"
#include "anemone/ops/interface_edits.h"
#include "anemone/ops/ops.h"
#include "anemone/ops/random_inputs.h"
#include "anemone/ops/specialize.h"
#include "anemone/passes/pass.h"
#include "tests/support/scratch.h"

namespace anemone::toolchain {
namespace {

namespace fs = std::filesystem;

// The examples of the operations: tests/ops/<op>.mil up to the answer.
std::vector<std::pair<std::string, std::string>> examples() {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& entry : fs::directory_iterator("tests/ops")) {
    const std::string name = entry.path().stem().string();
    if (entry.path().extension() != ".mil" || name.find("-") != std::string::npos) continue;
    std::ifstream file(entry.path());
    std::stringstream text;
    text << file.rdbuf();
    out.emplace_back(name, text.str().substr(0, text.str().find("\n// ----\n")));
  }
  std::sort(out.begin(), out.end());
  return out;
}

class Draw {
 public:
  /// `all_live`: every operand that may come at run time does.
  Draw(Program& program, unsigned seed, bool all_live)
      : function_(program.main()), random_(seed), all_live_(all_live) {}

  /// Operands become inputs, weights become compressed, an image-shaped input an image.
  void mutate() {
    bools();
    std::vector<Node*> nodes;
    for (Node& node : function_.body.nodes) nodes.push_back(&node);
    for (Node* node : nodes) operands(*node);
    const bool with_picture = heads(), with_stripe = heads();
    const Color color = std::array{Color::rgb, Color::bgr, Color::gray, Color::gray_fp16}[random_() % 4];
    const bool gray = color == Color::gray || color == Color::gray_fp16;
    if (with_picture) beside("picture", {1, gray ? 1 : 3, 4, 6});
    if (with_stripe) beside("stripe", {kUnknown, 3});
    const Node* labels = classifier();
    function_.interface = derive_interface(function_);
    if (labels) {
      function_.interface.predicted_feature = labels->outputs[0]->name;
      function_.interface.predicted_probabilities = labels->outputs[1]->name;
    }
    if (with_stripe) stripe();
    with_picture ? picture(color) : image();
  }

 private:
  /// Core ML's interface has none: inputs become constants, outputs numbers.
  void bools() {
    Block& body = function_.body;
    const auto is_bool = [](const Value& value) { return value.type.dtype == DType::boolean; };
    for (const auto& input : body.inputs) {
      if (!is_bool(*input) || !input->type.is_fixed()) continue;
      const std::vector<double> yes(static_cast<std::size_t>(*element_count(input->type.dims)), 1);
      const ConstantPtr content = make_constant(DType::boolean, input->type.dims, std::span<const double>(yes));
      replace_uses(*input, *body.add_constant(function_.unique_name("yes"), content));
    }
    std::erase_if(body.inputs, [&](const auto& input) { return is_bool(*input) && !input->is_used(); });
    std::vector<Value*> outputs = body.outputs();
    Builder builder(body);
    for (Value*& output : outputs) {
      if (is_bool(*output)) output = builder.add("cast", {{"x", output}, {"dtype", "fp32"}});
    }
    EXPECT_TRUE(builder.finish());
    body.set_outputs(outputs);
  }

  bool heads() { return (random_() & 1) != 0; }

  void operands(Node& node) {
    const Form* form = node.def ? node.def->form(function_.opset) : nullptr;
    if (!form || is(node, kConstexpr)) return;
    for (const Param& param : form->params) {
      const bool live = !param.constant && param.role == Role::data;
      std::vector<Value*> values = node.operand(param.name) ? node.operand(param.name)->values : std::vector<Value*>();
      for (Value*& value : values) {
        const Constant* content = payload(value);
        if (!content || !content->type.is_tensor()) continue;
        // Integers and bools of other operations are modes, places and sizes, which no random number is.
        const bool any_number = is_float(content->type.dtype) || is(node, kElementwise);
        if (live && any_number && (all_live_ || heads())) {
          value = input_like(node, content->type);
        } else if (!param.list && is_float(content->type.dtype) && content->type.rank() > 0 &&
                   function_.opset >= Target::ios16 && heads()) {
          value = compressed(node, *content);
        }
      }
      if (!values.empty()) node.set(param.name, values);
    }
  }

  /// What Core ML's interface takes, as a value of that type: an input, behind a cast where it is fp16 or a bool, and
  /// without its dimension where it is a scalar.
  Value* input_like(Node& node, const Type& type) {
    const bool half = type.dtype == DType::fp32 && function_.opset >= Target::ios16 && heads();
    const DType held = half ? DType::fp16 : type.dtype == DType::int32 ? DType::int32 : DType::fp32;
    const Dims dims = type.dims.empty() ? Dims{1} : type.dims;
    Value* value = function_.body.add_input(function_.unique_name(node.type + "_in"), Type::tensor(held, dims));
    Builder builder(node);
    if (held != type.dtype)
      value = builder.add("cast", {{"x", value}, {"dtype", make_text(std::string(name(type.dtype)))}});
    if (type.dims.empty()) value = builder.add("squeeze", {{"x", value}, {"axes", {0}}});
    EXPECT_TRUE(builder.finish());
    return value;
  }

  /// An input of its own with an output of its own, "<name>_out".
  void beside(const char* name, Dims dims) {
    Value* input = function_.body.add_input(function_.unique_name(name), Type::tensor(DType::fp32, std::move(dims)));
    Builder builder(function_.body);
    Value* output = builder.add("relu", {{"x", input}}, std::string(name) + "_out");
    EXPECT_TRUE(builder.finish());
    std::vector<Value*> outputs = function_.body.outputs();
    outputs.push_back(output);
    function_.body.set_outputs(outputs);
  }
  Feature& named(std::vector<Feature>& features, std::string_view name) {
    return *std::find_if(features.begin(), features.end(), [&](const Feature& f) { return f.name == name; });
  }
  /// Enumerated rows, or a range of them.
  void stripe() {
    Feature& feature = named(function_.interface.inputs, "stripe");
    feature.shape = {2, 3};
    feature.ranges = {{1, heads() ? 8 : -1}, {3, 3}};
    if (heads()) feature.ranges.clear(), feature.shapes = {{2, 3}, {5, 3}};
  }
  void picture(Color color) {
    if (color == Color::gray_fp16 && function_.opset < Target::ios16) color = Color::gray;
    const bool gray = color == Color::gray || color == Color::gray_fp16;
    const std::vector<double> bias = gray ? std::vector<double>{-1} : std::vector<double>{-1, 2, 0.5};
    EXPECT_TRUE(ops::make_image_input(function_, "picture", {color, 0.25, bias}));
    if (color == Color::gray_fp16 || !heads()) return;
    Feature& output = named(function_.interface.outputs, "picture_out");
    output.kind = Feature::Kind::image;
    output.color = color;
    output.height = 4, output.width = 6;
  }
  /// Label and probabilities as outputs, where the program has them.
  const Node* classifier() {
    for (const Node& node : function_.body.nodes) {
      if (node.type != "classify") continue;
      std::vector<Value*> outputs = function_.body.outputs();
      std::erase(outputs, node.output(0));
      outputs.insert(outputs.begin(), {node.output(0), node.output(1)});
      function_.body.set_outputs(outputs);
      return &node;
    }
    return nullptr;
  }

  // The values themselves, on the grid that the scale makes: their numbers do not matter here, their types do.
  Value* compressed(Node& node, const Constant& content) {
    Builder builder(node);
    std::vector<double> steps(static_cast<std::size_t>(content.count()));
    for (double& step : steps) step = static_cast<double>(random_() % 20) + 1;
    Value* packed =
        builder.add("constexpr_affine_dequantize",
                    {{"quantized_data", make_constant(DType::int8, content.type.dims, std::span<const double>(steps))},
                     {"zero_point", make_scalar(DType::int8, 0)},
                     {"scale", make_scalar(content.type.dtype, 0.0625)},
                     {"axis", 0}});
    EXPECT_TRUE(builder.finish());
    return packed;
  }

  void image() {
    if (function_.interface.inputs.size() != 1) return;
    const Color color = heads() ? Color::gray : function_.opset >= Target::ios16 ? Color::gray_fp16 : Color::bgr;
    (void)ops::make_image_input(function_, function_.interface.inputs[0].name, {color, 0.5, {-1}});
  }

  Function& function_;
  std::mt19937 random_;
  bool all_live_;
};

std::string words(const Diagnostics& errors) { return render(errors); }

struct Counts {
  int drawn = 0, refused_by_target = 0, executed = 0;
  std::set<std::string> operations;
};

/// On seeded inputs, at the default size.
Result<std::vector<Array>> numbers(const Program& program) {
  TRY(const ops::Sized sized, ops::at_default_size(program));
  const Function& function = sized.program ? sized.program->main() : program.main();
  TRY(const std::vector<Array> inputs, ops::random_inputs(function, 1));
  return ops::evaluate(function, inputs);
}

void check(const Program& drawn, const std::string& name, std::string_view pipeline_name, const fs::path& path,
           Counts& counts) {
  SCOPED_TRACE(name + "\n" + to_text(drawn));
  const std::unique_ptr<Program> program = clone(drawn);
  const auto passes = passes::run_passes(*program, {.passes = *passes::pipeline(pipeline_name), .check = true});
  ASSERT_TRUE(passes) << words(passes.error());
  const auto valid = verify(*program, {.limits = true});
  ASSERT_TRUE(valid) << words(valid.error());
  const auto written = mlpackage::write_mlpackage(*program, path);
  ASSERT_TRUE(written) << words(written.error());
  const auto read = mlpackage::read_mlpackage(path, ops::table());
  ASSERT_TRUE(read) << words(read.error());
  const auto again = verify(*read->program, {.limits = true, .blame = Blame::input});
  ASSERT_TRUE(again) << words(again.error());
  const auto before = numbers(*program), after = numbers(*read->program);
  ASSERT_EQ(before.has_value(), after.has_value());
  if (!before) return;
  ASSERT_EQ(before->size(), after->size());
  for (std::size_t i = 0; i < before->size(); ++i) {
    ASSERT_EQ((*before)[i].dims, (*after)[i].dims);
    for (std::size_t e = 0; e < (*before)[i].data.size(); ++e) {
      const double x = (*before)[i].data[e], y = (*after)[i].data[e];
      ASSERT_TRUE(x == y || (std::isnan(x) && std::isnan(y))) << x << " became " << y;
    }
  }
  ++counts.executed;
}

TEST(Sweep, EveryOperationForEveryTargetInBothPrecisions) {
  const char* kept = std::getenv("ANEMONE_SWEEP_FOLDER");
  const test::Scratch scratch;
  Counts counts;
  for (const auto& [name, text] : examples()) {
    auto parsed = parse(text, ops::table());
    ASSERT_TRUE(parsed) << name << "\n" << words(parsed.error());
    for (Target target : {Target::ios15, Target::ios16, Target::ios17, Target::ios18}) {
      for (unsigned seed = 0; seed < 3; ++seed) {
        std::unique_ptr<Program> program = clone(**parsed);
        if (!ops::set_target(*program, target)) {
          ++counts.refused_by_target;
          continue;
        }
        Draw(*program, seed * 7919 + static_cast<unsigned>(target), seed == 0).mutate();
        // This draw asks for what the operation does not take at run time, or Core ML at the interface.
        if (!verify(*program, {.limits = true})) continue;
        for (const Node& node : program->main().body.nodes) counts.operations.insert(node.type);
        for (std::string_view pipeline_name : {"default-fp16", "default-fp32"}) {
          ++counts.drawn;
          const bool keep = kept && seed == 0;
          const std::string file = keep ? fmt::format("{}-{}-{}", name, anemone::name(target), pipeline_name) : "drawn";
          check(*program, name, pipeline_name, (keep ? fs::path(kept) : scratch.path) / (file + ".mlpackage"), counts);
          if (::testing::Test::HasFatalFailure()) break;
        }
      }
    }
  }
  fmt::print("{} programs of {} operations; {} executed before and after; {} targets lack an operation\n", counts.drawn,
             counts.operations.size(), counts.executed, counts.refused_by_target);
  EXPECT_GT(counts.drawn, 1000);
  EXPECT_GT(counts.executed, counts.drawn / 2);
  for (const OpDef* op : ops::table().all()) {
    EXPECT_TRUE(counts.operations.contains(std::string(op->name))) << op->name << " was never drawn";
  }
}

}  // namespace
}  // namespace anemone::toolchain

// Programs drawn from the table: every operation for every target in both precisions, with operands at run time,
// compressed weights and image inputs where the seed says so. Each goes through the default pipeline, into a package and
// back, and must then be valid for its target, the same program, and give the same numbers.
#include <gtest/gtest.h>
#include <unistd.h>

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
#include "anemone/passes/pass.h"

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
  Draw(Program& program, unsigned seed) : program_(program), function_(program.main()), random_(seed) {}

  /// Operands become inputs, weights become compressed, an image-shaped input an image.
  void mutate() {
    bools();
    std::vector<Node*> nodes;
    for (Node& node : function_.body.nodes) nodes.push_back(&node);
    for (Node* node : nodes) operands(*node);
    function_.interface = derive_interface(function_);
    image();
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
      Value* value = node.input(param.name);
      const Constant* content = payload(value);
      if (!content || param.list || !content->type.is_tensor() || !is_float(content->type.dtype)) continue;
      if (!param.constant && param.role == Role::data && heads()) {
        node.set(param.name, function_.body.add_input(function_.unique_name(node.type + "_in"), content->type));
      } else if (content->type.rank() > 0 && function_.opset >= Target::ios16 && heads()) {
        compress(node, param.name, *content);
      }
    }
  }

  // The values themselves, on the grid that the scale makes: their numbers do not matter here, their types do.
  void compress(Node& node, std::string_view param, const Constant& content) {
    const auto count = static_cast<std::size_t>(content.count());
    if (count == 0) return;
    Builder builder(node);
    std::vector<double> steps(count);
    for (double& step : steps) step = static_cast<double>(random_() % 20) + 1;
    Value* packed =
        builder.add("constexpr_affine_dequantize",
                    {{"quantized_data", make_constant(DType::int8, content.type.dims, std::span<const double>(steps))},
                     {"zero_point", make_scalar(DType::int8, 0)},
                     {"scale", make_scalar(content.type.dtype, 0.0625)},
                     {"axis", 0}});
    if (builder.finish()) node.set(param, packed);
  }

  void image() {
    if (function_.interface.inputs.size() != 1) return;
    const Color color = heads() ? Color::gray : function_.opset >= Target::ios16 ? Color::gray_fp16 : Color::bgr;
    (void)ops::make_image_input(function_, function_.interface.inputs[0].name, {color, 0.5, {-1}});
  }

  Program& program_;
  Function& function_;
  std::mt19937 random_;
};

std::string words(const Diagnostics& errors) { return render(errors); }

struct Counts {
  int drawn = 0, refused_by_target = 0, executed = 0;
  std::set<std::string> operations;
};

void check(const Program& drawn, const std::string& name, std::string_view pipeline_name, const fs::path& folder,
           Counts& counts) {
  SCOPED_TRACE(name + "\n" + to_text(drawn));
  const std::unique_ptr<Program> program = clone(drawn);
  const auto passes = passes::run_passes(*program, {.passes = *passes::pipeline(pipeline_name)});
  ASSERT_TRUE(passes) << words(passes.error());
  const auto valid = verify(*program, {.limits = true});
  ASSERT_TRUE(valid) << words(valid.error());
  const fs::path path = folder / "drawn.mlpackage";
  const auto written = mlpackage::write_mlpackage(*program, path);
  ASSERT_TRUE(written) << words(written.error());
  const auto read = mlpackage::read_mlpackage(path, ops::table());
  ASSERT_TRUE(read) << words(read.error());
  const auto again = verify(*read->program, {.limits = true, .blame = Blame::input});
  ASSERT_TRUE(again) << words(again.error());
  const auto inputs = ops::random_inputs(program->main(), 1);
  if (!inputs) return;
  const auto before = ops::evaluate(program->main(), *inputs), after = ops::evaluate(read->program->main(), *inputs);
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
  const fs::path folder = fs::temp_directory_path() / ("anemone_sweep_" + std::to_string(::getpid()));
  fs::create_directories(folder);
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
        Draw(*program, seed * 7919 + static_cast<unsigned>(target)).mutate();
        // This draw asks for what the operation does not take at run time, or Core ML at the interface.
        if (!verify(*program, {.limits = true})) continue;
        for (const Node& node : program->main().body.nodes) counts.operations.insert(node.type);
        for (std::string_view pipeline_name : {"default-fp16", "default-fp32"}) {
          ++counts.drawn;
          check(*program, name, pipeline_name, folder, counts);
          if (::testing::Test::HasFatalFailure()) break;
        }
      }
    }
  }
  fs::remove_all(folder);
  RecordProperty("programs", counts.drawn);
  EXPECT_GT(counts.drawn, 1000);
  EXPECT_GT(counts.executed, counts.drawn / 2);
  for (const OpDef* op : ops::table().all()) {
    EXPECT_TRUE(counts.operations.contains(std::string(op->name))) << op->name << " was never drawn";
  }
}

}  // namespace
}  // namespace anemone::toolchain

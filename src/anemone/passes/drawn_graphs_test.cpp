// Graphs drawn from a seed, of the operations that passes have patterns for: every pass is executed before and after, must
// say whether it changed something, and must have nothing left to do when it runs again.
#include <gtest/gtest.h>

#include <random>

#include "anemone/ir/builder.h"
#include "anemone/ir/text/print.h"
#include "anemone/ir/verify.h"
#include "anemone/ops/ops.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

class Graph {
 public:
  explicit Graph(unsigned seed) : random_(seed), program_(std::make_unique<Program>(ops::table())) {
    Function& main = program_->add_function("main", Target::ios17);
    for (const char* name : {"p", "q"}) {
      values_.push_back(main.body.add_input(name, Type::tensor(DType::fp32, {1, kChannels, kSide, kSide})));
      Feature feature;
      feature.name = name;
      feature.dtype = DType::fp32;
      feature.shape = {1, kChannels, kSide, kSide};
      main.interface.inputs.push_back(feature);
    }
    for (int i = 0; i < kSteps; ++i) step(main.body);
    std::vector<Value*> outputs{values_.back()};
    if (below(3) == 0) outputs.push_back(centre(main.body));
    if (below(2) == 0 && any() != outputs[0]) outputs.push_back(values_[values_.size() - 2]);
    for (Value* output : outputs) {
      Feature feature;
      feature.name = output->name;
      feature.dtype = output->type.dtype;
      feature.shape = output->type.dims;
      main.interface.outputs.push_back(feature);
    }
    main.body.set_outputs(outputs);
  }
  Program& program() { return *program_; }

 private:
  static constexpr std::int64_t kChannels = 8, kSide = 8;
  static constexpr int kSteps = 14;

  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  double number(double low, double high) { return low + (high - low) * below(1024) / 1024.0; }
  Value* any() {  // rather a late one, so that chains come about
    const int back = below(4) ? below(2) : below(static_cast<int>(values_.size()));
    return values_[values_.size() - 1 - static_cast<std::size_t>(back) % values_.size()];
  }
  ConstantPtr numbers(const Dims& dims, double low, double high) {
    std::vector<double> all(static_cast<std::size_t>(*element_count(dims)));
    for (double& v : all) v = number(low, high);
    return make_constant(DType::fp32, dims, std::span<const double>(all));
  }
  ConstantPtr scalar_in(double low, double high) { return make_scalar(DType::fp32, number(low, high)); }

  void step(Block& body) {
    Builder b(body);
    Value* x = any();
    const std::int64_t channels = x->type.dims[1];
    const double reach = 1.5 / std::sqrt(static_cast<double>(channels));
    Value* y = nullptr;
    switch (below(23)) {
      case 0:
      case 1:
        y = b.add("conv", {{"x", x}, {"weight", numbers({kChannels, channels, 1, 1}, -reach, reach)}});
        break;
      case 2:
        y = b.add("conv", {{"x", x},
                           {"weight", numbers({kChannels, channels, 3, 3}, -reach / 3, reach / 3)},
                           {"bias", numbers({kChannels}, -0.5, 0.5)},
                           {"pad_type", "same"}});
        break;
      case 3:
      case 4:
        y = b.add("batch_norm", {{"x", x},
                                 {"mean", numbers({channels}, -0.5, 0.5)},
                                 {"variance", numbers({channels}, 0.5, 1.5)},
                                 {"gamma", numbers({channels}, below(4) ? 0.5 : -0.5, 1.5)},
                                 {"beta", numbers({channels}, -0.5, 0.5)}});
        break;
      case 5:
      case 6:
        y = b.add("relu", {{"x", x}});
        break;
      case 7:
        y = b.add("clip", {{"x", x}, {"alpha", scalar_in(-1, 0)}, {"beta", scalar_in(0.5, 2)}});
        break;
      case 8:
      case 20:
        for (Value* other : values_) {
          if (other != x && other->type == x->type) y = b.add("add", {{"x", x}, {"y", other}});
        }
        break;
      case 9:
        // No factor near -1: x - 0.99·x has no digits left in fp16.
        y = b.add(below(2) ? "mul" : "add", {{"x", x}, {"y", scalar_in(-0.75, 1.5)}});
        break;
      case 10:
        y = b.add(below(2) ? "mul" : "sub", {{"x", numbers({1, channels, 1, 1}, -1.5, 1.5)}, {"y", x}});
        break;
      case 11:
        if (channels <= 2 * kChannels)
          y = b.add("concat", {{"values", std::vector<Value*>{x, any()}}, {"axis", 1}, {"interleave", false}});
        break;
      case 12: {
        const std::int64_t first = below(static_cast<int>(channels));
        if (first > 0)
          y = b.add("slice_by_index", {{"x", x}, {"begin", {0, 0, 0, 0}}, {"end", {1, first, kSide, kSide}}});
        break;
      }
      case 13: {
        Value* part = b.add("mul", {{"x", x}, {"y", scalar_in(0, 1)}});
        y = b.add("maximum", {{"x", x}, {"y", part}});
        break;
      }
      case 14:
        y = b.add("mul", {{"x", x}, {"y", b.add("sigmoid", {{"x", x}})}});
        break;
      case 15:
        y = b.add("transpose", {{"x", b.add("transpose", {{"x", x}, {"perm", {0, 2, 3, 1}}})}, {"perm", {0, 3, 1, 2}}});
        break;
      case 21: {
        Value* other = any();
        const ConstantPtr more = numbers({kChannels, other->type.dims[1], 1, 1}, -reach, reach);
        y = b.add("add",
                  {{"x", b.add("conv", {{"x", x}, {"weight", numbers({kChannels, channels, 1, 1}, -reach, reach)}})},
                   {"y", b.add("conv", {{"x", other}, {"weight", more}})}});
        break;
      }
      case 16:
        y = normed(b, x);
        break;
      case 17:
        y = taken_apart(b, x);
        break;
      case 18:
      case 19:
        y = gated(b, x);
        break;
      default:
        y = b.add("real_div", {{"x", x}, {"y", scalar_in(1, 3)}});
    }
    ASSERT_TRUE(b.finish());
    if (y) values_.push_back(y);
  }

  Value* normed(Builder& b, Value* x) {
    const Dims axes = below(3) ? Dims{1, 2, 3} : Dims{1};
    Value* sum = b.add("reduce_sum", {{"x", b.add("mul", {{"x", x}, {"y", x}})}, {"axes", axes}, {"keep_dims", true}});
    Value* root = b.add("sqrt", {{"x", b.add("add", {{"x", sum}, {"y", make_scalar(DType::fp32, 0.5)}})}});
    return b.add("real_div", {{"x", x}, {"y", root}});
  }

  // Two halves, or x and another value of the same extents, joined and taken apart.
  Value* taken_apart(Builder& b, Value* x) {
    const std::int64_t channels = x->type.dims[1];
    if (below(2) && channels % 2 == 0) {
      const Node* halves = b.add_node("split", {{"x", x}, {"num_splits", 2}, {"axis", 1}});
      const std::size_t first = below(2) ? 0 : 1;
      const std::vector<Value*> values{halves->output(first), halves->output(1 - first)};
      return b.add("concat", {{"values", values}, {"axis", 1}, {"interleave", false}});
    }
    Value* both = b.add("stack", {{"values", std::vector<Value*>{x, b.add("relu", {{"x", x}})}}, {"axis", 2}});
    const Node* parts = b.add_node("split", {{"x", both}, {"num_splits", 2}, {"axis", 2}});
    return b.add("squeeze", {{"x", parts->output(below(2) ? 0 : 1)}, {"axes", {2}}});
  }

  // Where a clamped value is above a number.
  Value* gated(Builder& b, Value* x) {
    constexpr double kNumbers[] = {-1, 0, 0.25, 1};
    Value* clamped =
        b.add("clip", {{"x", x}, {"alpha", make_scalar(DType::fp32, 0)}, {"beta", make_scalar(DType::fp32, 1)}});
    constexpr const char* kComparisons[] = {"greater", "less", "greater_equal", "less_equal"};
    Value* mask = b.add(kComparisons[below(4)], {{"x", clamped}, {"y", make_scalar(DType::fp32, kNumbers[below(4)])}});
    if (below(2)) mask = b.add("logical_not", {{"x", mask}});
    Value* wider =
        b.add("clip", {{"x", x}, {"alpha", make_scalar(DType::fp32, -1)}, {"beta", make_scalar(DType::fp32, 1)}});
    return b.add("select", {{"cond", mask}, {"a", x}, {"b", below(2) ? clamped : wider}});
  }

  // The centre of a map, as networks write it.
  Value* centre(Block& body) {
    Builder b(body);
    Value* x = b.add("sigmoid", {{"x", any()}});
    const auto sum = [&](Value* v) { return b.add("reduce_sum", {{"x", v}, {"axes", {2, 3}}, {"keep_dims", false}}); };
    Value* mass = b.add("maximum", {{"x", sum(x)}, {"y", make_scalar(DType::fp32, 1e-6)}});
    Value* u =
        b.add("real_div", {{"x", sum(b.add("mul", {{"x", x}, {"y", numbers({1, 1, 1, kSide}, -1, 1)}}))}, {"y", mass}});
    Value* v =
        b.add("real_div", {{"x", sum(b.add("mul", {{"x", x}, {"y", numbers({1, 1, kSide, 1}, -1, 1)}}))}, {"y", mass}});
    Value* y = b.add("stack", {{"values", std::vector<Value*>{u, v}}, {"axis", -1}});
    EXPECT_TRUE(b.finish());
    return y;
  }

  std::mt19937 random_;
  std::unique_ptr<Program> program_;
  std::vector<Value*> values_;
};

TEST(DrawnGraphs, EveryPassKeepsItsWord) {
  constexpr unsigned kGraphs = 1000;
  std::map<std::string, int> fired;
  for (unsigned seed = 0; seed < kGraphs; ++seed) {
    for (const std::string_view name : {"default-fp32", "default-fp16"}) {
      Graph graph(seed);
      if (HasFatalFailure()) return;
      const std::string text = to_text(graph.program());
      std::vector<std::string_view> passes = *pipeline(name);
      if (seed % 2) passes.insert(passes.end(), {"write_gates_in_arithmetic", "dead_code_elimination"});
      const auto reports = run_passes(graph.program(), {.passes = passes, .check = true});
      ASSERT_TRUE(reports) << "seed " << seed << ", " << name << ": " << render(reports.error()) << "\n" << text;
      for (const PassReport& report : *reports) fired[std::string(report.name)] += report.changed;
    }
  }
  for (const char* name :
       {"compose_pointwise_convs", "fuse_batchnorm_conv", "fuse_conv_batchnorm", "fuse_conv_scale",
        "fold_bounded_comparisons", "fuse_elementwise_to_batchnorm", "fuse_gated_activations", "fuse_l2_norm",
        "fuse_leaky_relu", "fuse_stack_split", "select_optimization", "simplify_comparisons",
        "write_gates_in_arithmetic", "fuse_soft_argmax", "merge_clamps", "merge_consecutive_transposes",
        "merge_numbers", "merge_summed_convs", "simplify_slices_and_joins"}) {
    EXPECT_GT(fired[name], 0) << name << " never had anything to do";
  }
}

}  // namespace
}  // namespace anemone::passes

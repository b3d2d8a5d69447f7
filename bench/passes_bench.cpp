// How the default pipelines grow with the graph: sixteen times the network must cost at most eighteen times the work.
//   passes_bench                  milliseconds of processor time, the least of several runs: caches have a say in those
//   passes_bench PIPELINE BLOCKS  one run, for bench/passes.py to count the instructions of
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "anemone/ir/builder.h"
#include "anemone/ops/ops.h"
#include "anemone/passes/pass.h"

namespace {

using namespace anemone;

constexpr int kBlocks = 64, kRuns = 5;

// Padding, convolution, batch norm, relu, a sum and arithmetic on constants: something for every pass.
std::unique_ptr<Program> network(int blocks) {
  auto program = std::make_unique<Program>(ops::table());
  Function& main = program->add_function("main", Target::ios17);
  Value* y = main.body.add_input("x", Type::tensor(DType::fp32, {1, 8, 16, 16}));
  const std::vector<double> weights(8 * 8 * 9, 0.125), ones(8, 1);
  for (int i = 0; i < blocks; ++i) {
    Builder b(main.body);
    Value* padded = b.add("pad", {{"x", y}, {"pad", {1, 1, 1, 1}}});
    Value* conv =
        b.add("conv", {{"x", padded}, {"weight", make_constant(DType::fp32, {8, 8, 3, 3}, std::span(weights))}});
    Value* norm = b.add("batch_norm", {{"x", conv},
                                       {"mean", make_constant(DType::fp32, {8}, std::span(ones))},
                                       {"variance", make_constant(DType::fp32, {8}, std::span(ones))}});
    Value* half = b.add("mul", {{"x", make_scalar(DType::fp32, i)}, {"y", make_scalar(DType::fp32, 0.5)}});
    y = b.add("add", {{"x", b.add("relu", {{"x", norm}})}, {"y", half}});
    if (!b.finish()) return nullptr;
  }
  main.body.set_outputs({y});
  return program;
}

double milliseconds(std::string_view pipeline_name, int blocks) {
  double least = 1e9;
  for (int run = 0; run < kRuns; ++run) {
    const auto program = network(blocks);
    const std::clock_t start = std::clock();
    if (!program || !passes::run_passes(*program, {.passes = *passes::pipeline(pipeline_name)})) return 1e9;
    least = std::min(least, 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return least;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3) {
    const std::string_view words[] = {argv[1], argv[2]};
    int blocks = 0;
    std::from_chars(words[1].data(), words[1].data() + words[1].size(), blocks);
    const auto program = network(blocks);
    return program && passes::pipeline(words[0]) &&
                   passes::run_passes(*program, {.passes = *passes::pipeline(words[0])})
               ? 0
               : 2;
  }
  for (std::string_view name : {"default-fp32", "default-fp16"}) {
    const double one = milliseconds(name, kBlocks), four = milliseconds(name, 4 * kBlocks),
                 sixteen = milliseconds(name, 16 * kBlocks);
    fmt::print("{}: {:.2f} ms, 4x {:.2f} ms, 16x {:.2f} ms = {:.1f} times\n", name, one, four, sixteen, sixteen / one);
  }
  return 0;
}

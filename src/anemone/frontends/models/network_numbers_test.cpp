// The graphs compute what the original networks compute: numbers from PyTorch, run by the reference executor.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>

#include "anemone/formats/torch/checkpoint.h"
#include "anemone/formats/wire/npy.h"
#include "anemone/frontends/models/network.h"
#include "anemone/frontends/models/synth.h"
#include "anemone/ops/execute.h"
#include "tests/support/data.h"

namespace anemone::models {
namespace {

Array from_npy(const std::filesystem::path& path) {
  auto file = formats::read_npy(path);
  EXPECT_TRUE(file) << (file ? "" : render(file.error()));
  Array array;
  if (!file) return array;
  EXPECT_EQ(file->dtype, formats::ScalarType::float32);
  array.dims = file->shape;
  array.data.resize(file->bytes.size() / sizeof(float));
  for (std::size_t i = 0; i < array.data.size(); ++i) {
    float value = 0;
    std::memcpy(&value, file->bytes.data() + i * sizeof(float), sizeof(float));
    array.data[i] = static_cast<double>(value);
  }
  return array;
}

/// The named values of the network for one input.
std::map<std::string, Array> run(Network& network, const Array& input, const std::vector<std::string>& names) {
  Function& main = network.program->main();
  std::vector<Value*> outputs;
  for (const std::string& name : names) {
    for_each_node(main.body, [&](Node& node) {
      if (node.output()->name == name) outputs.push_back(node.output());
    });
  }
  EXPECT_EQ(outputs.size(), names.size());
  main.body.set_outputs(outputs);
  const auto results = ops::evaluate(main, std::span(&input, 1));
  EXPECT_TRUE(results) << (results ? "" : render(results.error()));
  std::map<std::string, Array> named;
  for (std::size_t i = 0; results && i < names.size(); ++i) named[names[i]] = (*results)[i];
  return named;
}

double worst_difference(const Array& got, const Array& expected) {
  EXPECT_EQ(got.dims, expected.dims);
  double worst = got.dims == expected.dims ? 0 : INFINITY;
  for (std::size_t i = 0; i < expected.data.size() && i < got.data.size(); ++i) {
    worst = std::max(worst, std::abs(got.data[i] - expected.data[i]));
  }
  return worst;
}

double total(const Array& array) {
  double sum = 0;
  for (double v : array.data) sum += v;
  return sum;
}

/// A STAR network of two stacks with 16 channels, 5 points and 2 edges, at 64×64: the same graph with small numbers.
TEST(StarNumbers, SmallNetworkMatchesPyTorch) {
  const StarShape shape{.points = 5, .edges = 2, .stacks = 2, .channels = 16};
  const auto tensors = synth_star(shape, {});
  ASSERT_TRUE(tensors);
  const auto state = to_state_dict(*tensors);
  ASSERT_TRUE(state);
  auto network = build_network(*state, {.height = 64});
  ASSERT_TRUE(network) << render(network.error());
  Array input{DType::fp32, {1, 3, 64, 64}, {}};
  for (int i = 0; i < 3 * 64 * 64; ++i) {
    input.data.push_back(static_cast<double>(static_cast<float>((i * 7919) % 251) / 125.0f - 1.0f));
  }
  const auto values =
      run(*network, input,
          {"landmarks0", "landmarks", "pre", "hgs0", "features1", "heatmaps0", "pointmap1", "edgemap1", "fusion1"});
  const Array first{DType::fp32,
                    {1, 5, 2},
                    {-0.27690899, -0.11008130, 0.18127289, 0.53752154, 0.29259714, 0.59175456, 0.40427381, 0.50977302,
                     -0.22595888, -0.43622354}};
  const Array last{DType::fp32,
                   {1, 5, 2},
                   {-0.34065738, 0.57689077, -0.47068402, 0.26362517, -0.49837068, 0.22334886, -0.38978189, -0.55292916,
                    0.37480739, -0.39759302}};
  EXPECT_LT(worst_difference(values.at("landmarks0"), first), 2e-6);
  EXPECT_LT(worst_difference(values.at("landmarks"), last), 2e-6);
  const std::pair<const char*, double> sums[] = {
      {"pre", -530.9144947},      {"hgs0", 8603.8474934},    {"features1", 2519.7284902}, {"heatmaps0", 547.0144746},
      {"pointmap1", 582.7033589}, {"edgemap1", 251.6478579}, {"fusion1", 146.8559218}};
  for (const auto& [name, sum] : sums) EXPECT_NEAR(total(values.at(name)), sum, 2e-6 * std::abs(sum) + 1e-3) << name;
}

TEST(StarNumbers, OneGraphForSeveralSizesComputesWhatEachOfItsOwnDoes) {
  for (const std::int64_t depth : {3, 4}) {
    const StarShape shape{.points = 5, .edges = 2, .stacks = 2, .channels = 8, .depth = depth};
    const auto tensors = synth_star(shape, {});
    ASSERT_TRUE(tensors);
    const auto state = to_state_dict(*tensors);
    ASSERT_TRUE(state);
    const std::int64_t step = shape.size_step();
    for (const std::int64_t size : {step, 2 * step, 3 * step}) {
      SCOPED_TRACE(fmt::format("depth {}, {}x{}", depth, size, size));
      auto own = build_network(*state, {.height = size});
      auto shared = build_network(*state, {.height = size, .largest_size = 3 * step});
      ASSERT_TRUE(own && shared);
      EXPECT_TRUE(own->constants_depend_on_size);
      EXPECT_FALSE(shared->constants_depend_on_size);
      Array input{DType::fp32, {1, 3, size, size}, {}};
      for (std::int64_t i = 0; i < 3 * size * size; ++i) {
        input.data.push_back(static_cast<double>(static_cast<float>((i * 7919) % 251) / 125.0f - 1.0f));
      }
      const std::vector<std::string> names{"landmarks0", "landmarks", "pre"};
      const auto want = run(*own, input, names), got = run(*shared, input, names);
      for (const std::string& name : names) EXPECT_LT(worst_difference(got.at(name), want.at(name)), 2e-6) << name;
    }
  }
}

TEST(RetinaFaceNumbers, TrainedNetworkMatchesPyTorch) {
  const auto folder = test::shared_data() / "golden/retinaface";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "SKIPPED: no " << folder;
  const auto state = formats::read_state_dict(folder / "mobilenet0.25_Final.pth");
  ASSERT_TRUE(state) << render(state.error());
  auto network = build_network(*state, {.height = 224});
  ASSERT_TRUE(network) << render(network.error());
  EXPECT_EQ(network->keys.parameters.total, 426608);
  const auto values = run(*network, from_npy(folder / "of_0/layers/input.npy"), {"loc", "conf", "landms"});
  for (const auto& [name, limit] : {std::pair{"loc", 5e-5}, std::pair{"conf", 5e-6}, std::pair{"landms", 1e-4}}) {
    Array expected = from_npy(folder / "of_0" / fmt::format("orig_{}.npy", name));
    if (expected.rank() == 2) expected.dims.insert(expected.dims.begin(), 1);
    const double worst = worst_difference(values.at(name), expected);
    EXPECT_LT(worst, limit) << name;
    RecordProperty(name, std::to_string(worst));
  }
}

}  // namespace
}  // namespace anemone::models

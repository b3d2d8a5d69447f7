// The synthetic weights are those that other implementations make from the same keys.
#include "anemone/frontends/models/synth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "anemone/formats/wire/sha256.h"
#include "tests/support/data.h"

namespace anemone::models {
namespace {

nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

std::vector<float> numbers(const SynthTensor& tensor) {
  const Bytes bytes = tensor.make();
  const auto* first = reinterpret_cast<const float*>(bytes.data());
  return {first, first + bytes.size() / sizeof(float)};
}

const SynthTensor& named(const std::vector<SynthTensor>& tensors, const std::string& key) {
  for (const SynthTensor& tensor : tensors) {
    if (tensor.key == key) return tensor;
  }
  ADD_FAILURE() << "no tensor " << key;
  return tensors.front();
}

std::vector<SynthTensor> synth(const SynthOptions& options) {
  auto tensors = synth_star(options);
  EXPECT_TRUE(tensors) << (tensors ? "" : render(tensors.error()));
  return *std::move(tensors);
}

/// Over the float tensors in order, as the reference set's digest is defined.
std::string digest(const std::vector<SynthTensor>& tensors) {
  std::vector<std::byte> all;
  for (const SynthTensor& tensor : tensors) {
    if (tensor.dtype != formats::ScalarType::float32) continue;
    const Bytes bytes = tensor.make();
    all.insert(all.end(), bytes.view.begin(), bytes.view.end());
  }
  return formats::sha256_hex(all);
}

TEST(SynthStar, HasTheSizesOfTheTrainedNetworks) {
  const std::pair<std::int64_t, std::int64_t> expected[] = {{98, 17177332}, {68, 17069572}, {29, 16925892}};
  for (const auto& [points, parameters] : expected) {
    const auto tensors = synth({.points = points});
    EXPECT_EQ(tensors.size(), 1450u) << points;
    StarShape shape;
    shape.points = points;
    shape.edges = *star_edges(points);
    EXPECT_EQ(parameter_count(star_keys(shape)), parameters);
    for (const SynthTensor& tensor : tensors) {
      const bool counter = tensor.key.ends_with("num_batches_tracked");
      EXPECT_EQ(tensor.dtype, counter ? formats::ScalarType::int64 : formats::ScalarType::float32) << tensor.key;
      if (tensor.key.starts_with("pre.")) {
        EXPECT_EQ(tensor.make().size(), static_cast<std::size_t>(*element_count(tensor.shape)) * (counter ? 8 : 4));
      }
    }
  }
}

TEST(SynthStar, HashValuesAreFixed) {
  const auto tensors = synth({});
  const std::vector<float> conv = numbers(named(tensors, "pre.0.conv.weight"));
  EXPECT_EQ(conv[0], -0x1.b2e36p-4f);
  EXPECT_EQ(conv[3], 0x1.019ab6p-7f);
  EXPECT_EQ(numbers(named(tensors, "pre.0.bn.weight"))[1], 0x1.320114p+0f);
  EXPECT_EQ(numbers(named(tensors, "merge_heatmaps.0.conv.weight"))[0], 0x1.313c0cp-6f);
}

TEST(SynthStar, HashMatchesTheReferenceSet) {
  const auto reference = read_json(test::test_data() / "star/weights.json");
  const auto tensors = synth({});
  for (const auto& [key, expected] : reference["hash_check"].items()) {
    const SynthTensor& tensor = named(tensors, key);
    EXPECT_EQ(tensor.shape, expected["shape"].get<Dims>()) << key;
    const std::vector<float> values = numbers(tensor);
    for (std::size_t i = 0; i < 4; ++i) {
      const double exact = std::strtod(expected["first4_hex"][i].get<std::string>().c_str(), nullptr);
      EXPECT_EQ(static_cast<double>(values[i]), exact) << key << " " << i;
    }
    EXPECT_EQ(static_cast<double>(values.back()), expected["last"].get<double>()) << key;
  }
  EXPECT_EQ(digest(tensors), reference["state_sha256"]["hash"].get<std::string>());
}

TEST(SynthStar, HeadsReplaceTensors) {
  const auto reference = read_json(test::test_data() / "star/weights.json");
  EXPECT_EQ(digest(synth({.heads = "examples/probe_pd_heads"})),
            reference["state_sha256"]["probe_pd"].get<std::string>());
}

TEST(SynthStar, KeysAreThoseOfTheCheckpoint) {
  const auto rows = read_json(test::test_data() / "star/state_dict_98.json");
  const KeySpecs specs = star_keys({});
  ASSERT_EQ(rows.size(), specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    EXPECT_EQ(specs[i].key, rows[i][0].get<std::string>());
    EXPECT_EQ(specs[i].shape, rows[i][1].get<Dims>()) << specs[i].key;
    EXPECT_EQ(specs[i].role == KeyRole::counter, rows[i][2] == "int64") << specs[i].key;
    EXPECT_EQ(specs[i].is_needed(), rows[i][3] == "used") << specs[i].key;
  }
}

TEST(SynthStar, RandomFollowsTheSeed) {
  const std::string key = "hgs.0.up1.conv2.conv.weight";
  const auto values = [&](std::uint64_t seed) {
    return numbers(named(synth({.weights = SynthWeights::random, .seed = seed}), key));
  };
  const std::vector<float> one = values(1);
  EXPECT_EQ(one, values(1));
  EXPECT_NE(one, values(2));
  const float bound = 1 / std::sqrt(128.0f * 9);
  double sum = 0, largest = 0;
  for (float v : one) {
    sum += static_cast<double>(v);
    largest = std::max(largest, std::abs(static_cast<double>(v)));
  }
  EXPECT_LE(largest, static_cast<double>(bound));
  EXPECT_GT(largest, 0.99 * static_cast<double>(bound));
  EXPECT_LT(std::abs(sum / static_cast<double>(one.size())), 0.01 * static_cast<double>(bound));
  const auto tensors = synth({.weights = SynthWeights::random});
  EXPECT_EQ(numbers(named(tensors, "pre.0.bn.weight"))[5], 1.0f);
  EXPECT_EQ(numbers(named(tensors, "pre.0.bn.running_mean"))[5], 0.0f);
}

TEST(SynthStar, EdgesFollowTheLabellingSchemes) {
  const auto sums = [](std::int64_t points) {
    const auto matrix = star_edge_matrix(points);
    const auto edges = static_cast<std::size_t>(*star_edges(points));
    std::vector<float> rows(static_cast<std::size_t>(points));
    for (std::size_t i = 0; i < matrix->size(); ++i) rows[i / edges] += (*matrix)[i];
    return rows;
  };
  const auto wflw = sums(98), cofw = sums(29), helen = sums(68);
  EXPECT_EQ(std::count(wflw.begin(), wflw.end(), 0.0f), 2);  // the pupils
  EXPECT_EQ(wflw[96] + wflw[97], 0.0f);
  EXPECT_EQ(std::count(helen.begin(), helen.end(), 1.0f), 68);
  EXPECT_EQ(cofw[22] + cofw[23], 4.0f);  // the mouth corners lie on two
  EXPECT_EQ(cofw[16] + cofw[17] + cofw[28], 0.0f);
  const auto tensors = synth({.points = 29});
  const auto bias = numbers(named(tensors, "e2h_transform.bias"));
  EXPECT_EQ(std::count(bias.begin(), bias.end(), 1.0f), 3);
}

TEST(SynthStar, RefusesWhatItDoesNotKnow) {
  const auto points = synth_star({.points = 106});
  ASSERT_FALSE(points);
  EXPECT_EQ(points.error()[0].code, "E0620");
  EXPECT_EQ(points.error()[0].message, "no labelling scheme with 106 points is known");
  const auto stacks = synth_star({.stacks = 0});
  ASSERT_FALSE(stacks);
  EXPECT_EQ(stacks.error()[0].message, "0 stacks are out of range: 1 to 16");
  const auto heads = synth_star({.heads = "/nonexistent/folder"});
  ASSERT_FALSE(heads);
  EXPECT_EQ(heads.error()[0].code, "E0621");
}

}  // namespace
}  // namespace anemone::models

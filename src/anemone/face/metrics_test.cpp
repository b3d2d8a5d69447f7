// NME, failure rate and area against what NumPy and SciPy's rule gave, digit by digit.
#include "anemone/face/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "anemone/formats/wire/npy.h"
#include "tests/support/data.h"

namespace anemone::face {
namespace {

std::vector<std::vector<Point>> faces_of(const std::filesystem::path& path) {
  const auto array = formats::read_npy(path);
  if (!array) return {};
  const auto points = static_cast<std::size_t>(array->shape[1]);
  std::vector<std::vector<Point>> out(static_cast<std::size_t>(array->shape[0]), std::vector<Point>(points));
  const std::byte* at = array->bytes.data();
  for (auto& face : out) {
    std::memcpy(static_cast<void*>(face.data()), at, points * sizeof(Point));
    at += points * sizeof(Point);
  }
  return out;
}

TEST(MetricsTest, EqualTheReferenceToTheLastDigit) {
  std::ifstream file(test::test_data() / "metrics/metrics.json");
  const auto expected = nlohmann::json::parse(file);
  for (const std::size_t count : {98u, 68u, 29u}) {
    const auto& wanted = expected.at(std::to_string(count));
    const auto truth = faces_of(test::test_data() / ("metrics/gt_" + std::to_string(count) + ".npy"));
    const auto predicted = faces_of(test::test_data() / ("metrics/pd_" + std::to_string(count) + ".npy"));
    ASSERT_EQ(truth.size(), wanted.at("count").get<std::size_t>());
    const Scheme& scheme = *scheme_of(count);
    for (const auto& [key, index] : {std::pair("nme_default", 0u), std::pair("nme_other", 1u)}) {
      std::vector<float> errors;
      for (std::size_t i = 0; i < truth.size(); ++i) {
        errors.push_back(normalised_error(predicted[i], truth[i], scheme.normalisations[index]));
        EXPECT_EQ(static_cast<double>(errors.back()), wanted.at(key).at(i).get<double>()) << count << key << i;
      }
      if (index != 0) continue;
      EXPECT_EQ(mean_error(errors), wanted.at("nme_default_mean").get<double>());
      EXPECT_EQ(scheme.threshold, wanted.at("default_threshold").get<double>());
      for (const auto& [threshold, curve] : wanted.at("curves").items()) {
        const ErrorCurve got = error_curve(errors, std::stod(threshold));
        EXPECT_EQ(got.errors.size(), curve.at("samples").get<std::size_t>()) << threshold;
        EXPECT_EQ(got.errors.back(), curve.at("last_x").get<double>());
        EXPECT_EQ(got.failure_rate, curve.at("fr").get<double>());
        EXPECT_EQ(got.area, curve.at("auc").get<double>());
      }
    }
  }
}

TEST(MetricsTest, ContoursCoverTheirSchemes) {
  for (const std::size_t count : {98u, 68u, 29u}) {
    for (const Contour& contour : scheme_of(count)->contours) {
      for (const std::size_t point : contour.points) EXPECT_LT(point, count) << contour.part;
    }
  }
  EXPECT_EQ(scheme_of(97), nullptr);
  EXPECT_EQ(scheme_named("wflw"), scheme_of(98));
}

}  // namespace
}  // namespace anemone::face

// What may satisfy a target, what never does, and what is wrong with a file of targets.
#include "anemone/toolchain/gate.h"

#include <gtest/gtest.h>

#include <fstream>

namespace anemone::toolchain {
namespace {

namespace fs = std::filesystem;

class Gate : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "gate-XXXXXX").string();
    ASSERT_TRUE(::mkdtemp(pattern.data()));
    folder_ = pattern;
    std::ofstream(folder_ / "net.mil") << "func main<ios17>(tensor<fp16, [1, 4]> x) { y = relu(x = x); } -> (y);\n";
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path file(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  Measurements measured(const std::string& text) {
    auto read = read_measurements(file("measured.json", text));
    EXPECT_TRUE(read) << (read ? "" : render(read.error()));
    return read ? *std::move(read) : Measurements{};
  }
  /// The rows of these targets.
  std::vector<GateRow> rows(const std::string& toml, std::vector<Measurements> measurements = {}) {
    const auto targets = read_targets(file("targets.toml", toml));
    EXPECT_TRUE(targets) << (targets ? "" : render(targets.error()));
    const auto model = load(folder_ / "net.mil");
    EXPECT_TRUE(model);
    if (!targets || !model) return {};
    GateRequest request;
    request.measured = std::move(measurements);
    const auto result = gate(*model, *targets, request);
    EXPECT_TRUE(result) << (result ? "" : render(result.error()));
    if (!result) return {};
    met_ = result->met;
    notes_ = result->notes;
    return result->rows;
  }
  std::string problem(const std::string& toml) {
    const auto targets = read_targets(file("targets.toml", toml));
    return targets ? "none" : render(targets.error());
  }

  fs::path folder_;
  std::optional<bool> met_;
  std::vector<std::string> notes_;
};

constexpr const char* kBench = R"({"schema": "anemone.bench/1", "median_ms": 3.5, "model": {"model": "net.mil"}})";
constexpr const char* kDevice = R"({"schema": "anemone.device/1", "model": {"path": "/elsewhere/net.mil"},
  "latency": {"median_ms": 80}, "ops": {"planned": 1}, "coverage_percent": 90, "partitions": 0})";
constexpr const char* kLatency = "[latency_ms]\nbasis = \"device\"\nmust = 100\nshould = 80\nstretch = 60\n";

TEST_F(Gate, APredictionNeverSatisfiesATargetThatAsksForTheDevice) {
  const auto found = rows(kLatency);
  ASSERT_EQ(found.size(), 3u);
  for (const GateRow& row : found) {
    EXPECT_FALSE(row.met.has_value());
    EXPECT_FALSE(row.got.has_value());
    EXPECT_FALSE(row.why_open.empty());
    ASSERT_TRUE(row.prediction);
    EXPECT_LT(row.prediction->high, 60) << "the prediction would meet it";
    EXPECT_FALSE(row.prediction->evidence.empty());
  }
  EXPECT_FALSE(met_.has_value());
}

TEST_F(Gate, NeitherDoesATimeOfThisMachine) {
  const auto found = rows(kLatency, {measured(kBench)});
  EXPECT_FALSE(found.at(0).met.has_value());
  ASSERT_FALSE(notes_.empty());
  EXPECT_NE(notes_.back().find("measured on this machine"), std::string::npos) << notes_.back();
  const auto asked = rows("[latency_ms]\nbasis = \"here\"\nmust = 3.5\nshould = 3.6\n", {measured(kBench)});
  EXPECT_EQ(asked.at(0).met, std::optional(false)) << "a limit is met below it";
  EXPECT_EQ(asked.at(1).met, std::optional(true));
  EXPECT_EQ(met_, std::optional(false));
}

TEST_F(Gate, TheDeviceDecidesAndIsBelievedBeforeAnyPrediction) {
  auto found = rows(kLatency, {measured(kDevice)});
  EXPECT_EQ(found.at(0).met, std::optional(true));
  EXPECT_EQ(found.at(1).met, std::optional(false)) << "80 is not below 80";
  EXPECT_EQ(met_, std::optional(true)) << "only a must decides";
  const std::string coverage = "[coverage_percent]\nbasis = \"predicted\"\nmust = 85\n";
  found = rows(coverage);
  EXPECT_EQ(found.at(0).got_basis, std::optional(Basis::predicted));
  EXPECT_EQ(found.at(0).met, std::optional(false)) << "so small a network stays on the CPU";
  EXPECT_EQ(met_, std::optional(false));
  found = rows(coverage, {measured(kDevice)});
  EXPECT_EQ(found.at(0).got_basis, std::optional(Basis::device));
  EXPECT_EQ(found.at(0).met, std::optional(true));
}

TEST_F(Gate, ADeviceWithoutAPlanSaysNothingAboutPlaces) {
  const auto found = rows("[partitions]\nbasis = \"device\"\nmust = 5\n",
                          {measured(R"({"schema": "anemone.device/1", "ops": {"planned": 0}, "partitions": 0})")});
  EXPECT_FALSE(found.at(0).met.has_value());
}

TEST_F(Gate, ABoundOfTheErrorProvesAYesAndNeverANo) {
  const auto verify = [&](double nme) {
    return measured(R"({"schema": "anemone.verify/1", "candidate": "net.mil", "landmarks": {"nme_percent": )" +
                    std::to_string(nme) + "}}");
  };
  const std::string loss = "[accuracy_loss_percent]\nbasis = \"here\"\nmust = 2\nnme_percent = 4\n";
  auto found = rows(loss, {verify(0.04)});
  EXPECT_EQ(found.at(0).met, std::optional(true));
  EXPECT_NEAR(found.at(0).got.value_or(0), 1, 1e-9);
  EXPECT_TRUE(found.at(0).bound);
  EXPECT_FALSE(rows(loss, {verify(0.4)}).at(0).met.has_value());
  found = rows(loss, {measured(R"({"schema": "anemone.verify/1", "landmarks": {"nme_percent": 0.4,
                                  "truth": {"nme_change_percent": 2.5}}})")});
  EXPECT_EQ(found.at(0).met, std::optional(false)) << "against ground truth it is no bound";
  EXPECT_FALSE(rows("[accuracy_loss_percent]\nbasis = \"here\"\nmust = 2\n", {verify(0.04)}).at(0).got)
      << "without the network's own error there is no bound";
}

TEST_F(Gate, ANumberComesBeforeABoundAndTheWorseOfTwoCounts) {
  const Measurements exact = measured(R"({"schema": "anemone.verify/1", "candidate": "net.mil", "pass": true,
      "landmarks": {"truth": {"nme_change_percent": 2.5}}})");
  const Measurements bound = measured(R"({"schema": "anemone.verify/1", "candidate": "net.mil", "pass": true,
      "landmarks": {"nme_percent": 0.04}})");
  const std::string loss = "[accuracy_loss_percent]\nbasis = \"here\"\nmust = 2\nnme_percent = 4\n";
  for (const auto& both : {std::vector{exact, bound}, std::vector{bound, exact}}) {
    EXPECT_EQ(rows(loss, both).at(0).met, std::optional(false));
    EXPECT_TRUE(notes_.empty()) << notes_[0];
  }
  const auto device = [&](double ms, double fps) {
    Measurements out = measured(kDevice);
    out.latency_ms = ms;
    out.fps = fps;
    return out;
  };
  const std::string both_ways = kLatency + std::string("[fps]\nbasis = \"device\"\nmust = 4\n");
  for (const auto& two : {std::vector{device(90, 5), device(120, 3)}, std::vector{device(120, 3), device(90, 5)}}) {
    const auto found = rows(both_ways, two);
    EXPECT_EQ(found.at(0).got, std::optional(120.0));
    EXPECT_EQ(found.at(0).met, std::optional(false));
    EXPECT_EQ(found.at(3).got, std::optional(3.0));
    ASSERT_EQ(notes_.size(), 2u);
    EXPECT_NE(notes_[0].find("the worse counts"), std::string::npos) << notes_[0];
  }
  EXPECT_EQ(rows(kLatency, {device(95, 5), device(90, 5)}).at(0).got, std::optional(90.0)) << "the later one";
  EXPECT_TRUE(notes_.empty());
}

TEST_F(Gate, WhatIsNoMeasurementOfTheModelDoesNotCount) {
  const std::string loss = "[accuracy_loss_percent]\nbasis = \"here\"\nmust = 2\nnme_percent = 4\n";
  const auto verify = [&](const std::string& more) {
    return rows(loss, {measured(R"({"schema": "anemone.verify/1", "candidate": "net.mil", "pass": true,
      "landmarks": {"nme_percent": 0.01, "truth": {"nme_change_percent": 0}}, )" +
                                more + "}")})
        .at(0)
        .met;
  };
  EXPECT_EQ(verify(R"("reference": "net.pkl", "precision": "as stored")"), std::optional(true));
  EXPECT_TRUE(notes_.empty());
  for (const char* more : {R"("reference": "./net.mil")", R"("precision": "fp32")", R"("accumulate": "fp16")"}) {
    EXPECT_EQ(verify(more), std::nullopt) << more;
    ASSERT_EQ(notes_.size(), 1u) << more;
    EXPECT_NE(notes_[0].find("does not count: "), std::string::npos) << notes_[0];
  }
  EXPECT_EQ(verify(R"("reference": "net.pkl", "pass": false, "reason": "the numbers differ")"), std::optional(true));
  ASSERT_EQ(notes_.size(), 1u);
  EXPECT_EQ(notes_[0], "the verification says no: the numbers differ");
  const auto bench = [&](const std::string& more) {
    return rows("[latency_ms]\nbasis = \"here\"\nmust = 9\n",
                {measured(R"({"schema": "anemone.bench/1", "median_ms": 3.5, "model": {"model": "net.mil"}, )" + more +
                          "}")})
        .at(0)
        .met;
  };
  EXPECT_EQ(bench(R"("batch": 1, "precision": "as stored")"), std::optional(true));
  for (const char* more :
       {R"("outputs": ["y"])", R"("batch": 4)", R"("precision": "fp32")", R"("accumulate": "fp16-reductions")"}) {
    EXPECT_EQ(bench(more), std::nullopt) << more;
    ASSERT_EQ(notes_.size(), 1u) << more;
    EXPECT_NE(notes_[0].find("does not count: "), std::string::npos) << notes_[0];
  }
}

TEST_F(Gate, NamesAreComparedWithTheirEndings) {
  EXPECT_TRUE(same_name("a/star.mlpackage", "b/star.mlpackage/"));
  EXPECT_TRUE(same_name("star.mlmodelc", "star.mlpackage"));
  EXPECT_TRUE(same_name("star.mlmodel", "x/star.mlmodelc/"));
  EXPECT_FALSE(same_name("star.pkl", "star.mlpackage"));
  EXPECT_FALSE(same_name("star.pkl", "star.mlmodelc"));
  EXPECT_FALSE(same_name("star.mlmodel", "star.mlpackage"));
  EXPECT_FALSE(same_name("star.v1.mlpackage", "star.v2.mlpackage"));
}

TEST_F(Gate, AVerificationAgainstGroundTruthIsNoBound) {
  VerifyResult verified{.candidate = "net.mil", .pass = true};
  verified.landmarks = LandmarkComparison{.nme_percent = 0.4};
  verified.landmarks->truth = TruthComparison{.nme_change_percent = 1.5};
  const Measurements found = measurements_of(verified);
  EXPECT_EQ(found.nme_change_percent, std::optional(1.5));
  EXPECT_EQ(found.nme_between_percent, std::optional(0.4));
  const auto row = rows("[accuracy_loss_percent]\nbasis = \"here\"\nmust = 2\nnme_percent = 4\n", {found}).at(0);
  EXPECT_FALSE(row.bound);
  EXPECT_EQ(row.met, std::optional(true)) << "the bound alone, 10 %, would leave it open";
  verified.landmarks->undetermined = 1;
  EXPECT_FALSE(measurements_of(verified).nme_between_percent);
}

TEST_F(Gate, MeasurementsOfAnotherModelOrOfAVirtualMachineAreRefused) {
  const auto targets = read_targets(file("targets.toml", kLatency));
  const auto model = load(folder_ / "net.mil");
  ASSERT_TRUE(targets && model);
  GateRequest request;
  request.measured = {measured(R"({"schema": "anemone.bench/1", "median_ms": 1, "model": {"model": "old.mil"}})")};
  const auto result = gate(*model, *targets, request);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().at(0).code, ErrorCode::measured_another_model);
  EXPECT_EQ(exit_code(result.error()), 3);
  EXPECT_NE(render(result.error()).find("'old.mil' was measured, and the model is 'net.mil'"), std::string::npos);
  for (const char* text :
       {R"({"schema": "anemone.device/1", "device": {"virtual": true}})", "{", "[]", "{}",
        R"({"schema": "anemone.plan/1"})", R"({"schema": "anemone.bench/1", "median_ms": "x"})",
        R"({"schema": "anemone.bench/1", "median_ms": -1})", R"({"schema": 7})",
        R"({"schema": "anemone.device/1", "verdicts": 1})", "\xff", R"({"schema": "anemone.device/1", "latency": 12})",
        R"({"schema": "anemone.device/1", "model": 3})",
        R"({"schema": "anemone.device/1", "device": [], "latency": {"median_ms": 1}})",
        R"({"schema": "anemone.device/1", "ops": {"planned": 1}, "coverage_percent": 150})"}) {
    const auto read = read_measurements(file("measured.json", text));
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().at(0).code, ErrorCode::measurements_wrong) << text;
    EXPECT_EQ(exit_code(read.error()), 3) << text;
  }
}

TEST_F(Gate, FilesOfDeepValuesAreRefusedAndNotFollowed) {
  const auto times = [](std::string_view piece, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += piece;
    return out;
  };
  for (const auto& [open, close] : {std::pair("[", "]"), std::pair(R"({"a":)", "}")}) {
    const std::string deep =
        R"({"schema": "anemone.device/1", "verdicts": [)" + times(open, 200000) + "1" + times(close, 200000) + "]}";
    const auto read = read_measurements(file("measured.json", deep));
    ASSERT_FALSE(read);
    EXPECT_EQ(exit_code(read.error()), 3);
    EXPECT_NE(render(read.error()).find("deep"), std::string::npos) << render(read.error());
  }
  const std::string parts = times("a.", 100000) + "a";
  for (const std::string& toml : {"\n" + parts + " = 1\n", "\n[" + parts + "]\n", "\nb = {" + parts + " = 1}\n",
                                  "\n" + times("'a'.", 100000) + "a = 1\n"}) {
    const std::string told = problem(toml);
    EXPECT_NE(told.find("targets.toml:2:"), std::string::npos) << told.substr(0, 200);
    EXPECT_NE(told.find("dots"), std::string::npos) << told.substr(0, 200);
  }
  EXPECT_EQ(problem("# " + times(".", 200) + "\n[fps]\nbasis = \"device\"\nmust = 4.5\n"), "none");
}

TEST_F(Gate, TheSampleOfADeviceIsRead) {
  const auto read = read_measurements("examples/device.json");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->basis, Basis::device);
  EXPECT_EQ(read->latency_ms, std::optional(11.3));
  EXPECT_EQ(read->ops.at("image_to_fp16").unit, std::optional<std::string>("cpu"));
}

TEST_F(Gate, TheTargetsOfStarAreTheUsersTable) {
  const auto targets = read_targets("targets/star.toml");
  ASSERT_TRUE(targets) << render(targets.error());
  using Limits = std::array<std::optional<double>, 3>;
  const std::vector<std::tuple<Quantity, Basis, Limits>> wanted{
      {Quantity::latency, Basis::device, {100, 80, 60}},
      {Quantity::coverage, Basis::predicted, {85, 90, 95}},
      {Quantity::partitions, Basis::predicted, {std::nullopt, 10, 5}},
      {Quantity::accuracy_loss, Basis::here, {2, std::nullopt, std::nullopt}},
      {Quantity::fps, Basis::device, {4.0, 4.5, 5.0}}};
  ASSERT_EQ(targets->targets.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const GateTarget& target = targets->targets[i];
    EXPECT_EQ(std::tie(target.quantity, target.basis, target.limits), std::tuple(wanted[i])) << i;
  }
}

TEST_F(Gate, WhatIsWrongWithTargetsIsToldWithItsLine) {
  struct Case {
    const char* toml;
    const char* place;
    const char* says;
  };
  for (const Case& c : {
           Case{"x = \n", "targets.toml:1:", "this is not TOML"},
           Case{"\n[latency]\nmust = 1\n", "targets.toml:2:", "did you mean 'latency_ms'"},
           Case{"[latency_ms]\nmust = 1\n", "targets.toml:1:", "has no 'basis'"},
           Case{"[latency_ms]\nbasis = \"device\"\n", "targets.toml:1:", "has no limit"},
           Case{"[latency_ms]\nbasis = \"guess\"\n", "targets.toml:2:9", "device, here, predicted"},
           Case{"[fps]\nbasis = \"predicted\"\n", "targets.toml:2:9", "device, here"},
           Case{"[fps]\nbasis = \"device\"\nmost = 1\n", "targets.toml:3:", "did you mean 'must'"},
           Case{"[fps]\nbasis = \"device\"\nmust = \"4\"\n", "targets.toml:3:8", "a number"},
           Case{"[fps]\nbasis = \"device\"\nmust = nan\n", "targets.toml:3:8", "a number"},
           Case{"[fps]\nbasis = \"device\"\nmust = -1\n", "targets.toml:3:8", "not negative"},
           Case{"latency_ms = 3\n", "targets.toml:1:", "to be a table"},
           Case{"device = 1\n", "targets.toml:1:", "in quotes"},
           Case{"", "targets.toml", "no target"},
       }) {
    const std::string told = problem(c.toml);
    EXPECT_NE(told.find(c.place), std::string::npos) << told;
    EXPECT_NE(told.find(c.says), std::string::npos) << told;
  }
}

}  // namespace
}  // namespace anemone::toolchain

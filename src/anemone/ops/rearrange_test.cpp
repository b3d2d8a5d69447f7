// tile, pad, reverse, band_part, cumsum, sliding_windows.
#include "anemone/ops/op_test_util.h"

namespace anemone::ops {
namespace {

TEST(Tile, Repeats) {
  Case c;
  expect(c.run("tile", {{"x", c.in({1, 2}, {1, 2})}, {"reps", {2, 2}}}), {2, 4}, {1, 2, 1, 2, 1, 2, 1, 2});
  Case d;
  expect(d.run("tile", {{"x", d.in({2}, {1, 2})}, {"reps", d.in(DType::int32, {1}, {2})}}), {4}, {1, 2, 1, 2});
}
TEST(Tile, C1C2) {
  Case c;
  expect_refused(c.infer("tile", {{"x", c.typed({1, 2})}, {"reps", {2}}}), "[2] is needed, [1] is given");
  expect_refused(c.infer("tile", {{"x", c.typed({2})}, {"reps", {0}}}), "0 in dimension 0");
}

TEST(Pad, Modes) {
  for (const auto& [mode, out] : std::vector<std::pair<const char*, std::vector<double>>>{
           {"constant", {9, 1, 2, 3, 9, 9}}, {"reflect", {2, 1, 2, 3, 2, 1}}, {"replicate", {1, 1, 2, 3, 3, 3}}}) {
    SCOPED_TRACE(mode);
    Case c;
    expect(
        c.run("pad", {{"x", c.in({1, 3}, {1, 2, 3})}, {"pad", {1, 2}}, {"mode", mode}, {"constant_val", c.number(9)}}),
        {1, 6}, out);
  }
}
TEST(Pad, LastDimensionsBeforeAndAfter) {
  Case c;
  expect(c.run("pad", {{"x", c.in({1, 1, 2}, {1, 2})}, {"pad", {1, 0, 0, 1}}}), {1, 2, 3}, {0, 0, 0, 1, 2, 0});
  Case d;
  expect(d.run("pad", {{"x", d.in({2}, {1, 2})}, {"pad", d.in(DType::int32, {2}, {0, 1})}}), {3}, {1, 2, 0});
}
TEST(Pad, C2C3C4C5) {
  Case c;
  expect_refused(c.infer("pad", {{"x", c.typed({3})}, {"pad", {1, 1}}, {"mode", "wrap"}}), "\"wrap\" is not one of");
  expect_refused(c.infer("pad", {{"x", c.typed({3})}, {"pad", {1, 1, 1}}}), "3 numbers for rank 1");
  expect_refused(c.infer("pad", {{"x", c.typed({3})}, {"pad", {1, 1, 1, 1}}}), "4 numbers for rank 1");
  expect_refused(c.infer("pad", {{"x", c.typed({3})}, {"pad", {1, -1}}}), "negative somewhere");
  expect_refused(c.infer("pad", {{"x", c.typed({3})}, {"pad", {3, 0}}, {"mode", "reflect"}}),
                 "does not fit mode \"reflect\"");
  expect_refused(c.infer("pad", {{"x", c.typed({3})}, {"pad", c.typed(Type::tensor(DType::int32, {}))}}),
                 "rank 1 is needed");  // C1
}

TEST(Reverse, Axes) {
  Case c;
  expect(c.run("reverse", {{"x", c.in({2, 2}, {1, 2, 3, 4})}, {"axes", {1}}}), {2, 2}, {2, 1, 4, 3});
  Case d;
  expect(d.run("reverse", {{"x", d.in({2, 2}, {1, 2, 3, 4})}}), {2, 2}, {4, 3, 2, 1});
  Case e;
  expect_refused(e.infer("reverse", {{"x", e.typed({2})}, {"axes", {1}}}), "axis 1 is outside");
}
TEST(ReverseSequence, LengthsOfSamples) {
  Case c;
  expect(c.run("reverse_sequence",
               {{"x", c.in({2, 3}, {1, 2, 3, 4, 5, 6})}, {"lengths", {2, 3}}, {"seq_axis", 1}, {"batch_axis", 0}}),
         {2, 3}, {2, 1, 3, 6, 5, 4});
}
TEST(ReverseSequence, C1C2AndRunTime) {
  Case c;
  expect_refused(c.infer("reverse_sequence", {{"x", c.typed({2, 3})}, {"lengths", {2, 3}}, {"seq_axis", 2}}),
                 "axis 2 is outside");
  expect_refused(c.infer("reverse_sequence", {{"x", c.typed({2, 3})}, {"lengths", {2}}, {"seq_axis", 1}}),
                 "[2] is needed");
  Case d;
  expect_refused(d.run("reverse_sequence", {{"x", d.in({1, 2}, {1, 2})}, {"lengths", {3}}, {"seq_axis", 1}}), "3 of 2");
}

TEST(BandPart, KeepsDiagonals) {
  const std::vector<double> nine{1, 2, 3, 4, 5, 6, 7, 8, 9};
  Case upper;
  expect(upper.run("band_part", {{"x", upper.in({3, 3}, nine)}, {"lower", 0}, {"upper", -1}}), {3, 3},
         {1, 2, 3, 0, 5, 6, 0, 0, 9});
  Case band;
  expect(band.run("band_part", {{"x", band.in({3, 3}, nine)}, {"lower", 1}, {"upper", 0}}), {3, 3},
         {1, 0, 0, 4, 5, 0, 0, 8, 9});
  Case bad;
  expect_refused(bad.infer("band_part", {{"x", bad.typed({3})}}), "rank 2 to 5");
}

TEST(Cumsum, DirectionsAndExclusion) {
  const auto run = [](bool exclusive, bool reverse) {
    Case c;
    return c.run("cumsum", {{"x", c.in({3}, {1, 2, 3})}, {"exclusive", exclusive}, {"reverse", reverse}});
  };
  expect(run(false, false), {3}, {1, 3, 6});
  expect(run(true, false), {3}, {0, 1, 3});
  expect(run(false, true), {3}, {6, 5, 3});
  expect(run(true, true), {3}, {5, 3, 0});
  Case c;
  expect(c.run("cumsum", {{"x", c.in({2, 2}, {1, 2, 3, 4})}, {"axis", 1}}), {2, 2}, {1, 3, 3, 7});
  Case bad;
  expect_refused(bad.infer("cumsum", {{"x", bad.typed({2})}, {"axis", 1}}), "axis 1 is outside");
}

TEST(SlidingWindows, NewDimensionAfterTheAxis) {
  Case c;
  expect(c.run("sliding_windows", {{"x", c.in({1, 5}, {1, 2, 3, 4, 5})}, {"axis", 1}, {"size", 2}, {"stride", 3}}),
         {1, 2, 2}, {1, 2, 4, 5});
  Case d;
  expect_refused(d.infer("sliding_windows", {{"x", d.typed({5})}, {"axis", 1}, {"size", 2}}), "axis 1 is outside");
  expect_refused(d.infer("sliding_windows", {{"x", d.typed({5})}, {"axis", 0}, {"size", 6}}),
                 "does not fit an extent of 5");
}

}  // namespace
}  // namespace anemone::ops

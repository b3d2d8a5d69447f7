// Who may write over whom, on plans made by hand.
#include "anemone/runtime/place.h"

#include <gtest/gtest.h>

namespace anemone::runtime {
namespace {

Ref buffer(std::size_t index, std::int64_t count = 4, std::int64_t offset = 0) {
  return {Ref::Space::arena, index, offset, count};
}

struct Made {
  Plan plan;
  explicit Made(std::size_t buffers, std::int64_t count = 4) {
    for (std::size_t i = 0; i < buffers; ++i) plan.buffers.push_back({count});
    plan.inputs.push_back({{}, buffer(0, count)});
  }
  Made& call(std::vector<Ref> reads, const Ref& out, bool elementwise = true) {
    Call made;
    for (const Ref& ref : reads) made.operands.push_back({"x", ref, Access::Use::read});
    for (std::size_t i = 0; i < reads.size(); ++i) made.overwrites.push_back(i);
    made.operands.push_back({"out", out, Access::Use::write});
    made.elementwise = elementwise;
    plan.calls.push_back(std::move(made));
    return *this;
  }
  Made& output(const Ref& ref) {
    plan.outputs.push_back({{}, ref});
    EXPECT_TRUE(place(plan));
    return *this;
  }
  const Ref& out(std::size_t i) const { return plan.calls[i].operands.back().ref; }
};

TEST(Place, CallsThatNobodyReadAreDropped) {
  Made m(5);  // 0 -> 1 -> 2 -> 3, of which 1 is asked for; 1 -> 4
  m.call({buffer(0)}, buffer(1)).call({buffer(1)}, buffer(2)).call({buffer(2)}, buffer(3)).call({buffer(1)}, buffer(4));
  m.plan.outputs.push_back({{}, buffer(4)});
  drop_unread(m.plan);
  ASSERT_EQ(m.plan.calls.size(), 2u);
  EXPECT_EQ(m.out(0), buffer(1));
  EXPECT_EQ(m.out(1), buffer(4));
}

TEST(Place, AChainStaysInOneBuffer) {
  Made m(4);
  m.call({buffer(0)}, buffer(1)).call({buffer(1)}, buffer(2)).call({buffer(2)}, buffer(3)).output(buffer(3));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(m.out(i), buffer(0));
  EXPECT_EQ(m.plan.outputs[0].ref, buffer(0));
  EXPECT_EQ(m.plan.arena_bytes, 64u);
}

TEST(Place, WhatIsReadLaterOrAskedForStays) {
  Made later(3);
  later.call({buffer(0)}, buffer(1)).call({buffer(0), buffer(1)}, buffer(2)).output(buffer(2));
  EXPECT_EQ(later.out(0), buffer(1));
  EXPECT_EQ(later.out(1), buffer(0));
  Made asked(3);
  asked.call({buffer(0)}, buffer(1)).call({buffer(1)}, buffer(2)).plan.outputs.push_back({{}, buffer(1)});
  asked.output(buffer(2));
  EXPECT_EQ(asked.out(0), buffer(0));
  EXPECT_NE(asked.out(1), asked.out(0));
}

TEST(Place, OtherViewsOfTheSameBufferForbidIt) {
  Made m(2, 8);
  m.call({buffer(0, 4), buffer(0, 4, 4)}, buffer(1, 4)).output(buffer(1, 4));
  EXPECT_EQ(m.out(0).index, 1u);
  // A view alone may be written over, and the result lies where it lay.
  Made one(2, 8);
  one.call({buffer(0, 4, 4)}, buffer(1, 4)).output(buffer(1, 4));
  EXPECT_EQ(one.out(0), buffer(0, 4, 4));
}

TEST(Place, AnOperandReadTwiceNeedsElementwiseCalls) {
  for (bool elementwise : {true, false}) {
    Made m(2);
    m.call({buffer(0), buffer(0)}, buffer(1), elementwise).output(buffer(1));
    EXPECT_EQ(m.out(0).index, elementwise ? 0u : 1u);
  }
}

TEST(Place, OtherSizesAndConstantsForbidIt) {
  Made m(2);
  m.call({buffer(0, 2)}, buffer(1)).output(buffer(1));
  EXPECT_EQ(m.out(0).index, 1u);
  Made constant(2);
  constant.call({{Ref::Space::constant, 0, 0, 4}}, buffer(1)).output(buffer(1));
  EXPECT_EQ(constant.out(0).index, 1u);
}

TEST(Place, MoreThanTheMachineHasIsRefused) {
  Made m(1, std::int64_t{1} << 50);
  m.plan.outputs.push_back({{}, buffer(0)});
  const auto placed = place(m.plan);
  ASSERT_FALSE(placed);
  EXPECT_EQ(placed.error()[0].code, "E0712");
}

}  // namespace
}  // namespace anemone::runtime

// Where training scripts put their weights.
#include "anemone/formats/torch/weights_part.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace anemone::formats {
namespace {

/// "PART: names | note", or the error.
std::string picked(const std::vector<std::string_view>& paths, const std::optional<std::string>& wanted = {}) {
  const auto got = find_weights(paths, "f", wanted);
  if (!got) return fmt::format("{}: {}", text_of(got.error().front().code), got.error().front().message);
  std::string names;
  for (const auto& [position, name] : got->tensors) {
    EXPECT_TRUE(paths[position].ends_with(name) || paths[position].find("_mod") != std::string_view::npos);
    names += " " + name;
  }
  return fmt::format("{}:{} | {}", got->part, names, got->note);
}

TEST(WeightsPart, TheRootItself) {
  EXPECT_EQ(picked({"a.weight", "a.bias"}), ": a.weight a.bias | weights: the root of the file (2 tensors)");
  EXPECT_EQ(picked({"a", "optimizer/state/0/m"}),
            ": a | weights: the root of the file (1 tensors); left aside: 'optimizer' (1)");
}

TEST(WeightsPart, NetIsTakenThoughThereIsAnAverage) {
  EXPECT_EQ(picked({"net_ema/w", "net/w", "net/b", "optimizer/state/0/m"}),
            "net: w b | weights: 'net' (2 tensors); left aside: 'net_ema' (1), 'optimizer' (1)");
}

TEST(WeightsPart, KnownNamesWinOverSingleTensorsBesideThem) {
  EXPECT_EQ(picked({"best", "state_dict/w"}),
            "state_dict: w | weights: 'state_dict' (1 tensors); left aside: 'single tensors' (1)");
  EXPECT_EQ(picked({"model/state_dict/w", "model/epoch"}),
            "model/state_dict: w | weights: 'model/state_dict' (1 tensors); left aside: 'single tensors' (1)");
}

TEST(WeightsPart, AnUnknownNameIsTakenWhenItIsTheOnlyOne) {
  EXPECT_EQ(picked({"generator/w", "optimizer/state/0/m"}),
            "generator: w | weights: 'generator' (1 tensors); left aside: 'optimizer' (1)");
  EXPECT_EQ(picked({"generator/w", "critic/w"}),
            "E0542: no part of the file is known to hold weights: it has 'generator' (1), 'critic' (1)");
  EXPECT_EQ(picked({"optimizer/state/0/m"}),
            "E0542: no part of the file is known to hold weights: it has 'optimizer' (1)");
  EXPECT_EQ(picked({}), "E0542: there are no tensors in the file");
}

TEST(WeightsPart, APartCanBeAskedFor) {
  const std::vector<std::string_view> both{"net/w", "net_ema/w", "ema/state_dict/w", "ema/decay"};
  EXPECT_EQ(picked(both, "net_ema").substr(0, 36), "net_ema: w | weights: 'net_ema' (1 t");
  EXPECT_EQ(picked(both, "ema").substr(0, 20), "ema/state_dict: w | ");
  EXPECT_EQ(picked(both, "nat"), "E0542: there is no part 'nat' in the file");
  EXPECT_EQ(find_weights(both, "f")->others, (std::vector<std::string>{"net_ema", "ema"}));
  EXPECT_EQ(picked({"ema/w", "optimizer/m"}).substr(0, 9), "ema: w | ") << "when there is nothing else";
}

TEST(WeightsPart, WrappersOfPyTorchAreStrippedAtAnyLevel) {
  EXPECT_EQ(picked({"_orig_mod.a", "_orig_mod.b"}),
            ": a b | weights: the root of the file (2 tensors), leading '_orig_mod.' removed");
  EXPECT_EQ(picked({"module._orig_mod.a"}).substr(0, 5), ": a |");
  EXPECT_EQ(picked({"body._orig_mod.conv.weight"}).substr(0, 19), ": body.conv.weight ");
  EXPECT_EQ(picked({"x_orig_mod.a"}).substr(0, 15), ": x_orig_mod.a ");
}

TEST(WeightsPart, ModulePrefixesAreStripped) {
  EXPECT_EQ(picked({"module.a", "module.b"}),
            ": a b | weights: the root of the file (2 tensors), leading 'module.' removed");
  EXPECT_EQ(picked({"module.module.a"}), ": a | weights: the root of the file (1 tensors), leading 'module.' removed");
  EXPECT_EQ(picked({"modules.a"}), ": modules.a | weights: the root of the file (1 tensors)");
  EXPECT_EQ(picked({"module.a", "a"}), "E0543: two weights are called 'a'");
}

}  // namespace
}  // namespace anemone::formats

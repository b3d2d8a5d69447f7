// WFLW, 300W and COFW as data. The groups are the edges of STAR's networks (their e2h matrix).
#include "anemone/face/schemes.h"

#include <algorithm>
#include <array>

#include "anemone/support/text.h"

namespace anemone::face {
namespace {

std::vector<std::size_t> from_to(std::size_t first, std::size_t last) {
  std::vector<std::size_t> out;
  for (std::size_t i = first; i <= last; ++i) out.push_back(i);
  return out;
}

const std::array<Scheme, 3>& schemes() {
  static const std::array<Scheme, 3> kSchemes{
      Scheme{"WFLW",
             98,
             {{"contour", from_to(0, 32)},
              {"left brow", from_to(33, 41), true},
              {"right brow", from_to(42, 50), true},
              {"nose line", from_to(51, 54)},
              {"nose", from_to(55, 59)},
              {"left eye", from_to(60, 67), true},
              {"right eye", from_to(68, 75), true},
              {"outer lip", from_to(76, 87), true},
              {"inner lip", from_to(88, 95), true}},
             {{"ocular", {60}, {72}}, {"pupil", {96}, {97}}}},
      Scheme{"300W",
             68,
             {{"contour", from_to(0, 16)},
              {"left brow", from_to(17, 21)},
              {"right brow", from_to(22, 26)},
              {"nose line", from_to(27, 30)},
              {"nose", from_to(31, 35)},
              {"left eye", from_to(36, 41), true},
              {"right eye", from_to(42, 47), true},
              {"outer lip", from_to(48, 59), true},
              {"inner lip", from_to(60, 67), true}},
             {{"ocular", {36}, {45}}, {"pupil", from_to(36, 41), from_to(42, 47)}},
             0.05},
      Scheme{"COFW",
             29,
             {{"left brow", {0, 4, 2, 5}, true},
              {"right brow", {1, 6, 3, 7}, true},
              {"left eye", {8, 12, 10, 13}, true},
              {"right eye", {9, 14, 11, 15}},
              {"nose", {18, 20, 19, 21}, true},
              {"outer lip", {22, 26, 23, 27}, true},
              {"inner lip", {22, 24, 23, 25}, true}},
             {{"pupil", {16}, {17}}, {"ocular", {8}, {9}}}}};
  return kSchemes;
}

}  // namespace

const Scheme* scheme_of(std::size_t points) {
  const auto& all = schemes();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Scheme& s) { return s.points == points; });
  return found == all.end() ? nullptr : &*found;
}

const Scheme* scheme_named(std::string_view name) {
  const auto& all = schemes();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Scheme& s) { return same_word(s.name, name); });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace anemone::face

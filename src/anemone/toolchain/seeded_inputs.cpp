// Seeded pictures and tensors.
#include "anemone/toolchain/seeded_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace anemone::toolchain {
namespace {

std::string input_names(const Function& function) {
  std::string names;
  for (const auto& input : function.body.inputs)
    names += fmt::format("{}'{}' {}", names.empty() ? "" : ", ", input->name, brief(input->type));
  return names;
}

}  // namespace

std::uint64_t Draws::next() {
  std::uint64_t z = state_ += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

double Draws::uniform(double low, double high) {
  return low + (high - low) * static_cast<double>(next() >> 11) / 9007199254740992.0;  // 2^53
}

double Draws::normal() {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += uniform(0, 1);
  return sum;
}

std::vector<InputFile> seeded_images(std::int64_t width, std::int64_t height, std::uint64_t seed) {
  constexpr std::array kLabels{"noise", "gradients", "an ellipse"};
  std::vector<InputFile> images;
  for (int kind = 0; kind < 3; ++kind) {
    std::vector<std::uint8_t> bgr(static_cast<std::size_t>(width * height * 3));
    Draws draws(seed + static_cast<std::uint64_t>(kind));
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        for (std::int64_t c = 0; c < 3; ++c) {
          const double u = static_cast<double>(x) / static_cast<double>(width),
                       v = static_cast<double>(y) / static_cast<double>(height);
          double value = static_cast<double>(draws.next() >> 56);
          if (kind == 1) value = 127.5 * (1 + std::sin(6 * u + static_cast<double>(c)) * std::cos(5 * v));
          if (kind == 2)
            value =
                std::hypot((u - 0.5) / 0.3, (v - 0.5) / 0.4) < 1 ? 190 + 20.0 * static_cast<double>(c) : 40 + value / 8;
          bgr[static_cast<std::size_t>((y * width + x) * 3 + c)] = static_cast<std::uint8_t>(value);
        }
      }
    }
    images.push_back(make_image(std::move(bgr), width, height));
    images.back().label = kLabels[static_cast<std::size_t>(kind)];
  }
  return images;
}

bool takes_pixels(const Session& session) {
  const Function& main = session.function();
  if (main.body.inputs.size() != 1 || main.body.inputs[0]->type.rank() != 4) return false;
  const Feature* feature = main.interface.input(main.body.inputs[0]->name);
  return trained_preprocessing(session.model()) || (feature && feature->kind == Feature::Kind::image);
}

Diagnostic different_inputs(const Function& mine, const Function& theirs) {
  return bad_usage(
      fmt::format("the models take different inputs: {} against {}", input_names(mine), input_names(theirs)),
      "compare models of one interface, or give 'anemone verify' an --input that both take");
}

Result<std::vector<Array>> rearranged(const std::vector<Array>& inputs, const Function& from, const Function& to) {
  const auto& mine = from.body.inputs;
  const auto& theirs = to.body.inputs;
  const auto different = [&] { return different_inputs(from, to); };
  if (mine.size() != theirs.size()) return different();
  const auto index_of = [&](const std::string& name) {
    return static_cast<std::size_t>(
        std::find_if(mine.begin(), mine.end(), [&](const auto& input) { return input->name == name; }) - mine.begin());
  };
  const bool shared =
      std::any_of(theirs.begin(), theirs.end(), [&](const auto& input) { return index_of(input->name) < mine.size(); });
  std::vector<Array> arrays;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    const std::size_t at = shared ? index_of(theirs[i]->name) : i;
    if (at == mine.size()) return different();
    const Type& declared = theirs[i]->type.tensor_part();
    const auto count = element_count(inputs[at].dims);
    if (declared.is_fixed() && element_count(declared.dims) != count) return different();
    arrays.push_back(inputs[at]);
  }
  return arrays;
}

}  // namespace anemone::toolchain

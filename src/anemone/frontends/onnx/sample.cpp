// Images sampled at coordinates, and what detectors do with boxes.
#include <fmt/format.h>

#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {
namespace {

void lower_grid_sample(Call& c) {
  std::string mode = c.text("mode", "linear");
  if (mode == "linear") mode = "bilinear";
  const std::string padding = c.text("padding_mode", "zeros");
  const bool align = c.flag("align_corners", false);
  if (mode != "bilinear" && mode != "nearest")
    Call::refuse(fmt::format("mode '{}'", mode), "export it with mode bilinear");
  if (c.rank(0) != 4) Call::refuse(fmt::format("an input of rank {}", c.rank(0)));
  const char* border = padding == "zeros"    ? "constant"
                       : padding == "border" ? "border"
                       : align               ? "reflection"
                                             : "symmetric";
  MilValue* x = c.real(0);
  c.give(c.emit().add("resample", {{"x", x},
                                   {"coordinates", c.real(1)},
                                   {"sampling_mode", mode.c_str()},
                                   {"padding_mode", border},
                                   {"padding_value", c.emit().number(x, 0)},
                                   {"coordinates_mode", "normalized_minus_one_to_one"},
                                   {"align_corners", align}}));
}

// theta [N, 2, 3] times the grid of an image's pixels: [N, H, W, 2].
void lower_affine_grid(Call& c) {
  Emit& emit = c.emit();
  const Dims size = c.ints(1);
  if (size.size() != 4) Call::refuse("a volume instead of an image");
  const std::size_t numbers = table_size({size[2], size[3], 3});
  const bool align = c.flag("align_corners", false);
  const auto place = [&](std::int64_t i, std::int64_t n) {
    if (align) return n > 1 ? -1 + 2 * static_cast<double>(i) / static_cast<double>(n - 1) : 0.0;
    return (2 * static_cast<double>(i) + 1) / static_cast<double>(n) - 1;
  };
  std::vector<double> grid;
  grid.reserve(numbers);
  for (std::int64_t y = 0; y < size[2]; ++y) {
    for (std::int64_t x = 0; x < size[3]; ++x) grid.insert(grid.end(), {place(x, size[3]), place(y, size[2]), 1});
  }
  MilValue* theta = c.real(0);
  const ConstantPtr pixels = make_constant(theta->type.dtype, {1, size[2] * size[3], 3}, std::span<const double>(grid));
  MilValue* moved = emit.add("matmul", {{"x", pixels}, {"y", theta}, {"transpose_y", true}});
  c.give(emit.reshape(moved, {size[0], size[2], size[3], 2}));
}

void lower_non_max_suppression(Call&) {
  Call::refuse("the number of its results depends on data, and Core ML's operation pads them",
               "end the network at the boxes and scores with --outputs, and suppress in the application");
}
void lower_roi_align(Call&) {
  Call::refuse("averages of several samples a cell, which Core ML's crop_resize does not take",
               "end the network before it with --outputs");
}
void lower_unique(Call&) {
  Call::refuse("the number of its results depends on data", "end the network before it with --outputs");
}

constexpr Row kRows[] = {
    {"GridSample", 16, lower_grid_sample, "mode cubic; volumes"},
    {"AffineGrid", 20, lower_affine_grid, "volumes"},
    {"NonMaxSuppression", 10, lower_non_max_suppression, "all of it: the number of results depends on data"},
    {"RoiAlign", 10, lower_roi_align, "all of it: averages of samples"},
    {"Unique", 11, lower_unique, "all of it: the number of results depends on data"},
};

}  // namespace

std::span<const Row> sample_lowerings() { return kRows; }

}  // namespace anemone::onnx

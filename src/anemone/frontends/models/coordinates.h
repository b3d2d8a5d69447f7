#pragma once
// Where the cells of a square map lie, as channels of the map: constants for a map of one size, and counted at run time
// where one graph takes several sizes.
#include <vector>

#include "anemone/frontends/models/layers.h"

namespace anemone::models {

struct Coordinates {
  std::vector<Value*> planes;  ///< row, column, radius, together [N,3,n,n]: from -1 to 1, the radius up to 1
  Value *row = nullptr, *column = nullptr, *zero = nullptr;  ///< [N,1,n,n]; null where they are not asked for
};

/// The constants of a map of n×n, the same for every sample.
Coordinates known_coordinates(Layers& net, std::int64_t batch, std::int64_t n, bool single_planes);

/// Counts the cells of a map with an n-th of an image's height and width: what other sizes share. The result [1,5,n,n]
/// holds, for the cell in row i and column j: 2i-(n-1), 2j-(n-1), 2i-(n-1) again, n-1 and 1, which are integers and so
/// exact in half precision (up to n = 2048). It is one convolution of ones, which counts the cells on either side: with
/// `largest` cells a side at most, its kernel is 2·largest-1 wide, and engines take 13. A map of few cells is counted
/// therefore, and split_cells makes larger ones of it.
Value* count_cells(Layers& net, Value* image, std::int64_t image_pixels_a_cell, std::int64_t largest);

/// The same of the map in which each cell is `factor` by `factor` cells.
Value* split_cells(Layers& net, Value* cells, std::int64_t factor);

/// The coordinates of counted cells.
Coordinates counted_coordinates(Layers& net, Value* cells, bool single_planes);

/// [1,3,n·n]: 2j-(n-1), 2i-(n-1) and n-1, divided by `unit`, a power of two.
Value* counted_grid(Layers& net, Value* cells, double unit);

}  // namespace anemone::models

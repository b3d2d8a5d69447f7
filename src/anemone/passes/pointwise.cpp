// What the words about convolutions mean.
#include "anemone/passes/pointwise.h"

#include "anemone/ir/op_def.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/all_are.h"

namespace anemone::passes {
namespace {

bool is_plain(const Value* value) { return payload(value) && is_float(value->type.dtype); }

bool has_kernel_of_one(const Node& conv) {
  const Value* weight = conv.input("weight");
  return weight && weight->type.rank() > 2 && all_are(std::span(weight->type.dims).subspan(2), 1);
}

std::size_t spatial(const Node& conv) { return conv.input("weight")->type.dims.size() - 2; }

}  // namespace

bool has_plain_weights(const Node& conv) {
  return is_plain(conv.input("weight")) && (!conv.input("bias") || is_plain(conv.input("bias")));
}

bool is_unpadded(const Node& conv) {
  const ConstantView view(conv);
  const std::string pad_type = view.text("pad_type");
  if (pad_type == "valid") return true;
  if (pad_type == "custom") return all_are(view.ints("pad", 2 * spatial(conv)), 0);
  return has_kernel_of_one(conv);  // "same": as much as the kernel reaches over the edge
}

bool is_pointwise(const Node& node) {
  return node.type == "conv" && has_plain_weights(node) && has_kernel_of_one(node) && is_unpadded(node) &&
         ConstantView(node).integer("groups") == 1 && all_are(ConstantView(node).ints("strides", spatial(node)), 1);
}

Matrix columns(const Matrix& m, std::size_t rows, std::size_t first, std::size_t count) {
  const std::size_t width = m.size() / rows;
  Matrix part;
  part.reserve(rows * count);
  for (std::size_t r = 0; r < rows; ++r) {
    const auto from = m.begin() + static_cast<std::ptrdiff_t>(r * width + first);
    part.insert(part.end(), from, from + static_cast<std::ptrdiff_t>(count));
  }
  return part;
}

Matrix product(const Matrix& a, const Matrix& b, std::size_t rows, std::size_t inner) {
  const std::size_t width = b.size() / inner;
  Matrix result(rows * width, 0);
  for (std::size_t r = 0; r < rows; ++r) {
    double* const row = result.data() + r * width;
    for (std::size_t i = 0; i < inner; ++i) {
      const double factor = a[r * inner + i];
      const double* const from = b.data() + i * width;
      for (std::size_t c = 0; c < width; ++c) row[c] += factor * from[c];
    }
  }
  return result;
}

Matrix side_by_side(const std::vector<Matrix>& parts, std::size_t rows) {
  Matrix all;
  for (std::size_t r = 0; r < rows; ++r) {
    for (const Matrix& part : parts) {
      const auto width = static_cast<std::ptrdiff_t>(part.size() / rows);
      const auto from = part.begin() + static_cast<std::ptrdiff_t>(r) * width;
      all.insert(all.end(), from, from + width);
    }
  }
  return all;
}

}  // namespace anemone::passes

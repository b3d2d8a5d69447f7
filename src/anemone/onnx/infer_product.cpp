// Types of matrix products and recurrent networks.
#include <fmt/format.h>

#include <map>

#include "anemone/onnx/infer.h"

namespace anemone::onnx {
namespace {

constexpr std::int64_t kMostExtent = std::int64_t{1} << 31;  // two of them can be multiplied

void matmul_as(InferView& v, const Shape* a, const Shape* b, DataType dtype) {
  if (!a || !b) return v.set(0, dtype, std::nullopt);
  if (a->empty() || b->empty()) return v.fail("an operand is a scalar");
  const Dimension& inner_a = a->back();
  const Dimension& inner_b = b->size() == 1 ? b->back() : (*b)[b->size() - 2];
  if (extent(inner_a) >= 0 && extent(inner_b) >= 0 && extent(inner_a) != extent(inner_b))
    return v.fail(fmt::format("the inner extents are {} and {}", extent(inner_a), extent(inner_b)));
  const auto batch = [](const Shape& s) { return s.size() > 2 ? Shape(s.begin(), s.end() - 2) : Shape{}; };
  std::optional<Shape> out = broadcast(batch(*a), batch(*b));
  if (!out) return v.fail("the batch extents of the operands do not broadcast");
  if (a->size() > 1) out->push_back((*a)[a->size() - 2]);
  if (b->size() > 1) out->push_back(b->back());
  v.set(0, dtype, std::move(out));
}

void matmul(InferView& v) { matmul_as(v, v.shape(0), v.shape(1), v.dtype(0)); }
void matmul_integer(InferView& v) { matmul_as(v, v.shape(0), v.shape(1), DataType::int32); }
void qlinear_matmul(InferView& v) { matmul_as(v, v.shape(0), v.shape(3), v.dtype(7)); }

void gemm(InferView& v) {
  const Shape *a = v.shape(0), *b = v.shape(1);
  if (!a || !b) return v.set(0, v.dtype(0), std::nullopt);
  if (a->size() != 2 || b->size() != 2)
    return v.fail(fmt::format("the operands have rank {} and {}, not 2", a->size(), b->size()));
  const std::size_t ta = v.node().integer("transA", 0) != 0, tb = v.node().integer("transB", 0) != 0;
  const std::int64_t inner_a = extent((*a)[1 - ta]), inner_b = extent((*b)[tb]);
  if (inner_a >= 0 && inner_b >= 0 && inner_a != inner_b)
    return v.fail(fmt::format("the inner extents are {} and {}", inner_a, inner_b));
  v.set(0, v.dtype(0), Shape{(*a)[ta], (*b)[1 - tb]});
}

/// RNN, GRU, LSTM: Y [sequence, directions, batch, hidden], and the last states.
void recurrent(InferView& v) {
  const Shape* x = v.shape(0);
  if (!x || x->size() != 3) return;
  const bool batch_first = v.node().integer("layout", 0) == 1;
  const Dimension sequence = (*x)[batch_first ? 1 : 0], batch = (*x)[batch_first ? 0 : 1];
  const Dimension directions = known_extent(v.node().text("direction", "forward") == "bidirectional" ? 2 : 1);
  Dimension hidden;
  if (v.node().attribute("hidden_size")) {
    hidden = known_extent(v.node().integer("hidden_size", 0));
  } else if (const Shape* r = v.shape(2); r && r->size() == 3) {
    hidden = (*r)[2];
  }
  v.set(0, v.dtype(0),
        batch_first ? Shape{batch, sequence, directions, hidden} : Shape{sequence, directions, batch, hidden});
  for (const std::size_t i : {1, 2})
    v.set(i, v.dtype(0), batch_first ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden});
}

/// Y is like Q, with the numbers that V has for each head; then keys and values with those of the past.
void attention(InferView& v) {
  const Shape *q = v.shape(0), *k = v.shape(1), *value = v.shape(2);
  if (!q || !k || !value || q->size() != value->size() || k->size() != q->size() || q->empty()) return;
  Shape y = *q;
  y.back() = value->back();
  if (q->size() == 3) {
    const std::int64_t heads = v.node().integer("q_num_heads", 1), of_values = v.node().integer("kv_num_heads", 1);
    const std::int64_t width = extent(value->back());
    const bool known = width >= 0 && width < kMostExtent && heads > 0 && heads < kMostExtent && of_values > 0;
    y.back() = known ? known_extent(width / of_values * heads) : Dimension{};
  }
  v.set(0, v.dtype(0), std::move(y));
}

/// Explicit equations without ellipsis; of others, nothing is said but the element type.
void einsum(InferView& v) {
  std::string equation = v.node().text("equation", "");
  std::erase(equation, ' ');
  const std::size_t arrow = equation.find("->");
  std::optional<Shape> out;
  if (arrow != std::string::npos && equation.find('.') == std::string::npos) {
    std::map<char, Dimension> extents;
    std::size_t input = 0, axis = 0;
    for (std::size_t i = 0; i < arrow; ++i) {
      if (equation[i] == ',') {
        ++input, axis = 0;
        continue;
      }
      const Shape* shape = v.shape(input);
      if (shape && axis < shape->size()) {
        Dimension& known = extents[equation[i]];
        if (extent(known) <= 1) known = (*shape)[axis];
      }
      ++axis;
    }
    out.emplace();
    for (std::size_t i = arrow + 2; i < equation.size(); ++i) out->push_back(extents[equation[i]]);
  }
  v.set(0, v.dtype(0), std::move(out));
}

constexpr InferRow kRows[] = {
    {"Attention", attention},
    {"Einsum", einsum},
    {"GRU", recurrent},
    {"Gemm", gemm},
    {"LSTM", recurrent},
    {"MatMul", matmul},
    {"MatMulInteger", matmul_integer},
    {"QLinearMatMul", qlinear_matmul},
    {"RNN", recurrent},
};

}  // namespace

std::span<const InferRow> product_rows() { return kRows; }

}  // namespace anemone::onnx

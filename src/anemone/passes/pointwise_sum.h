#pragma once
// What a 1x1 convolution sums up, when those before it are multiplied into it: a matrix times each of several values.
#include <vector>

#include "anemone/ir/builder.h"
#include "anemone/ir/graph.h"
#include "anemone/passes/pointwise.h"

namespace anemone::passes {

/// A price asks for shapes alone: no matrix is multiplied, and weights are zeros.
enum class Content : std::uint8_t { shapes, numbers };

class PointwiseSum {
 public:
  /// `root` is_pointwise(). Looks through sums, concatenations and 1x1 convolutions that nobody else reads.
  PointwiseSum(const Node& root, Content content);
  std::size_t convolutions() const { return convolutions_; }  ///< besides the root
  std::size_t work() const { return work_; }                  ///< multiply-adds that the numbers take
  /// One convolution, of a concat where there are several values.
  Value* build(Builder& builder) const;

 private:
  struct Term {
    Value* value;
    Matrix matrix;  // empty where shapes are enough
  };

  Matrix numbers(const Node& conv, std::string_view param) const;
  const Node* linear(const Value& value) const;
  bool has_convolution(const Value& value, int depth) const;
  void expand(Value& value, Matrix matrix, int depth);
  void compose(const Node& conv, const Matrix& matrix, int depth);
  void add(Value& value, Matrix matrix);

  const Node* root_;
  Content content_;
  std::size_t rows_, convolutions_ = 0, work_ = 0;
  Matrix bias_;
  std::vector<Term> terms_;
};

}  // namespace anemone::passes

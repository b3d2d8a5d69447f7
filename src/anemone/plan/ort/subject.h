#pragma once
// What the rules of the provider look at: one node of the optimised graph, for one version and format.
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "anemone/plan/ort/edges.h"
#include "anemone/plan/ort/target.h"
#include "anemone/plan/rule.h"

namespace anemone::plan::ort {

using onnx::DataType;

/// Which element types the provider asks an operation for.
enum class Types : std::uint8_t {
  plain,   ///< of the first operand: float; in ML Programs more, as the releases went
  pow,     ///< plain, and both the same
  gather,  ///< float and int64
  slice,   ///< float and int64; float16 in ML Programs from 1.20 on
  shape,
  cast,
  normalization,  ///< all operands the same, floating point
};

/// An operation that the provider has a builder for.
struct Builder {
  std::string_view op;
  int neural_network = 19, ml_program = 19;  ///< first version that takes it; 0: none
  int min_opset = 1;
  Types types = Types::plain;
};
/// In no order; null: no release up to 1.24 has one.
const Builder* find_builder(std::string_view op);

struct Subject {
  const Model* model = nullptr;
  Target target;

  struct Op {
    const Subject& subject;
    const Node& node;
    const Builder* builder;  ///< null: there is none

    const Model& model() const { return *subject.model; }
    int version() const { return subject.target.version; }
    bool ml_program() const { return subject.target.format == Format::ml_program; }
    std::int64_t since() const;  ///< the opset that defines the operation

    DataType dtype(std::size_t input) const;
    /// Extents, -1 where one is not known; null: not even the rank is.
    std::optional<std::vector<std::int64_t>> shape(std::size_t input) const;
    std::vector<std::int64_t> dims(std::size_t input) const {
      return shape(input).value_or(std::vector<std::int64_t>{});
    }
    bool is_static(std::size_t input) const;
    bool has(std::size_t input) const { return node.input(input) != nullptr; }
    const Tensor* constant(std::size_t input) const { return ort::constant(model(), node, input); }
    /// Also one that a caller may replace: some builders do not ask.
    const Tensor* initializer(std::size_t input) const {
      return has(input) ? node.input(input)->tensor.get() : nullptr;
    }
    std::optional<std::vector<std::int64_t>> integers(std::size_t input) const {
      return ort::integers(model(), node.input(input));
    }
  };
};
using Op = Subject::Op;

/// In messages: "[1,3,?,?]", "float", "[?,?]".
std::string shown(const std::vector<std::int64_t>& shape);

}  // namespace anemone::plan::ort

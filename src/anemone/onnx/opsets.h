#pragma once
// Which opsets changed an operation of ai.onnx.
#include <cstdint>
#include <string_view>

namespace anemone::onnx {

struct Model;
class Node;

/// The opset that the definition of `op` in force at `opset` is from: 11 for Conv in opset 13. 0: there is none.
std::int64_t since_version(std::string_view op, std::int64_t opset);

/// The key of a node's metadata that says the opset it is written for, where that is not the file's: of nodes that came
/// from a function with imports of its own.
inline constexpr std::string_view kOpsetProperty = "anemone.opset";
/// The opset that a node means: its own, else what the file imports of its domain; 0: nothing.
std::int64_t opset_of(const Model& model, const Node& node);

}  // namespace anemone::onnx

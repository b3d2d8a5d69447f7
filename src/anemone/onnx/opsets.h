#pragma once
// Which opsets changed an operation of ai.onnx.
#include <cstdint>
#include <string_view>

namespace anemone::onnx {

/// The opset that the definition of `op` in force at `opset` is from: 11 for Conv in opset 13. 0: there is none.
std::int64_t since_version(std::string_view op, std::int64_t opset);

}  // namespace anemone::onnx

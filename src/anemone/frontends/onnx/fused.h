#pragma once
// Lowerings that others build on.
#include "anemone/frontends/onnx/lowering.h"

namespace anemone::onnx {

/// A Conv with the node's attributes.
MilValue* conv_of(Call& c, MilValue* x, MilValue* weight, MilValue* bias);
MilValue* conv_value(Call& c);  ///< of the node's own operands
MilValue* gemm_value(Call& c);
MilValue* log_softmax(Emit& emit, MilValue* x, std::int64_t axis);
/// An activation by the name that ONNX's recurrent and fused nodes use, with its parameters.
MilValue* activation_by_name(Emit& emit, MilValue* x, std::string_view name, const std::vector<float>& parameters);

}  // namespace anemone::onnx

#pragma once
// The families of the op table: one file and one function each. A new family is declared here and listed in ops.cpp.
#include <span>

#include "anemone/ir/op_def.h"

namespace anemone::ops {

std::span<const OpDef> activation();
std::span<const OpDef> attention();
std::span<const OpDef> constant();
std::span<const OpDef> control();
std::span<const OpDef> convolution();
std::span<const OpDef> detection();
std::span<const OpDef> elementwise_binary();
std::span<const OpDef> elementwise_unary();
std::span<const OpDef> gather();
std::span<const OpDef> generate();
std::span<const OpDef> join();
std::span<const OpDef> linear();
std::span<const OpDef> normalization();
std::span<const OpDef> pool();
std::span<const OpDef> quantize();
std::span<const OpDef> random();
std::span<const OpDef> rearrange();
std::span<const OpDef> recurrent();
std::span<const OpDef> reduction();
std::span<const OpDef> resize();
std::span<const OpDef> sample();
std::span<const OpDef> scatter();
std::span<const OpDef> shape();
std::span<const OpDef> slice();
std::span<const OpDef> sort();
std::span<const OpDef> space();
std::span<const OpDef> state();

}  // namespace anemone::ops

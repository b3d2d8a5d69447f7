#pragma once
// The forms of operations that the kernels are tested with: odd shapes, every parameter that changes the path taken.
#include <fmt/format.h>

#include <functional>
#include <string>
#include <vector>

#include "anemone/runtime/engine_test_util.h"

namespace anemone::runtime {

struct Case {
  std::string op;
  std::string form;  ///< what is special about it
  std::function<std::vector<Value*>(TestGraph&)> build;
  bool by_reference = false;  ///< no kernel covers this form
  Target opset = Target::ios17;
};
using Values = std::vector<Value*>;

void add_attention_cases(std::vector<Case>& cases);
void add_conv_cases(std::vector<Case>& cases);
void add_matrix_cases(std::vector<Case>& cases);
void add_norm_cases(std::vector<Case>& cases);
void add_unary_cases(std::vector<Case>& cases);
void add_elementwise_cases(std::vector<Case>& cases);
void add_pool_cases(std::vector<Case>& cases);
void add_resize_cases(std::vector<Case>& cases);
void add_recurrent_cases(std::vector<Case>& cases);
void add_reduce_cases(std::vector<Case>& cases);
void add_shape_cases(std::vector<Case>& cases);
void add_move_cases(std::vector<Case>& cases);
void add_space_cases(std::vector<Case>& cases);

}  // namespace anemone::runtime

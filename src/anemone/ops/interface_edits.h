#pragma once
// Changes of what a function takes and gives, as asked for on the command line: outputs, image input, target.
#include <span>
#include <string>
#include <vector>

#include "anemone/ir/graph.h"
#include "anemone/support/result.h"

namespace anemone::ops {

/// Makes the named values the outputs, in this order. Any value of the body may be named, not only outputs.
/// Errors: E0250 with the nearest names.
Result<void> select_outputs(Function& function, std::span<const std::string> names);

/// What the application's pixel (0…255) becomes: pixel · scale + bias, one bias a channel in the tensor's order.
struct ImageInput {
  Color color = Color::bgr;
  double scale = 1;
  std::vector<double> bias;  ///< one for all channels, or one a channel; empty = 0
};

/// Turns the array input `name` (float [1, C, H, W]) into an image input. The arithmetic becomes `add(bias / scale)`
/// then `mul(scale)`: in this order an fp16 program rounds once where bias / scale is a half (STAR's -127.5 is),
/// instead of twice. A zero bias or a scale of one leaves its operation out. Errors: E0251 when the input is no
/// image-shaped tensor, or colour and channels disagree.
Result<void> make_image_input(Function& function, const std::string& name, const ImageInput& image);

/// Sets opset and specification version, says operations whose form has changed in the new form (lookup tables and sparse
/// constants of before ios18), and checks every type rule. Errors: what does not exist in that opset.
Result<void> set_target(Program& program, Target target);

}  // namespace anemone::ops

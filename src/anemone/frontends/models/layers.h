#pragma once
// PyTorch's layers in MIL, taking their weights from a state dict by module path. Errors stick, as in the Builder.
#include <string>

#include "anemone/frontends/torch/state_dict.h"
#include "anemone/ir/builder.h"

namespace anemone::models {

/// Nodes of a network say the module they come from: origin "checkpoint: hgs.0.up1.conv1.conv".
inline constexpr std::string_view kOrigin = "checkpoint: ";

struct ConvShape {
  std::int64_t stride = 1, padding = 0, groups = 1;
  bool bias = true;
};

class Layers {
 public:
  Layers(Block& block, const formats::StateDict& state) : builder_(block), state_(&state) {}

  // Each takes the path of the module that it is. `name` is the value's name; by default the path with '_' for '.'.
  Value* conv(const std::string& path, Value* x, const ConvShape& how = {}, std::string_view name = {});
  Value* batch_norm(const std::string& path, Value* x, std::string_view name = {});  ///< eps 1e-5
  Value* relu(const std::string& path, Value* x, std::string_view name = {});
  Value* sigmoid(const std::string& path, Value* x, std::string_view name = {});
  Value* leaky_relu(const std::string& path, Value* x, double slope, std::string_view name = {});
  Value* instance_norm(const std::string& path, Value* x, std::string_view name = {});  ///< not affine, eps 1e-5
  Value* max_pool_2x2(const std::string& path, Value* x);
  Value* upsample_2x(const std::string& path, Value* x);  ///< nearest neighbour
  Value* sum(const std::string& path, Value* x, Value* y, std::string_view name = {});
  Value* product(const std::string& path, Value* x, Value* y, std::string_view name = {});
  Value* concat(const std::string& path, std::vector<Value*> values, std::int64_t axis, std::string_view name = {});
  /// x[begin:end] with steps of one.
  Value* slice(const std::string& path, Value* x, const Dims& begin, const Dims& end, std::string_view name = {});

  /// Channels first..last-1 of x [1,C,H,W], of any height and width.
  Value* channels(const std::string& path, Value* x, std::int64_t first, std::int64_t last, std::string_view name = {});

  /// A tensor of the state dict as a constant of the graph; one Value however often it is asked for.
  Value* weight(const std::string& key);
  Builder& at(std::string_view path);  ///< the builder, with the origin of the next nodes set

  /// The first error of the state dict or of the builder.
  Result<void> finish();

 private:
  Builder builder_;
  const formats::StateDict* state_;
  std::unordered_map<std::string, Value*> weights_;
  Diagnostics errors_;
};

}  // namespace anemone::models

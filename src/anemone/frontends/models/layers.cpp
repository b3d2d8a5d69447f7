// One MIL operation a layer, with every parameter that has a default written out: Core ML's compiler wants several.
#include "anemone/frontends/models/layers.h"

#include <fmt/format.h>

#include <utility>

namespace anemone::models {
namespace {
ConstantPtr number(double value) { return make_scalar(DType::fp32, value); }
constexpr double kEpsilon = 1e-5;  // of PyTorch's batch and instance norm
}  // namespace

Builder& Layers::at(std::string_view path) {
  builder_.set_origin(fmt::format("{}{}", kOrigin, path));
  return builder_;
}

Value* Layers::weight(const std::string& key) {
  if (const auto found = weights_.find(key); found != weights_.end()) return found->second;
  auto constant = torch::float32_constant(*state_, key);
  if (!constant) {
    if (errors_.empty()) errors_ = std::move(constant).error();
    constant = number(0);  // the builder goes on; finish() reports
  }
  return weights_[key] = builder_.constant(*std::move(constant), key);
}

Value* Layers::conv(const std::string& path, Value* x, const ConvShape& how, std::string_view name) {
  Value* const kernel = weight(path + ".weight");
  const std::int64_t s = how.stride, p = how.padding;
  const Argument strides({s, s}), pad({p, p, p, p}), dilations({1, 1}), groups(how.groups);
  const Argument pad_type(p == 0 ? "valid" : "custom");
  const std::string_view output = name.empty() ? std::string_view(path) : name;
  if (!how.bias) {
    return at(path).add("conv",
                        {{"x", x},
                         {"weight", kernel},
                         {"strides", strides},
                         {"pad_type", pad_type},
                         {"pad", pad},
                         {"dilations", dilations},
                         {"groups", groups}},
                        output);
  }
  return at(path).add("conv",
                      {{"x", x},
                       {"weight", kernel},
                       {"bias", weight(path + ".bias")},
                       {"strides", strides},
                       {"pad_type", pad_type},
                       {"pad", pad},
                       {"dilations", dilations},
                       {"groups", groups}},
                      output);
}

Value* Layers::batch_norm(const std::string& path, Value* x, std::string_view name) {
  return at(path).add("batch_norm",
                      {{"x", x},
                       {"mean", weight(path + ".running_mean")},
                       {"variance", weight(path + ".running_var")},
                       {"gamma", weight(path + ".weight")},
                       {"beta", weight(path + ".bias")},
                       {"epsilon", number(kEpsilon)}},
                      name.empty() ? path : name);
}

Value* Layers::relu(const std::string& path, Value* x, std::string_view name) {
  return at(path).add("relu", {{"x", x}}, name.empty() ? path : name);
}

Value* Layers::sigmoid(const std::string& path, Value* x, std::string_view name) {
  return at(path).add("sigmoid", {{"x", x}}, name.empty() ? path : name);
}

Value* Layers::leaky_relu(const std::string& path, Value* x, double slope, std::string_view name) {
  return at(path).add("leaky_relu", {{"x", x}, {"alpha", number(slope)}}, name.empty() ? path : name);
}

Value* Layers::instance_norm(const std::string& path, Value* x, std::string_view name) {
  return at(path).add("instance_norm", {{"x", x}, {"epsilon", number(kEpsilon)}}, name.empty() ? path : name);
}

Value* Layers::max_pool_2x2(const std::string& path, Value* x) {
  return at(path).add("max_pool",
                      {{"x", x},
                       {"kernel_sizes", {2, 2}},
                       {"strides", {2, 2}},
                       {"pad_type", "valid"},
                       {"pad", {0, 0, 0, 0}},
                       {"ceil_mode", false}},
                      path);
}

Value* Layers::upsample_2x(const std::string& path, Value* x) {
  return at(path).add("upsample_nearest_neighbor",
                      {{"x", x}, {"scale_factor_height", number(2)}, {"scale_factor_width", number(2)}}, path);
}

Value* Layers::sum(const std::string& path, Value* x, Value* y, std::string_view name) {
  return at(path).add("add", {{"x", x}, {"y", y}}, name.empty() ? path : name);
}

Value* Layers::product(const std::string& path, Value* x, Value* y, std::string_view name) {
  return at(path).add("mul", {{"x", x}, {"y", y}}, name.empty() ? path : name);
}

Value* Layers::concat(const std::string& path, std::vector<Value*> values, std::int64_t axis, std::string_view name) {
  return at(path).add("concat", {{"values", std::move(values)}, {"axis", axis}, {"interleave", false}},
                      name.empty() ? path : name);
}

Value* Layers::slice(const std::string& path, Value* x, const Dims& begin, const Dims& end, std::string_view name) {
  const ConstantPtr no = make_bools(std::vector<bool>(begin.size(), false));
  return at(path).add("slice_by_index",
                      {{"x", x},
                       {"begin", begin},
                       {"end", end},
                       {"stride", Dims(begin.size(), 1)},
                       {"begin_mask", no},
                       {"end_mask", no},
                       {"squeeze_mask", no}},
                      name.empty() ? path : name);
}

Value* Layers::channels(const std::string& path, Value* x, std::int64_t first, std::int64_t last,
                        std::string_view name) {
  const ConstantPtr whole = make_bools({true, false, true, true});
  return at(path).add("slice_by_index",
                      {{"x", x},
                       {"begin", {0, first, 0, 0}},
                       {"end", {0, last, 0, 0}},
                       {"stride", {1, 1, 1, 1}},
                       {"begin_mask", whole},
                       {"end_mask", whole},
                       {"squeeze_mask", make_bools(std::vector<bool>(4, false))}},
                      name.empty() ? path : name);
}

Result<void> Layers::finish() {
  if (!errors_.empty()) return std::exchange(errors_, {});
  return builder_.finish();
}

}  // namespace anemone::models

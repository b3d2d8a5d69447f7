// Edits of the interface keep features, function inputs and block outputs in step.
#include "anemone/ops/interface_edits.h"

#include <fmt/format.h>

#include <algorithm>

#include "anemone/ir/builder.h"
#include "anemone/ir/rewrite.h"

namespace anemone::ops {
namespace {

Value* find_value(Block& body, std::string_view name) {
  for (const auto& input : body.inputs) {
    if (input->name == name) return input.get();
  }
  return find_result(body, name);
}

Diagnostic no_such_value(const Block& body, const std::string& name) {
  std::vector<std::string_view> names;
  for (const Node& node : body.nodes) {
    for (const auto& output : node.outputs) names.push_back(output->name);
  }
  return bad_input(ErrorCode::no_such_value, fmt::format("there is no value '{}' to make an output of", name), {},
                   did_you_mean(name, names, "'anemone print' shows the names"));
}

Feature array_feature(const Value& value) {
  Feature feature;
  feature.name = value.name;
  feature.dtype = value.type.dtype;
  if (value.type.is_fixed()) feature.shape = value.type.dims;
  if (feature.shape.empty() && value.type.is_fixed()) feature.shape = {1};  // the interface has no scalars
  return feature;
}

}  // namespace

Result<void> select_outputs(Function& function, std::span<const std::string> names) {
  std::vector<Value*> values;
  std::vector<Feature> features;
  for (const std::string& name : names) {
    Value* value = find_value(function.body, name);
    if (!value) return no_such_value(function.body, name);
    if (std::find(values.begin(), values.end(), value) != values.end()) continue;
    const Feature* known = function.interface.output(name);
    features.push_back(known ? *known : array_feature(*value));
    values.push_back(value);
  }
  function.body.set_outputs(std::move(values));
  function.interface.outputs = std::move(features);
  return {};
}

Result<void> make_image_input(Function& function, const std::string& name, const ImageInput& image) {
  const auto input = std::find_if(function.body.inputs.begin(), function.body.inputs.end(),
                                  [&](const auto& v) { return v->name == name; });
  const auto feature = std::find_if(function.interface.inputs.begin(), function.interface.inputs.end(),
                                    [&](const Feature& f) { return f.name == name; });
  if (input == function.body.inputs.end() || feature == function.interface.inputs.end()) {
    return bad_input(ErrorCode::no_image_input, fmt::format("there is no input '{}' to make an image of", name));
  }
  Value& value = **input;
  const std::int64_t channels = image.color == Color::gray || image.color == Color::gray_fp16 ? 1 : 3;
  const bool shaped =
      value.type.is_tensor() && is_float(value.type.dtype) && value.type.rank() == 4 && value.type.dims[0] == 1;
  if (!shaped || value.type.dims[1] != channels || !value.type.is_fixed()) {
    return bad_input(ErrorCode::no_image_input,
                     fmt::format("input '{}' is {}, and an image input ({}) needs float [1,{},H,W]", name,
                                 brief(value.type), anemone::name(image.color), channels),
                     {}, "use '--input tensor', or another --color");
  }
  if (!image.bias.empty() && image.bias.size() != 1 && image.bias.size() != static_cast<std::size_t>(channels)) {
    return bad_usage(fmt::format("{} biases given, and the image has {} channels", image.bias.size(), channels));
  }
  feature->kind = Feature::Kind::image;
  feature->color = image.color;
  feature->height = value.type.dims[2];
  feature->width = value.type.dims[3];
  feature->shape.clear();
  const DType taken = value.type.dtype;  // by what uses it
  value.type.dtype = image.color == Color::gray_fp16 ? DType::fp16 : DType::fp32;

  Builder builder(function.body, function.body.nodes.begin());
  builder.set_origin("image input");
  const std::vector<Use> uses = value.uses;
  Value* pixel = &value;
  if (std::any_of(image.bias.begin(), image.bias.end(), [](double b) { return b != 0; })) {
    std::vector<double> shift;
    for (double b : image.bias) shift.push_back(b / image.scale);
    const bool same = std::all_of(shift.begin(), shift.end(), [&](double b) { return b == shift[0]; });
    const Dims dims = same ? Dims{} : Dims{1, channels, 1, 1};
    pixel = builder.add(
        "add",
        {{"x", pixel},
         {"y", make_constant(value.type.dtype, dims, std::span<const double>(shift.data(), same ? 1 : shift.size()))}},
        name + "_biased");
  }
  if (image.scale != 1)
    pixel = builder.add("mul", {{"x", pixel}, {"y", make_scalar(value.type.dtype, image.scale)}}, name + "_scaled");
  if (value.type.dtype != taken)
    pixel =
        builder.add("cast", {{"x", pixel}, {"dtype", make_text(std::string(anemone::name(taken)))}}, name + "_cast");
  TRY_VOID(builder.finish());
  if (pixel == &value) return {};
  for (const Use& use : uses) use.node->replace(&value, pixel);
  return {};
}

namespace {

ConstantPtr retyped(const Constant& constant, DType dtype, Dims dims) {
  auto out = std::make_shared<Constant>(constant);
  out->type = Type::tensor(dtype, std::move(dims));
  return out;
}

// Until ios17 indices and masks are packed bytes beside a `shape`; from ios18 they are tensors of small integers. The
// bytes are the same.
void unpack_constexpr(Node& node) {
  const bool table = node.type == "constexpr_lut_to_dense", mask = node.type == "constexpr_sparse_to_dense";
  const Constant* shape = payload(node.input("shape"));
  if (!(table || mask) || !shape) return;
  const Dims dims = to_ints(*shape);
  const char* param = table ? "indices" : "mask";
  Value* packed = node.input(param);
  if (!packed || !packed->constant) return;
  DType dtype = DType::uint1;
  Builder builder(node);
  if (table) {
    const Value* lut = node.input("lut");
    const std::int64_t entries = lut->type.dims.empty() ? 0 : lut->type.dims[0];
    switch (entries) {
      case 2:
        break;
      case 4:
        dtype = DType::uint2;
        break;
      case 16:
        dtype = DType::uint4;
        break;
      case 64:
        dtype = DType::uint6;
        break;
      case 256:
        dtype = DType::uint8;
        break;
      default:
        return;  // the type rule refuses it
    }
    if (!lut->constant) return;
    Dims grouped(dims.size(), 1);
    grouped.insert(grouped.end(), {entries, 1});
    node.set("lut", builder.constant(retyped(*lut->constant, lut->type.dtype, std::move(grouped)), lut->name));
  }
  node.set(param, builder.constant(retyped(*packed->constant, dtype, dims), packed->name));
  node.remove("shape");
}

}  // namespace

Result<void> set_target(Program& program, Target target) {
  program.specification = specification_version(target);
  for (auto& function : program.functions) {
    if (function->opset < Target::ios18 && target >= Target::ios18) for_each_node(function->body, unpack_constexpr);
    function->opset = target;
    Diagnostics errors;
    for_each_node(function->body, [&](Node& node) {
      if (!node.def || !node.blocks.empty()) return;
      auto types = infer_types(node, target);
      if (!types && errors.empty()) errors = std::move(types).error();
    });
    if (!errors.empty()) return errors;
  }
  return {};
}

}  // namespace anemone::ops

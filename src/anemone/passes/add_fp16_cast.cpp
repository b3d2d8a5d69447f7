// Makes the program compute in fp16.
// before:  func(image: fp32)  %y = conv(x=%image, weight=fp32)                        -> (%y: fp32)
// after:   func(image: fp32)  %h = cast(%image, "fp16")  %y = conv(x=%h, weight=fp16)  -> (%y: fp16)
// boundary: arrays become FLOAT16 from ios16, where the interface may hold them; images and ios15 keep fp32 and get casts
// stays fp32: operations with a constant that fp16 cannot hold, with inner blocks, without a table row, or whose type
//           rule refuses fp16: they stand between two casts. Scalars with a dtype of their own (epsilon from ios17) too.
// why:      the Neural Engine computes in fp16 only
#include <algorithm>

#include "anemone/ir/builder.h"
#include "anemone/ir/rewrite.h"
#include "anemone/passes/fp16/half_values.h"
#include "anemone/passes/pass.h"

namespace anemone::passes {
namespace {

bool touches_fp32(const Node& node) {
  for (const auto& output : node.outputs) {
    if (is_tensor_of(*output, DType::fp32)) return true;
  }
  for (const Operand& operand : node.operands()) {
    for (const Value* value : operand.values) {
      if (is_tensor_of(*value, DType::fp32) && !may_stay_wide(node, operand)) return true;
    }
  }
  return false;
}

class Converter {
 public:
  Converter(Block& body, PassContext& context)
      : body_(body), context_(context), half_(body), half_arrays_(body.function().opset >= Target::ios16) {}

  Result<bool> run() {
    convert_inputs();
    for (auto at = body_.nodes.begin(); at != body_.nodes.end();) {
      Node& node = *at++;
      if (is_cast_to(node, "fp16") || is_widening(node)) continue;  // the boundary of an earlier run
      if (is(node, kConstexpr)) continue;                           // gets a twin when an operation takes it in fp16
      if (!convert(node)) half_.widen_operands(node);
    }
    TRY_VOID(convert_outputs());
    return half_.drop_unused() || changed_;
  }

 private:
  void convert_inputs() {
    for (auto& input : body_.inputs) {
      auto& features = body_.function().interface.inputs;
      const auto feature = std::find_if(features.begin(), features.end(), [&](const Feature& f) {
        return f.name == input->name && f.kind == Feature::Kind::array;
      });
      if (!half_arrays_ || !is_tensor_of(*input, DType::fp32) || feature == features.end()) continue;
      input->type.dtype = feature->dtype = DType::fp16;
      half_.note_narrowed(*input);
      changed_ = true;
    }
  }

  // Converts operands and outputs; false (and nothing changed) when the node has to stay fp32.
  bool convert(Node& node) {
    if (!node.def || !node.blocks.empty()) return false;
    // An operation that insists on fp32 may read what became fp16 before it.
    if (!touches_fp32(node)) return infer_types(node, body_.function().opset).has_value();
    const std::vector<Operand> before = node.operands();
    if (const std::string why = context_.wide(node); !why.empty()) return stays_wide(node, before, why);
    bool changed = is_cast_to(node, "fp32");
    for (const Operand& operand : before) {
      if (may_stay_wide(node, operand)) continue;
      std::vector<Value*> values;
      for (Value* value : operand.values) {
        const bool wide = is_tensor_of(*value, DType::fp32);
        Value* half = !wide ? value : is_fixed(node, operand) ? half_.static_half_of(*value) : half_.half_of(*value);
        if (!half) return stays_wide(node, before, operand.param + " does not fit in fp16");
        values.push_back(half);
      }
      if (values == operand.values) continue;
      node.set(operand.param, std::move(values));
      changed = true;
    }
    if (is_cast_to(node, "fp32")) node.set("dtype", Builder(node).constant(make_text("fp16"), "dtype"));
    auto types = infer_types(node, body_.function().opset);
    if (!types) return stays_wide(node, before, types.error().front().message);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      Value& output = *node.outputs[i];
      if (output.type == (*types)[i]) continue;
      if (is_tensor_of(output, DType::fp32) && (*types)[i].dtype == DType::fp16) half_.note_narrowed(output);
      output.type = std::move((*types)[i]);
      changed = true;
    }
    if (changed) context_.count("operations converted");
    changed_ |= changed;
    return true;
  }

  bool stays_wide(Node& node, const std::vector<Operand>& before, const std::string& why) {
    context_.remark(node, "stays fp32: " + why);
    for (const Operand& operand : before) node.set(operand.param, operand.values);
    return false;
  }

  // One value may be several outputs, and its name stand several times in the interface.
  Result<void> convert_outputs() {
    for (Value* value : std::vector<Value*>(body_.outputs())) TRY_VOID(convert_output(*value));
    return {};
  }

  Result<void> convert_output(Value& value) {
    if (!is_tensor_of(value, DType::fp16)) return {};
    std::vector<Feature*> wide;
    for (Feature& feature : body_.function().interface.outputs) {
      const bool half_image = feature.kind == Feature::Kind::image && feature.color == Color::gray_fp16;
      if (feature.name == value.name && feature.dtype != DType::fp16 && !half_image) wide.push_back(&feature);
    }
    if (wide.empty()) return {};
    changed_ = true;
    const auto may_be_half = [&](const Feature* feature) {
      return half_arrays_ && feature->kind == Feature::Kind::array;
    };
    if (std::all_of(wide.begin(), wide.end(), may_be_half)) {
      for (Feature* feature : wide) feature->dtype = DType::fp16;
      return {};
    }
    Builder builder(body_);
    Value* cast = builder.add("cast", {{"x", &value}, {"dtype", "fp32"}}, value.name + "_fp16");
    TRY_VOID(builder.finish());
    for (std::size_t i = 0; i < body_.outputs().size(); ++i) {
      if (body_.outputs()[i] == &value) body_.replace_output(i, cast);
    }
    take_name(*cast, value);  // the cast has the public name
    return {};
  }

  Block& body_;
  PassContext& context_;
  HalfValues half_;
  bool half_arrays_;
  bool changed_ = false;
};

}  // namespace

// Blocks inside stay as they are, between casts.
Result<bool> add_fp16_cast(Function& function, PassContext& context) { return Converter(function.body, context).run(); }

}  // namespace anemone::passes
